//! The demonstration: what is done, what is claimed, and what it means.

use std::error::Error;

use crate::forgery::{
    BY_ALICE, CHANGED, MADE_UP, MADE_UP_TOO, NEVER_SENT, Recording, WRITTEN, alices_keys, change,
    message_of, reveal_anew, revealed, verified, write_anew,
};
use crate::programs::{Call, Programs};

/// Who hears the story.
pub(crate) trait Listener {
    /// A step begins.
    fn heading(&mut self, text: &str);
    /// Something is explained.
    fn explanation(&mut self, text: &str);
    /// A program was called and showed something.
    fn call(&mut self, call: &Call);
    /// Something is said to be so; `holds` is whether it is.
    fn claim(&mut self, holds: bool, text: &str);
}

/// A key that anybody could try.
const GUESSED: &str = "0123456789abcdef0123456789abcdef01234567";

/// Tells the story; every claim in it is checked when it is made.
pub(crate) fn tell(programs: &Programs, to: &mut dyn Listener) -> Result<(), Box<dyn Error>> {
    to.heading("A conversation is recorded");
    to.explanation(
        "Alice and Bob talk privately. They have compared fingerprints, so each knows that \
         what arrives comes from the other and was not changed: every message carries an \
         authenticator, which only somebody with the message's MAC key can make, and during \
         the conversation nobody but the two has that key. Mallory records everything that \
         goes over the line, and has nothing else.",
    );
    let mut recording = Recording::begin()?;
    let message = recording.bob_begins(WRITTEN)?;
    let arrival = recording.alice.now();
    let seen = recording.arrives(&message);
    to.claim(
        seen.as_deref() == Some(WRITTEN.as_bytes()),
        &format!("Bob has written, and Alice reads: {WRITTEN}"),
    );
    to.explanation(
        "This first message is the one that Mallory is after. On the line it looks like this:",
    );
    let parsed = programs.run("otr_parse", &[], "message", &message)?;
    to.call(&parsed);
    to.claim(
        parsed.out.contains("Data Message:") && !parsed.out.contains("Meet"),
        "the text cannot be read from the line",
    );

    before(programs, to, &recording, &message, arrival)?;

    to.heading("The conversation goes on, and a key is published");
    to.explanation(
        "With every change of direction the two agree on new keys. As soon as Alice has no \
         use for a MAC key that she has verified messages with, she forgets it, and sends it \
         along with her next message, unencrypted, on purpose.",
    );
    recording.alice_says("At nine, then.")?;
    recording.bob_says("Good.")?;
    recording.alice_says("I shall be there.")?;
    let log = recording.log();
    let key = find_key(programs, &log, &message)?;
    let all = programs.run("otr_parse", &[], "wire.log", &log)?;
    to.call(&all.grep("Key 1"));
    let (authentic, call) = verified(programs, &key, "message", &message)?;
    to.call(&call.grep("Verified"));
    to.claim(
        authentic,
        "one of the MAC keys that the line now shows is the key of Bob's message",
    );
    to.explanation("The text is still secret: a MAC key decrypts nothing.");

    let forgeries = forge(programs, to, &recording, &message, &key, arrival)?;

    to.heading("Alice herself is not deceived");
    to.explanation(
        "Alice's program published the key only after it had stopped accepting it. To the \
         real Alice, who has gone on, the forged messages mean nothing.",
    );
    let mut deceived = false;
    for forged in &forgeries {
        deceived |= recording.alice.believes(forged).is_some();
    }
    to.claim(
        !deceived,
        "Alice's session, as it is now, refuses both forged messages",
    );

    make_up(programs, to, &mut recording, &message, arrival)?;
    alice_forges(programs, to, &recording, &message, &key, arrival)?;
    conclude(to);
    Ok(())
}

/// Forging before the key is published.
fn before(
    programs: &Programs,
    to: &mut dyn Listener,
    recording: &Recording,
    message: &[u8],
    arrival: usize,
) -> Result<(), Box<dyn Error>> {
    to.heading("Forging now fails");
    to.explanation(
        "Mallory guesses what the message says. Changing the encrypted text is easy: it is \
         the text combined with a stream of bits, so that flipping a bit of one flips the \
         same bit of the other. But the authenticator has to be made anew, and Mallory does \
         not have the MAC key.",
    );
    to.claim(
        find_key(programs, &recording.log(), message).is_err(),
        "the recording shows no key of the message yet",
    );
    let refused = change(programs, GUESSED, message)?;
    to.call(&refused);
    to.claim(
        !refused.succeeded && refused.err.contains("MAC does not verify"),
        "otr_modify refuses to work with a guessed key",
    );
    let forged = write_anew(programs, GUESSED, message, WRITTEN, NEVER_SENT)?;
    let forged = forged.out.trim_end().as_bytes();
    let mut alice = recording.alice.as_it_was(arrival)?;
    to.claim(
        alice.believes(forged).is_none(),
        "a message that otr_remac makes with a guessed key is refused by Alice's session",
    );
    to.claim(
        alice.believes(message).as_deref() == Some(WRITTEN.as_bytes()),
        "and that session still takes Bob's true message afterwards",
    );
    Ok(())
}

/// Changing a message, and writing one that was never sent.
fn forge(
    programs: &Programs,
    to: &mut dyn Listener,
    recording: &Recording,
    message: &[u8],
    key: &str,
    arrival: usize,
) -> Result<[Vec<u8>; 2], Box<dyn Error>> {
    to.heading("Now a message can be changed");
    to.explanation(
        "With the published key and a guess of four letters, otr_modify gives the message \
         another time and a new authenticator.",
    );
    let call = change(programs, key, message)?;
    to.call(&call);
    let changed = message_of(&call);
    let (authentic, call) = verified(programs, key, "changed", &changed)?;
    to.call(&call.grep("Verified"));
    to.claim(
        authentic && changed != message,
        "otr_parse calls the changed message as authentic as Bob's own",
    );
    to.explanation(
        "So does a session. No session on the line takes it any more, that is the order of \
         things; but let us bring back Alice's as it was when Bob's message was on its way \
         to her, with the same keys, and hand it Mallory's message instead.",
    );
    let mut alice = recording.alice.as_it_was(arrival)?;
    to.claim(
        alice.believes(&changed).as_deref() == Some(CHANGED.as_bytes()),
        &format!("that session shows, as a private message from Bob: {CHANGED}"),
    );

    to.heading("And a message can be written that was never sent");
    to.explanation(
        "If Mallory guesses the whole text of one message, its encrypted form gives the \
         stream of bits away, and any other text of that length can be encrypted. otr_remac \
         puts a message together from such a text, the other fields of the recorded message, \
         and the published key.",
    );
    let call = write_anew(programs, key, message, WRITTEN, NEVER_SENT)?;
    to.call(&call);
    let invented = message_of(&call);
    let (authentic, call) = verified(programs, key, "invented", &invented)?;
    to.call(&call.grep("Verified"));
    to.claim(authentic, "otr_parse calls the invented message authentic");
    let mut alice = recording.alice.as_it_was(arrival)?;
    to.claim(
        alice.believes(&invented).as_deref() == Some(NEVER_SENT.as_bytes()),
        &format!("Alice's earlier session shows, as a private message from Bob: {NEVER_SENT}"),
    );
    Ok([changed, invented])
}

/// A transcript without any true key.
fn make_up(
    programs: &Programs,
    to: &mut dyn Listener,
    recording: &mut Recording,
    message: &[u8],
    arrival: usize,
) -> Result<(), Box<dyn Error>> {
    to.heading("Nothing at all need be known");
    to.explanation(
        "What if nothing can be guessed? Mallory makes up an AES key. otr_readforge sees \
         that it is not the key of Bob's message, says so, and nevertheless writes the \
         message anew with the made-up key and a text of Mallory's. An answer of Alice's, \
         made with otr_remac and otr_readforge, publishes the MAC key that otr_mackey \
         computes from it, as she would have done.",
    );
    let aes = "4d616c6c6f72792773206f776e206b65";
    let call = programs.run("otr_readforge", &[aes, MADE_UP], "message", message)?;
    to.call(&call);
    let made_up = message_of(&call);
    to.claim(
        call.succeeded && call.err.contains("MAC does not verify"),
        "otr_readforge forges without knowing the true key",
    );
    let mac = programs.run("otr_mackey", &[aes], "", b"")?;
    to.call(&mac);
    let mac = mac
        .out
        .lines()
        .find_map(|line| line.strip_prefix("MAC key: "))
        .ok_or("otr_mackey shows no key")?
        .to_owned();
    let answer = message_of(&reveal_anew(programs, &mac, message)?);
    let call = programs.run("otr_readforge", &[aes, MADE_UP_TOO], "answer", &answer)?;
    let answer = message_of(&call);
    let log = [b"Bob: ", &made_up[..], b"\nAlice: ", &answer, b"\n"].concat();
    let (_, call) = verified(programs, aes, "made-up.log", &log)?;
    to.call(&call.grep("Plaintext"));
    to.claim(
        find_key(programs, &log, &made_up).as_deref().ok() == Some(&*mac),
        "the made-up recording publishes the key of its message, like a true one",
    );
    to.claim(
        call.out.matches("\tVerified: yes").count() == 2
            && call.out.contains(&format!("\tPlaintext: {MADE_UP}\n"))
            && call.out.contains(&format!("\tPlaintext: {MADE_UP_TOO}\n")),
        &format!("with the made-up key, otr_parse verifies it and reads: {MADE_UP}"),
    );
    to.explanation(
        "To somebody who has only the recording, and is told a key, this is as good as the \
         true one. A session knows better: it computes its keys itself.",
    );
    let mut alice = recording.alice.as_it_was(arrival)?;
    to.claim(
        alice.believes(&made_up).is_none() && recording.alice.believes(&made_up).is_none(),
        "Alice's session refuses it, the earlier one and the present one",
    );
    Ok(())
}

/// The receiver of a message forges it.
fn alice_forges(
    programs: &Programs,
    to: &mut dyn Listener,
    recording: &Recording,
    message: &[u8],
    key: &str,
    arrival: usize,
) -> Result<(), Box<dyn Error>> {
    to.heading("Alice could have written it all along");
    to.explanation(
        "Could Alice at least prove what Bob wrote, by handing over her secrets? Her private \
         key gives otr_sesskeys the keys of Bob's message. They are the very keys that Bob \
         had: whoever can verify a message can make it.",
    );
    let (aes, mac, call) = alices_keys(programs, recording)?;
    to.call(&call);
    to.claim(
        mac == key,
        "the MAC key that Alice computes is the one that was published",
    );
    let call = programs.run("otr_readforge", &[&aes, BY_ALICE], "message", message)?;
    to.call(&call);
    to.claim(
        call.out.starts_with(&format!("Plaintext: ``{WRITTEN}''\n")),
        "with the AES key, otr_readforge reads Bob's message",
    );
    let forged = message_of(&call);
    let (authentic, _) = verified(programs, key, "forged", &forged)?;
    to.claim(
        authentic,
        "and writes another that otr_parse calls authentic",
    );
    let mut alice = recording.alice.as_it_was(arrival)?;
    to.claim(
        alice.believes(&forged).as_deref() == Some(BY_ALICE.as_bytes()),
        &format!("Alice's earlier session shows, as a private message from Bob: {BY_ALICE}"),
    );
    Ok(())
}

fn conclude(to: &mut dyn Listener) {
    to.heading("What was forged, and why it verifies");
    to.explanation(&format!(
        "Bob wrote \"{WRITTEN}\" Mallory, with the recording and the MAC key that it reveals, \
         made \"{CHANGED}\" and \"{NEVER_SENT}\" of it; with a key of Mallory's own, \
         \"{MADE_UP}\"; and Alice, \"{BY_ALICE}\""
    ));
    to.explanation(
        "They verify because an authenticator proves only that its maker had the MAC key. \
         While a message is on its way, its two owners are the only ones, so Alice, who knows \
         that she did not write it, knows that Bob did. Nobody else can conclude that: not \
         before, since Alice has the key as well, and not after, since everybody has it. \
         There is no signature of Bob's under anything he said.",
    );
}

/// The first key that a log reveals and that verifies a message.
fn find_key(programs: &Programs, log: &[u8], message: &[u8]) -> Result<String, Box<dyn Error>> {
    for key in revealed(programs, log)? {
        if verified(programs, &key, "message", message)?.0 {
            return Ok(key);
        }
    }
    Err("no revealed key verifies the message".into())
}
