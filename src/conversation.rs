//! A conversation with one peer, for programs written in Rust.
//!
//! [`Conversation`] keeps what the protocol needs to know about a peer, takes
//! what the user types and what the network brings, and returns what to show
//! and what to send. It does no input or output of its own, draws randomness
//! from the source it is given and is told the time.
//!
//! ```
//! use otr::crypto::{dsa::PrivateKey, os_random};
//! use otr::{Conversation, Event, InstanceTag, Policy};
//!
//! # fn main() -> Result<(), otr::Error> {
//! let mut rng = os_random();
//! let now = 1_700_000_000;
//! let mut alice = Conversation::new(
//!     b"alice@example.org".to_vec(),
//!     PrivateKey::generate(&mut rng)?,
//!     InstanceTag::random(&mut rng)?,
//!     Policy::DEFAULT,
//! );
//! let mut bob = Conversation::new(
//!     b"bob@example.org".to_vec(),
//!     PrivateKey::generate(&mut rng)?,
//!     InstanceTag::random(&mut rng)?,
//!     Policy::DEFAULT,
//! );
//!
//! // Alice asks for a private conversation; the two exchange keys.
//! let mut to_bob = alice.send(b"?OTRv23?", now)?.wire;
//! let mut to_alice = Vec::new();
//! while !to_bob.is_empty() || !to_alice.is_empty() {
//!     for text in std::mem::take(&mut to_bob) {
//!         to_alice.extend(bob.receive(&text, now, &mut rng).wire);
//!     }
//!     for text in std::mem::take(&mut to_alice) {
//!         to_bob.extend(alice.receive(&text, now, &mut rng).wire);
//!     }
//! }
//! assert!(alice.is_private() && bob.is_private());
//!
//! let sent = alice.send(b"hello", now)?;
//! let received = bob.receive(&sent.wire[0], now, &mut rng);
//! assert_eq!(received.text.unwrap().as_slice(), b"hello");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::ake::{Ake, SessionId};
use crate::crypto::Random;
use crate::crypto::dsa::{Fingerprint, PrivateKey};
use crate::crypto::secret::SecretBytes;
use crate::data::Sealed;
use crate::session::{
    self, Best, Effect, ErrorCode, Group, Incoming, Instance, MessageEvent, MessageState, Prepared,
    Received, Resend, SmpEvent, Verdict, Which,
};
use crate::wire::error_message;
use crate::wire::fragment::{self, Format};
use crate::{Error, InstanceTag, Policy, limits};

/// Something the user of the program should or may hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The conversation became private.
    GoneSecure(Which),
    /// The private conversation goes on under new keys.
    StillSecure(Which),
    /// The peer ended the private conversation: nothing can be sent until the
    /// user has decided how to go on.
    Finished(Which),
    /// A key of the peer that was never seen before.
    NewFingerprint(Fingerprint),
    /// The comparison of secrets showed whether the peer is the one we know.
    Trust(Fingerprint, bool),
    /// The text shown arrived unencrypted where encryption was expected.
    Unencrypted,
    /// The peer reports an error in these words.
    PeerError(Vec<u8>),
    /// Something about a message.
    Message(Which, MessageEvent),
    /// Progress in the comparison of secrets.
    Smp(Which, SmpEvent),
    /// The peer wants to use the extra symmetric key.
    SymmetricKey {
        /// What for.
        purpose: u32,
        /// More about the use.
        data: SecretBytes,
        /// The key.
        key: Zeroizing<[u8; 32]>,
    },
}

/// What to show and what to send.
#[derive(Debug, Default)]
pub struct Output {
    /// The text to show, if any.
    pub text: Option<SecretBytes>,
    /// Texts to send to the peer, in this order.
    pub wire: Vec<Vec<u8>>,
    /// What happened, in this order.
    pub events: Vec<Event>,
}

/// The instances of the peer as a plain map.
#[derive(Default)]
struct Instances {
    ours: InstanceTag,
    master: Instance,
    children: BTreeMap<InstanceTag, Instance>,
}

impl Group for Instances {
    fn knows(&mut self, tag: InstanceTag) -> bool {
        self.children.contains_key(&tag)
    }

    fn instance(&mut self, which: Which) -> &mut Instance {
        let Which::Child(tag) = which else {
            return &mut self.master;
        };
        if !self.children.contains_key(&tag) && self.children.len() >= limits::INSTANCES {
            self.forget_idle();
        }
        let ours = self.ours;
        self.children
            .entry(tag)
            .or_insert_with(|| Instance::new(ours, tag))
    }

    fn instance_and_master(&mut self, which: Which) -> (&mut Instance, Option<&Ake>) {
        let Which::Child(tag) = which else {
            return (&mut self.master, None);
        };
        let ours = self.ours;
        let child = self
            .children
            .entry(tag)
            .or_insert_with(|| Instance::new(ours, tag));
        (child, Some(&self.master.ake))
    }
}

impl Instances {
    /// Makes room by forgetting the instance that was silent longest and has
    /// no session.
    fn forget_idle(&mut self) {
        let idle = self
            .children
            .iter()
            .filter(|(_, child)| match child.state {
                MessageState::Plaintext => true,
                MessageState::Finished => child.generation == 0,
                MessageState::Encrypted => false,
            })
            .min_by_key(|(_, child)| child.last_received)
            .map(|(tag, _)| *tag);
        if let Some(tag) = idle {
            self.children.remove(&tag);
        }
    }
}

/// A conversation with one peer.
pub struct Conversation {
    account: Vec<u8>,
    key: Arc<PrivateKey>,
    policy: Policy,
    max_message_size: usize,
    instances: Instances,
    known: BTreeMap<Fingerprint, bool>,
}

impl Conversation {
    /// A conversation that has not begun.
    ///
    /// `account` is our account's name as it appears in queries, `ours` the
    /// instance tag of this login; all conversations of one account share it.
    #[must_use]
    pub fn new(
        account: Vec<u8>,
        key: impl Into<Arc<PrivateKey>>,
        ours: InstanceTag,
        policy: Policy,
    ) -> Self {
        Self {
            account,
            key: key.into(),
            policy,
            max_message_size: 0,
            instances: Instances {
                ours,
                master: Instance::new(ours, InstanceTag::NONE),
                children: BTreeMap::new(),
            },
            known: BTreeMap::new(),
        }
    }

    /// Changes what is allowed.
    pub const fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Sets how many bytes the transport takes in one message; 0 for any number.
    pub const fn set_max_message_size(&mut self, size: usize) {
        self.max_message_size = size;
    }

    /// Adds a key of the peer known from an earlier conversation, and whether
    /// the user trusts it.
    pub fn add_fingerprint(&mut self, fingerprint: Fingerprint, trusted: bool) {
        self.known.insert(fingerprint, trusted);
    }

    /// The keys of the peer, and whether the user trusts each.
    pub fn fingerprints(&self) -> impl Iterator<Item = (&Fingerprint, bool)> {
        self.known.iter().map(|(print, trusted)| (print, *trusted))
    }

    /// Whether texts that are sent now are encrypted.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.state() == MessageState::Encrypted
    }

    /// Whether texts that are sent now are encrypted, sent as they are, or
    /// refused.
    #[must_use]
    pub fn state(&self) -> MessageState {
        self.current().state
    }

    /// Identifies the private conversation to the two users.
    #[must_use]
    pub fn session_id(&self) -> Option<&SessionId> {
        self.current().session_id.as_ref()
    }

    /// The peer's key in the private conversation.
    #[must_use]
    pub fn active_fingerprint(&self) -> Option<&Fingerprint> {
        self.current().active.as_ref()
    }

    /// The instance that texts go to.
    #[must_use]
    pub fn current_instance(&self) -> Which {
        let all = core::iter::once((Which::Master, &self.instances.master)).chain(
            self.instances
                .children
                .iter()
                .map(|(tag, child)| (Which::Child(*tag), child)),
        );
        let (names, candidates): (Vec<_>, Vec<_>) =
            all.map(|(which, one)| (which, self.candidate(one))).unzip();
        session::best(candidates)
            .and_then(|position| names.get(position).copied())
            .unwrap_or(Which::Master)
    }

    fn candidate(&self, instance: &Instance) -> Best {
        Best {
            state: instance.state,
            trusted: instance
                .active
                .and_then(|print| self.known.get(&print).copied())
                .unwrap_or(false),
            last_received: instance.last_received,
        }
    }

    fn get(&self, which: Which) -> &Instance {
        match which {
            Which::Master => Some(&self.instances.master),
            Which::Child(tag) => self.instances.children.get(&tag),
        }
        .unwrap_or(&self.instances.master)
    }

    fn current(&self) -> &Instance {
        self.get(self.current_instance())
    }

    /// Takes a text that the user wants to send. A text that is a query, such
    /// as `?OTRv23?`, asks the peer for a private conversation.
    ///
    /// `now` counts seconds since 1970.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] if the peer has ended the private conversation.
    /// In a private conversation [`Error::InvalidValue`] for a text with a NUL,
    /// [`Error::TooLong`] for one that does not fit a message. Nothing is sent
    /// then.
    pub fn send(&mut self, text: &[u8], now: i64) -> Result<Output, Error> {
        let which = self.current_instance();
        let instance = self.instances.instance(which);
        let mut output = Output::default();
        match instance.prepare(text, &self.account, self.policy) {
            Prepared::AsIs => output.wire.push(text.to_vec()),
            Prepared::Instead(text) => output.wire.push(text.to_vec()),
            Prepared::Required(query) => {
                instance.hold_back(text, now);
                let event = MessageEvent::EncryptionRequired;
                output.events.push(Event::Message(which, event));
                output.wire.push(query.to_vec());
            }
            Prepared::Encrypt => {
                let sealed = instance.encrypt(text, &[], 0, now)?;
                self.inject_sealed(which, sealed, &mut output)?;
            }
            Prepared::Refused => return Err(Error::NotEncrypted),
        }
        Ok(output)
    }

    /// Takes a text that the network brought.
    ///
    /// `now` counts seconds since 1970.
    pub fn receive(&mut self, text: &[u8], now: i64, rng: &mut dyn Random) -> Output {
        let which = self.current_instance();
        let account = self.account.clone();
        let incoming = Incoming {
            account: &account,
            policy: self.policy,
            now,
            best: (which, self.candidate(self.get(which))),
        };
        let mut output = Output::default();
        if !self.policy.allows_any() {
            output.text = Some(SecretBytes::new(text.to_vec()));
            return output;
        }
        let routing = session::route(&mut self.instances, text, &incoming);
        self.perform(routing.effects, now, &mut output);
        let Some(message) = routing.message else {
            return output;
        };
        let key = Arc::clone(&self.key);
        let Received {
            verdict, effects, ..
        } = session::handle(&mut self.instances, message, &incoming, Some(&key), rng);
        self.perform(effects, now, &mut output);
        output.text = match verdict {
            Verdict::Internal => None,
            Verdict::ShowOriginal => Some(SecretBytes::new(text.to_vec())),
            Verdict::Show(text) | Verdict::Decrypted(text) => Some(text),
            Verdict::Unencrypted { replaced, .. } => {
                output.events.push(Event::Unencrypted);
                Some(replaced.unwrap_or_else(|| SecretBytes::new(text.to_vec())))
            }
            Verdict::PeerError { words, .. } => {
                output.events.push(Event::PeerError(words));
                None
            }
        };
        output
    }

    /// Ends the private conversation and tells the peer.
    pub fn disconnect(&mut self, now: i64) -> Output {
        let which = self.current_instance();
        let instance = self.instances.instance(which);
        let mut output = Output::default();
        if let Some(farewell) = instance.disconnect(true, now) {
            output.wire.push(farewell.to_vec());
        }
        output
    }

    /// Starts a comparison of secrets: do both users know the same secret?
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::InvalidValue`] for a question with a NUL, [`Error::TooLong`]
    /// for one that does not fit a record, [`Error::Randomness`].
    pub fn compare_secret(
        &mut self,
        secret: &[u8],
        question: Option<&[u8]>,
        now: i64,
        rng: &mut dyn Random,
    ) -> Result<Output, Error> {
        let us = self.key.public().fingerprint();
        self.smp(|one| one.smp_start(&us, question, secret, now, rng))
    }

    /// Answers the peer who asked for the secret.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::NotAsked`] if the peer has not asked, [`Error::Randomness`].
    pub fn answer_secret(
        &mut self,
        secret: &[u8],
        now: i64,
        rng: &mut dyn Random,
    ) -> Result<Output, Error> {
        let us = self.key.public().fingerprint();
        self.smp(|one| one.smp_answer(&us, secret, now, rng))
    }

    /// Gives the comparison of secrets up.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation.
    pub fn abort_comparison(&mut self, now: i64) -> Result<Output, Error> {
        self.smp(|one| one.smp_abort(now))
    }

    fn smp(
        &mut self,
        step: impl FnOnce(&mut Instance) -> Result<Sealed, Error>,
    ) -> Result<Output, Error> {
        let which = self.current_instance();
        let sealed = step(self.instances.instance(which))?;
        let mut output = Output::default();
        self.inject_sealed(which, sealed, &mut output)?;
        Ok(output)
    }

    /// Asks the peer to use the extra symmetric key; returns the key as well.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::TooLong`] if `data` is longer than a record.
    pub fn request_symmetric_key(
        &mut self,
        purpose: u32,
        data: &[u8],
        now: i64,
    ) -> Result<(Output, Zeroizing<[u8; 32]>), Error> {
        let which = self.current_instance();
        let instance = self.instances.instance(which);
        let sealed = instance.request_symmetric_key(purpose, data, now)?;
        let key = sealed.extra_key.clone();
        let mut output = Output::default();
        self.inject_sealed(which, sealed, &mut output)?;
        Ok((output, key))
    }

    /// Ends key exchanges that nobody answered in time. To be called every
    /// [`session::POLL_INTERVAL`] seconds.
    pub fn poll(&mut self, now: i64) {
        session::expire(&mut self.instances.master, now);
    }

    fn inject_sealed(
        &mut self,
        which: Which,
        sealed: Sealed,
        output: &mut Output,
    ) -> Result<(), Error> {
        let format = self.instances.instance(which).current_format();
        self.inject(sealed.message(), Some(format), output)
    }

    fn inject(
        &self,
        text: Vec<u8>,
        format: Option<Format>,
        output: &mut Output,
    ) -> Result<(), Error> {
        match format {
            Some(format) if self.max_message_size != 0 && text.len() > self.max_message_size => {
                let pieces = fragment::cut(&text, self.max_message_size, format)?;
                output.wire.extend(pieces);
            }
            _ => output.wire.push(text),
        }
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>, now: i64, output: &mut Output) {
        for effect in effects {
            match effect {
                Effect::Inject { text, format, .. } => {
                    // A transport too narrow even for a piece cannot be helped.
                    let _ = self.inject(text.to_vec(), format, output);
                }
                Effect::ReplyError { code, .. } => {
                    let mut text = error_message::PREFIX.to_vec();
                    text.extend_from_slice(explain(code).as_bytes());
                    output.wire.push(text);
                }
                Effect::Event { which, event } => output.events.push(Event::Message(which, event)),
                Effect::Smp { which, event } => output.events.push(Event::Smp(which, event)),
                Effect::Authenticated { fingerprint, .. } => {
                    if let Entry::Vacant(entry) = self.known.entry(fingerprint) {
                        entry.insert(false);
                        output.events.push(Event::NewFingerprint(fingerprint));
                    }
                }
                Effect::Trust {
                    fingerprint,
                    verified,
                    ..
                } => {
                    self.known.insert(fingerprint, verified);
                    output.events.push(Event::Trust(fingerprint, verified));
                }
                Effect::GoneSecure(which) => output.events.push(Event::GoneSecure(which)),
                Effect::StillSecure { which, .. } => output.events.push(Event::StillSecure(which)),
                Effect::SymmetricKey {
                    purpose, data, key, ..
                } => output
                    .events
                    .push(Event::SymmetricKey { purpose, data, key }),
                Effect::Publish(which, session::Part::Session)
                    if self.get(which).state == MessageState::Finished =>
                {
                    output.events.push(Event::Finished(which));
                }
                Effect::Resend(which) => self.resend(which, now, output),
                Effect::InstanceAdded(_)
                | Effect::ContextListChanged(_)
                | Effect::Sent(_)
                | Effect::StartTimer
                | Effect::SmpProgress { .. }
                | Effect::Publish(..) => {}
            }
        }
    }

    fn resend(&mut self, which: Which, now: i64, output: &mut Output) {
        while let Some((resend, text)) = self.instances.instance(which).take_resend() {
            let mut marked = SecretBytes::new(Vec::new());
            if resend == Resend::Marked {
                marked.extend_from_slice(b"[resent] ");
            }
            marked.extend_from_slice(&text);
            let instance = self.instances.instance(which);
            let sent = instance
                .encrypt_resend(resend, &marked, now)
                .and_then(|sealed| self.inject_sealed(which, sealed, output));
            match sent {
                Ok(()) if resend == Resend::Marked => {
                    let event = MessageEvent::Resent(text);
                    output.events.push(Event::Message(which, event));
                }
                Ok(()) => {}
                Err(_) => {
                    let event = MessageEvent::EncryptionError;
                    output.events.push(Event::Message(which, event));
                }
            }
        }
    }
}

/// What an error message says to the peer.
const fn explain(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Encryption => "An error occurred when encrypting a message.",
        ErrorCode::Unreadable => "An encrypted message that you sent could not be read.",
        ErrorCode::Malformed => "A message that you sent was malformed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stranger can invent tags while a session of the master is on or has
    /// just ended.
    #[test]
    fn instances_that_never_had_a_session_make_room() {
        let mut instances = Instances::default();
        let ended = InstanceTag::new(0x100);
        instances.instance(Which::Child(ended)).state = MessageState::Finished;
        instances.instance(Which::Child(ended)).generation = 1;
        for number in 0x101..0x300 {
            let which = Which::Child(InstanceTag::new(number));
            instances.instance(which).state = MessageState::Finished;
        }
        assert_eq!(instances.children.len(), limits::INSTANCES);
        assert!(instances.knows(ended));
    }
}
