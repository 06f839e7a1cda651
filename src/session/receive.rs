//! A text arrives: which instance it concerns and what kind of message it is.
//!
//! Receiving has two steps, so that an application can make a private key
//! between them. [`route`] joins fragments, checks versions and instance tags
//! and finds the instance; [`handle`] does what the message asks for.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::{
    Best, Effect, ErrorCode, Group, MessageEvent, MessageState, Received, Verdict, Which, data,
    handshake,
};
use crate::crypto::Random;
use crate::crypto::dsa::PrivateKey;
use crate::crypto::secret::SecretBytes;
use crate::wire::fragment::{self, Accumulated, Scanned};
use crate::wire::message::{self, MessageType};
use crate::wire::{error_message, query, whitespace};
use crate::{InstanceTag, Policy, Version};

/// What is known about a text besides its bytes.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// Our account's name, for a query sent in answer.
    pub account: &'a [u8],
    /// What the user allows.
    pub policy: Policy,
    /// The present time in seconds since 1970.
    pub now: i64,
    /// The best of the peer's instances before the text arrived.
    pub best: (Which, Best),
}

/// A message on its way to [`handle`].
#[derive(Debug)]
pub struct Routed<'a> {
    /// The instance concerned.
    pub which: Which,
    kind: MessageType,
    text: Cow<'a, [u8]>,
    /// Whether the text is not what the application holds in its hands.
    joined: bool,
}

/// The outcome of [`route`].
#[derive(Debug)]
pub struct Routing<'a> {
    /// What to do before anything else, in this order.
    pub effects: Vec<Effect>,
    /// The message to go on with; `None` if it ends here, showing nothing.
    /// Its instance is the one that was heard of last, from behind the effects
    /// on.
    pub message: Option<Routed<'a>>,
}

impl Routing<'_> {
    fn end(effects: Vec<Effect>) -> Self {
        Self {
            effects,
            message: None,
        }
    }

    fn event(which: Which, event: MessageEvent) -> Self {
        Self::end(vec![Effect::Event { which, event }])
    }

    /// The answer to a version 3 message whose instance tags cannot be right.
    fn malformed(mut effects: Vec<Effect>, which: Which) -> Self {
        effects.push(Effect::Event {
            which,
            event: MessageEvent::Malformed,
        });
        effects.push(Effect::ReplyError {
            which,
            code: ErrorCode::Malformed,
        });
        Self::end(effects)
    }
}

/// Whether [`handle`] has to sign something for this message.
#[must_use]
pub fn needs_private_key(message: &Routed<'_>, policy: Policy) -> bool {
    let text = &message.text;
    let version = match message.kind {
        MessageType::DhKey | MessageType::RevealSignature | MessageType::V1KeyExchange => {
            return true;
        }
        MessageType::Query => query::best_version(text, policy),
        MessageType::TaggedPlaintext => {
            whitespace::find(text).and_then(|tag| tag.versions.best(policy))
        }
        _ => None,
    };
    version == Some(Version::V1)
}

/// Finds out which instance a text concerns.
///
/// Joins fragments, follows our offers by whitespace tag, refuses versions
/// that the policy forbids and messages for other instances of ours, and
/// makes an instance for a peer's new tag.
pub fn route<'a>(group: &mut dyn Group, text: &'a [u8], incoming: &Incoming<'_>) -> Routing<'a> {
    let policy = incoming.policy;
    let mut effects = Vec::new();
    let mut which = Which::Master;
    let mut text = Cow::Borrowed(text);
    let mut joined = false;

    // "Fragmentation", "Receiving fragments". Plaintext does not disturb a
    // message of which only some pieces have arrived.
    if message::from_mark(&text).is_some() {
        let (tags, found) = fragment::read(&text);
        if let Some((sender, receiver)) = tags {
            if !receiver.is_none() && receiver != group.our_tag() {
                return Routing::event(Which::Master, MessageEvent::ForOtherInstance);
            }
            if !sender.is_valid() {
                return Routing::malformed(effects, Which::Master);
            }
            which = Which::Child(sender);
            meet(group, sender, &mut effects);
        }
        let piece = match found {
            Scanned::Other => {
                group.drop_pieces(which);
                Accumulated::Unfragmented
            }
            piece => group.instance(which).fragments.take_in(piece),
        };
        match piece {
            Accumulated::Unfragmented => {}
            Accumulated::Incomplete => return Routing::end(effects),
            Accumulated::Complete(whole) => {
                text = Cow::Owned(whole);
                joined = true;
            }
        }
    }

    let kind = message::message_type(&text);
    let version = message::message_version(&text);

    if policy.contains(Policy::SEND_WHITESPACE_TAG) {
        group.note_answer(which, kind != MessageType::NotOtr);
    }

    if version.is_some_and(|version| !policy.allows(version)) {
        return Routing::end(effects);
    }

    if version == Some(Version::V3) {
        let ours = group.our_tag();
        let Ok((sender, receiver)) = message::instances(from_mark(&text)) else {
            return Routing::malformed(effects, Which::Master);
        };
        // Only a D-H Commit can come from somebody who does not know our tag.
        let addressed = receiver == ours || (receiver.is_none() && kind == MessageType::DhCommit);
        if !addressed {
            effects.push(Effect::Event {
                which: Which::Master,
                event: MessageEvent::ForOtherInstance,
            });
            return Routing::end(effects);
        }
        if !sender.is_valid() {
            return Routing::malformed(effects, Which::Master);
        }
        which = Which::Child(sender);
        let met = meet(group, sender, &mut effects);
        if met {
            group.instance(which).version = version;
            if !matches!(kind, MessageType::DhCommit | MessageType::DhKey) {
                // Nothing else can be the first that an instance says.
                return Routing::end(effects);
            }
            effects.push(Effect::ContextListChanged(which));
        }
    }

    group.instance(which).last_received = incoming.now;
    Routing {
        effects,
        message: Some(Routed {
            which,
            kind,
            text,
            joined,
        }),
    }
}

/// The text from the first mark of OTR on; people may have written before it.
fn from_mark(text: &[u8]) -> &[u8] {
    let behind = message::from_mark(text).map_or(text.len(), |rest| {
        rest.len().saturating_add(message::MARK.len())
    });
    text.get(text.len().saturating_sub(behind)..)
        .unwrap_or_default()
}

/// Makes an instance for a tag that is seen for the first time; tells whether
/// it was.
fn meet(group: &mut dyn Group, tag: InstanceTag, effects: &mut Vec<Effect>) -> bool {
    if group.knows(tag) {
        return false;
    }
    // Somebody who merely invents a tag has no part in the master's session,
    // nor may the tag open a way to send in the clear beside that session.
    let master = group.instance(Which::Master);
    let (ours, guarded) = (master.ours, master.state != MessageState::Plaintext);
    let child = group.instance(Which::Child(tag));
    child.ours = ours;
    if guarded {
        child.state = MessageState::Finished;
    }
    effects.push(Effect::InstanceAdded(tag));
    true
}

/// Does what a message asks for.
///
/// `key` is our private key, needed where [`needs_private_key`] says so;
/// without it such a message is dropped.
pub fn handle(
    group: &mut dyn Group,
    message: Routed<'_>,
    incoming: &Incoming<'_>,
    key: Option<&PrivateKey>,
    rng: &mut dyn Random,
) -> Received {
    let Routed {
        which,
        kind,
        text,
        joined,
    } = message;
    match kind {
        MessageType::Query => {
            let mut effects = Vec::new();
            if let Some(version) = query::best_version(&text, incoming.policy) {
                handshake::start(group, which, version, incoming, key, rng, &mut effects);
            }
            Received::internal(effects)
        }
        MessageType::DhCommit
        | MessageType::DhKey
        | MessageType::RevealSignature
        | MessageType::Signature
        | MessageType::V1KeyExchange => Received::internal(handshake::receive(
            group, which, kind, &text, incoming, key, rng,
        )),
        MessageType::Data => data::receive(group, which, &text, incoming, rng),
        MessageType::Error => error(group, which, &text, incoming),
        MessageType::TaggedPlaintext => tagged(group, which, &text, incoming, key, rng),
        MessageType::NotOtr => {
            let text = joined.then(|| SecretBytes::new(text.into_owned()));
            plaintext(which, text, incoming, Vec::new())
        }
        MessageType::Unknown => Received::internal(vec![Effect::Event {
            which,
            event: MessageEvent::Unrecognized,
        }]),
    }
}

/// Whether plaintext from a peer deserves a warning, given the state of the
/// best of the peer's instances.
#[must_use]
pub fn expects_encryption(best: MessageState, policy: Policy) -> bool {
    best != MessageState::Plaintext || policy.contains(Policy::REQUIRE_ENCRYPTION)
}

/// A text that is not encrypted: shown, unless encryption was to be expected.
///
/// `replaced` is the text where it is not the one that the application has.
fn plaintext(
    which: Which,
    replaced: Option<SecretBytes>,
    incoming: &Incoming<'_>,
    effects: Vec<Effect>,
) -> Received {
    let expected = expects_encryption(incoming.best.1.state, incoming.policy);
    let verdict = match (expected, replaced) {
        (true, replaced) => Verdict::Unencrypted { which, replaced },
        (false, Some(text)) => Verdict::Show(text),
        (false, None) => Verdict::ShowOriginal,
    };
    Received {
        verdict,
        tlvs: Vec::new(),
        effects,
    }
}

/// "Receiving plaintext with the whitespace tag".
fn tagged(
    group: &mut dyn Group,
    which: Which,
    text: &[u8],
    incoming: &Incoming<'_>,
    key: Option<&PrivateKey>,
    rng: &mut dyn Random,
) -> Received {
    let mut effects = Vec::new();
    let Some(tag) = whitespace::find(text) else {
        return plaintext(which, None, incoming, effects);
    };
    let version = tag.versions.best(incoming.policy);
    let stripped = whitespace::strip(text, &tag.range);
    let private = group.instance(which).state == MessageState::Encrypted;
    if incoming.policy.contains(Policy::WHITESPACE_START_AKE)
        && !private
        && let Some(version) = version
    {
        handshake::start(group, which, version, incoming, key, rng, &mut effects);
    }
    plaintext(which, Some(SecretBytes::new(stripped)), incoming, effects)
}

/// "Receiving an Error Message".
fn error(group: &mut dyn Group, which: Which, text: &[u8], incoming: &Incoming<'_>) -> Received {
    let mut effects = Vec::new();
    if incoming.policy.contains(Policy::ERROR_START_AKE) {
        let query = query::default_query(incoming.account, incoming.policy);
        effects.push(Effect::Inject {
            which,
            text: SecretBytes::new(query),
            format: None,
            while_private: false,
        });
    }
    let instance = group.instance(which);
    if instance.state == MessageState::Encrypted {
        instance.kept.reported_unread();
    }
    let words = error_message::words(text).unwrap_or_default().to_vec();
    Received {
        verdict: Verdict::PeerError { which, words },
        tlvs: Vec::new(),
        effects,
    }
}
