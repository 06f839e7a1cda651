//! The comparison of secrets within a conversation: SMP records arrive or the
//! user starts, answers or ends a run.
#![forbid(unsafe_code)]

use super::{Effect, Instance, MessageState, Part, SmpEvent, Which};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::dsa::Fingerprint;
use crate::data::Sealed;
use crate::smp::{Outcome, Secret};
use crate::wire::tlv::{self, Tlv};

/// The order in which the records of one message are looked at.
const KINDS: [u16; 6] = [
    tlv::SMP1Q,
    tlv::SMP1,
    tlv::SMP2,
    tlv::SMP3,
    tlv::SMP4,
    tlv::SMP_ABORT,
];

/// Whether a record belongs to the comparison of secrets.
pub(super) fn is_record(record: &Tlv) -> bool {
    KINDS.contains(&record.kind)
}

/// Handles the SMP records of a data message.
pub(super) fn receive(
    instance: &mut Instance,
    which: Which,
    tlvs: &[Tlv],
    now: i64,
    rng: &mut dyn Random,
    effects: &mut Vec<Effect>,
) {
    for kind in KINDS {
        // A farewell in the same message has ended the conversation.
        if instance.state != MessageState::Encrypted {
            return;
        }
        let Some(record) = tlv::find(tlvs, kind) else {
            continue;
        };
        let Ok(outcome) = instance.smp.receive(record, rng) else {
            continue;
        };
        perform(instance, which, outcome, now, effects);
    }
}

fn perform(
    instance: &mut Instance,
    which: Which,
    outcome: Outcome,
    now: i64,
    effects: &mut Vec<Effect>,
) {
    match outcome {
        Outcome::Unexpected => {}
        Outcome::Aborted => effects.push(Effect::Publish(which, Part::Smp)),
        _ => {
            let progress = instance.smp.progress();
            effects.push(Effect::SmpProgress { which, progress });
        }
    }
    let (trust, reply, event) = match outcome {
        Outcome::Asked { question } => {
            let event = question.map_or(SmpEvent::AskForSecret, SmpEvent::AskForAnswer);
            (None, None, event)
        }
        Outcome::Reply(reply) => (None, Some(reply), SmpEvent::InProgress),
        Outcome::Compared {
            reply,
            equal,
            decides_trust,
        } => {
            let event = if equal {
                SmpEvent::Success
            } else {
                SmpEvent::Failure
            };
            (decides_trust.then_some(equal), reply, event)
        }
        Outcome::Aborted => (None, None, SmpEvent::Aborted),
        Outcome::Unexpected => (None, None, SmpEvent::Error),
        Outcome::Cheated { decides_trust } => {
            (decides_trust.then_some(false), None, SmpEvent::Cheated)
        }
    };
    if let (Some(verified), Some(fingerprint)) = (trust, instance.active) {
        effects.push(Effect::Trust {
            which,
            fingerprint,
            verified,
        });
    }
    if let Some(reply) = reply
        && let Ok(sealed) = instance.encrypt_records(&[reply], now)
    {
        instance.inject(which, &sealed, effects);
    }
    effects.push(Effect::Smp { which, event });
    effects.push(Effect::Publish(which, Part::Smp));
}

impl Instance {
    fn smp_secret(
        &self,
        us: &Fingerprint,
        initiator: bool,
        secret: &[u8],
    ) -> Result<Secret, Error> {
        let them = self.active.as_ref().ok_or(Error::NotEncrypted)?;
        let session = self.session_id.as_ref().ok_or(Error::NotEncrypted)?;
        let (first, second) = if initiator { (us, them) } else { (them, us) };
        Secret::new(first, second, session, secret)
    }

    /// Starts a comparison of secrets, replacing one under way.
    ///
    /// `us` is the fingerprint of our own key, `question` is shown to the
    /// peer. Returns the message to send.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::InvalidValue`] for a NUL in the question, [`Error::TooLong`] if
    /// it does not fit, [`Error::Randomness`].
    pub fn smp_start(
        &mut self,
        us: &Fingerprint,
        question: Option<&[u8]>,
        secret: &[u8],
        now: i64,
        rng: &mut dyn Random,
    ) -> Result<Sealed, Error> {
        self.require_encrypted()?;
        let secret = self.smp_secret(us, true, secret)?;
        let record = self.smp.begin(&secret, question, rng)?;
        self.encrypt_records(&[record], now)
    }

    /// Answers the peer's request to compare secrets. Returns the message to
    /// send.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation,
    /// [`Error::NotAsked`] if the peer has not asked, [`Error::Randomness`].
    pub fn smp_answer(
        &mut self,
        us: &Fingerprint,
        secret: &[u8],
        now: i64,
        rng: &mut dyn Random,
    ) -> Result<Sealed, Error> {
        self.require_encrypted()?;
        let secret = self.smp_secret(us, false, secret)?;
        let record = self.smp.answer(&secret, rng)?;
        self.encrypt_records(&[record], now)
    }

    /// Ends the comparison of secrets. Returns the message to send.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] outside a private conversation.
    pub fn smp_abort(&mut self, now: i64) -> Result<Sealed, Error> {
        self.require_encrypted()?;
        let record = self.smp.abort();
        self.encrypt_records(&[record], now)
    }

    fn require_encrypted(&self) -> Result<(), Error> {
        if self.state == MessageState::Encrypted && self.keys.is_some() {
            Ok(())
        } else {
            Err(Error::NotEncrypted)
        }
    }
}
