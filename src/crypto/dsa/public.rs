//! Public keys: bounds, wire form, fingerprint, verification.
#![forbid(unsafe_code)]

use super::field::{Field, WithField, with_field};
use super::power::joint_power;
use super::scalar::{Order, Scalar};
use super::{Fingerprint, SCALAR_LEN, SIGNATURE_LEN};
use crate::Error;
use crate::wire::{Reader, Writer, significant};
use sha1::{Digest, Sha1};

/// Permitted sizes of p in bits.
const P_BITS: core::ops::RangeInclusive<usize> = 1024..=3072;

/// A DSA public key whose numbers lie within the permitted bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    p: Box<[u8]>,
    q: [u8; SCALAR_LEN],
    g: Box<[u8]>,
    y: Box<[u8]>,
}

/// Bits of a minimal number, which may be of any length.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| {
        number
            .len()
            .saturating_mul(8)
            .saturating_sub(first.leading_zeros() as usize)
    })
}

/// Whether 1 < number < p, for minimal numbers.
fn within(number: &[u8], p: &[u8]) -> bool {
    let above_one = !matches!(number, [] | [1]);
    above_one && (number.len(), number) < (p.len(), p)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

impl PublicKey {
    /// A key from its four numbers, big-endian, leading zeros permitted.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless q is odd and has exactly 160 bits, p is odd
    /// and has 1024 to 3072 bits, and 1 < g, y < p. That p and q are primes and
    /// that g and y lie in the subgroup is not checked: a key that breaks
    /// these rules harms nobody but its owner.
    pub fn from_components(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, Error> {
        let [p, q, g, y] = [p, q, g, y].map(significant);
        let q: &[u8; SCALAR_LEN] = q.try_into().map_err(|_| Error::OutOfRange)?;
        let sizes = bits(q) == 8 * SCALAR_LEN && P_BITS.contains(&bits(p));
        if !sizes || !is_odd(q) || !is_odd(p) || !within(g, p) || !within(y, p) {
            return Err(Error::OutOfRange);
        }
        Ok(Self {
            p: p.into(),
            q: *q,
            g: g.into(),
            y: y.into(),
        })
    }

    /// Reads a key from the four MPIs p, q, g, y.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`] from an MPI, and as
    /// [`Self::from_components`].
    pub fn parse(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut ahead = reader.clone();
        let [p, q, g, y] = [ahead.mpi()?, ahead.mpi()?, ahead.mpi()?, ahead.mpi()?];
        let key = Self::from_components(p, q, g, y)?;
        *reader = ahead;
        Ok(key)
    }

    /// The four MPIs p, q, g, y, without the key type in front.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        let numbers = [self.p(), self.q(), self.g(), self.y()];
        let capacity = numbers.iter().map(|number| number.len().saturating_add(4));
        let mut out = Writer::with_capacity(capacity.sum());
        for number in numbers {
            out.mpi(number);
        }
        // None is so long that its length would not fit.
        out.finish().unwrap_or_default()
    }

    /// The prime p, big-endian without leading zeros, as are the next three.
    #[must_use]
    pub fn p(&self) -> &[u8] {
        &self.p
    }

    /// The subgroup's order q, exactly 20 bytes.
    #[must_use]
    pub const fn q(&self) -> &[u8; SCALAR_LEN] {
        &self.q
    }

    /// The generator g.
    #[must_use]
    pub fn g(&self) -> &[u8] {
        &self.g
    }

    /// The public value y.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.y
    }

    /// SHA-1 of [`Self::to_wire`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha1::digest(self.to_wire()).into())
    }

    /// Checks a signature (r, then s) of `value`, a big-endian number of any
    /// length which is reduced modulo q. Takes a time that depends on the
    /// numbers, all of which are public.
    ///
    /// # Errors
    /// [`Error::BadSignature`] if r or s is not in 1..q or the signature is
    /// not this key's for this value.
    pub fn verify(&self, value: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Result<(), Error> {
        let order = Order::new(&self.q)?;
        let (r, s) = split(signature).ok_or(Error::BadSignature)?;
        let ((r, r_valid), (s, s_valid)) = (order.read(r), order.read(s));
        if r_valid & s_valid == 0 {
            return Err(Error::BadSignature);
        }
        let w = order.invert(&s);
        let z = order.reduce(value);
        let commitment = with_field(
            &self.p,
            Joint {
                key: self,
                u1: order.multiply(&z, &w),
                u2: order.multiply(&r, &w),
            },
        )?;
        if order.reduce(&commitment).limbs() == r.limbs() {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }
}

/// r and s.
fn split(signature: &[u8; SIGNATURE_LEN]) -> Option<(&[u8; SCALAR_LEN], &[u8; SCALAR_LEN])> {
    let (r, s) = signature.split_first_chunk()?;
    Some((r, s.try_into().ok()?))
}

/// g^u1 * y^u2 mod p.
struct Joint<'a> {
    key: &'a PublicKey,
    u1: Scalar,
    u2: Scalar,
}

impl WithField for Joint<'_> {
    type Output = Vec<u8>;

    fn run<F: Field>(self, field: F) -> Vec<u8> {
        let g = field.enter(&self.key.g);
        let y = field.enter(&self.key.y);
        field.leave(&joint_power(&field, (&g, &self.u1), (&y, &self.u2)))
    }
}
