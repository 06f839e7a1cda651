//! The session keys between one of our D-H keys and one of the peer's.
#![forbid(unsafe_code)]

use crate::Error;
use crate::crypto::dh::SessionKeys;

/// Keys with the counters that go with them.
///
/// A pair lives from the first message that uses it until one of its two D-H
/// keys is forgotten; the counters must not be forgotten before.
pub(crate) struct Pair {
    pub(crate) keys: SessionKeys,
    /// The counter of the last message we sent.
    pub(crate) sent: u64,
    /// The counter of the last message we received.
    pub(crate) received: u64,
    /// Whether the receiving MAC key has verified a message, and so will have
    /// to be revealed.
    pub(crate) used: bool,
}

impl Pair {
    pub(super) const fn new(keys: SessionKeys) -> Self {
        Self {
            keys,
            sent: 0,
            received: 0,
            used: false,
        }
    }

    /// The counter for the next message we send; the first is 1.
    pub(super) fn next_counter(&self) -> Result<u64, Error> {
        // A counter must never come twice. Nobody sends 2^64 messages.
        self.sent.checked_add(1).ok_or(Error::TooLong)
    }
}
