//! What the protocol asks of cryptography.
//!
//! Everything here works on fixed sizes, takes randomness as an argument and
//! runs in a time that does not depend on secrets.

#[cfg(target_arch = "x86_64")]
mod adx;
pub mod dh;
pub(crate) mod disclosure;
pub mod dsa;
mod environment;
pub(crate) mod guarded;
pub(crate) mod limbs;
pub mod modp;
pub mod mont;
#[cfg(test)]
mod mont_test;
pub mod secret;
pub mod symmetric;

use crate::Error;

/// A source of cryptographically secure random bytes.
///
/// Every [`rand_core::TryCryptoRng`] is one; [`os_random`] is the operating
/// system's.
pub trait Random {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the source fails; `out` must then not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error>;
}

impl<R: rand_core::TryCryptoRng> Random for R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.try_fill_bytes(out).map_err(|_| Error::Randomness)
    }
}

/// The operating system's random source.
#[must_use]
pub fn os_random() -> impl Random {
    getrandom::SysRng
}
