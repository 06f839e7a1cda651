//! What the powers need of arithmetic modulo p, and the choice of one that
//! fits.
#![forbid(unsafe_code)]

use crate::Error;
use crate::crypto::limbs::{from_be_bytes, mask_equal, to_be_bytes};
#[cfg(target_arch = "x86_64")]
use crate::crypto::modp::Kernel;
use crate::crypto::mont::{Form, Modulus};

/// Arithmetic modulo one odd number p. Elements are in the field's own form.
pub(super) trait Field {
    /// A number modulo p.
    type Element: Copy;

    /// The number one.
    fn one(&self) -> Self::Element;
    /// Takes a big-endian number below p.
    fn enter(&self, number: &[u8]) -> Self::Element;
    /// Gives a big-endian number below p, with leading zeros.
    fn leave(&self, element: &Self::Element) -> Vec<u8>;
    /// a * b mod p.
    fn multiply(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// 2 a mod p.
    fn double(&self, a: &Self::Element) -> Self::Element;
    /// a^2 mod p.
    fn square(&self, a: &Self::Element) -> Self::Element;
    /// The table's entry number `index`, read in constant time.
    fn select(&self, table: &[Self::Element], index: u64) -> Self::Element;
}

impl<const N: usize> Field for Modulus<N> {
    type Element = Form<N>;

    fn one(&self) -> Form<N> {
        self.one()
    }

    fn enter(&self, number: &[u8]) -> Form<N> {
        self.enter(&from_be_bytes(number).unwrap_or([0; N]))
    }

    fn leave(&self, element: &Form<N>) -> Vec<u8> {
        let mut out = vec![0; size_of::<Form<N>>()];
        to_be_bytes(&self.leave(element), &mut out);
        out
    }

    fn multiply(&self, a: &Form<N>, b: &Form<N>) -> Form<N> {
        self.multiply(a, b)
    }

    fn double(&self, a: &Form<N>) -> Form<N> {
        self.double(a)
    }

    fn square(&self, a: &Form<N>) -> Form<N> {
        self.square(a)
    }

    fn select(&self, table: &[Form<N>], index: u64) -> Form<N> {
        let mut out = [0; N];
        for (number, entry) in (0..).zip(table) {
            let keep = mask_equal(index, number);
            for (o, e) in out.iter_mut().zip(entry) {
                *o |= e & keep;
            }
        }
        out
    }
}

/// Something to be done in the field that fits a p.
pub(super) trait WithField {
    /// What comes out.
    type Output;
    /// Does it.
    fn run<F: Field + Send + Sync + 'static>(self, field: F) -> Self::Output
    where
        F::Element: Send + Sync;
}

/// Runs `action` with the arithmetic that fits `p`, a big-endian number of up
/// to 3072 bits.
///
/// Only the size that is really used has implementations for certain processors
/// beside the portable one.
///
/// # Errors
/// [`Error::OutOfRange`] if p is even or longer.
pub(super) fn with_field<A: WithField>(p: &[u8], action: A) -> Result<A::Output, Error> {
    #[cfg(target_arch = "x86_64")]
    if p.len() == 128
        && Kernel::active().is_ifma()
        && let Some(field) = super::ifma::Ifma::new(&limbs(p)?)
    {
        return Ok(action.run(field));
    }
    #[cfg(target_arch = "x86_64")]
    if p.len() == 128
        && let Some(instructions) = Kernel::active().adx()
        && let Some(field) = super::adx::AdxField::new(instructions, &limbs(p)?)
    {
        return Ok(action.run(field));
    }
    match p.len() {
        ..=128 => Ok(action.run(modulus::<16>(p)?)),
        129..=256 => Ok(action.run(modulus::<32>(p)?)),
        _ => Ok(action.run(modulus::<48>(p)?)),
    }
}

fn limbs<const N: usize>(number: &[u8]) -> Result<[u64; N], Error> {
    from_be_bytes(number).ok_or(Error::OutOfRange)
}

fn modulus<const N: usize>(p: &[u8]) -> Result<Modulus<N>, Error> {
    Modulus::new(limbs(p)?).ok_or(Error::OutOfRange)
}
