//! The key exchange of version 1, for the few programs that ask for it.
//!
//! Each side sends one Key Exchange message with its D-H key, its long-term
//! key and a signature. Whoever receives one that is not a reply replies with
//! its own; then both have what they need. Data messages of version 1 are those
//! of version 2 without flags, see [`crate::data`].
//!
//! Nothing of versions 2 and 3 depends on this file. Without it one state of
//! [`Ake`] and its arms would go, and the reading of the message in
//! [`crate::wire::v1`].
//!
//! What version 1 lacks, and why it is off unless asked for: the exchange can
//! be replayed, it shows both identities to everybody, and a session's key is
//! used again if the exchange is repeated while the session lasts.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use crate::ake::{Ake, Established, SessionHalf, SessionId, State};
use crate::crypto::Random;
use crate::crypto::dh::{self, KeyPair};
use crate::crypto::dsa;
use crate::crypto::modp::Element;
use crate::crypto::secret::scrubbed;
use crate::crypto::symmetric::sha1;
use crate::data::KeyRing;
use crate::wire::base64::armour;
use crate::wire::v1::V1KeyExchange;
use crate::{Error, Version};

/// The reply byte of a first message, and of the answer to one.
const FIRST: u8 = 0;
const REPLY: u8 = 1;

/// The number of a D-H key that is not taken from a session.
const FIRST_KEYID: u32 = 1;

/// A D-H key and its number.
pub(crate) type Numbered = (Box<KeyPair>, u32);

/// What an exchange in progress needs: our key, and the message it is in.
pub(crate) struct Setup {
    pub(crate) key: Box<KeyPair>,
    pub(crate) keyid: u32,
    pub(crate) message: Vec<u8>,
}

impl Setup {
    /// The Key Exchange message, armoured.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }
}

/// The end of a key exchange.
pub struct Exchanged {
    /// Our Key Exchange message, armoured, if the peer still needs it.
    pub reply: Option<Vec<u8>>,
    /// What was agreed on.
    pub established: Established,
}

impl Ake {
    /// Starts a version 1 exchange, whatever was in progress: returns the Key
    /// Exchange message, armoured.
    ///
    /// `session` is the encrypted session with the peer, if there is one: its
    /// key is used again.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn start_v1(
        &mut self,
        session: Option<&KeyRing>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        self.start_v1_with(session_key(session), signer, rng)
    }

    /// The same with the numbered key that is to be used again, if there is
    /// one.
    pub(crate) fn start_v1_with(
        &mut self,
        key: Option<Numbered>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        scrubbed(|| self.begin_v1(key, signer, rng))
    }

    fn begin_v1(
        &mut self,
        key: Option<Numbered>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let (key, keyid) = or_new(key, rng)?;
        let message = message(FIRST, &key, keyid, signer, rng)?;
        let setup = Setup {
            key,
            keyid,
            message: message.clone(),
        };
        self.enter(State::V1Setup(Box::new(setup)), Version::V1, true);
        Ok(message)
    }

    /// Receives a Key Exchange message. `decoded` are the bytes that `message`
    /// was parsed from, `session` is as in [`Self::start_v1`].
    ///
    /// A reply that nobody asked for is ignored.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if it is neither a first message nor a reply;
    /// [`Error::OutOfRange`] if the peer's D-H or long-term key is out of
    /// bounds; [`Error::BadSignature`]; [`Error::Truncated`] if `decoded` does
    /// not belong to `message`; [`Error::Randomness`].
    pub fn on_v1_key_exchange(
        &mut self,
        message: &V1KeyExchange,
        decoded: &[u8],
        session: Option<&KeyRing>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<Exchanged>, Error> {
        self.on_v1_key_exchange_with(message, decoded, session_key(session), signer, rng)
    }

    /// The same with the numbered key that is to be used again, if there is
    /// one.
    pub(crate) fn on_v1_key_exchange_with(
        &mut self,
        message: &V1KeyExchange,
        decoded: &[u8],
        key: Option<Numbered>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<Exchanged>, Error> {
        scrubbed(|| self.receive_v1(message, decoded, key, signer, rng))
    }

    fn receive_v1(
        &mut self,
        message: &V1KeyExchange,
        decoded: &[u8],
        key: Option<Numbered>,
        signer: &dsa::PrivateKey,
        rng: &mut dyn Random,
    ) -> Result<Option<Exchanged>, Error> {
        let setup = match &self.state {
            State::V1Setup(setup) => Some(setup),
            _ => None,
        };
        if message.reply > REPLY {
            return Err(Error::InvalidValue);
        }
        if message.reply == REPLY && setup.is_none() {
            return Ok(None);
        }
        let [p, q, g, y] = &message.public_key;
        let their_key = dsa::PublicKey::from_components(p, q, g, y)?;
        let their_dh = Element::from_be_bytes(&message.gy)?;
        let signed = decoded.get(..message.signed_len).ok_or(Error::Truncated)?;
        their_key.verify(&sha1(&[signed]), &message.signature)?;

        let asked = setup.map(|setup| (setup.key.clone(), setup.keyid));
        // Compatibility: when two first messages cross in a session, the
        // session's key counts, not what our own first message said.
        let (our_dh, our_keyid) = match message.reply {
            FIRST => or_new(key.or(asked), rng)?,
            _ => or_new(asked, rng)?,
        };
        let reply = match message.reply {
            FIRST => Some(self::message(REPLY, &our_dh, our_keyid, signer, rng)?),
            _ => None,
        };
        let initiated = setup.is_some();
        self.enter(State::None, Version::V1, initiated);

        let shared = our_dh.shared(&their_dh);
        let established = Established {
            version: Version::V1,
            their_key,
            their_keyid: message.keyid,
            their_dh,
            our_keyid,
            session_id: SessionId::new_v1(dh::v1_session_id(&shared)),
            half: if *our_dh.public() > their_dh {
                SessionHalf::Second
            } else {
                SessionHalf::First
            },
            our_dh,
            shared: Box::new(shared),
            initiated,
        };
        Ok(Some(Exchanged { reply, established }))
    }
}

/// The key of a session, with its number.
fn session_key(session: Option<&KeyRing>) -> Option<Numbered> {
    session.map(|session| {
        let (key, keyid) = session.acknowledged_key();
        (Box::new(key.clone()), keyid)
    })
}

/// The key to exchange: the one that is to be used again, or a new one.
fn or_new(key: Option<Numbered>, rng: &mut dyn Random) -> Result<Numbered, Error> {
    match key {
        Some(key) => Ok(key),
        None => Ok((KeyPair::generate(rng)?, FIRST_KEYID)),
    }
}

/// A Key Exchange message, armoured.
fn message(
    reply: u8,
    key: &KeyPair,
    keyid: u32,
    signer: &dsa::PrivateKey,
    rng: &mut dyn Random,
) -> Result<Vec<u8>, Error> {
    let public = signer.public();
    let mut message = V1KeyExchange {
        reply,
        public_key: [public.p(), public.q(), public.g(), public.y()].map(<[u8]>::to_vec),
        keyid,
        gy: key.public().minimal().to_vec(),
        signature: [0; dsa::SIGNATURE_LEN],
        signed_len: 0,
    };
    let signed = message.encode_signed()?;
    message.signature = signer.sign(&sha1(&[&signed]), rng)?;
    Ok(armour(&message.encode()?))
}
