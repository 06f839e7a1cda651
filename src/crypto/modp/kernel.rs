//! What an implementation of the group's arithmetic provides, and the choice
//! between the implementations at run time.
#![forbid(unsafe_code)]

use super::group::Limbs;
#[cfg(target_arch = "x86_64")]
use super::ifma::Ifma;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::crypto::adx::Adx;
use crate::crypto::environment;
use std::ffi::OsStr;
use std::sync::OnceLock;
use zeroize::Zeroize;

/// One implementation of multiplication modulo p.
///
/// An implementation works on *forms*: x is represented by x * R modulo p for
/// a power of two R of its own, not necessarily reduced. It divides each
/// product by R (Montgomery's method), so that products of forms are forms.
///
/// A value of an implementing type is a proof that the processor can execute
/// it. Nothing but [`Arithmetic::select_public`] depends on the
/// numbers in its time or its memory accesses.
pub(super) trait Arithmetic: Copy {
    /// A number below 2^1536 or the form of one.
    type Number: Copy + Zeroize;

    /// The form of 1, which is R modulo p.
    const ONE: Self::Number;

    /// R^2 modulo p.
    const R_SQUARED: Limbs;
    /// What undoes the divisions in a comb of plain numbers over 320 bits.
    const SHORT_EXIT: Limbs;
    /// The same for the comb over 1536 bits.
    const LONG_EXIT: Limbs;

    /// The number itself, in this implementation's layout.
    fn plain(self, x: &Limbs) -> Self::Number;

    /// `a` becomes a * b / R, congruent modulo p.
    fn multiply(self, a: &mut Self::Number, b: &Self::Number);

    /// `a` is squared (and divided by R) `times` times.
    fn square(self, a: &mut Self::Number, times: usize);

    /// The number a * b / R, reduced to less than p.
    fn multiply_out(self, a: &Self::Number, b: &Limbs) -> Limbs;

    /// The entry of `table` with the given index, found by reading all entries.
    /// The index is smaller than the length.
    fn select(self, table: &[Self::Number], index: u64) -> Self::Number;

    /// The entry before the index of a table of plain numbers, or 1 for index
    /// zero, found by reading all entries.
    fn select_plain(self, table: &[Limbs], index: u64) -> Self::Number;

    /// The form of a number below 2^1536.
    fn enter(self, x: &Limbs) -> Self::Number {
        let mut form = self.plain(x);
        self.multiply(&mut form, &self.plain(&Self::R_SQUARED));
        form
    }

    /// The number that a form stands for, reduced.
    fn leave(self, form: &Self::Number) -> Limbs {
        self.multiply_out(form, &super::group::ONE)
    }
}

/// An implementation of the group's arithmetic that this processor can run.
///
/// All of them compute the same. The library picks the fastest one by itself;
/// naming one is for tests and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(pub(super) Choice);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Adx(Adx),
    #[cfg(target_arch = "x86_64")]
    Ifma(Ifma),
}

/// Runs an expression with `$arithmetic` bound to the chosen implementation.
macro_rules! with_arithmetic {
    ($kernel:expr, $arithmetic:ident => $body:expr) => {
        match $kernel.0 {
            $crate::crypto::modp::kernel::Choice::Portable($arithmetic) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::crypto::modp::kernel::Choice::Adx($arithmetic) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::crypto::modp::kernel::Choice::Ifma($arithmetic) => $body,
        }
    };
}
pub(super) use with_arithmetic;

impl Kernel {
    /// The one the library uses: the fastest available, or the one that the
    /// environment variable `OTR_KERNEL` names (`portable`, `adx` or `ifma`).
    ///
    /// The variable is read once, ignored in programs that run with more
    /// privileges than their caller, and ignored if it names an implementation
    /// that is not available.
    #[must_use]
    pub fn active() -> Self {
        static ACTIVE: OnceLock<Kernel> = OnceLock::new();
        *ACTIVE.get_or_init(|| {
            let wanted = environment::variable("OTR_KERNEL");
            Self::chosen(wanted.as_deref())
        })
    }

    /// The implementation with the given name, else the fastest.
    fn chosen(name: Option<&OsStr>) -> Self {
        Self::available()
            .find(|kernel| name.is_some_and(|name| name == kernel.name()))
            .or_else(|| Self::available().next())
            .unwrap_or(Self(Choice::Portable(Portable)))
    }

    /// All that this processor can run, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        [
            #[cfg(target_arch = "x86_64")]
            Ifma::detect().map(Choice::Ifma),
            #[cfg(target_arch = "x86_64")]
            Adx::detect().map(Choice::Adx),
            Some(Choice::Portable(Portable)),
        ]
        .into_iter()
        .flatten()
        .map(Self)
    }

    /// What the assembly of the implementation with BMI2 and ADX asks for, if
    /// this is it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn adx(self) -> Option<Adx> {
        match self.0 {
            Choice::Adx(adx) => Some(adx),
            _ => None,
        }
    }

    /// Whether this is the one with AVX-512 IFMA, of which DSA has its own.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn is_ifma(self) -> bool {
        matches!(self.0, Choice::Ifma(_))
    }

    /// The name by which `OTR_KERNEL` chooses it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Choice::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Choice::Adx(_) => "adx",
            #[cfg(target_arch = "x86_64")]
            Choice::Ifma(_) => "ifma",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_and_unknown_ones_do_not() {
        let fastest = Kernel::available().next().unwrap();
        for kernel in Kernel::available() {
            assert_eq!(Kernel::chosen(Some(kernel.name().as_ref())), kernel);
        }
        assert_eq!(Kernel::chosen(None), fastest);
        assert_eq!(Kernel::chosen(Some("abacus".as_ref())), fastest);
        assert_eq!(Kernel::available().last().unwrap().name(), "portable");
    }
}
