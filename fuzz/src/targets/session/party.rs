//! One party, and what is promised about a single step of it.

use std::collections::{BTreeSet, VecDeque};

use otr::ake::SessionId;
use otr::crypto::dsa::Fingerprint;
use otr::session::{MessageState, Which};
use otr::{Conversation, Event, InstanceTag, Output, Policy};

use crate::people;

/// One login of somebody.
pub struct Party {
    pub talk: Conversation,
    pub print: Fingerprint,
    pub policy: Policy,
    /// What the network has for it.
    pub inbox: VecDeque<Vec<u8>>,
    /// Secret texts that it has shown, by their number.
    pub shown: BTreeSet<usize>,
    /// Every secret it has typed for comparisons.
    pub secrets: BTreeSet<u8>,
}

/// What the user sees of a conversation's state.
#[derive(Debug, PartialEq)]
pub struct View {
    pub which: Which,
    state: MessageState,
    session_id: Option<SessionId>,
    peer: Option<Fingerprint>,
}

impl Party {
    pub fn new(person: usize, tag: u32, policy: Policy, size: usize) -> Self {
        let account = [&b"alice"[..], b"bob", b"bob"][person].to_vec();
        let key = people::key(person);
        let mut talk = Conversation::new(account, key, InstanceTag::new(tag), policy);
        talk.set_max_message_size(size);
        Self {
            talk,
            print: people::fingerprint(person),
            policy,
            inbox: VecDeque::new(),
            shown: BTreeSet::new(),
            secrets: BTreeSet::new(),
        }
    }

    pub fn view(&self) -> View {
        View {
            which: self.talk.current_instance(),
            state: self.talk.state(),
            session_id: self.talk.session_id().copied(),
            peer: self.talk.active_fingerprint().copied(),
        }
    }

    /// Whether texts must not leave in clear now.
    pub fn is_guarded(&self) -> bool {
        self.talk.state() != MessageState::Plaintext
            || (self.policy.contains(Policy::REQUIRE_ENCRYPTION) && self.policy.allows_any())
    }
}

/// Whether the party was told that its conversation is another one now.
pub fn announces_change(output: &Output) -> bool {
    output.events.iter().any(|event| {
        matches!(
            event,
            Event::GoneSecure(_) | Event::StillSecure(_) | Event::Finished(_)
        )
    })
}

/// Whether the text that is shown came with a warning.
pub fn warns(output: &Output) -> bool {
    output.events.contains(&Event::Unencrypted)
}
