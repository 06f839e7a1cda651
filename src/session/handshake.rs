//! Key exchange messages arrive or one is to be sent.
#![forbid(unsafe_code)]

use super::{
    COMMIT_LIFETIME, Effect, Group, Incoming, Instance, MessageEvent, MessageState, Part, Which,
};
use crate::ake::{Ake, AuthState, Established};
use crate::crypto::Random;
use crate::crypto::dsa::PrivateKey;
use crate::crypto::secret::SecretBytes;
use crate::data::KeyRing;
use crate::v1::Exchanged;
use crate::wire::base64;
use crate::wire::message::{
    DhCommit, DhKey, MessageType, RevealSignature, Signature, message_version,
};
use crate::wire::v1::V1KeyExchange;
use crate::{Error, Version};

/// Starts a key exchange: sends a D-H Commit, or what version 1 has instead.
///
/// A session that exists goes on until the new one replaces it.
pub(super) fn start(
    group: &mut dyn Group,
    which: Which,
    version: Version,
    incoming: &Incoming<'_>,
    key: Option<&PrivateKey>,
    rng: &mut dyn Random,
    effects: &mut Vec<Effect>,
) {
    let instance = group.instance(which);
    let started = match (version, key) {
        (Version::V1, Some(key)) => {
            let session = instance.keys.as_deref();
            instance.ake.start_v1(session, key, rng)
        }
        (Version::V1, None) => return,
        _ => instance.ake.start(&instance.local(version), rng),
    };
    note_version(instance);
    instance.commit_sent = 0;
    effects.push(Effect::Publish(which, Part::Handshake));
    reply(
        instance,
        which,
        started.map(Some),
        false,
        incoming.now,
        effects,
    );
}

/// While there is no session, the version is that of the key exchange; in
/// version 1 that shows only in the session.
fn note_version(instance: &mut Instance) {
    if instance.state != MessageState::Encrypted
        && let Some(version @ (Version::V2 | Version::V3)) = instance.ake.version()
    {
        instance.version = Some(version);
    }
}

/// Sends the answer to a key exchange message, or tells that it failed.
fn reply(
    instance: &mut Instance,
    which: Which,
    answer: Result<Option<Vec<u8>>, Error>,
    established: bool,
    now: i64,
    effects: &mut Vec<Effect>,
) {
    let text = match answer {
        Ok(Some(text)) => text,
        Ok(None) => return,
        Err(error) => {
            effects.push(Effect::Event {
                which,
                event: MessageEvent::SetupError(error),
            });
            return;
        }
    };
    let version = message_version(&text);
    effects.push(Effect::Inject {
        which,
        text: SecretBytes::new(text),
        format: Some(instance.fragment_format(version)),
        while_private: established,
    });
    // What the master says in version 3 is not meant for one instance yet.
    if which == Which::Master && version == Some(Version::V3) {
        if instance.ake.state() == AuthState::AwaitingDhKey {
            instance.commit_sent = now;
            effects.push(Effect::StartTimer);
        }
    } else {
        instance.last_sent = now;
        effects.push(Effect::Sent(which));
    }
}

/// Answers a key exchange message.
pub(super) fn receive(
    group: &mut dyn Group,
    which: Which,
    kind: MessageType,
    text: &[u8],
    incoming: &Incoming<'_>,
    key: Option<&PrivateKey>,
    rng: &mut dyn Random,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let before = group.instance(which).ake.state();
    let step =
        base64::dearmour(text).and_then(|bytes| answer(group, which, kind, &bytes, key, rng));
    let instance = group.instance(which);
    let step = match step {
        Ok(step) => step,
        Err(error) => {
            reply(
                instance,
                which,
                Err(error),
                false,
                incoming.now,
                &mut effects,
            );
            return effects;
        }
    };
    let mut established = false;
    if let Some(outcome) = step.established {
        if outcome.version == Version::V1 && before != AuthState::V1Setup {
            // Compatibility: the callbacks about the new session find the old
            // state of its exchange. Version 1 ends an exchange of another
            // version before its own begins.
            effects.push(Effect::Publish(which, Part::Handshake));
        }
        match secure(instance, which, outcome, rng, &mut effects) {
            Ok(done) => established = done,
            Err(error) => {
                reply(
                    instance,
                    which,
                    Err(error),
                    false,
                    incoming.now,
                    &mut effects,
                );
                return effects;
            }
        }
    }
    note_version(instance);
    if instance.ake.state() != AuthState::AwaitingDhKey {
        instance.commit_sent = 0;
    }
    effects.push(Effect::Publish(which, Part::Handshake));
    reply(
        instance,
        which,
        Ok(step.answer),
        established,
        incoming.now,
        &mut effects,
    );
    if established {
        inherit_kept_texts(group, which);
        effects.push(Effect::Resend(which));
    }
    effects
}

/// What a key exchange message led to.
struct Step {
    answer: Option<Vec<u8>>,
    established: Option<Established>,
}

impl Step {
    const fn answer(answer: Option<Vec<u8>>) -> Self {
        Self {
            answer,
            established: None,
        }
    }
}

/// Lets the key exchange answer a message.
fn answer(
    group: &mut dyn Group,
    which: Which,
    kind: MessageType,
    bytes: &[u8],
    key: Option<&PrivateKey>,
    rng: &mut dyn Random,
) -> Result<Step, Error> {
    let (instance, master) = group.instance_and_master(which);
    match kind {
        MessageType::DhCommit => {
            let message = DhCommit::parse(bytes)?;
            let local = instance.local(message.header.version);
            let answer = instance.ake.on_commit(&message, &local, master, rng)?;
            Ok(Step::answer(answer))
        }
        MessageType::Signature => {
            let message = Signature::parse(bytes)?;
            let local = instance.local(message.header.version);
            let established = instance.ake.on_signature(&message, &local)?;
            Ok(Step {
                answer: None,
                established,
            })
        }
        _ => match key {
            Some(key) => signed(instance, master, kind, bytes, key, rng),
            None => Ok(Step::answer(None)),
        },
    }
}

/// Answers a message whose answer this side has to sign.
fn signed(
    instance: &mut Instance,
    master: Option<&Ake>,
    kind: MessageType,
    bytes: &[u8],
    key: &PrivateKey,
    rng: &mut dyn Random,
) -> Result<Step, Error> {
    match kind {
        MessageType::DhKey => {
            let message = DhKey::parse(bytes)?;
            let local = instance.local(message.header.version);
            let answer = instance.ake.on_dh_key(&message, &local, master, key, rng)?;
            Ok(Step::answer(answer))
        }
        MessageType::RevealSignature => {
            let message = RevealSignature::parse(bytes)?;
            let local = instance.local(message.header.version);
            let outcome = instance
                .ake
                .on_reveal_signature(&message, &local, key, rng)?;
            let (answer, established) = outcome.unzip();
            Ok(Step {
                answer,
                established,
            })
        }
        _ => {
            let message = V1KeyExchange::parse(bytes)?;
            let session = instance.keys.as_deref();
            let outcome = instance
                .ake
                .on_v1_key_exchange(&message, bytes, session, key, rng)?;
            Ok(match outcome {
                Some(Exchanged { reply, established }) => Step {
                    answer: reply,
                    established: Some(established),
                },
                None => Step::answer(None),
            })
        }
    }
}

/// A key exchange succeeded: "go encrypted". Tells whether there is a new
/// session.
fn secure(
    instance: &mut Instance,
    which: Which,
    outcome: Established,
    rng: &mut dyn Random,
    effects: &mut Vec<Effect>,
) -> Result<bool, Error> {
    if outcome.is_reflection() {
        effects.push(Effect::Event {
            which,
            event: MessageEvent::Reflected,
        });
        return Ok(false);
    }
    let fingerprint = outcome.their_key.fingerprint();
    let same_peer =
        instance.state == MessageState::Encrypted && instance.active == Some(fingerprint);
    let initiated = outcome.initiated;
    effects.push(Effect::Authenticated { which, fingerprint });
    if same_peer
        && instance
            .keys
            .as_deref()
            .is_some_and(|keys| keys.continues(&outcome))
    {
        // Only version 1 uses keys again; nothing new was agreed upon.
        effects.push(Effect::StillSecure { which, initiated });
        return Ok(false);
    }
    let version = outcome.version;
    let session_id = outcome.session_id;
    let half = outcome.half;
    let mut keys = KeyRing::new(&outcome, rng)?;
    if let Some(earlier) = instance.keys.take() {
        keys.succeed(*earlier);
    }
    instance.keys = Some(Box::new(keys));
    instance.version = Some(version);
    instance.session_id = Some(session_id);
    instance.half = Some(half);
    instance.active = Some(fingerprint);
    instance.generation = instance.generation.wrapping_add(1);
    instance.state = MessageState::Encrypted;
    effects.push(Effect::Publish(which, Part::Session));
    effects.push(Effect::ContextListChanged(which));
    effects.push(if same_peer {
        Effect::StillSecure { which, initiated }
    } else {
        Effect::GoneSecure(which)
    });
    Ok(true)
}

/// Texts typed before any instance had answered wait in the master; the first
/// instance with a session sends them.
fn inherit_kept_texts(group: &mut dyn Group, which: Which) {
    if which == Which::Master {
        return;
    }
    let mut waiting = core::mem::take(&mut group.instance(Which::Master).kept);
    group.instance(which).kept.inherit(&mut waiting);
}

/// Ends a D-H Commit of the master that no instance has answered in time.
/// Tells whether one is still open.
pub fn expire(master: &mut Instance, now: i64) -> bool {
    if master.commit_sent == 0
        || master.ake.state() != AuthState::AwaitingDhKey
        || master.ake.version() != Some(Version::V3)
    {
        return false;
    }
    if master.commit_sent < now.saturating_sub(COMMIT_LIFETIME) {
        master.ake.clear();
        master.commit_sent = 0;
        return false;
    }
    true
}
