//! What can be wrong with a message, a key or a file.
#![forbid(unsafe_code)]

use core::fmt;

/// The reason why something was refused.
///
/// An error never changes the state of the conversation it concerns: what
/// was refused has had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The input ends before the structure it announces.
    Truncated,
    /// The input goes on after the structure's end.
    TrailingBytes,
    /// The text is not wrapped as `?OTR:` base64 `.`
    Armour,
    /// The message has another type than the operation expects.
    WrongType,
    /// The message's protocol version is unknown or differs from the one in use.
    WrongVersion,
    /// An instance tag is below 0x100 where a real one is required.
    InvalidInstanceTag,
    /// A group element or exponent lies outside its permitted range.
    OutOfRange,
    /// A key id is zero where a key must be named.
    ZeroKeyId,
    /// A length, count or size exceeds the documented limit.
    TooLong,
    /// A value does not satisfy the rules of its field.
    InvalidValue,
    /// A key exchange message's authenticator does not match.
    BadAuthenticator,
    /// A DSA signature does not verify.
    BadSignature,
    /// A data message names keys this side does not hold.
    UnknownKey,
    /// A data message's authenticator does not match.
    BadMac,
    /// A data message's counter was used before.
    Replayed,
    /// The operation needs an encrypted conversation.
    NotEncrypted,
    /// A zero-knowledge proof or another SMP value is wrong: the peer cheats.
    BadProof,
    /// An answer was given though the peer has not asked.
    NotAsked,
    /// The operation needs a private key that is not there.
    NoPrivateKey,
    /// A stored private key cannot be used: wrong list, missing part, not DSA.
    UnusableKey,
    /// An S-expression has bad syntax.
    Syntax,
    /// The random source failed.
    Randomness,
}

impl Error {
    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "input ends too early",
            Self::TrailingBytes => "input goes on after its end",
            Self::Armour => "not an encoded OTR message",
            Self::WrongType => "unexpected message type",
            Self::WrongVersion => "unexpected protocol version",
            Self::InvalidInstanceTag => "invalid instance tag",
            Self::OutOfRange => "number out of range",
            Self::ZeroKeyId => "key id is zero",
            Self::TooLong => "a limit is exceeded",
            Self::InvalidValue => "invalid value",
            Self::BadAuthenticator => "key exchange authenticator does not match",
            Self::BadSignature => "signature does not verify",
            Self::UnknownKey => "message is encrypted for an unknown key",
            Self::BadMac => "message authenticator does not match",
            Self::Replayed => "message counter was used before",
            Self::NotEncrypted => "conversation is not encrypted",
            Self::BadProof => "zero-knowledge proof does not hold",
            Self::NotAsked => "the peer has not asked",
            Self::NoPrivateKey => "no private key",
            Self::UnusableKey => "unusable private key",
            Self::Syntax => "bad S-expression",
            Self::Randomness => "the random source failed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for Error {}
