//! The side that begins: messages 1 and 3.
#![forbid(unsafe_code)]

use subtle::ConstantTimeEq;

use super::Secret;
use super::message::{Message1, Message2, Message3, Message4};
use super::proof::{Coordinates, EqualLogs, Knowledge, Place};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::disclosure::disclose;
use crate::crypto::modp::{Element, PowerTable, Residue, SecretExponent, pow, pow_g};

/// Message 1 was sent.
pub(super) struct Begun {
    pub(super) x: SecretExponent,
    pub(super) a2: SecretExponent,
    pub(super) a3: SecretExponent,
}

/// Message 3 was sent.
pub(super) struct Committed {
    pub(super) a3: SecretExponent,
    pub(super) g3b: Element,
    /// Pa / Pb.
    pub(super) pab: Residue,
    /// Qa / Qb.
    pub(super) qab: PowerTable,
}

/// Makes message 1.
pub(super) fn begin(secret: &Secret, rng: &mut dyn Random) -> Result<(Begun, Message1), Error> {
    let a2 = SecretExponent::random_1536(rng)?;
    let a3 = SecretExponent::random_1536(rng)?;
    let message = Message1 {
        g2a: pow_g(&a2).to_element()?,
        knows_a2: Knowledge::prove(Place::G2a, &a2, rng)?,
        g3a: pow_g(&a3).to_element()?,
        knows_a3: Knowledge::prove(Place::G3a, &a3, rng)?,
    };
    let x = SecretExponent::clone(&secret.0);
    Ok((Begun { x, a2, a3 }, message))
}

impl Begun {
    /// Checks message 2 and makes message 3.
    pub(super) fn receive(
        &self,
        message: &Message2,
        rng: &mut dyn Random,
    ) -> Result<(Committed, Message3), Error> {
        message.knows_b2.verify(Place::G2b, &message.g2b)?;
        message.knows_b3.verify(Place::G3b, &message.g3b)?;
        let g2 = PowerTable::new(&pow(&message.g2b, &self.a2));
        let g3 = PowerTable::new(&pow(&message.g3b, &self.a3));
        message
            .coordinates
            .verify(Place::PbQb, (&g2, &g3), &message.pb, &message.qb)?;

        let r4 = SecretExponent::random_1536(rng)?;
        let pa = g3.pow(&r4);
        let qa = pow_g(&r4).multiply(&g2.pow(&self.x));
        let qab = PowerTable::new(&qa.divide(&message.qb));
        let reply = Message3 {
            pa: pa.to_element()?,
            qa: qa.to_element()?,
            coordinates: Coordinates::prove(Place::PaQa, (&g2, &g3), &r4, &self.x, rng)?,
            ra: qab.pow(&self.a3).to_element()?,
            equal_logs: EqualLogs::prove(Place::Ra, &qab, &self.a3, rng)?,
        };
        let committed = Committed {
            a3: self.a3.clone(),
            g3b: message.g3b,
            pab: pa.divide(&message.pb),
            qab,
        };
        Ok((committed, reply))
    }
}

impl Committed {
    /// Checks message 4 and says whether the secrets are equal.
    pub(super) fn receive(&self, message: &Message4) -> Result<bool, Error> {
        message
            .equal_logs
            .verify(Place::Rb, &self.qab, &self.g3b, &message.rb)?;
        let rab = pow(&message.rb, &self.a3);
        let mut equal = rab.ct_eq(&self.pab).unwrap_u8();
        disclose(&mut equal);
        Ok(equal == 1)
    }
}
