//! The socialist millionaires' protocol: do both users know the same secret?
//!
//! Implements "Socialist Millionaires' Protocol (SMP)" of the protocol text.
//! One [`Smp`] is one side's run within one session; messages go in and come
//! out as TLV records.
//!
//! ```text
//! initiator                         responder
//! begin    -- SMP1 or SMP1Q -->     receive: Asked; the user is asked, then
//! receive  <-- SMP2 --              answer
//!          -- SMP3 -->              receive: Compared
//! receive: <-- SMP4 --
//! Compared
//! ```
//!
//! Received numbers are checked for their range and their zero-knowledge
//! proofs before they are used. A message that does not check out ends the
//! run ([`Outcome::Cheated`]); one that is not expected changes nothing.
//!
//! # Cost and secrecy
//!
//! Several powers of one base share a table, which is why a state may hold
//! some 32 KiB per base until the next message. Exponents of proofs that are
//! public take variable time, secret ones never do. Every secret of a state
//! is wiped when the state is left.
#![forbid(unsafe_code)]

mod initiator;
mod message;
pub(crate) mod parts;
mod proof;
mod responder;
#[cfg(test)]
mod tests;

use core::fmt;

use memchr::memchr;
use zeroize::Zeroizing;

use crate::Error;
use crate::ake::SessionId;
use crate::crypto::Random;
use crate::crypto::dsa::Fingerprint;
use crate::crypto::modp::SecretExponent;
use crate::crypto::secret::scrubbed;
use crate::crypto::symmetric::sha256;
use crate::limits;
use crate::wire::tlv::{self, Tlv};

use initiator::{Begun, Committed};
use message::{Message1, Message2, Message3, Message4};
use responder::{Answered, Asked};

/// The version of SMP that is hashed into the secret.
const SECRET_VERSION: u8 = 1;

/// Which message a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// SMP message 1: no run is in progress, or the user has been asked.
    Message1 = 0,
    /// SMP message 2: we have begun a run.
    Message2 = 1,
    /// SMP message 3: we have answered.
    Message3 = 2,
    /// SMP message 4: we have received the answer.
    Message4 = 3,
}

/// How the latest run has turned out so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Nothing is wrong.
    Ok = 0,
    /// The peer's message did not check out.
    Cheated = -2,
    /// The secrets differ.
    Failed = -1,
    /// The secrets are equal.
    Succeeded = 1,
}

/// What two users compare, made from what they typed.
#[derive(Clone)]
pub struct Secret(Box<SecretExponent>);

impl Secret {
    /// Binds what the user typed to both sides' keys and to the session, so
    /// that nobody between the two can pass the run on.
    ///
    /// # Errors
    /// None in practice: the hash always fits.
    pub fn new(
        initiator: &Fingerprint,
        responder: &Fingerprint,
        session_id: &SessionId,
        typed: &[u8],
    ) -> Result<Self, Error> {
        let parts: [&[u8]; 5] = [
            &[SECRET_VERSION],
            initiator.as_bytes(),
            responder.as_bytes(),
            session_id.as_bytes(),
            typed,
        ];
        scrubbed(|| Self::from_be_bytes(&*Zeroizing::new(sha256(&parts))))
    }

    /// A secret that was made elsewhere, as a big-endian number.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] beyond 192 bytes.
    pub fn from_be_bytes(number: &[u8]) -> Result<Self, Error> {
        scrubbed(|| Ok(Self(Box::new(SecretExponent::from_be_bytes(number)?))))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a received record led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The peer has begun a run; the user has to be asked, and
    /// [`Smp::answer`] continues.
    Asked {
        /// The peer's question, if it came with one.
        question: Option<Vec<u8>>,
    },
    /// The run goes on with this record.
    Reply(Tlv),
    /// The run is over.
    Compared {
        /// The last record, which the peer still needs.
        reply: Option<Tlv>,
        /// Whether the secrets are equal.
        equal: bool,
        /// Whether the result says something about the peer: it does not if
        /// we only answered the peer's question.
        decides_trust: bool,
    },
    /// The peer has given up.
    Aborted,
    /// The record is not expected now and was ignored.
    Unexpected,
    /// The record did not check out; the run is over.
    Cheated {
        /// Whether a trust that an earlier run has established must fall.
        decides_trust: bool,
    },
}

/// One side's run.
pub struct Smp {
    state: State,
    progress: Progress,
    received_question: bool,
}

/// What each state needs for its next step, and nothing else.
enum State {
    Idle,
    /// Expects message 1 still: the user is thinking.
    Asked(Box<Asked>),
    Begun(Box<Begun>),
    Answered(Box<Answered>),
    Committed(Box<Committed>),
}

impl Default for Smp {
    fn default() -> Self {
        Self::new()
    }
}

impl Smp {
    /// No run.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            progress: Progress::Ok,
            received_question: false,
        }
    }

    /// Which message is expected.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        match self.state {
            State::Idle | State::Asked(_) => Expected::Message1,
            State::Begun(_) => Expected::Message2,
            State::Answered(_) => Expected::Message3,
            State::Committed(_) => Expected::Message4,
        }
    }

    /// How the latest run has turned out so far.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether the latest message 1 came with a question.
    #[must_use]
    pub const fn received_question(&self) -> bool {
        self.received_question
    }

    /// Whether a user's answer is awaited.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// Begins a run, with a question perhaps, and returns SMP message 1. A run
    /// in progress is dropped.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for a NUL in the question; [`Error::TooLong`]
    /// if the question does not fit a record; [`Error::Randomness`].
    pub fn begin(
        &mut self,
        secret: &Secret,
        question: Option<&[u8]>,
        rng: &mut dyn Random,
    ) -> Result<Tlv, Error> {
        scrubbed(|| self.initiate(secret, question, rng))
    }

    fn initiate(
        &mut self,
        secret: &Secret,
        question: Option<&[u8]>,
        rng: &mut dyn Random,
    ) -> Result<Tlv, Error> {
        let (kind, mut value) = match question {
            None => (tlv::SMP1, Vec::new()),
            Some(question) => {
                if memchr(0, question).is_some() {
                    return Err(Error::InvalidValue);
                }
                (tlv::SMP1Q, [question, &[0]].concat())
            }
        };
        if value.len() > limits::MAX_TLV_VALUE.saturating_sub(Message1::MAX_LEN) {
            return Err(Error::TooLong);
        }
        let (begun, message) = initiator::begin(secret, rng)?;
        value.extend_from_slice(&message.encode());
        *self = Self {
            state: State::Begun(Box::new(begun)),
            progress: Progress::Ok,
            received_question: false,
        };
        Ok(Tlv::new(kind, value))
    }

    /// Answers the peer who has begun a run, and returns SMP message 2.
    ///
    /// # Errors
    /// [`Error::NotAsked`] if the peer has not; [`Error::Randomness`].
    pub fn answer(&mut self, secret: &Secret, rng: &mut dyn Random) -> Result<Tlv, Error> {
        let State::Asked(asked) = &self.state else {
            return Err(Error::NotAsked);
        };
        let (answered, message) = scrubbed(|| asked.answer(secret, rng))?;
        self.state = State::Answered(answered);
        self.progress = Progress::Ok;
        Ok(Tlv::new(tlv::SMP2, message.encode()))
    }

    /// Drops the run, if there is one, and returns the record that tells so.
    pub fn abort(&mut self) -> Tlv {
        self.clear();
        Tlv::new(tlv::SMP_ABORT, Vec::new())
    }

    /// Drops the run, if there is one.
    pub fn clear(&mut self) {
        self.state = State::Idle;
        // Compatibility: how an earlier run came out can still be seen.
        if self.progress == Progress::Cheated {
            self.progress = Progress::Ok;
        }
    }

    /// Receives a record of the peer.
    ///
    /// # Errors
    /// [`Error::Randomness`], with the run as it was. What is wrong with a
    /// record is an [`Outcome`].
    pub fn receive(&mut self, record: &Tlv, rng: &mut dyn Random) -> Result<Outcome, Error> {
        scrubbed(|| self.step(record, rng))
    }

    fn step(&mut self, record: &Tlv, rng: &mut dyn Random) -> Result<Outcome, Error> {
        match (record.kind, &self.state) {
            (tlv::SMP_ABORT, _) => {
                self.clear();
                Ok(Outcome::Aborted)
            }
            (tlv::SMP1, State::Idle | State::Asked(_)) => Ok(self.ask(None, &record.value)),
            (tlv::SMP1Q, State::Idle | State::Asked(_)) => Ok(self.ask_question(&record.value)),
            (tlv::SMP2, State::Begun(begun)) => {
                let step =
                    Message2::parse(&record.value).and_then(|message| begun.receive(&message, rng));
                let Some((committed, reply)) = honest(step)? else {
                    return Ok(self.cheated(false));
                };
                self.state = State::Committed(Box::new(committed));
                self.progress = Progress::Ok;
                Ok(Outcome::Reply(Tlv::new(tlv::SMP3, reply.encode())))
            }
            (tlv::SMP3, State::Answered(answered)) => {
                let decides_trust = !self.received_question;
                let step = Message3::parse(&record.value)
                    .and_then(|message| answered.receive(&message, rng));
                let Some((equal, reply)) = honest(step)? else {
                    return Ok(self.cheated(decides_trust));
                };
                let reply = Some(Tlv::new(tlv::SMP4, reply.encode()));
                Ok(self.compared(reply, equal, decides_trust))
            }
            (tlv::SMP4, State::Committed(committed)) => {
                let step =
                    Message4::parse(&record.value).and_then(|message| committed.receive(&message));
                let Some(equal) = honest(step)? else {
                    return Ok(self.cheated(true));
                };
                Ok(self.compared(None, equal, true))
            }
            _ => Ok(Outcome::Unexpected),
        }
    }

    /// Message 1 behind a question.
    fn ask_question(&mut self, value: &[u8]) -> Outcome {
        if value.is_empty() {
            // Compatibility: treated as a record that is not expected.
            return Outcome::Unexpected;
        }
        let split = memchr(0, value).and_then(|end| value.split_at_checked(end));
        match split {
            Some((question, [_nul, message @ ..])) => self.ask(Some(question), message),
            _ => {
                self.received_question = true;
                self.cheated(false)
            }
        }
    }

    fn ask(&mut self, question: Option<&[u8]>, message: &[u8]) -> Outcome {
        self.received_question = question.is_some();
        let Ok(asked) = Message1::parse(message).and_then(|message| Asked::new(&message)) else {
            return self.cheated(false);
        };
        self.state = State::Asked(Box::new(asked));
        self.progress = Progress::Ok;
        Outcome::Asked {
            question: question.map(<[u8]>::to_vec),
        }
    }

    fn compared(&mut self, reply: Option<Tlv>, equal: bool, decides_trust: bool) -> Outcome {
        self.state = State::Idle;
        self.progress = if equal {
            Progress::Succeeded
        } else {
            Progress::Failed
        };
        Outcome::Compared {
            reply,
            equal,
            decides_trust,
        }
    }

    fn cheated(&mut self, decides_trust: bool) -> Outcome {
        self.state = State::Idle;
        self.progress = Progress::Cheated;
        Outcome::Cheated { decides_trust }
    }
}

/// Tells apart what is the peer's fault (`None`) and what is not.
fn honest<T>(step: Result<T, Error>) -> Result<Option<T>, Error> {
    match step {
        Ok(value) => Ok(Some(value)),
        Err(Error::Randomness) => Err(Error::Randomness),
        Err(_) => Ok(None),
    }
}

impl fmt::Debug for Smp {
    /// Without the numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smp")
            .field("expected", &self.expected())
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
