//! Encrypting and decrypting one data message.
#![forbid(unsafe_code)]

use core::fmt;

use memchr::memchr;
use zeroize::Zeroizing;

use super::{Age, KeyRing};
use crate::ake::Local;
use crate::crypto::Random;
use crate::crypto::dh::KeyPair;
use crate::crypto::modp::Element;
use crate::crypto::secret::{SecretBytes, scrubbed, scrubbed_briefly};
use crate::crypto::symmetric::constant_time_eq;
use crate::wire::base64::armour;
use crate::wire::message::DataMessage;
use crate::wire::tlv::{self, Tlv};
use crate::wire::{Writer, significant};
use crate::{Error, limits};

/// Ends the text, whether TLV records follow or not.
const END_OF_TEXT: u8 = 0;

/// An encrypted message.
pub struct Sealed {
    /// The message, not armoured yet.
    pub encoded: Vec<u8>,
    /// The extra symmetric key that its receiver will know too.
    pub extra_key: Zeroizing<[u8; 32]>,
}

/// A decrypted message.
pub struct Opened {
    /// The text, up to the first NUL.
    pub text: SecretBytes,
    /// The records behind it.
    pub tlvs: Vec<Tlv>,
    /// The extra symmetric key that its sender knows too.
    pub extra_key: Zeroizing<[u8; 32]>,
}

impl Sealed {
    /// The message, armoured, to be sent.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        armour(&self.encoded)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}

impl fmt::Debug for Opened {
    /// Without text and key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Encrypts `text`, which must not contain a NUL, and the records. Reveals
    /// the MAC keys that have become free since the last message.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for a NUL in the text; [`Error::TooLong`] if a
    /// record or the whole does not fit its length field.
    pub fn encrypt(
        &mut self,
        local: &Local,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
    ) -> Result<Sealed, Error> {
        scrubbed_briefly(|| self.seal(local, text, tlvs, flags))
    }

    fn seal(
        &mut self,
        local: &Local,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
    ) -> Result<Sealed, Error> {
        if memchr(END_OF_TEXT, text).is_some() {
            return Err(Error::InvalidValue);
        }
        if tlvs
            .iter()
            .any(|tlv| tlv.value.len() > limits::MAX_TLV_VALUE)
        {
            return Err(Error::TooLong);
        }
        let plain_len = text
            .len()
            .checked_add(1)
            .and_then(|len| len.checked_add(tlv::encoded_len(tlvs)))
            .filter(|len| u32::try_from(*len).is_ok())
            .ok_or(Error::TooLong)?;
        let next_dh = self.our_current.public().to_be_bytes();
        let (our_keyid, their_keyid) = (self.our_keyid, self.their_keyid);
        let old_mac_keys = self.old_mac_keys.clone();
        let pair = self.pair(Age::Previous, Age::Current)?;
        let counter = pair.next_counter()?;

        let head = DataMessage {
            header: local.header(),
            flags,
            sender_keyid: our_keyid.saturating_sub(1),
            recipient_keyid: their_keyid,
            next_dh: significant(&next_dh),
            counter: counter.to_be_bytes(),
            encrypted: &[],
            mac: [0; 20],
            old_mac_keys: &old_mac_keys,
            authenticated_len: 0,
        };
        // Large enough from the start: the text is encrypted where it is
        // written, and no copy of it stays behind.
        let capacity = head.encoded_len().saturating_add(plain_len);
        let mut writer = Writer::with_capacity(capacity);
        head.write_head(&mut writer);
        writer.length(plain_len);
        let start = writer.len();
        writer.bytes(text).byte(END_OF_TEXT);
        tlv::write(tlvs, &mut writer)?;
        let keys = pair.sending();
        keys.aes.apply(head.counter, writer.tail_mut(start));
        let mac = keys.mac.authenticate(writer.as_slice());
        writer.bytes(&mac).data(&old_mac_keys);
        let encoded = writer.finish()?;

        pair.sent = counter;
        let extra_key = pair.keys.extra.clone();
        self.old_mac_keys = SecretBytes::default();
        Ok(Sealed { encoded, extra_key })
    }

    /// Decrypts a message, and replaces keys as it demands. `decoded` are the
    /// bytes that `message` was parsed from.
    ///
    /// Version and instance tags in the header are not compared with anything.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], [`Error::BadMac`], [`Error::Replayed`];
    /// [`Error::OutOfRange`] if the sender's next D-H key is not in 2..=p-2;
    /// [`Error::TooLong`] if its key ids are exhausted; [`Error::Truncated`]
    /// if `decoded` does not belong to `message`; [`Error::Randomness`].
    pub fn decrypt(
        &mut self,
        message: &DataMessage<'_>,
        decoded: &[u8],
        rng: &mut dyn Random,
    ) -> Result<Opened, Error> {
        scrubbed_briefly(|| {
            let accepted = self.accept(message, decoded, rng)?;
            let text = SecretBytes::new(message.encrypted.to_vec());
            self.read(accepted, text)
        })
    }

    /// Parses and decrypts a message in the memory in which it was decoded.
    ///
    /// # Errors
    /// As for [`DataMessage::parse`] and [`Self::decrypt`].
    pub fn decrypt_in_place(
        &mut self,
        decoded: Vec<u8>,
        rng: &mut dyn Random,
    ) -> Result<Opened, Error> {
        scrubbed_briefly(|| {
            let message = DataMessage::parse(&decoded)?;
            let accepted = self.accept(&message, &decoded, rng)?;
            let end = message.authenticated_len;
            let start = end.saturating_sub(message.encrypted.len());
            // Moved while it is still encrypted: nothing of it stays behind.
            let mut text = decoded;
            text.truncate(end);
            text.drain(..start);
            self.read(accepted, SecretBytes::new(text))
        })
    }

    /// Does everything that can fail.
    #[inline(always)]
    fn accept(
        &mut self,
        message: &DataMessage<'_>,
        decoded: &[u8],
        rng: &mut dyn Random,
    ) -> Result<Accepted, Error> {
        let ours = self.our_age(message.recipient_keyid)?;
        let theirs = self.their_age(message.sender_keyid)?;
        let authenticated = decoded
            .get(..message.authenticated_len)
            .ok_or(Error::Truncated)?;

        // Until we answer, a peer announces the same key with every message.
        let announced = self.their_current.is(message.next_dh);
        let pair = self.pair(ours, theirs)?;
        let mac = pair.receiving().mac.authenticate(authenticated);
        if !constant_time_eq(&mac, &message.mac) {
            return Err(Error::BadMac);
        }
        // Before anything else can fail: from here on the key has to be
        // revealed once it is not needed any more.
        pair.used = true;
        let counter = u64::from_be_bytes(message.counter);
        if counter <= pair.received {
            return Err(Error::Replayed);
        }
        let their_next = if announced && theirs == Age::Previous {
            None
        } else {
            Some(Element::from_be_bytes(message.next_dh)?)
        };
        let their_next_keyid = message.sender_keyid.checked_add(1).ok_or(Error::TooLong)?;
        let our_next = match ours {
            Age::Current => {
                let keyid = message.recipient_keyid.checked_add(1);
                Some((
                    scrubbed(|| KeyPair::generate(rng))?,
                    keyid.ok_or(Error::TooLong)?,
                ))
            }
            Age::Previous => None,
        };
        Ok(Accepted {
            ours,
            theirs,
            counter,
            our_next,
            their_next: their_next
                .filter(|_| theirs == Age::Current)
                .map(|next| (next, their_next_keyid)),
        })
    }

    /// Decrypts the text of a message that was accepted, and replaces keys.
    ///
    /// # Errors
    /// None: the pair of keys is there.
    #[inline(always)]
    fn read(&mut self, accepted: Accepted, mut text: SecretBytes) -> Result<Opened, Error> {
        let pair = self.pair(accepted.ours, accepted.theirs)?;
        pair.received = accepted.counter;
        let counter = accepted.counter.to_be_bytes();
        pair.receiving().aes.apply(counter, &mut text);
        let extra_key = pair.keys.extra.clone();
        if let Some((next, keyid)) = accepted.our_next {
            self.rotate_ours(next, keyid);
        }
        if let Some((next, keyid)) = accepted.their_next {
            self.rotate_theirs(next, keyid);
        }

        let end = memchr(END_OF_TEXT, &text);
        let records = end.and_then(|end| text.get(end..)?.get(1..));
        let tlvs = tlv::parse(records.unwrap_or_default());
        if let Some(end) = end {
            text.truncate(end);
        }
        Ok(Opened {
            text,
            tlvs,
            extra_key,
        })
    }
}

/// What follows from a message that was authenticated and is no repetition.
struct Accepted {
    ours: Age,
    theirs: Age,
    counter: u64,
    /// Our next key and its number, if the peer has seen the one before.
    our_next: Option<(Box<KeyPair>, u32)>,
    /// The peer's next key and its number, if we have not seen it before.
    their_next: Option<(Element, u32)>,
}
