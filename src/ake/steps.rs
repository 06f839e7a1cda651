//! What the handshake does with each message.
//!
//! These are the bodies of [`Ake`]'s methods, which wipe the stack after each.
#![forbid(unsafe_code)]

use super::commitment::{self, Commitment};
use super::crossing::Crossing;
use super::{
    Ake, Answered, Established, FIRST_KEYID, Local, MAX_ENCRYPTED_GX, Revealed, SessionHalf,
    SessionId, State, dh_key, signature,
};
use crate::crypto::Random;
use crate::crypto::dh::{AkeKeys, KeyPair};
use crate::crypto::dsa;
use crate::crypto::modp::Element;
use crate::wire::base64::armour;
use crate::wire::message::{DhCommit, DhKey, RevealSignature, Signature};
use crate::wire::significant;
use crate::{Error, Version};

impl Ake {
    /// See [`Self::start`].
    pub(super) fn begin(&mut self, local: &Local, rng: &mut dyn Random) -> Result<Vec<u8>, Error> {
        if local.version == Version::V1 {
            return Err(Error::WrongVersion);
        }
        let commitment = Commitment::generate(rng)?;
        let message = commitment.message(local)?;
        self.enter(
            State::AwaitingDhKey(Box::new(commitment)),
            local.version,
            true,
        );
        Ok(message)
    }

    /// See [`Self::on_commit`].
    pub(super) fn receive_commit(
        &mut self,
        message: &DhCommit,
        local: &Local,
        master: Option<&Self>,
        rng: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, Error> {
        local.expect(&message.header)?;
        if message.encrypted_gx.len() > MAX_ENCRYPTED_GX {
            return Err(Error::TooLong);
        }
        match self.crossing(message, master) {
            Crossing::Reflected => Ok(None),
            Crossing::Ours(commitment) => commitment.message(local).map(Some),
            Crossing::Theirs => self.answer(message, local, master, rng).map(Some),
        }
    }

    /// Answers a commit with our D-H key.
    fn answer(
        &mut self,
        message: &DhCommit,
        local: &Local,
        master: Option<&Self>,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let reply;
        if let State::AwaitingRevealSig(answered) = &mut self.state {
            // Always the same key, so that several commits, of several
            // instances perhaps, lead to one handshake and not to confusion.
            reply = dh_key(&answered.key, local)?;
            answered.encrypted_gx.clone_from(&message.encrypted_gx);
            answered.hashed_gx = message.hashed_gx;
            self.version = Some(local.version);
        } else {
            let key = KeyPair::generate(rng)?;
            reply = dh_key(&key, local)?;
            let answered = Answered {
                key,
                encrypted_gx: message.encrypted_gx.clone(),
                hashed_gx: message.hashed_gx,
                yielded: self.take_yielded(local.version),
            };
            let state = State::AwaitingRevealSig(Box::new(answered));
            self.enter(state, local.version, false);
        }
        self.spend_commit_of(master);
        Ok(reply)
    }

    /// See [`Self::on_dh_key`].
    pub(super) fn receive_dh_key(
        &mut self,
        message: &DhKey,
        local: &Local,
        master: Option<&Self>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, Error> {
        local.expect(&message.header)?;
        if let State::AwaitingSig(revealed) = &self.state
            && self.version == Some(local.version)
            && *revealed.their_dh.minimal() == *significant(&message.gy)
            && !self.is_superseded(&revealed.commitment, master)
        {
            return Ok(Some(revealed.reveal_signature.clone()));
        }
        let Some(commitment) = self.answerable_commit(local.version, master) else {
            return Ok(None);
        };
        let their_dh = Element::from_be_bytes(&message.gy)?;
        let revealed = commitment.reveal(their_dh, local, signer, rng)?;
        let reply = revealed.reveal_signature.clone();
        let state = State::AwaitingSig(Box::new(revealed));
        self.enter(state, local.version, true);
        Ok(Some(reply))
    }

    /// See [`Self::on_reveal_signature`].
    pub(super) fn receive_reveal_signature(
        &mut self,
        message: &RevealSignature,
        local: &Local,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<(Vec<u8>, Established)>, Error> {
        local.expect(&message.header)?;
        let State::AwaitingRevealSig(answered) = &self.state else {
            return Ok(None);
        };
        if self.version != Some(local.version) {
            return Ok(None);
        }
        let opened = commitment::open(
            &answered.encrypted_gx,
            &answered.hashed_gx,
            &message.revealed_key,
        )?;
        let Some(their_dh) = opened else {
            return Ok(None);
        };
        let our_dh = answered.key.clone();
        let shared = our_dh.shared(&their_dh);
        let keys = AkeKeys::derive(&shared);
        let (their_key, their_keyid) = signature::open(
            &keys.reveal,
            our_dh.public(),
            &their_dh,
            &message.encrypted_signature,
            &message.mac,
        )?;
        let sealed = signature::seal(
            &keys.signature,
            our_dh.public(),
            &their_dh,
            signer,
            FIRST_KEYID,
            rng,
        )?;
        let reply = Signature {
            header: local.header(),
            encrypted_signature: sealed.encrypted,
            mac: sealed.mac,
        };
        let reply = armour(&reply.encode()?);
        self.state = State::None;
        let established = Established {
            version: local.version,
            their_key,
            their_keyid,
            their_dh,
            our_keyid: FIRST_KEYID,
            our_dh,
            shared: Box::new(shared),
            session_id: SessionId::new(keys.session_id),
            half: SessionHalf::Second,
            initiated: self.initiated,
        };
        Ok(Some((reply, established)))
    }

    /// See [`Self::on_signature`].
    pub(super) fn receive_signature(
        &mut self,
        message: &Signature,
        local: &Local,
    ) -> Result<Option<Established>, Error> {
        local.expect(&message.header)?;
        let State::AwaitingSig(revealed) = &self.state else {
            return Ok(None);
        };
        if self.version != Some(local.version) {
            return Ok(None);
        }
        let keys = AkeKeys::derive(&revealed.shared);
        let (their_key, their_keyid) = signature::open(
            &keys.signature,
            revealed.commitment.key.public(),
            &revealed.their_dh,
            &message.encrypted_signature,
            &message.mac,
        )?;
        let State::AwaitingSig(revealed) = core::mem::take(&mut self.state) else {
            return Ok(None);
        };
        let Revealed {
            commitment,
            their_dh,
            shared,
            ..
        } = *revealed;
        self.spent = Some(commitment.hashed_gx);
        Ok(Some(Established {
            version: local.version,
            their_key,
            their_keyid,
            their_dh,
            our_keyid: FIRST_KEYID,
            our_dh: commitment.key,
            shared,
            session_id: SessionId::new(keys.session_id),
            half: SessionHalf::First,
            initiated: self.initiated,
        }))
    }
}
