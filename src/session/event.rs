//! What a step tells the application: effects, events and verdicts.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::Which;
use crate::crypto::dsa::Fingerprint;
use crate::crypto::secret::SecretBytes;
use crate::smp::Progress;
use crate::wire::fragment::Format;
use crate::wire::tlv::Tlv;
use crate::{Error, InstanceTag};

/// Something the application has to do or to hear of, in this order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Effect {
    /// An instance of the peer was seen for the first time.
    InstanceAdded(InstanceTag),
    /// The list of instances or their states changed.
    ContextListChanged(Which),
    /// A message was sent to this instance.
    Sent(Which),
    /// Send this text to the peer as it is, or cut into pieces if the
    /// transport is too narrow and `format` is given.
    Inject {
        /// The instance concerned.
        which: Which,
        /// The text.
        text: SecretBytes,
        /// How pieces are marked; `None` if the text must stay whole.
        format: Option<Format>,
        /// Whether the text only makes sense while the instance is private:
        /// it is dropped if the application has ended the session meanwhile.
        while_private: bool,
    },
    /// Tell the peer, in words the application chooses, what went wrong.
    ReplyError {
        /// The instance concerned.
        which: Which,
        /// What went wrong.
        code: ErrorCode,
    },
    /// Tell the user.
    Event {
        /// The instance concerned.
        which: Which,
        /// What happened.
        event: MessageEvent,
    },
    /// Tell the user how the comparison of secrets proceeds.
    Smp {
        /// The instance concerned.
        which: Which,
        /// What happened.
        event: SmpEvent,
    },
    /// A record of the comparison of secrets was looked at, with this result;
    /// what follows from it comes after.
    SmpProgress {
        /// The instance concerned.
        which: Which,
        /// The result.
        progress: Progress,
    },
    /// The peer proved to own the key with this fingerprint.
    Authenticated {
        /// The instance concerned.
        which: Which,
        /// Whose key it is.
        fingerprint: Fingerprint,
    },
    /// The comparison of secrets decided over the trust in a key.
    Trust {
        /// The instance concerned.
        which: Which,
        /// The key that took part.
        fingerprint: Fingerprint,
        /// Whether the secrets were equal.
        verified: bool,
    },
    /// The conversation became private.
    GoneSecure(Which),
    /// A private conversation goes on under new keys with the same peer.
    StillSecure {
        /// The instance concerned.
        which: Which,
        /// Whether this side sent the D-H Commit.
        initiated: bool,
    },
    /// The peer wants to use the extra symmetric key.
    SymmetricKey {
        /// The instance concerned.
        which: Which,
        /// What for: a number the two applications agree on.
        purpose: u32,
        /// More about the use, in a form the purpose defines.
        data: SecretBytes,
        /// The key.
        key: Zeroizing<[u8; 32]>,
    },
    /// An open D-H Commit of the master waits for instances to answer: have
    /// [`super::expire`] called every [`super::POLL_INTERVAL`] seconds.
    StartTimer,
    /// From here on the application may see this part of the new state.
    Publish(Which, Part),
    /// Texts kept for this session are to be sent again; ask
    /// [`super::Instance::take_resend`] for each.
    Resend(Which),
}

/// A part of an instance's state that becomes visible at a certain moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Message state, session id, fingerprint in use, protocol version.
    Session,
    /// The state of the key exchange.
    Handshake,
    /// The state of the comparison of secrets.
    Smp,
}

/// What an OTR error message to the peer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A message could not be encrypted.
    Encryption,
    /// A message was unreadable.
    Unreadable,
    /// A message was malformed.
    Malformed,
}

/// Something about messages that the user should or may hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageEvent {
    /// A text was kept back because the policy requires encryption.
    EncryptionRequired,
    /// A text could not be encrypted and was not sent.
    EncryptionError,
    /// The peer ended the private conversation; the text was not sent.
    ConnectionEnded,
    /// The key exchange failed.
    SetupError(Error),
    /// The peer uses our own key: our messages come back to us.
    Reflected,
    /// The last text was sent again.
    Resent(SecretBytes),
    /// An encrypted message arrived outside a private conversation.
    NotInPrivate,
    /// An encrypted message could not be read.
    Unreadable,
    /// A message was malformed.
    Malformed,
    /// A heartbeat arrived.
    HeartbeatReceived,
    /// A heartbeat was sent.
    HeartbeatSent,
    /// A message looks like OTR but is not of any known type.
    Unrecognized,
    /// A message was meant for another of our own instances.
    ForOtherInstance,
}

/// How the comparison of secrets proceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmpEvent {
    /// A message came out of turn.
    Error,
    /// The peer gave up.
    Aborted,
    /// A proof does not hold: the peer did not follow the protocol.
    Cheated,
    /// The peer asks this question.
    AskForAnswer(Vec<u8>),
    /// The peer asks for the shared secret.
    AskForSecret,
    /// The peer has answered.
    InProgress,
    /// The secrets are equal.
    Success,
    /// The secrets differ.
    Failure,
}

impl SmpEvent {
    /// How far the exchange has come, in per cent.
    #[must_use]
    pub const fn percent(&self) -> u16 {
        match self {
            Self::Error | Self::Aborted | Self::Cheated => 0,
            Self::AskForAnswer(_) | Self::AskForSecret => 25,
            Self::InProgress => 60,
            Self::Success | Self::Failure => 100,
        }
    }
}

/// What becomes of the text that was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was a matter of the protocol: show nothing.
    Internal,
    /// Show the text as it came.
    ShowOriginal,
    /// Show this text.
    Show(SecretBytes),
    /// It came unencrypted where encryption was to be expected: to be shown
    /// with a warning.
    Unencrypted {
        /// The instance concerned.
        which: Which,
        /// The text, if it is not the original.
        replaced: Option<SecretBytes>,
    },
    /// The peer reports an error in these words.
    PeerError {
        /// The instance concerned.
        which: Which,
        /// What the peer says.
        words: Vec<u8>,
    },
    /// Decrypted: show this text after the application's own conversion.
    Decrypted(SecretBytes),
}

/// The outcome of a received text.
#[derive(Debug)]
pub struct Received {
    /// What to show.
    pub verdict: Verdict,
    /// The records that came with an encrypted message.
    pub tlvs: Vec<Tlv>,
    /// What to do, in this order.
    pub effects: Vec<Effect>,
}

impl Received {
    pub(super) fn internal(effects: Vec<Effect>) -> Self {
        Self {
            verdict: Verdict::Internal,
            tlvs: Vec::new(),
            effects,
        }
    }
}
