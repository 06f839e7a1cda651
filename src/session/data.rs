//! A data message arrives: "Receiving a data message" of the protocol text.
#![forbid(unsafe_code)]

use super::{
    Effect, ErrorCode, Group, HEARTBEAT_INTERVAL, Incoming, Instance, MessageEvent, MessageState,
    Part, Received, Verdict, Which, smp,
};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::secret::SecretBytes;
use crate::data::Opened;
use crate::wire::base64;
use crate::wire::message::{DataMessage, IGNORE_UNREADABLE};
use crate::wire::tlv;

pub(super) fn receive(
    group: &mut dyn Group,
    which: Which,
    text: &[u8],
    incoming: &Incoming<'_>,
    rng: &mut dyn Random,
) -> Received {
    let decoded = base64::dearmour_data(text);
    // The sender says whether anybody would miss the message.
    //
    // Compatibility: that counts in a damaged message as well, as long as the
    // damage is behind the flags.
    let unimportant = decoded.as_deref().is_ok_and(|decoded| {
        DataMessage::read_flags(decoded).is_ok_and(|flags| flags & IGNORE_UNREADABLE != 0)
    });

    let instance = group.instance(which);
    if instance.state != MessageState::Encrypted {
        return Received::internal(if unimportant {
            Vec::new()
        } else {
            vec![not_in_private(which, incoming)]
        });
    }
    let opened = decoded.and_then(|decoded| {
        let keys = instance.keys.as_mut().ok_or(Error::UnknownKey)?;
        keys.decrypt_in_place(decoded, rng)
    });
    match opened {
        Ok(opened) => opened_message(instance, which, opened, incoming, rng),
        Err(_) if unimportant => Received::internal(Vec::new()),
        Err(error) => Received::internal(unreadable(which, error)),
    }
}

fn not_in_private(which: Which, incoming: &Incoming<'_>) -> Effect {
    let (best, state) = (incoming.best.0, incoming.best.1.state);
    if best != which && state == MessageState::Encrypted {
        Effect::Event {
            which: Which::Master,
            event: MessageEvent::ForOtherInstance,
        }
    } else {
        Effect::Event {
            which,
            event: MessageEvent::NotInPrivate,
        }
    }
}

fn unreadable(which: Which, error: Error) -> Vec<Effect> {
    let (event, code) = match error {
        Error::UnknownKey | Error::BadMac | Error::Replayed => {
            (MessageEvent::Unreadable, ErrorCode::Unreadable)
        }
        _ => (MessageEvent::Malformed, ErrorCode::Malformed),
    };
    vec![
        Effect::Event { which, event },
        Effect::ReplyError { which, code },
    ]
}

fn opened_message(
    instance: &mut Instance,
    which: Which,
    opened: Opened,
    incoming: &Incoming<'_>,
    rng: &mut dyn Random,
) -> Received {
    let Opened {
        text,
        tlvs,
        extra_key,
    } = opened;
    let mut effects = Vec::new();
    if tlv::find(&tlvs, tlv::DISCONNECTED).is_some() {
        instance.finish(MessageState::Finished);
        for part in [Part::Session, Part::Handshake, Part::Smp] {
            effects.push(Effect::Publish(which, part));
        }
    }
    if let Some(record) = tlv::find(&tlvs, tlv::SYMMETRIC_KEY)
        && let Some((purpose, data)) = record.value.split_first_chunk()
    {
        effects.push(Effect::SymmetricKey {
            which,
            purpose: u32::from_be_bytes(*purpose),
            data: SecretBytes::new(data.to_vec()),
            key: extra_key,
        });
    }
    if tlvs.iter().any(smp::is_record) {
        smp::receive(instance, which, &tlvs, incoming.now, rng, &mut effects);
    }
    if text.is_empty() {
        effects.push(Effect::Event {
            which,
            event: MessageEvent::HeartbeatReceived,
        });
        return Received {
            verdict: Verdict::Internal,
            tlvs,
            effects,
        };
    }
    heartbeat(instance, which, incoming.now, &mut effects);
    Received {
        verdict: Verdict::Decrypted(text),
        tlvs,
        effects,
    }
}

/// Answers a text after a silence of ours, so that keys move on and old ones
/// can be forgotten even if the user has nothing to say.
fn heartbeat(instance: &mut Instance, which: Which, now: i64, effects: &mut Vec<Effect>) {
    if instance.keys.is_none() || instance.last_sent >= now.saturating_sub(HEARTBEAT_INTERVAL) {
        return;
    }
    let sealed = instance.encrypt_records(&[], now);
    if let Ok(sealed) = sealed {
        instance.last_sent = now;
        effects.push(Effect::Inject {
            which,
            text: SecretBytes::new(sealed.message()),
            // Compatibility: never cut into pieces.
            format: None,
            while_private: true,
        });
        effects.push(Effect::Sent(which));
        effects.push(Effect::Event {
            which,
            event: MessageEvent::HeartbeatSent,
        });
    }
}
