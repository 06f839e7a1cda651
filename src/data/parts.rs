//! A key ring as plain numbers, for the C interface, where messages can be made
//! and read without a session and the numbers live in a public structure.
#![forbid(unsafe_code)]
#![allow(
    dead_code,
    reason = "for the step-by-step functions of the C interface"
)]

use zeroize::Zeroizing;

use super::{Age, KeyRing, Pair, Pairs};
use crate::Error;
use crate::crypto::dh::KeyPair;
use crate::crypto::modp::{Element, SecretExponent};
use crate::crypto::secret::{SecretBytes, scrubbed};

/// What a key ring consists of. In every pair of things the current one comes
/// first and the previous one second.
pub(crate) struct Parts {
    pub(crate) our_keyid: u32,
    /// Our secret exponents, big-endian.
    pub(crate) ours: [Zeroizing<Vec<u8>>; 2],
    pub(crate) their_keyid: u32,
    /// The peer's keys, big-endian; the previous one may be missing.
    pub(crate) theirs: (Vec<u8>, Option<Vec<u8>>),
    /// For each of our keys and each of the peer's what became of the pair;
    /// `None` if it was not used.
    pub(crate) pairs: [[Option<PairParts>; 2]; 2],
    /// MAC keys to be revealed, 20 bytes each.
    pub(crate) old_mac_keys: SecretBytes,
}

/// What the use of a pair has left behind, besides its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PairParts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) used: bool,
}

const AGES: [Age; 2] = [Age::Current, Age::Previous];

impl KeyRing {
    /// The numbers of this key ring.
    pub(crate) fn parts(&self) -> Parts {
        let slots = [&self.pairs.current, &self.pairs.previous];
        Parts {
            our_keyid: self.our_keyid,
            ours: [&self.our_current, &self.our_previous].map(|pair| pair.secret().to_be_bytes()),
            their_keyid: self.their_keyid,
            theirs: (
                self.their_current.minimal().to_vec(),
                self.their_previous.map(|key| key.minimal().to_vec()),
            ),
            pairs: slots.map(|slots| {
                [&slots.current, &slots.previous].map(|pair| {
                    pair.as_ref().map(|pair| PairParts {
                        sent: pair.sent,
                        received: pair.received,
                        used: pair.used,
                    })
                })
            }),
            old_mac_keys: self.old_mac_keys.clone(),
        }
    }

    /// The pair of one of our keys with one of the peer's, if it was used; 0
    /// stands for the current and 1 for the previous key.
    pub(crate) fn used_pair(&self, ours: usize, theirs: usize) -> Option<&Pair> {
        let slots = match ours {
            0 => &self.pairs.current,
            _ => &self.pairs.previous,
        };
        match theirs {
            0 => slots.current.as_deref(),
            _ => slots.previous.as_deref(),
        }
    }

    /// The key ring that consists of these numbers. Costs a power for each
    /// pair that was used.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an exponent of more than 192 bytes or whose
    /// public key is not in 2..=p-2, and for such a key of the peer;
    /// [`Error::ZeroKeyId`]; [`Error::UnknownKey`] for a pair with a previous
    /// key of the peer that is missing.
    pub(crate) fn from_parts(parts: Parts) -> Result<Self, Error> {
        scrubbed(|| Self::assemble(parts))
    }

    fn assemble(parts: Parts) -> Result<Self, Error> {
        if parts.our_keyid < 2 || parts.their_keyid == 0 {
            return Err(Error::ZeroKeyId);
        }
        let pair = |secret: &[u8]| KeyPair::from_secret(SecretExponent::from_be_bytes(secret)?);
        let [our_current, our_previous] = &parts.ours;
        let (their_current, their_previous) = &parts.theirs;
        let their_previous = their_previous.as_deref().map(Element::from_be_bytes);
        let mut ring = Self {
            our_keyid: parts.our_keyid,
            our_current: pair(our_current)?,
            our_previous: pair(our_previous)?,
            their_keyid: parts.their_keyid,
            their_current: Element::from_be_bytes(their_current)?,
            their_previous: their_previous.transpose()?,
            pairs: Pairs::default(),
            old_mac_keys: parts.old_mac_keys,
        };
        for (ours, row) in AGES.into_iter().zip(parts.pairs) {
            for (theirs, left) in AGES.into_iter().zip(row) {
                if let Some(left) = left {
                    let pair = ring.pair(ours, theirs)?;
                    pair.sent = left.sent;
                    pair.received = left.received;
                    pair.used = left.used;
                }
            }
        }
        Ok(ring)
    }
}
