//! The zero-knowledge proofs of SMP.
//!
//! A proof is a challenge c, made by hashing what random exponents give, and
//! one response D = r - x c modulo the group's order for each exponent x that
//! its maker claims to know. A verifier finds the hashed values again with the
//! responses, and compares the hash.
#![forbid(unsafe_code)]

use subtle::ConstantTimeEq;

use super::message::{challenge, scalar};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::disclosure::disclose;
use crate::crypto::modp::{
    Challenge, Element, PowerTable, Residue, Scalar, SecretExponent, pow_g, pow_g_public,
};
use crate::crypto::symmetric::sha256;
use crate::wire::Reader;

/// Where a proof stands in the protocol; hashed first, so that no proof can be
/// taken for another.
#[derive(Clone, Copy)]
pub(super) enum Place {
    G2a = 1,
    G3a = 2,
    G2b = 3,
    G3b = 4,
    PbQb = 5,
    PaQa = 6,
    Ra = 7,
    Rb = 8,
}

/// The hash of one or two numbers: "SMP Hash function" of the protocol text.
fn hash(place: Place, first: &Residue, second: Option<&Residue>) -> Challenge {
    let mut input = Vec::with_capacity(1 + 2 * (4 + 192));
    input.push(place as u8);
    first.write_mpi(&mut input);
    if let Some(second) = second {
        second.write_mpi(&mut input);
    }
    Challenge::new(sha256(&[&input]))
}

fn expect(
    place: Place,
    claimed: &Challenge,
    first: &Residue,
    second: Option<&Residue>,
) -> Result<(), Error> {
    let found = hash(place, first, second);
    let mut equal = found.as_bytes().ct_eq(claimed.as_bytes()).unwrap_u8();
    disclose(&mut equal);
    if equal == 1 {
        Ok(())
    } else {
        Err(Error::BadProof)
    }
}

/// Proves that the maker knows x in 2^x.
pub(super) struct Knowledge {
    c: Challenge,
    d: Scalar,
}

impl Knowledge {
    pub(super) fn prove(
        place: Place,
        x: &SecretExponent,
        rng: &mut dyn Random,
    ) -> Result<Self, Error> {
        let r = SecretExponent::random_1536(rng)?;
        let c = hash(place, &pow_g(&r), None);
        let d = Scalar::respond(&r, x, &c);
        Ok(Self { c, d })
    }

    /// Checks the proof for `power`, which claims to be 2^x.
    pub(super) fn verify(&self, place: Place, power: &Element) -> Result<(), Error> {
        let power = Residue::from(power).pow_public(&self.c);
        expect(
            place,
            &self.c,
            &pow_g_public(&self.d).multiply(&power),
            None,
        )
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.c.write_mpi(out);
        self.d.write_mpi(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            c: challenge(reader)?,
            d: scalar(reader)?,
        })
    }
}

/// Proves that P = g3^r and Q = 2^r g2^y with one and the same r.
pub(super) struct Coordinates {
    c: Challenge,
    d5: Scalar,
    d6: Scalar,
}

impl Coordinates {
    pub(super) fn prove(
        place: Place,
        (g2, g3): (&PowerTable, &PowerTable),
        r: &SecretExponent,
        y: &SecretExponent,
        rng: &mut dyn Random,
    ) -> Result<Self, Error> {
        let r5 = SecretExponent::random_1536(rng)?;
        let r6 = SecretExponent::random_1536(rng)?;
        let q = pow_g(&r5).multiply(&g2.pow(&r6));
        let c = hash(place, &g3.pow(&r5), Some(&q));
        Ok(Self {
            c,
            d5: Scalar::respond(&r5, r, &c),
            d6: Scalar::respond(&r6, y, &c),
        })
    }

    pub(super) fn verify(
        &self,
        place: Place,
        (g2, g3): (&PowerTable, &PowerTable),
        p: &Element,
        q: &Element,
    ) -> Result<(), Error> {
        let p = Residue::from(p).pow_public(&self.c);
        let first = g3.pow_public(&self.d5).multiply(&p);
        let q = Residue::from(q).pow_public(&self.c);
        let second = pow_g_public(&self.d5)
            .multiply(&g2.pow_public(&self.d6))
            .multiply(&q);
        expect(place, &self.c, &first, Some(&second))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.c.write_mpi(out);
        self.d5.write_mpi(out);
        self.d6.write_mpi(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            c: challenge(reader)?,
            d5: scalar(reader)?,
            d6: scalar(reader)?,
        })
    }
}

/// Proves that 2^x and `base`^x have one and the same x.
pub(super) struct EqualLogs {
    c: Challenge,
    d7: Scalar,
}

impl EqualLogs {
    pub(super) fn prove(
        place: Place,
        base: &PowerTable,
        x: &SecretExponent,
        rng: &mut dyn Random,
    ) -> Result<Self, Error> {
        let r7 = SecretExponent::random_1536(rng)?;
        let c = hash(place, &pow_g(&r7), Some(&base.pow(&r7)));
        let d7 = Scalar::respond(&r7, x, &c);
        Ok(Self { c, d7 })
    }

    /// Checks the proof for `power` = 2^x and `other` = `base`^x.
    pub(super) fn verify(
        &self,
        place: Place,
        base: &PowerTable,
        power: &Element,
        other: &Element,
    ) -> Result<(), Error> {
        let power = Residue::from(power).pow_public(&self.c);
        let first = pow_g_public(&self.d7).multiply(&power);
        let other = Residue::from(other).pow_public(&self.c);
        let second = base.pow_public(&self.d7).multiply(&other);
        expect(place, &self.c, &first, Some(&second))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.c.write_mpi(out);
        self.d7.write_mpi(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            c: challenge(reader)?,
            d7: scalar(reader)?,
        })
    }
}
