//! A handshake as plain numbers, for the C interface, where each step can be
//! called by itself and the numbers live in a public structure.
#![forbid(unsafe_code)]
#![allow(
    dead_code,
    reason = "for the step-by-step functions of the C interface"
)]

use zeroize::Zeroizing;

use super::{Ake, Answered, Commitment, Revealed, State};
use crate::crypto::dh::KeyPair;
use crate::crypto::modp::{Element, SecretExponent};
use crate::crypto::secret::scrubbed;
use crate::v1::Setup;
use crate::{Error, Version};

/// A secret exponent, big-endian.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// What a handshake consists of.
pub(crate) struct Parts {
    pub(crate) version: Option<Version>,
    pub(crate) initiated: bool,
    pub(crate) state: StateParts,
}

/// What each state consists of; `key` is our secret exponent.
pub(crate) enum StateParts {
    None,
    AwaitingDhKey {
        key: Secret,
        r: Zeroizing<[u8; 16]>,
    },
    AwaitingRevealSig {
        key: Secret,
        encrypted_gx: Vec<u8>,
        hashed_gx: [u8; 32],
    },
    AwaitingSig {
        key: Secret,
        r: Zeroizing<[u8; 16]>,
        their_dh: Vec<u8>,
        /// The Reveal Signature message, armoured.
        reveal_signature: Vec<u8>,
    },
    V1Setup {
        key: Secret,
        keyid: u32,
        /// The Key Exchange message, armoured.
        message: Vec<u8>,
    },
}

impl Ake {
    /// The numbers of the present state.
    pub(crate) fn parts(&self) -> Parts {
        let state = match &self.state {
            State::None => StateParts::None,
            State::AwaitingDhKey(commitment) => StateParts::AwaitingDhKey {
                key: commitment.key.secret().to_be_bytes(),
                r: commitment.r.clone(),
            },
            State::AwaitingRevealSig(answered) => StateParts::AwaitingRevealSig {
                key: answered.key.secret().to_be_bytes(),
                encrypted_gx: answered.encrypted_gx.clone(),
                hashed_gx: answered.hashed_gx,
            },
            State::AwaitingSig(revealed) => StateParts::AwaitingSig {
                key: revealed.commitment.key.secret().to_be_bytes(),
                r: revealed.commitment.r.clone(),
                their_dh: revealed.their_dh.minimal().to_vec(),
                reveal_signature: revealed.reveal_signature.clone(),
            },
            State::V1Setup(setup) => StateParts::V1Setup {
                key: setup.key.secret().to_be_bytes(),
                keyid: setup.keyid,
                message: setup.message.clone(),
            },
        };
        Parts {
            version: self.version,
            initiated: self.initiated,
            state,
        }
    }

    /// The handshake that consists of these numbers. Costs a power if it
    /// awaits a Signature message.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an exponent of more than 192 bytes or whose
    /// public key is not in 2..=p-2, and for such a key of the peer.
    pub(crate) fn from_parts(parts: Parts) -> Result<Self, Error> {
        scrubbed(|| Self::assemble(parts))
    }

    fn assemble(parts: Parts) -> Result<Self, Error> {
        let pair = |secret: &Secret| KeyPair::from_secret(SecretExponent::from_be_bytes(secret)?);
        let state = match parts.state {
            StateParts::None => State::None,
            StateParts::AwaitingDhKey { key, r } => {
                State::AwaitingDhKey(Box::new(Commitment::new(pair(&key)?, r)))
            }
            StateParts::AwaitingRevealSig {
                key,
                encrypted_gx,
                hashed_gx,
            } => State::AwaitingRevealSig(Box::new(Answered {
                key: pair(&key)?,
                encrypted_gx,
                hashed_gx,
                yielded: None,
            })),
            StateParts::AwaitingSig {
                key,
                r,
                their_dh,
                reveal_signature,
            } => {
                let commitment = Commitment::new(pair(&key)?, r);
                let their_dh = Element::from_be_bytes(&their_dh)?;
                State::AwaitingSig(Box::new(Revealed {
                    shared: Box::new(commitment.key.shared(&their_dh)),
                    commitment,
                    their_dh,
                    reveal_signature,
                }))
            }
            StateParts::V1Setup {
                key,
                keyid,
                message,
            } => State::V1Setup(Box::new(Setup {
                key: pair(&key)?,
                keyid,
                message,
            })),
        };
        Ok(Self {
            state,
            version: parts.version,
            initiated: parts.initiated,
            spent: None,
        })
    }
}
