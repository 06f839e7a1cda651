//! What happens in the demonstration, without the telling: two people talk,
//! and a third one forges.

use std::error::Error;

use otr::toolkit::hex;
use otr::wire::base64::dearmour;
use otr::wire::message::{DataMessage, DhKey, MessageType, message_type};

use crate::programs::{Call, Programs};
use crate::replay::{Character, Party};

/// What Bob writes, and how the message is turned into another.
pub(crate) const WRITTEN: &str = "Meet me at nine. Bring the letters.";
pub(crate) const CHANGED: &str = "Meet me at five. Bring the letters.";
/// Where the time stands in it.
pub(crate) const PLACE: &str = "11";
/// What Bob never wrote.
pub(crate) const NEVER_SENT: &str = "I have sold the letters to Eve.";
pub(crate) const MADE_UP: &str = "None of this was ever encrypted by Bob.";
pub(crate) const MADE_UP_TOO: &str = "Nor this by Alice.";
pub(crate) const BY_ALICE: &str = "I, Bob, confess to everything.";

/// A text on its way from one of the two to the other.
pub(crate) struct Line {
    pub(crate) from: &'static str,
    pub(crate) text: Vec<u8>,
}

/// Two people who talk, and the recorder in their line.
pub(crate) struct Recording {
    pub(crate) wire: Vec<Line>,
    pub(crate) alice: Party,
    bob: Party,
}

impl Recording {
    /// The two begin a private conversation.
    pub(crate) fn begin() -> Result<Self, Box<dyn Error>> {
        let mut recording = Self {
            wire: Vec::new(),
            alice: Party::new(Character::new("Alice")?),
            bob: Party::new(Character::new("Bob")?),
        };
        recording.bob_says("?OTRv3?")?;
        if !recording.alice.is_private() || !recording.bob.is_private() {
            return Err("no private conversation".into());
        }
        Ok(recording)
    }

    /// Bob says something, and everything that follows from it arrives.
    pub(crate) fn bob_says(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let texts = self.bob.say(text.as_bytes())?;
        self.deliver("Bob", texts);
        Ok(())
    }

    /// Alice says something, and everything that follows from it arrives.
    pub(crate) fn alice_says(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let texts = self.alice.say(text.as_bytes())?;
        self.deliver("Alice", texts);
        Ok(())
    }

    /// Bob says something that is still on its way; returns it.
    pub(crate) fn bob_begins(&mut self, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut texts = self.bob.say(text.as_bytes())?;
        let (Some(message), true) = (texts.pop(), texts.is_empty()) else {
            return Err("one text makes one message".into());
        };
        Ok(message)
    }

    /// A text of Bob's arrives; returns what Alice sees.
    pub(crate) fn arrives(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.wire.push(Line {
            from: "Bob",
            text: message.to_vec(),
        });
        self.alice.believes(message)
    }

    fn deliver(&mut self, from: &'static str, texts: Vec<Vec<u8>>) {
        for text in texts {
            let (to, other) = match from {
                "Bob" => (&mut self.alice, "Alice"),
                _ => (&mut self.bob, "Bob"),
            };
            let answers = to.hear(&text).wire;
            self.wire.push(Line { from, text });
            self.deliver(other, answers);
        }
    }

    /// Everything recorded, a line for each text.
    pub(crate) fn log(&self) -> Vec<u8> {
        let mut log = Vec::new();
        for line in &self.wire {
            log.extend_from_slice(line.from.as_bytes());
            log.extend_from_slice(b": ");
            log.extend_from_slice(&line.text);
            log.push(b'\n');
        }
        log
    }

    /// Bob's first D-H key, from the recorded handshake.
    fn bobs_key(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let sent = self
            .wire
            .iter()
            .find(|line| message_type(&line.text) == MessageType::DhKey)
            .ok_or("no D-H Key message")?;
        Ok(DhKey::parse(&dearmour(&sent.text)?)?.gy)
    }
}

/// The MAC keys that a log reveals, as otr_parse shows them.
pub(crate) fn revealed(programs: &Programs, log: &[u8]) -> Result<Vec<String>, Box<dyn Error>> {
    let shown = programs.run("otr_parse", &[], "wire.log", log)?;
    Ok(shown
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("\t\tKey ")?.split_once(": "))
        .map(|(_, key)| key.to_owned())
        .collect())
}

/// Whether otr_parse calls a message authentic, given a key.
pub(crate) fn verified(
    programs: &Programs,
    key: &str,
    name: &str,
    message: &[u8],
) -> Result<(bool, Call), Box<dyn Error>> {
    let key = format!("--key={key}");
    let call = programs.run("otr_parse", &[&key], name, message)?;
    Ok((call.out.contains("\tVerified: yes"), call))
}

/// Changes the time in Bob's message with otr_modify.
pub(crate) fn change(
    programs: &Programs,
    mac_key: &str,
    message: &[u8],
) -> Result<Call, Box<dyn Error>> {
    programs.run(
        "otr_modify",
        &[mac_key, "nine", "five", PLACE],
        "message",
        message,
    )
}

/// Writes a message that was never sent, with otr_remac: all fields are those
/// of a recorded message, and so is the key stream, which the recorded text
/// gives away to whoever guesses what it says.
pub(crate) fn write_anew(
    programs: &Programs,
    mac_key: &str,
    message: &[u8],
    guessed: &str,
    text: &str,
) -> Result<Call, Box<dyn Error>> {
    let decoded = dearmour(message)?;
    let recorded = DataMessage::parse(&decoded)?;
    // Every text is followed by a NUL.
    let encrypted: Vec<u8> = recorded
        .encrypted
        .iter()
        .zip(guessed.bytes().chain([0]))
        .zip(text.bytes().chain([0]))
        .map(|((encrypted, guessed), wanted)| encrypted ^ guessed ^ wanted)
        .collect();
    programs.run(
        "otr_remac",
        &[
            mac_key,
            &recorded.header.sender.get().to_string(),
            &recorded.header.receiver.get().to_string(),
            &recorded.flags.to_string(),
            &recorded.sender_keyid.to_string(),
            &recorded.recipient_keyid.to_string(),
            &hex::encode(recorded.next_dh),
            &hex::encode(&recorded.counter),
            &hex::encode(&encrypted),
            "",
        ],
        "",
        b"",
    )
}

/// Writes a message of Alice's that reveals `mac_key`, with otr_remac; its
/// text is nothing yet.
pub(crate) fn reveal_anew(
    programs: &Programs,
    mac_key: &str,
    message: &[u8],
) -> Result<Call, Box<dyn Error>> {
    let decoded = dearmour(message)?;
    let recorded = DataMessage::parse(&decoded)?;
    programs.run(
        "otr_remac",
        &[
            mac_key,
            &recorded.header.receiver.get().to_string(),
            &recorded.header.sender.get().to_string(),
            "0",
            &recorded.recipient_keyid.to_string(),
            &recorded.sender_keyid.to_string(),
            &hex::encode(recorded.next_dh),
            "0000000000000009",
            "",
            mac_key,
        ],
        "",
        b"",
    )
}

/// The second line of what otr_readforge writes, or the only one: the message.
pub(crate) fn message_of(call: &Call) -> Vec<u8> {
    call.out
        .lines()
        .last()
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}

/// The AES and MAC key that Alice, with her own private key and otr_sesskeys,
/// finds for what Bob first sent.
pub(crate) fn alices_keys(
    programs: &Programs,
    recording: &Recording,
) -> Result<(String, String, Call), Box<dyn Error>> {
    let private = recording.alice.private_keys().first().ok_or("no key")?;
    let call = programs.run(
        "otr_sesskeys",
        &[&hex::encode(private), &hex::encode(&recording.bobs_key()?)],
        "",
        b"",
    )?;
    let value = |label: &str| {
        let line = call.out.lines().find_map(|line| line.strip_prefix(label));
        line.map(str::to_owned).ok_or("otr_sesskeys shows no key")
    };
    Ok((
        value("Receiving AES key: ")?,
        value("Receiving MAC key: ")?,
        call.clone(),
    ))
}
