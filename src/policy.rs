//! Protocol versions and the policy that permits them.
#![forbid(unsafe_code)]

use core::ops::BitOr;

/// A version of the OTR protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Version 1, kept for the few programs that ask for it explicitly.
    V1,
    /// Version 2.
    V2,
    /// Version 3: version 2 with instance tags and the extra symmetric key.
    V3,
}

impl Version {
    /// The number in message headers.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The version with this number in message headers.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }
}

/// A set of policy bits, as in the section "Policies" of the protocol text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Policy(u32);

impl Policy {
    /// Speak version 1.
    pub const ALLOW_V1: Self = Self(0x01);
    /// Speak version 2.
    pub const ALLOW_V2: Self = Self(0x02);
    /// Speak version 3.
    pub const ALLOW_V3: Self = Self(0x04);
    /// Refuse to send unencrypted messages.
    pub const REQUIRE_ENCRYPTION: Self = Self(0x08);
    /// Advertise OTR with a whitespace tag in plaintext messages.
    pub const SEND_WHITESPACE_TAG: Self = Self(0x10);
    /// Start the key exchange on receiving a whitespace tag.
    pub const WHITESPACE_START_AKE: Self = Self(0x20);
    /// Start the key exchange on receiving an OTR error message.
    pub const ERROR_START_AKE: Self = Self(0x40);
    /// No OTR at all.
    pub const NEVER: Self = Self(0);
    /// OTR only when asked for.
    pub const MANUAL: Self = Self(0x06);
    /// OTR whenever the peer offers it.
    pub const OPPORTUNISTIC: Self = Self(0x76);
    /// Nothing but OTR.
    pub const ALWAYS: Self = Self(0x6e);
    /// What applies when the application has no opinion.
    pub const DEFAULT: Self = Self::OPPORTUNISTIC;

    /// The policy with exactly these bits; unknown bits are kept and mean nothing.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this version may be spoken.
    #[must_use]
    pub const fn allows(self, version: Version) -> bool {
        self.contains(match version {
            Version::V1 => Self::ALLOW_V1,
            Version::V2 => Self::ALLOW_V2,
            Version::V3 => Self::ALLOW_V3,
        })
    }

    /// Whether any version may be spoken.
    #[must_use]
    pub const fn allows_any(self) -> bool {
        self.0 & 0x07 != 0
    }
}

impl BitOr for Policy {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_policies_are_made_of_the_bits_the_protocol_gives_them() {
        let versions = Policy::ALLOW_V2 | Policy::ALLOW_V3;
        assert_eq!(Policy::MANUAL, versions);
        assert_eq!(
            Policy::OPPORTUNISTIC,
            versions
                | Policy::SEND_WHITESPACE_TAG
                | Policy::WHITESPACE_START_AKE
                | Policy::ERROR_START_AKE
        );
        assert_eq!(
            Policy::ALWAYS,
            versions
                | Policy::REQUIRE_ENCRYPTION
                | Policy::WHITESPACE_START_AKE
                | Policy::ERROR_START_AKE
        );
        assert!(!Policy::DEFAULT.allows(Version::V1));
        assert!(!Policy::NEVER.allows_any());
    }
}
