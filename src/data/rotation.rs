//! Which keys a message uses, and when keys are replaced: "Key Management"
//! and "Revealing MAC keys" of the protocol text.
#![forbid(unsafe_code)]

use super::{Age, KeyRing, Pair, Slots};
use crate::Error;
use crate::ake::Established;
use crate::crypto::dh::{KeyPair, SessionKeys};
use crate::crypto::modp::Element;
use crate::crypto::secret::scrubbed;

impl KeyRing {
    /// Which of our keys has this number.
    pub(super) fn our_age(&self, keyid: u32) -> Result<Age, Error> {
        age(keyid, self.our_keyid)
    }

    /// Which of the peer's keys has this number.
    pub(super) fn their_age(&self, keyid: u32) -> Result<Age, Error> {
        age(keyid, self.their_keyid)
    }

    /// The pair of these two keys, derived if this is its first use.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] if the peer has had no previous key yet.
    pub(super) fn pair(&mut self, ours: Age, theirs: Age) -> Result<&mut Pair, Error> {
        let (our_key, slots) = match ours {
            Age::Current => (&self.our_current, &mut self.pairs.current),
            Age::Previous => (&self.our_previous, &mut self.pairs.previous),
        };
        let (their_key, slot) = match theirs {
            Age::Current => (&self.their_current, &mut slots.current),
            Age::Previous => (
                self.their_previous.as_ref().ok_or(Error::UnknownKey)?,
                &mut slots.previous,
            ),
        };
        Ok(slot.get_or_insert_with(|| {
            scrubbed(|| Box::new(Pair::new(SessionKeys::between(our_key, their_key))))
        }))
    }

    /// The peer has seen our current key: forgets the previous one and makes
    /// `next`, which has number `keyid`, the current one.
    pub(super) fn rotate_ours(&mut self, next: Box<KeyPair>, keyid: u32) {
        self.our_previous = core::mem::replace(&mut self.our_current, next);
        self.our_keyid = keyid;
        let newer = core::mem::take(&mut self.pairs.current);
        let forgotten = core::mem::replace(&mut self.pairs.previous, newer);
        self.reveal_later(forgotten.current);
        self.reveal_later(forgotten.previous);
    }

    /// The peer has used its current key: forgets the previous one and makes
    /// `next`, which has number `keyid`, the current one.
    pub(super) fn rotate_theirs(&mut self, next: Element, keyid: u32) {
        self.their_previous = Some(core::mem::replace(&mut self.their_current, next));
        self.their_keyid = keyid;
        let forgotten = [
            self.pairs.current.forget_previous(),
            self.pairs.previous.forget_previous(),
        ];
        for pair in forgotten {
            self.reveal_later(pair);
        }
    }

    /// Keeps the receiving MAC key of a pair that goes, if it was used.
    fn reveal_later(&mut self, forgotten: Option<Box<Pair>>) {
        if let Some(pair) = forgotten.filter(|pair| pair.used) {
            self.old_mac_keys
                .extend_from_slice(&*pair.keys.receiving_mac);
        }
    }

    /// Takes over from the key ring of an earlier session with the same peer
    /// the MAC keys that were not revealed yet, so that the next message does.
    ///
    /// All session keys of the earlier session are forgotten with this, so
    /// every receiving MAC key of it that was used is due.
    pub fn succeed(&mut self, mut earlier: Self) {
        let slots = [
            core::mem::take(&mut earlier.pairs.previous),
            core::mem::take(&mut earlier.pairs.current),
        ];
        for Slots { current, previous } in slots {
            earlier.reveal_later(current);
            earlier.reveal_later(previous);
        }
        if self.our_keyid == earlier.our_keyid
            && self.our_previous.public() == earlier.our_previous.public()
        {
            // Version 1 used our key again: the one announced after it stays.
            core::mem::swap(&mut self.our_current, &mut earlier.our_current);
        }
        earlier.old_mac_keys.extend_from_slice(&self.old_mac_keys);
        core::mem::swap(&mut self.old_mac_keys, &mut earlier.old_mac_keys);
    }

    /// Whether a handshake used the very keys that are in use here, so that
    /// these simply go on: our previous key and either key of the peer.
    ///
    /// Only version 1 uses keys again.
    #[must_use]
    pub fn continues(&self, established: &Established) -> bool {
        let theirs = match self.their_age(established.their_keyid) {
            Ok(Age::Current) => Some(&self.their_current),
            Ok(Age::Previous) => self.their_previous.as_ref(),
            Err(_) => None,
        };
        self.our_age(established.our_keyid) == Ok(Age::Previous)
            && self.our_previous.public() == established.our_dh.public()
            && theirs == Some(&established.their_dh)
    }
}

impl Slots {
    /// The peer's current key becomes its previous one: returns the pair with
    /// the key that goes.
    fn forget_previous(&mut self) -> Option<Box<Pair>> {
        core::mem::replace(&mut self.previous, self.current.take())
    }
}

/// Which of two keys has number `keyid` if the newest has number `newest`.
fn age(keyid: u32, newest: u32) -> Result<Age, Error> {
    if keyid == 0 {
        Err(Error::UnknownKey)
    } else if keyid == newest {
        Ok(Age::Current)
    } else if keyid.checked_add(1) == Some(newest) {
        Ok(Age::Previous)
    } else {
        Err(Error::UnknownKey)
    }
}
