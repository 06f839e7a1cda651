//! Instance tags: which of a peer's several logged-in clients is meant.
#![forbid(unsafe_code)]

use crate::Error;
use crate::crypto::Random;

/// A 32-bit instance tag as version 3 puts it into message headers.
///
/// Zero stands for "not known yet"; values from 1 to 0xff are never valid on
/// the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InstanceTag(u32);

impl InstanceTag {
    /// No particular instance.
    pub const NONE: Self = Self(0);
    /// The smallest tag that can name an instance.
    pub const MIN_VALID: u32 = 0x100;

    /// The tag with this number, whatever it is.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Draws a tag that can name an instance.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the random source fails.
    pub fn random(rng: &mut dyn Random) -> Result<Self, Error> {
        loop {
            let mut bytes = [0; 4];
            rng.fill(&mut bytes)?;
            let tag = Self(u32::from_be_bytes(bytes));
            if tag.is_valid() {
                return Ok(tag);
            }
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether the tag can name an instance.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 >= Self::MIN_VALID
    }

    /// Whether no particular instance is meant.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}
