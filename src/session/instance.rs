//! The state of a conversation with one instance of the peer.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use zeroize::Zeroize;

use crate::ake::{Ake, Local, SessionHalf, SessionId};
use crate::crypto::dsa::Fingerprint;
use crate::crypto::secret::SecretBytes;
use crate::data::KeyRing;
use crate::limits;
use crate::smp::Smp;
use crate::wire::fragment::{Assembler, Format};
use crate::{InstanceTag, Version};

/// Whether texts are encrypted: "message state" in the protocol text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MessageState {
    /// Texts are sent as they are.
    #[default]
    Plaintext,
    /// Texts are encrypted.
    Encrypted,
    /// The peer has ended the private conversation; nothing is sent until the
    /// user decides.
    Finished,
}

impl MessageState {
    /// The order in which instances are preferred.
    const fn rank(self) -> u8 {
        match self {
            Self::Plaintext => 0,
            Self::Finished => 1,
            Self::Encrypted => 2,
        }
    }
}

/// What became of our offer to speak OTR by whitespace tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Offer {
    /// None was made.
    #[default]
    Not,
    /// Made and not answered yet.
    Sent,
    /// Answered by plain text: the peer does not speak OTR.
    Rejected,
    /// Answered by an OTR message.
    Accepted,
}

impl Offer {
    /// What becomes of it when a text comes, which may be of OTR or not.
    #[must_use]
    pub const fn answered(self, speaks_otr: bool) -> Self {
        match self {
            _ if speaks_otr => Self::Accepted,
            Self::Sent => Self::Rejected,
            other => other,
        }
    }
}

/// Whether a kept text is to be sent again in the next session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Resend {
    /// No.
    #[default]
    No,
    /// Yes, marked as a repetition: the peer could not read it.
    Marked,
    /// Yes, as it is: it was kept back because the policy requires encryption.
    Plain,
}

/// Texts that may have to be sent (again) once a session is established.
#[derive(Default)]
pub struct Kept {
    /// Kept back because the policy requires encryption.
    held: VecDeque<SecretBytes>,
    /// The text last encrypted.
    last: SecretBytes,
    /// The key it was encrypted for: it goes to no other.
    meant_for: Option<Fingerprint>,
    /// Whether the peer reported that it could not read it.
    unread: bool,
}

impl Kept {
    /// Remembers the text last encrypted and for which key that was. Empty
    /// texts are heartbeats or carry only records: no user would miss them.
    pub(super) fn encrypted(&mut self, text: &[u8], meant_for: Option<Fingerprint>) {
        self.unread = false;
        if text.is_empty() {
            return;
        }
        // A vector that grows would leave its old content behind, and of a
        // longer text the end would stay.
        if self.last.capacity() < text.len() {
            self.last = SecretBytes::new(Vec::with_capacity(text.len()));
        } else if let Some(end) = self.last.get_mut(text.len()..) {
            end.zeroize();
        }
        self.last.clear();
        self.last.extend_from_slice(text);
        self.meant_for = meant_for;
    }

    /// Forgets the text last encrypted: it was a repetition already.
    pub(super) fn give_up_last(&mut self) {
        self.last.zeroize();
        self.meant_for = None;
    }

    /// Keeps back a text that the policy forbids to send in the clear. Every
    /// such text is kept, up to [`limits::KEPT_TEXTS`] of them.
    pub(super) fn hold(&mut self, text: &[u8]) {
        if self.held.len() >= limits::KEPT_TEXTS {
            self.held.pop_front();
        }
        self.held.push_back(SecretBytes::new(text.to_vec()));
    }

    /// Notes that the peer could not read the last text.
    pub(super) fn reported_unread(&mut self) {
        self.unread = true;
    }

    /// Takes over what another instance held back.
    pub(super) fn inherit(&mut self, from: &mut Self) {
        self.held.append(&mut from.held);
    }

    /// The next text for a session with the owner of this key.
    fn take(&mut self, peer: Option<Fingerprint>) -> Option<(Resend, SecretBytes)> {
        if self.unread && !self.last.is_empty() {
            self.unread = false;
            if self.meant_for.is_some() && self.meant_for == peer {
                return Some((Resend::Marked, core::mem::take(&mut self.last)));
            }
        }
        self.held.pop_front().map(|text| (Resend::Plain, text))
    }

    /// How the next text would be sent.
    #[must_use]
    pub fn pending(&self) -> Resend {
        if !self.held.is_empty() {
            Resend::Plain
        } else if self.unread {
            Resend::Marked
        } else {
            Resend::No
        }
    }
}

/// The conversation with one instance of the peer, or with the peer as a whole.
#[derive(Default)]
pub struct Instance {
    /// The tag of this side.
    pub ours: InstanceTag,
    /// The tag of the peer's instance; none for the master.
    pub theirs: InstanceTag,
    /// Whether texts are encrypted.
    pub state: MessageState,
    /// The protocol version of the session, or of the key exchange while
    /// there is no session.
    pub version: Option<Version>,
    /// Our offer by whitespace tag.
    pub offer: Offer,
    /// The key exchange.
    pub ake: Ake,
    /// The keys of the session; `None` unless `state` is encrypted.
    pub keys: Option<Box<KeyRing>>,
    /// The comparison of secrets.
    pub smp: Smp,
    /// Pieces of a message that is not complete yet.
    pub fragments: Assembler,
    /// Texts that may have to be sent again.
    pub kept: Kept,
    /// Identifies the session to the two users.
    pub session_id: Option<SessionId>,
    /// Which half of the session id this side highlights.
    pub half: Option<SessionHalf>,
    /// The peer's key in this session.
    pub active: Option<Fingerprint>,
    /// When a message was last sent to this instance, in seconds since 1970.
    pub last_sent: i64,
    /// When a message last arrived from it.
    pub last_received: i64,
    /// When the master's open D-H Commit was sent; 0 if there is none.
    pub commit_sent: i64,
    /// Counts the sessions.
    pub generation: u32,
}

impl Instance {
    /// A fresh instance in plaintext.
    #[must_use]
    pub fn new(ours: InstanceTag, theirs: InstanceTag) -> Self {
        Self {
            ours,
            theirs,
            ..Self::default()
        }
    }

    /// Notes what the peer has made of an offer of ours; see
    /// [`Offer::answered`].
    pub fn note_answer(&mut self, speaks_otr: bool) {
        self.offer = self.offer.answered(speaks_otr);
    }

    /// Whether this is the peer as a whole.
    #[must_use]
    pub const fn is_master(&self) -> bool {
        self.theirs.is_none()
    }

    /// How headers of messages in this protocol version are written.
    #[must_use]
    pub const fn local(&self, version: Version) -> Local {
        Local {
            version,
            ours: self.ours,
            theirs: self.theirs,
        }
    }

    /// The format in which texts of this protocol version are cut.
    #[must_use]
    pub const fn fragment_format(&self, version: Option<Version>) -> Format {
        match version {
            Some(Version::V3) => Format::V3 {
                sender: self.ours,
                receiver: self.theirs,
            },
            _ => Format::V2,
        }
    }

    /// The format for messages of the session or the key exchange under way.
    #[must_use]
    pub const fn current_format(&self) -> Format {
        self.fragment_format(self.version)
    }

    /// Ends the session and forgets its keys; the saved MAC keys are dropped
    /// without being revealed.
    pub fn finish(&mut self, state: MessageState) {
        self.state = state;
        self.ake.clear();
        self.keys = None;
        self.smp = Smp::default();
        self.fragments = Assembler::default();
        self.kept = Kept::default();
        self.session_id = None;
        self.active = None;
        self.version = None;
        self.commit_sent = 0;
    }

    /// The next text to send (again) in the session now established, if any.
    /// Never given out for another key than the one it was meant for.
    pub fn take_resend(&mut self) -> Option<(Resend, SecretBytes)> {
        if self.state != MessageState::Encrypted {
            return None;
        }
        self.kept.take(self.active)
    }
}

/// What decides which instance a text for "the best one" goes to.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    /// Its message state.
    pub state: MessageState,
    /// Whether the user trusts the key in use.
    pub trusted: bool,
    /// When a message last arrived from it.
    pub last_received: i64,
}

impl Best {
    /// Whether another instance, later in the list, is the better one: a
    /// private conversation before a finished one before plaintext, then trust,
    /// then the last one heard of; of equals the later.
    #[must_use]
    pub const fn yields_to(&self, other: &Self) -> bool {
        let (rank, other_rank) = (self.state.rank(), other.state.rank());
        // Compatibility: a better state never makes up for lost trust.
        if other_rank < rank || (self.trusted && !other.trusted) {
            return false;
        }
        let equal = other_rank == rank && other.trusted == self.trusted;
        !equal || other.last_received >= self.last_received
    }
}

/// The position of the best of a peer's instances; `None` for an empty list.
pub fn best(instances: impl IntoIterator<Item = Best>) -> Option<usize> {
    let mut chosen: Option<(usize, Best)> = None;
    for (position, candidate) in instances.into_iter().enumerate() {
        if chosen.is_none_or(|(_, current)| current.yields_to(&candidate)) {
            chosen = Some((position, candidate));
        }
    }
    chosen.map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_texts_are_bounded() {
        let mut kept = Kept::default();
        for number in 0..=limits::KEPT_TEXTS {
            kept.hold(number.to_string().as_bytes());
        }
        let texts = core::iter::from_fn(|| kept.take(None)).map(|(_, text)| text.to_vec());
        let newest: Vec<_> = (1..=limits::KEPT_TEXTS)
            .map(|number| number.to_string().into_bytes())
            .collect();
        assert_eq!(texts.collect::<Vec<_>>(), newest);
    }
}
