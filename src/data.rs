//! Data messages: what is said in an encrypted conversation.
//!
//! Implements "Exchanging data", "Key Management" and "Revealing MAC keys" of
//! the protocol text. A [`KeyRing`] holds the two latest D-H keys of each
//! side, encrypts and decrypts with them, and replaces them as the
//! conversation goes on.
//!
//! # Session keys on first use
//!
//! Each combination of two D-H keys has session keys that cost a power of 1536
//! bits to derive. Of the four combinations only those are derived that a
//! message really uses: in a conversation that goes to and fro, two for each
//! side and round. The first is derived from the secret that the handshake has
//! computed anyway.
//!
//! # What is refused changes nothing
//!
//! A message is authenticated, its counter compared and its D-H key checked
//! before anything is touched. There is one exception, which the protocol
//! demands: a MAC key that has verified a message counts as used, and will be
//! revealed, even if that message was refused for another reason.
#![forbid(unsafe_code)]

mod message;
mod pair;
pub(crate) mod parts;
mod rotation;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::Error;
use crate::ake::Established;
use crate::crypto::Random;
use crate::crypto::dh::{KeyPair, SessionKeys};
use crate::crypto::modp::Element;
use crate::crypto::secret::{SecretBytes, scrubbed};

pub use message::{Opened, Sealed};
pub(crate) use pair::Pair;

/// The length of a MAC key in bytes.
const MAC_KEY_LEN: usize = 20;

/// Which of the two latest D-H keys of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// The newest.
    Current,
    /// The one before.
    Previous,
}

/// Both sides' latest D-H keys and what follows from them.
///
/// Every secret in it is wiped on drop.
pub struct KeyRing {
    /// The number of our current key; at least 2.
    our_keyid: u32,
    our_current: Box<KeyPair>,
    our_previous: Box<KeyPair>,
    /// The number of the peer's current key; at least 1.
    their_keyid: u32,
    their_current: Element,
    /// Missing until the peer has announced a second key.
    their_previous: Option<Element>,
    pairs: Pairs,
    /// MAC keys to be revealed in the next message, 20 bytes each.
    old_mac_keys: SecretBytes,
}

/// The pairs derived so far.
#[derive(Default)]
struct Pairs {
    /// Between our current key and the peer's current and previous one.
    current: Slots,
    /// Between our previous key and the peer's current and previous one.
    previous: Slots,
}

/// The pairs of one of our keys with the peer's two.
#[derive(Default)]
struct Slots {
    current: Option<Box<Pair>>,
    previous: Option<Box<Pair>>,
}

impl KeyRing {
    /// The keys of a new session. Draws the key pair that the first message
    /// will announce.
    ///
    /// # Errors
    /// [`Error::Randomness`]; [`Error::TooLong`] if our key id has no
    /// successor, which does not happen with handshakes of version 2 and 3.
    pub fn new(established: &Established, rng: &mut dyn Random) -> Result<Self, Error> {
        let our_keyid = established.our_keyid.checked_add(1).ok_or(Error::TooLong)?;
        let our_current = scrubbed(|| KeyPair::generate(rng))?;
        let we_are_high = *established.our_dh.public() > established.their_dh;
        let mut pairs = Pairs::default();
        pairs.previous.current = Some(scrubbed(|| {
            let keys = SessionKeys::derive(&established.shared, we_are_high);
            Box::new(Pair::new(keys))
        }));
        Ok(Self {
            our_keyid,
            our_current,
            our_previous: established.our_dh.clone(),
            their_keyid: established.their_keyid,
            their_current: established.their_dh,
            their_previous: None,
            pairs,
            old_mac_keys: SecretBytes::default(),
        })
    }

    /// The number of our current key.
    #[must_use]
    pub const fn our_keyid(&self) -> u32 {
        self.our_keyid
    }

    /// The key that the peer has acknowledged, with its number: what messages
    /// are encrypted with.
    pub(crate) const fn acknowledged_key(&self) -> (&KeyPair, u32) {
        (&self.our_previous, self.our_keyid.saturating_sub(1))
    }

    /// How many MAC keys the next message will reveal.
    #[must_use]
    pub fn saved_mac_keys(&self) -> usize {
        self.old_mac_keys.len() / MAC_KEY_LEN
    }

    /// The number of the peer's current key.
    #[must_use]
    pub const fn their_keyid(&self) -> u32 {
        self.their_keyid
    }
}

impl fmt::Debug for KeyRing {
    /// Key ids only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("our_keyid", &self.our_keyid)
            .field("their_keyid", &self.their_keyid)
            .finish_non_exhaustive()
    }
}
