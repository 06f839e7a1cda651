//! Conversations that can be had again: every random number a party draws
//! comes from a seed, so that a second party with the same seed, told the same
//! things, is the first one as it was at that time.

use otr::crypto::symmetric::sha256;
use otr::crypto::{Random, os_random};
use otr::{Conversation, Error, InstanceTag, Output, Policy};

use std::sync::Arc;

use otr::crypto::dsa::PrivateKey;

/// The time of all that happens.
const NOW: i64 = 1_700_000_000;

/// Random numbers that follow from a seed, and a note of those drawn.
struct Seeded {
    seed: [u8; 32],
    drawn: u64,
    /// Everything of the length of a private D-H key.
    private_keys: Vec<[u8; 40]>,
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        for chunk in out.chunks_mut(32) {
            self.drawn = self.drawn.wrapping_add(1);
            let block = sha256(&[&self.seed, &self.drawn.to_be_bytes()]);
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        self.private_keys.extend(<[u8; 40]>::try_from(&*out).ok());
        Ok(())
    }
}

/// What a party needs to begin with.
#[derive(Clone)]
pub(crate) struct Character {
    name: &'static str,
    key: Arc<PrivateKey>,
    tag: InstanceTag,
    seed: [u8; 32],
}

impl Character {
    pub(crate) fn new(name: &'static str) -> Result<Self, Error> {
        let mut rng = os_random();
        let mut seed = [0; 32];
        rng.fill(&mut seed)?;
        Ok(Self {
            name,
            key: Arc::new(PrivateKey::generate(&mut rng)?),
            tag: InstanceTag::random(&mut rng)?,
            seed,
        })
    }
}

/// What a party did, in this order.
#[derive(Clone)]
enum Deed {
    Said(Vec<u8>),
    Heard(Vec<u8>),
}

/// One side of a conversation.
pub(crate) struct Party {
    character: Character,
    conversation: Conversation,
    random: Seeded,
    deeds: Vec<Deed>,
}

impl Party {
    pub(crate) fn new(character: Character) -> Self {
        let conversation = Conversation::new(
            character.name.into(),
            Arc::clone(&character.key),
            character.tag,
            Policy::ALLOW_V3,
        );
        let random = Seeded {
            seed: character.seed,
            drawn: 0,
            private_keys: Vec::new(),
        };
        Self {
            character,
            conversation,
            random,
            deeds: Vec::new(),
        }
    }

    /// Sends a text; returns what goes over the wire.
    pub(crate) fn say(&mut self, text: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        self.deeds.push(Deed::Said(text.to_vec()));
        Ok(self.conversation.send(text, NOW)?.wire)
    }

    /// Takes what came over the wire.
    pub(crate) fn hear(&mut self, text: &[u8]) -> Output {
        self.deeds.push(Deed::Heard(text.to_vec()));
        self.conversation.receive(text, NOW, &mut self.random)
    }

    /// Whether texts are encrypted now.
    pub(crate) fn is_private(&self) -> bool {
        self.conversation.is_private()
    }

    /// What is shown to the user when this text arrives, if it is taken for a
    /// private message.
    pub(crate) fn believes(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let output = self.hear(text);
        let warned = output
            .events
            .iter()
            .any(|event| matches!(event, otr::Event::Unencrypted | otr::Event::Message(..)));
        match output.text {
            Some(text) if !warned => Some(text.to_vec()),
            _ => None,
        }
    }

    /// How much has happened so far.
    pub(crate) fn now(&self) -> usize {
        self.deeds.len()
    }

    /// This party as it was at that time.
    pub(crate) fn as_it_was(&self, time: usize) -> Result<Self, Error> {
        let mut again = Self::new(self.character.clone());
        for deed in self.deeds.iter().take(time) {
            match deed {
                Deed::Said(text) => drop(again.say(text)?),
                Deed::Heard(text) => drop(again.hear(text)),
            }
        }
        Ok(again)
    }

    /// The private D-H keys drawn so far, oldest first: the party's own secrets.
    pub(crate) fn private_keys(&self) -> &[[u8; 40]] {
        &self.random.private_keys
    }
}
