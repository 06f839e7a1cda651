//! The authenticated key exchange of versions 2 and 3.
//!
//! Implements "Authenticated Key Exchange (AKE)" and, of "The protocol state
//! machine", the authentication state. One [`Ake`] is one peer's (or, in
//! version 3, one peer instance's) handshake: message in, message out, and at
//! the end [`Established`].
//!
//! ```text
//! initiator                                  responder
//! start            -- D-H Commit -->         on_commit
//! on_dh_key        <-- D-H Key --
//!                  -- Reveal Signature -->   on_reveal_signature: Established
//! on_signature:    <-- Signature --
//! Established
//! ```
//!
//! Every `on_` method answers one of three things. `Ok(Some(..))`: the message
//! had its effect, and what is returned has to be sent or used. `Ok(None)`: the
//! message is not expected now, or repeats something; it was ignored. `Err(..)`:
//! it was refused. After the last two the handshake is exactly as before, so
//! that whoever can inject messages cannot spoil a handshake in progress with
//! one that does not check out.
//!
//! One power of the peer's key is computed on each side. The shared secret is
//! handed on in [`Established`], since the first data messages need the same.
#![forbid(unsafe_code)]

mod commitment;
mod crossing;
#[cfg(test)]
mod crossing_tests;
pub(crate) mod parts;
mod signature;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::crypto::Random;
use crate::crypto::dh::KeyPair;
use crate::crypto::dsa;
use crate::crypto::modp::{Element, Residue};
use crate::crypto::secret::scrubbed;
use crate::wire::base64::armour;
use crate::wire::message::{DhCommit, DhKey, Header, RevealSignature, Signature};
use crate::{Error, InstanceTag, Version, limits, v1};

use commitment::Commitment;

/// The number of the D-H key that a handshake of version 2 or 3 uses.
const FIRST_KEYID: u32 = 1;

/// Longest encrypted D-H key that is kept: with the leading zeros that some
/// peer might send, and far from what would cost memory.
const MAX_ENCRYPTED_GX: usize = 4 + limits::MAX_MPI;

/// Where a handshake stands: "authentication state" in the protocol text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthState {
    /// No handshake is in progress.
    None = 0,
    /// A D-H Commit message was sent.
    AwaitingDhKey = 1,
    /// A D-H Key message was sent.
    AwaitingRevealSig = 2,
    /// A Reveal Signature message was sent.
    AwaitingSig = 3,
    /// A version 1 Key Exchange message was sent.
    V1Setup = 4,
}

/// How this side writes the headers of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The version of the conversation; messages of another are refused.
    pub version: Version,
    /// Our instance tag.
    pub ours: InstanceTag,
    /// The peer's instance tag, [`InstanceTag::NONE`] if it is not known yet.
    pub theirs: InstanceTag,
}

impl Local {
    pub(crate) const fn header(&self) -> Header {
        let (sender, receiver) = match self.version {
            Version::V1 | Version::V2 => (InstanceTag::NONE, InstanceTag::NONE),
            Version::V3 => (self.ours, self.theirs),
        };
        Header {
            version: self.version,
            sender,
            receiver,
        }
    }

    fn expect(&self, header: &Header) -> Result<(), Error> {
        if header.version == self.version {
            Ok(())
        } else {
            Err(Error::WrongVersion)
        }
    }
}

/// The secure session id: 8 bytes, in version 1 it has 20.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionId {
    bytes: [u8; 20],
    len: usize,
}

impl SessionId {
    /// A session id of version 2 or 3.
    #[must_use]
    pub fn new(id: [u8; 8]) -> Self {
        let mut bytes = [0; 20];
        for (to, from) in bytes.iter_mut().zip(id) {
            *to = from;
        }
        Self { bytes, len: 8 }
    }

    /// A session id of version 1.
    #[must_use]
    pub const fn new_v1(bytes: [u8; 20]) -> Self {
        Self { bytes, len: 20 }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for SessionId {
    /// Without the bytes: the id is for the eyes of the two users.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionId")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Which half of the session id is shown in bold, so that the two users read
/// different halves to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionHalf {
    /// The first half: this side sent the Reveal Signature message.
    First = 0,
    /// The second half: this side sent the Signature message.
    Second = 1,
}

/// What a finished handshake leaves behind.
pub struct Established {
    /// The version that was spoken.
    pub version: Version,
    /// The peer's long-term key.
    pub their_key: dsa::PublicKey,
    /// The number of the peer's D-H key.
    pub their_keyid: u32,
    /// The peer's D-H key.
    pub their_dh: Element,
    /// The number of our D-H key.
    pub our_keyid: u32,
    /// Our D-H key pair.
    pub our_dh: Box<KeyPair>,
    /// What the two D-H keys share.
    pub shared: Box<Residue>,
    /// The secure session id.
    pub session_id: SessionId,
    /// Which half of it is shown in bold here.
    pub half: SessionHalf,
    /// Whether this side sent the first message of the handshake.
    pub initiated: bool,
}

impl Established {
    /// Whether the peer's D-H key is our own: our messages came back to us,
    /// and such a session must not be used. Equal long-term keys are no sign
    /// of it, as somebody may talk to another account of his.
    #[must_use]
    pub fn is_reflection(&self) -> bool {
        *self.our_dh.public() == self.their_dh
    }
}

/// One handshake.
///
/// An idle one is small; what a handshake in progress needs is allocated when
/// it starts and wiped when it ends.
#[derive(Default)]
pub struct Ake {
    pub(crate) state: State,
    version: Option<Version>,
    initiated: bool,
    /// The hash of that commit of ours which no longer counts here, though
    /// the master may still hold it for other instances: see [`crossing`].
    spent: Option<[u8; 32]>,
}

/// What each state needs to take its next step, and nothing else.
#[derive(Default)]
pub(crate) enum State {
    #[default]
    None,
    AwaitingDhKey(Box<Commitment>),
    AwaitingRevealSig(Box<Answered>),
    AwaitingSig(Box<Revealed>),
    V1Setup(Box<v1::Setup>),
}

/// A peer's commit was answered with our D-H key.
pub(crate) struct Answered {
    key: Box<KeyPair>,
    encrypted_gx: Vec<u8>,
    hashed_gx: [u8; 32],
    /// The commit of ours that gave way to the peer's: see [`crossing`].
    yielded: Option<Commitment>,
}

/// Our commit was answered, and we have revealed our D-H key.
pub(crate) struct Revealed {
    commitment: Commitment,
    their_dh: Element,
    shared: Box<Residue>,
    /// The armoured message, in case it has to be sent again.
    reveal_signature: Vec<u8>,
}

impl Ake {
    /// No handshake.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the handshake stands.
    #[must_use]
    pub const fn state(&self) -> AuthState {
        match self.state {
            State::None => AuthState::None,
            State::AwaitingDhKey(_) => AuthState::AwaitingDhKey,
            State::AwaitingRevealSig(_) => AuthState::AwaitingRevealSig,
            State::AwaitingSig(_) => AuthState::AwaitingSig,
            State::V1Setup(_) => AuthState::V1Setup,
        }
    }

    /// The version of the handshake in progress or, after it, of the last one.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether this side sent the first message of the handshake in progress
    /// or, after it, of the last one.
    #[must_use]
    pub const fn initiated(&self) -> bool {
        self.initiated
    }

    /// The number of our D-H key in the handshake in progress, otherwise 0.
    #[must_use]
    pub const fn our_keyid(&self) -> u32 {
        match &self.state {
            State::None => 0,
            State::V1Setup(setup) => setup.keyid,
            State::AwaitingDhKey(_) | State::AwaitingRevealSig(_) | State::AwaitingSig(_) => {
                FIRST_KEYID
            }
        }
    }

    /// The hash in the D-H Commit message that awaits its answer.
    #[must_use]
    pub const fn commit_hash(&self) -> Option<[u8; 32]> {
        match &self.state {
            State::AwaitingDhKey(commitment) => Some(commitment.hashed_gx),
            _ => None,
        }
    }

    /// Ends the handshake in progress and wipes what it needed.
    pub fn clear(&mut self) {
        self.state = State::None;
        self.version = None;
        self.initiated = false;
    }

    /// The message, armoured, that was sent last and may be sent again.
    ///
    /// # Errors
    /// [`Error::TooLong`] cannot occur with messages of the protocol's sizes.
    pub fn last_message(&self, local: &Local) -> Result<Option<Vec<u8>>, Error> {
        Ok(match &self.state {
            State::None => None,
            State::AwaitingDhKey(commitment) => Some(commitment.message(local)?),
            State::AwaitingRevealSig(answered) => Some(dh_key(&answered.key, local)?),
            State::AwaitingSig(revealed) => Some(revealed.reveal_signature.clone()),
            State::V1Setup(setup) => Some(setup.message().to_vec()),
        })
    }

    /// Starts a handshake, whatever was in progress: returns the D-H Commit
    /// message, armoured.
    ///
    /// # Errors
    /// [`Error::WrongVersion`] for version 1, which has no such message;
    /// [`Error::Randomness`].
    pub fn start(&mut self, local: &Local, rng: &mut dyn Random) -> Result<Vec<u8>, Error> {
        scrubbed(|| self.begin(local, rng))
    }

    /// Receives a D-H Commit message: returns our D-H Key message, or our own
    /// D-H Commit once more if the two crossed and ours stands.
    ///
    /// `master` is the handshake with no particular instance whose commit the
    /// peer may have received as well, unless `self` is that handshake.
    ///
    /// # Errors
    /// [`Error::WrongVersion`] if the message is not of the conversation's
    /// version; [`Error::Randomness`].
    pub fn on_commit(
        &mut self,
        message: &DhCommit,
        local: &Local,
        master: Option<&Self>,
        rng: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, Error> {
        scrubbed(|| self.receive_commit(message, local, master, rng))
    }

    /// Receives a D-H Key message: returns our Reveal Signature message,
    /// signed with `signer`.
    ///
    /// `master` as in [`Self::on_commit`]: in version 3 every instance of the
    /// peer may answer the one commit that was sent to all of them.
    ///
    /// # Errors
    /// [`Error::WrongVersion`] if the message is not of the conversation's
    /// version; [`Error::OutOfRange`] if the key is not in 2..=p-2;
    /// [`Error::Randomness`].
    pub fn on_dh_key(
        &mut self,
        message: &DhKey,
        local: &Local,
        master: Option<&Self>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, Error> {
        scrubbed(|| self.receive_dh_key(message, local, master, signer, rng))
    }

    /// Receives a Reveal Signature message: returns our Signature message,
    /// armoured and signed with `signer`, and the end of the handshake.
    ///
    /// A key that does not open the commitment is ignored without an error.
    ///
    /// # Errors
    /// [`Error::WrongVersion`] if the message is not of the conversation's
    /// version; [`Error::OutOfRange`] if the peer's D-H key is not in
    /// 2..=p-2; [`Error::BadAuthenticator`]; [`Error::ZeroKeyId`];
    /// [`Error::BadSignature`]; what [`dsa::PublicKey`] has to say about the
    /// peer's key; [`Error::Truncated`], [`Error::TrailingBytes`] or
    /// [`Error::InvalidValue`] if what was encrypted is malformed;
    /// [`Error::Randomness`].
    pub fn on_reveal_signature(
        &mut self,
        message: &RevealSignature,
        local: &Local,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<(Vec<u8>, Established)>, Error> {
        scrubbed(|| self.receive_reveal_signature(message, local, signer, rng))
    }

    /// Receives a Signature message: returns the end of the handshake.
    ///
    /// # Errors
    /// As [`Self::on_reveal_signature`].
    pub fn on_signature(
        &mut self,
        message: &Signature,
        local: &Local,
    ) -> Result<Option<Established>, Error> {
        scrubbed(|| self.receive_signature(message, local))
    }

    pub(crate) fn enter(&mut self, state: State, version: Version, initiated: bool) {
        self.state = state;
        self.version = Some(version);
        self.initiated = initiated;
    }
}

/// Our D-H Key message, armoured.
fn dh_key(key: &KeyPair, local: &Local) -> Result<Vec<u8>, Error> {
    let message = DhKey {
        header: local.header(),
        gy: key.public().minimal().to_vec(),
    };
    Ok(armour(&message.encode()?))
}
