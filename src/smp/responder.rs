//! The side that answers: messages 2 and 4.
#![forbid(unsafe_code)]

use subtle::ConstantTimeEq;

use super::Secret;
use super::message::{Message1, Message2, Message3, Message4};
use super::proof::{Coordinates, EqualLogs, Knowledge, Place};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::disclosure::disclose;
use crate::crypto::modp::{Element, PowerTable, Residue, SecretExponent, pow, pow_g};

/// Message 1 has arrived, and the user has to answer.
pub(super) struct Asked {
    pub(super) g2a: Element,
    pub(super) g3a: Element,
}

/// Message 2 was sent.
pub(super) struct Answered {
    pub(super) b3: SecretExponent,
    pub(super) g3a: Element,
    pub(super) g2: PowerTable,
    pub(super) g3: PowerTable,
    pub(super) pb: Element,
    pub(super) qb: Element,
}

impl Asked {
    /// Checks message 1.
    pub(super) fn new(message: &Message1) -> Result<Self, Error> {
        message.knows_a2.verify(Place::G2a, &message.g2a)?;
        message.knows_a3.verify(Place::G3a, &message.g3a)?;
        Ok(Self {
            g2a: message.g2a,
            g3a: message.g3a,
        })
    }

    /// Makes message 2.
    pub(super) fn answer(
        &self,
        secret: &Secret,
        rng: &mut dyn Random,
    ) -> Result<(Box<Answered>, Message2), Error> {
        let y = &secret.0;
        let b2 = SecretExponent::random_1536(rng)?;
        let b3 = SecretExponent::random_1536(rng)?;
        let r4 = SecretExponent::random_1536(rng)?;
        let g2 = PowerTable::new(&pow(&self.g2a, &b2));
        let g3 = PowerTable::new(&pow(&self.g3a, &b3));
        let pb = g3.pow(&r4).to_element()?;
        let qb = pow_g(&r4).multiply(&g2.pow(y)).to_element()?;
        let message = Message2 {
            g2b: pow_g(&b2).to_element()?,
            knows_b2: Knowledge::prove(Place::G2b, &b2, rng)?,
            g3b: pow_g(&b3).to_element()?,
            knows_b3: Knowledge::prove(Place::G3b, &b3, rng)?,
            pb,
            qb,
            coordinates: Coordinates::prove(Place::PbQb, (&g2, &g3), &r4, y, rng)?,
        };
        let answered = Box::new(Answered {
            b3,
            g3a: self.g3a,
            g2,
            g3,
            pb,
            qb,
        });
        Ok((answered, message))
    }
}

impl Answered {
    /// Checks message 3, says whether the secrets are equal, and makes
    /// message 4.
    pub(super) fn receive(
        &self,
        message: &Message3,
        rng: &mut dyn Random,
    ) -> Result<(bool, Message4), Error> {
        let generators = (&self.g2, &self.g3);
        message
            .coordinates
            .verify(Place::PaQa, generators, &message.pa, &message.qa)?;
        let qab = PowerTable::new(&Residue::from(&message.qa).divide(&self.qb));
        message
            .equal_logs
            .verify(Place::Ra, &qab, &self.g3a, &message.ra)?;

        let reply = Message4 {
            rb: qab.pow(&self.b3).to_element()?,
            equal_logs: EqualLogs::prove(Place::Rb, &qab, &self.b3, rng)?,
        };
        let rab = pow(&message.ra, &self.b3);
        let pab = Residue::from(&message.pa).divide(&self.pb);
        let mut equal = rab.ct_eq(&pab).unwrap_u8();
        disclose(&mut equal);
        Ok((equal == 1, reply))
    }
}
