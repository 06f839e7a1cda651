//! The session keys between one of our D-H keys and one of the peer's.
#![forbid(unsafe_code)]

use crate::Error;
use crate::crypto::dh::SessionKeys;
use crate::crypto::guarded::Guarded;
use crate::crypto::secret::scrubbed;
use crate::crypto::symmetric::{Aes128Ctr, AesKey, HmacSha1, MacKey};

/// Keys with the counters that go with them.
///
/// A pair lives from the first message that uses it until one of its two D-H
/// keys is forgotten; the counters must not be forgotten before.
pub(crate) struct Pair {
    pub(crate) keys: Guarded<SessionKeys>,
    /// The counter of the last message we sent.
    pub(crate) sent: u64,
    /// The counter of the last message we received.
    pub(crate) received: u64,
    /// Whether the receiving MAC key has verified a message, and so will have
    /// to be revealed.
    pub(crate) used: bool,
    /// The keys made ready, in each direction on its first message: in a
    /// conversation most pairs are used in one only.
    sending: Option<Guarded<Direction>>,
    receiving: Option<Guarded<Direction>>,
}

/// The keys of one direction, ready for use.
pub(super) struct Direction {
    pub(super) aes: Aes128Ctr,
    pub(super) mac: HmacSha1,
}

impl Direction {
    fn new(aes: &AesKey, mac: &MacKey) -> Guarded<Self> {
        Guarded::new(Self {
            aes: Aes128Ctr::new(aes),
            mac: HmacSha1::new(mac),
        })
    }
}

impl Pair {
    pub(super) fn new(keys: SessionKeys) -> Self {
        Self {
            keys: Guarded::new(keys),
            sent: 0,
            received: 0,
            used: false,
            sending: None,
            receiving: None,
        }
    }

    /// The keys for what we send.
    pub(super) fn sending(&mut self) -> &mut Direction {
        let (aes, mac) = (&self.keys.sending_aes, &self.keys.sending_mac);
        self.sending
            .get_or_insert_with(|| scrubbed(|| Direction::new(aes, mac)))
    }

    /// The keys for what we receive.
    pub(super) fn receiving(&mut self) -> &mut Direction {
        let (aes, mac) = (&self.keys.receiving_aes, &self.keys.receiving_mac);
        self.receiving
            .get_or_insert_with(|| scrubbed(|| Direction::new(aes, mac)))
    }

    /// The counter for the next message we send; the first is 1.
    pub(super) fn next_counter(&self) -> Result<u64, Error> {
        // A counter must never come twice. Nobody sends 2^64 messages.
        self.sent.checked_add(1).ok_or(Error::TooLong)
    }
}
