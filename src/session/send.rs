//! A text is to be sent: "User requests" of the protocol text.
#![forbid(unsafe_code)]

use super::{Effect, Instance, MessageState, Offer, Resend, Which};
use crate::crypto::secret::SecretBytes;
use crate::data::Sealed;
use crate::wire::message::{IGNORE_UNREADABLE, is_query};
use crate::wire::tlv::{self, Tlv};
use crate::wire::{query, whitespace};
use crate::{Error, Policy};

/// What is to happen with a text that the user wants to send.
#[derive(Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Send it as it is.
    AsIs,
    /// Send this instead: a query, or the text with a whitespace tag.
    Instead(SecretBytes),
    /// Tell the user that encryption is required, then keep the text by
    /// [`Instance::hold_back`], and send this query.
    Required(SecretBytes),
    /// Encrypt it with [`Instance::encrypt`], after the application's own
    /// conversion.
    Encrypt,
    /// Do not send it: the peer has ended the private conversation.
    Refused,
}

impl Instance {
    /// Decides what is to happen with a text.
    ///
    /// `account` is our account's name as it shall appear in a query.
    pub fn prepare(&mut self, text: &[u8], account: &[u8], policy: Policy) -> Prepared {
        // A session that exists goes on even if the policy now forbids others.
        if !policy.allows_any() && self.state == MessageState::Plaintext {
            return Prepared::AsIs;
        }
        if is_query(text) {
            self.offer = Offer::Sent;
            return Prepared::Instead(SecretBytes::new(query::default_query(account, policy)));
        }
        match self.state {
            MessageState::Encrypted => Prepared::Encrypt,
            MessageState::Finished => Prepared::Refused,
            MessageState::Plaintext if policy.contains(Policy::REQUIRE_ENCRYPTION) => {
                Prepared::Required(SecretBytes::new(query::default_query(account, policy)))
            }
            MessageState::Plaintext
                if policy.contains(Policy::SEND_WHITESPACE_TAG)
                    && self.offer != Offer::Rejected =>
            {
                self.offer = Offer::Sent;
                let tag = whitespace::tag(policy);
                Prepared::Instead([text, &tag].concat().into())
            }
            MessageState::Plaintext => Prepared::AsIs,
        }
    }

    /// Encrypts a text with records into a data message.
    ///
    /// The text must not contain a NUL byte: it would end there for the peer.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::TooLong`] if a record does not fit.
    pub fn encrypt(
        &mut self,
        text: &[u8],
        tlvs: &[Tlv],
        flags: u8,
        now: i64,
    ) -> Result<Sealed, Error> {
        if self.state != MessageState::Encrypted {
            return Err(Error::NotEncrypted);
        }
        let version = self.version.ok_or(Error::NotEncrypted)?;
        let local = self.local(version);
        let keys = self.keys.as_mut().ok_or(Error::NotEncrypted)?;
        let sealed = keys.encrypt(&local, text, tlvs, flags)?;
        self.kept.encrypted(text, self.active);
        if flags & IGNORE_UNREADABLE == 0 {
            // Records alone do not show the peer that anybody is there.
            self.last_sent = now;
        }
        Ok(sealed)
    }

    /// Keeps a text that needs encryption until the session is established.
    /// `now` counts seconds since 1970.
    ///
    /// Apart from [`Instance::prepare`], since the user is told in between, and
    /// what a program does when it is told may end everything that was kept
    /// before.
    pub fn hold_back(&mut self, text: &[u8], now: i64) {
        self.kept.hold(text);
        self.last_sent = now;
        self.offer = Offer::Sent;
    }

    /// Encrypts a text that [`Instance::take_resend`] has given out, with its
    /// mark if it is a repetition.
    ///
    /// A text is repeated once: what the peer cannot read even then is given
    /// up. Two programs that start a key exchange after each error could
    /// otherwise drive each other on for ever, every repetition arriving under
    /// keys that the exchange in between has overtaken.
    ///
    /// # Errors
    /// As [`Instance::encrypt`].
    pub fn encrypt_resend(
        &mut self,
        resend: Resend,
        text: &[u8],
        now: i64,
    ) -> Result<Sealed, Error> {
        let sealed = self.encrypt(text, &[], 0, now)?;
        if resend == Resend::Marked {
            self.kept.give_up_last();
        }
        Ok(sealed)
    }

    /// A data message without text that nobody misses if it cannot be read.
    ///
    /// # Errors
    /// As [`Instance::encrypt`].
    pub fn encrypt_records(&mut self, tlvs: &[Tlv], now: i64) -> Result<Sealed, Error> {
        self.encrypt(b"", tlvs, IGNORE_UNREADABLE, now)
    }

    /// Ends the private conversation; the message returned tells the peer.
    ///
    /// `online` says whether the peer can be reached at all. Ends in
    /// plaintext in any case, also from a conversation the peer has ended.
    pub fn disconnect(&mut self, online: bool, now: i64) -> Option<SecretBytes> {
        let farewell = if online && self.state == MessageState::Encrypted {
            let record = Tlv::new(tlv::DISCONNECTED, Vec::new());
            self.encrypt_records(&[record], now).ok()
        } else {
            None
        };
        self.finish(MessageState::Plaintext);
        farewell.map(|sealed| SecretBytes::new(sealed.message()))
    }

    /// Asks the peer to use the extra symmetric key for `purpose`. Returns
    /// the message and the key.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::TooLong`] if `data` does not fit into a record.
    pub fn request_symmetric_key(
        &mut self,
        purpose: u32,
        data: &[u8],
        now: i64,
    ) -> Result<Sealed, Error> {
        let mut value = purpose.to_be_bytes().to_vec();
        value.extend_from_slice(data);
        let record = Tlv::new(tlv::SYMMETRIC_KEY, value);
        self.encrypt_records(&[record], now)
    }

    /// The effects of sending a data message that this instance has sealed.
    pub(super) fn inject(&self, which: Which, sealed: &Sealed, effects: &mut Vec<Effect>) {
        effects.push(Effect::Inject {
            which,
            text: SecretBytes::new(sealed.message()),
            format: Some(self.current_format()),
            while_private: true,
        });
    }
}
