//! Numbers of the group: public elements and secret residues.
#![forbid(unsafe_code)]

use super::group::{LIMBS, Limbs, P, P_MINUS_1};
use super::{ELEMENT_BYTES, Kernel};
use crate::Error;
use crate::crypto::disclosure::disclose;
use crate::crypto::limbs::{from_be_bytes, mask_equal, subtract, to_be_bytes};
use core::cmp::Ordering;
use core::fmt;
use core::ops::Deref;
use crypto_bigint::{NonZero, Odd, U1536, Uint};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A public member of the group: a number from 2 to p - 2.
///
/// This is what D-H public keys and the values in SMP messages are. Comparing
/// and ordering two elements compares them as numbers, in variable time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Element(pub(super) Limbs);

impl Element {
    /// Reads a number in big-endian bytes; leading zero bytes are permitted.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the number is not within 2 to p - 2.
    pub fn from_be_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let limbs = from_be_bytes(bytes).ok_or(Error::OutOfRange)?;
        Self::checked(&limbs)
    }

    pub(super) fn checked(limbs: &Limbs) -> Result<Self, Error> {
        let above_zero_or_one = limbs.iter().skip(1).any(|&limb| limb != 0) || limbs[0] > 1;
        let below_p_minus_1 = subtract(limbs, &P_MINUS_1).1 == 1;
        if above_zero_or_one && below_p_minus_1 {
            Ok(Self(*limbs))
        } else {
            Err(Error::OutOfRange)
        }
    }

    /// All 192 bytes, big-endian.
    #[must_use]
    pub fn to_be_bytes(&self) -> [u8; ELEMENT_BYTES] {
        let mut bytes = [0; ELEMENT_BYTES];
        to_be_bytes(&self.0, &mut bytes);
        bytes
    }

    /// Whether these are [`Self::minimal`].
    #[must_use]
    pub fn is(&self, minimal: &[u8]) -> bool {
        let Ok(bytes) = <&[u8; ELEMENT_BYTES]>::try_from(minimal) else {
            return *self.minimal() == *minimal;
        };
        let (chunks, _) = bytes.as_chunks();
        let mut pairs = self.0.iter().rev().zip(chunks);
        bytes[0] != 0 && pairs.all(|(limb, chunk)| *limb == u64::from_be_bytes(*chunk))
    }

    /// Big-endian bytes without leading zeros, as they stand in an MPI.
    #[must_use]
    pub fn minimal(&self) -> MinimalBytes {
        MinimalBytes::new(&self.0)
    }

    /// Appends the element as an MPI: four bytes of length, then [`Self::minimal`].
    pub fn write_mpi(&self, out: &mut Vec<u8>) {
        self.minimal().write_mpi(out);
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Element(")?;
        for byte in self.minimal().iter() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A number from 1 to p - 1 in a computation: a shared secret, or a value of
/// SMP that is not (yet) public.
///
/// Operations run in a time that does not depend on the number. It is wiped
/// when dropped and does not show itself in debug output.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Residue(pub(super) Limbs);

impl Residue {
    /// The element with this value, which makes it public.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for 1 and p - 1, which no honest computation
    /// arrives at except with negligible probability.
    pub fn to_element(&self) -> Result<Element, Error> {
        let mut public = Zeroizing::new(self.0);
        disclose(&mut *public);
        Element::checked(&public)
    }

    /// A public number of any length modulo p, in variable time; `None` if p
    /// divides it.
    #[must_use]
    pub fn reduce_public(number: &[u8]) -> Option<Self> {
        // One limb more than p has, so that a byte can be appended.
        type Wide = Uint<{ LIMBS + 1 }>;
        let mut p = [0; ELEMENT_BYTES];
        to_be_bytes(&P, &mut p);
        let wide = |bytes: &[u8]| {
            bytes.iter().fold(Wide::ZERO, |number, byte| {
                number.shl_vartime(8) | Wide::from(*byte)
            })
        };
        let p = NonZero::new(wide(&p)).into_option()?;
        let reduced = number.iter().fold(Wide::ZERO, |number, byte| {
            (number.shl_vartime(8) | Wide::from(*byte)).rem_vartime(&p)
        });
        let limbs = from_be_bytes(reduced.to_be_bytes().as_ref())?;
        (limbs != [0; LIMBS]).then_some(Self(limbs))
    }

    /// The product of two residues.
    #[must_use]
    pub fn multiply(&self, other: &Self) -> Self {
        Kernel::active().multiply(self, other)
    }

    /// This residue divided by an element. The time depends on the divisor,
    /// which is public, but not on the residue.
    #[must_use]
    pub fn divide(&self, divisor: &Element) -> Self {
        self.multiply(&Self(invert_public(&divisor.0)))
    }

    /// Big-endian bytes without leading zeros, as they stand in an MPI.
    /// How many there are is not kept secret.
    #[must_use]
    pub fn minimal(&self) -> MinimalBytes {
        MinimalBytes::new(&self.0)
    }

    /// Appends the number as an MPI: four bytes of length, then [`Self::minimal`].
    pub fn write_mpi(&self, out: &mut Vec<u8>) {
        self.minimal().write_mpi(out);
    }
}

impl From<&Element> for Residue {
    fn from(element: &Element) -> Self {
        Self(element.0)
    }
}

impl ConstantTimeEq for Residue {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Residue(..)")
    }
}

/// 1/x modulo p for a number from 1 to p - 1, in variable time.
fn invert_public(x: &Limbs) -> Limbs {
    let number = |limbs: &Limbs| {
        let mut bytes = [0; ELEMENT_BYTES];
        to_be_bytes(limbs, &mut bytes);
        U1536::from_be_slice(&bytes)
    };
    let inverse = Odd::new(number(&P))
        .into_option()
        .and_then(|p| number(x).invert_odd_mod_vartime(&p).into_option());
    // Every number from 1 to p - 1 has an inverse, p being prime.
    inverse
        .and_then(|inverse| from_be_bytes(inverse.to_be_bytes().as_ref()))
        .unwrap_or([0; LIMBS])
}

/// A number's big-endian bytes without leading zeros; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MinimalBytes {
    bytes: [u8; ELEMENT_BYTES],
    start: usize,
}

impl MinimalBytes {
    pub(super) fn new(limbs: &Limbs) -> Self {
        let mut bytes = [0; ELEMENT_BYTES];
        to_be_bytes(limbs, &mut bytes);
        // The length of a number that is hashed shows in the time this takes,
        // the protocol wants it so; but nothing else may.
        let mut start = leading_zero_bytes(limbs);
        disclose(&mut start);
        Self { bytes, start }
    }

    /// Appends the number as an MPI: four bytes of length, then the bytes.
    pub fn write_mpi(&self, out: &mut Vec<u8>) {
        // At most 192 bytes, so the length fits.
        let length = u32::try_from(self.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self);
    }
}

/// How many of the number's bytes are zero at its upper end.
#[allow(clippy::arithmetic_side_effects, reason = "sums of at most 1536")]
fn leading_zero_bytes(limbs: &Limbs) -> usize {
    let (mut bits, mut above_are_zero) = (0, u64::MAX);
    for &limb in limbs.iter().rev() {
        let is_zero = mask_equal(limb, 0);
        // With its lowest bit set a limb is never zero, and the result is the
        // same but for zero itself.
        let zeros = u64::from((limb | 1).leading_zeros()) + (is_zero & 1);
        bits += zeros & above_are_zero;
        above_are_zero &= is_zero;
    }
    // At most 1536.
    usize::try_from(bits / 8).unwrap_or(ELEMENT_BYTES)
}

impl Deref for MinimalBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }
}

impl fmt::Debug for MinimalBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MinimalBytes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_its_shortest_bytes_and_no_others() {
        for first in [0, 1, 0xff] {
            let mut bytes = [0x5a; ELEMENT_BYTES];
            bytes[..8].fill(first);
            let Ok(element) = Element::from_be_bytes(&bytes) else {
                assert_eq!(first, 0xff, "only that is beyond p - 2");
                continue;
            };
            assert!(element.is(&element.minimal()));
            assert_eq!(element.is(&bytes), first != 0);
            assert!(!element.is(&bytes[1..]) || first == 0 && element.minimal().len() == 191);
            for place in 0..ELEMENT_BYTES {
                bytes[place] ^= 1;
                assert!(!element.is(&bytes), "{place}");
                bytes[place] ^= 1;
            }
        }
    }
}
