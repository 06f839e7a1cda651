//! The 1536-bit group of the Diffie-Hellman exchange and of SMP.
//!
//! The group is the multiplicative group modulo the prime p that the protocol
//! text gives under "Encoded messages", with the generator 2. Three kinds of
//! values live here:
//!
//! * [`Element`]: a public member of the group, 2 to p - 2, as it is sent.
//! * [`Residue`]: any member of the group as an intermediate or secret value.
//! * exponents: [`SecretExponent`], and the public numbers of SMP's proofs,
//!   [`Challenge`] (`c`) and [`Scalar`] (`D`).
//!
//! # Which power for what
//!
//! | power | function | relative cost |
//! |---|---|---:|
//! | 2^x, x of up to 320 bits | [`pow_g`] | 0.04 |
//! | 2^x, x of up to 1536 bits; 2^D | [`pow_g`], [`pow_g_public`] | 0.2 |
//! | b^x, x of 320 bits, raised once | [`pow`], [`Residue::pow`] | 0.2 |
//! | b^x, x of 1536 bits, raised once | [`pow`], [`Residue::pow`] | 1 |
//! | b^c, c a challenge, raised once | [`Residue::pow_public`] | 0.2 |
//! | the table of a base raised more than once | [`PowerTable::new`] | 0.8 |
//! | b^x or b^D from the table, any length | [`PowerTable::pow`], [`PowerTable::pow_public`] | 0.2 |
//!
//! A table pays from two 1536-bit exponents of the same base on. Exponents are
//! used as they are and never reduced modulo q: a value sent by the peer need
//! not lie in the subgroup of order q.
//!
//! # Side channels
//!
//! Time and memory accesses depend on the lengths of exponents and on public
//! exponents, never on secret exponents or on residues. Intermediate values
//! that depend on secrets are wiped.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "assembly for a detected processor feature")]
mod adx;
#[cfg(test)]
mod comb_test;
mod digits;
mod exponent;
mod generator;
mod group;
#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "calls into code for a detected processor feature"
)]
mod ifma;
mod kernel;
#[cfg(test)]
mod kernel_test;
mod number;
mod portable;
mod power;

pub(crate) use exponent::ShortExponent;
pub use exponent::{Challenge, PublicExponent, Scalar, SecretExponent};
pub use kernel::Kernel;
pub use number::{Element, MinimalBytes, Residue};

use kernel::{Choice, with_arithmetic};
use portable::Portable;
use power::{Secrecy, Table};

/// Bytes of an element written in full.
pub const ELEMENT_BYTES: usize = 192;

/// The generator 2 raised to a secret exponent.
#[must_use]
pub fn pow_g(exponent: &SecretExponent) -> Residue {
    Kernel::active().pow_g(exponent)
}

/// The generator 2 raised to a public exponent.
#[must_use]
pub fn pow_g_public(exponent: &impl PublicExponent) -> Residue {
    Kernel::active().pow_g_public(exponent)
}

/// An element raised to a secret exponent: the D-H shared secret.
#[must_use]
pub fn pow(base: &Element, exponent: &SecretExponent) -> Residue {
    Residue::from(base).pow(exponent)
}

impl Residue {
    /// This residue raised to a secret exponent.
    #[must_use]
    pub fn pow(&self, exponent: &SecretExponent) -> Self {
        Kernel::active().pow(self, exponent)
    }

    /// This residue raised to a public exponent.
    #[must_use]
    pub fn pow_public(&self, exponent: &impl PublicExponent) -> Self {
        Kernel::active().pow_public(self, exponent)
    }
}

/// A base that is raised to several exponents; wiped when dropped.
///
/// Takes 24 to 32 KiB, so keep it for as long as powers are due and no longer.
pub struct PowerTable(TableOf);

enum TableOf {
    Portable(Table<Portable>),
    #[cfg(target_arch = "x86_64")]
    Adx(Table<crate::crypto::adx::Adx>),
    #[cfg(target_arch = "x86_64")]
    Ifma(Table<ifma::Ifma>),
}

/// Runs an expression on the table, whatever its implementation.
macro_rules! with_table {
    ($table:expr, $name:ident => $body:expr) => {
        match &$table.0 {
            TableOf::Portable($name) => $body,
            #[cfg(target_arch = "x86_64")]
            TableOf::Adx($name) => $body,
            #[cfg(target_arch = "x86_64")]
            TableOf::Ifma($name) => $body,
        }
    };
}

impl PowerTable {
    /// The table for a base.
    #[must_use]
    pub fn new(base: &Residue) -> Self {
        Kernel::active().table(base)
    }

    /// The base raised to a secret exponent.
    #[must_use]
    pub fn pow(&self, exponent: &SecretExponent) -> Residue {
        with_table!(self, table => Residue(table.power(&exponent.limbs, Secrecy::Secret)))
    }

    /// The base raised to a public exponent.
    #[must_use]
    pub fn pow_public(&self, exponent: &impl PublicExponent) -> Residue {
        with_table!(self, table => Residue(table.power(&exponent.limbs(), Secrecy::Public)))
    }
}

impl core::fmt::Debug for PowerTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PowerTable(..)")
    }
}

/// The group's operations with a named implementation.
impl Kernel {
    /// [`Residue::multiply`] with this implementation.
    #[must_use]
    pub fn multiply(self, a: &Residue, b: &Residue) -> Residue {
        with_arithmetic!(self, arithmetic => {
            use kernel::Arithmetic as _;
            Residue(arithmetic.multiply_out(&arithmetic.enter(&a.0), &b.0))
        })
    }

    /// [`pow_g`] with this implementation.
    #[must_use]
    pub fn pow_g(self, exponent: &SecretExponent) -> Residue {
        with_arithmetic!(self, arithmetic => {
            Residue(power::generator(arithmetic, &exponent.limbs, exponent.bits()))
        })
    }

    /// [`pow_g_public`] with this implementation.
    #[must_use]
    pub fn pow_g_public(self, exponent: &impl PublicExponent) -> Residue {
        with_arithmetic!(self, arithmetic => {
            Residue(power::generator(arithmetic, &exponent.limbs(), exponent.bits()))
        })
    }

    /// [`Residue::pow`] with this implementation.
    #[must_use]
    pub fn pow(self, base: &Residue, exponent: &SecretExponent) -> Residue {
        let (limbs, bits) = (&exponent.limbs, exponent.bits());
        with_arithmetic!(self, arithmetic => {
            Residue(power::window(arithmetic, &base.0, limbs, bits, Secrecy::Secret))
        })
    }

    /// [`Residue::pow_public`] with this implementation.
    #[must_use]
    pub fn pow_public(self, base: &Residue, exponent: &impl PublicExponent) -> Residue {
        let (limbs, bits) = (&exponent.limbs(), exponent.bits());
        with_arithmetic!(self, arithmetic => {
            Residue(power::window(arithmetic, &base.0, limbs, bits, Secrecy::Public))
        })
    }

    /// [`PowerTable::new`] with this implementation.
    #[must_use]
    pub fn table(self, base: &Residue) -> PowerTable {
        PowerTable(match self.0 {
            Choice::Portable(arithmetic) => TableOf::Portable(Table::new(arithmetic, &base.0)),
            #[cfg(target_arch = "x86_64")]
            Choice::Adx(arithmetic) => TableOf::Adx(Table::new(arithmetic, &base.0)),
            #[cfg(target_arch = "x86_64")]
            Choice::Ifma(arithmetic) => TableOf::Ifma(Table::new(arithmetic, &base.0)),
        })
    }
}
