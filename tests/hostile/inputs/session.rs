//! A running conversation: what strangers can do to it, what happens to texts
//! that could not be sent at once, what its end means.

use crate::bytes::{Writer, contains};
use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{ENCRYPTED, POLICY_ALWAYS, c, event, lib, tlv};
use crate::party::{Party, carry, deliver, handshake, pair, private_pair, query};
use crate::peer::{Authenticator, DataFields, Peer, kind};

pub fn run(runner: &mut Runner) {
    for version in [2, 3] {
        for (name, forge) in FORGERIES {
            for (whose, alien) in [("peers-tags", false), ("other-tags", true)] {
                if version == 2 && alien && *name == "commit" {
                    continue; // the same message as with the peer's tags
                }
                runner.case(
                    &format!("session/v{version}/forged-{name}/{whose}"),
                    20,
                    || unharmed(version, alien, *forge),
                );
            }
        }
        runner.case(&format!("session/v{version}/key-after-query"), 10, || {
            key_after_query(version)
        });
        runner.case(
            &format!("session/v{version}/error-then-strangers-key"),
            10,
            || resend_to_stranger(version),
        );
        runner.case(
            &format!("session/v{version}/error-then-peers-key"),
            10,
            || resend_to_peer(version),
        );
        runner.case(
            &format!("session/v{version}/nothing-clear-after-the-end"),
            10,
            || nothing_clear(version),
        );
        runner.case(
            &format!("session/v{version}/texts-before-the-session"),
            10,
            || typed_before(version, 0),
        );
        runner.case(
            &format!("session/v{version}/texts-before-the-session-in-pieces"),
            10,
            || typed_before(version, 150),
        );
        runner.case(&format!("session/v{version}/crossing-commits"), 10, || {
            crossing(version)
        });
    }
    runner.case("session/v2/v3-commit-then-text", 10, || {
        let (alice, _) = private_pair(2)?;
        let mut peer = Peer::new(3);
        peer.send_commit(&alice, None, true);
        // The best instance, the recent ones, and the new one.
        for instance in [1, 2, 3, 4, peer.tag] {
            alice.log().instance = instance;
            alice.send(b"still secret");
        }
        let mut wire = alice.log().wire.iter();
        let clear = wire.any(|message| contains(message, b"still secret"));
        ensure!(!clear, "sent in clear");
        Ok(String::new())
    });
    runner.case("session/v2/v3-commit-then-smp", 10, || {
        let (alice, bob) = private_pair(2)?;
        Peer::new(3).send_commit(&alice, None, true);
        alice.log().wire.clear();
        let context = alice.context();
        // SAFETY: NULL or a live context.
        let hollow = !context.is_null()
            && unsafe {
                (*context).msgstate == ENCRYPTED && (*context).active_fingerprint.is_null()
            };
        alice.smp_start(None, b"secret");
        carry(&alice, &bob);
        ensure!(!hollow, "an instance without keys is reported as encrypted");
        ensure!(bob.asked() == 1, "the peer is not asked");
        Ok(String::new())
    });
}

/// Ways to disturb a conversation without knowing any of its keys.
type Forge = fn(&mut Peer, &Party);

const FORGERIES: &[(&str, Forge)] = &[
    ("commit", |peer, alice| peer.send_commit(alice, None, true)),
    ("v3-commit", |peer, alice| {
        peer.version = 3;
        peer.send_commit(alice, None, true);
    }),
    ("v2-commit", |peer, alice| {
        peer.version = 2;
        peer.send_commit(alice, None, true);
    }),
    ("v3-query", |_, alice| drop(alice.receive(b"?OTRv3?"))),
    ("v2-query", |_, alice| drop(alice.receive(b"?OTRv2?"))),
    ("error", |_, alice| {
        drop(alice.receive(b"?OTR Error: what was that?"))
    }),
    ("dh-key", |peer, alice| peer.send_dh_key(alice, None)),
    ("query-and-dh-key", |peer, alice| {
        alice.receive(&query(peer.version));
        peer.send_dh_key(alice, None);
    }),
    ("reveal", |peer, alice| {
        let body = peer
            .header(kind::REVEAL)
            .data(&[7; 16])
            .data(&[0; 64])
            .raw(&[0; 20]);
        peer.give(alice, &body);
    }),
    ("commit-and-reveal", |peer, alice| {
        peer.send_commit(alice, None, true);
        let body = peer
            .header(kind::REVEAL)
            .data(&[7; 16])
            .data(&[0; 64])
            .raw(&[0; 20]);
        peer.give(alice, &body);
    }),
    ("signature", |peer, alice| {
        let body = peer.header(kind::SIGNATURE).data(&[0; 64]).raw(&[0; 20]);
        peer.give(alice, &body);
    }),
    ("data", |peer, alice| {
        // Under all pairs of keys that may be in use.
        for pair in 0..16 {
            let fields = DataFields {
                sender_keyid: Some(pair / 4),
                recipient_keyid: Some(pair % 4),
                ..DataFields::default()
            };
            let disconnect = Writer::default().byte(0).tlv(tlv::DISCONNECTED, &[]);
            peer.say(alice, &disconnect.0, &fields);
        }
    }),
    ("v1-exchange", |_, alice| {
        drop(alice.receive(b"?OTR:AAEKAAAAAAAA."))
    }),
];

/// The instance tags of a conversation of version 3, as `alice` sees them.
fn tags(alice: &Party) -> (u32, u32) {
    let context = alice.context();
    assert!(!context.is_null(), "no conversation");
    // SAFETY: a live context.
    unsafe { ((*context).our_instance, (*context).their_instance) }
}

/// After the forgery a text goes each way as if nothing had happened.
fn unharmed(version: u8, alien: bool, forge: Forge) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(
        deliver(&alice, &bob, b"one") && deliver(&bob, &alice, b"two"),
        "set-up failed"
    );
    let mut peer = Peer::new(version);
    if version == 3 {
        let (ours, theirs) = tags(&alice);
        peer.their_tag = ours;
        if !alien {
            peer.tag = theirs;
        }
    }
    let state = alice.state();
    forge(&mut peer, &alice);
    alice.log().wire.clear();
    ensure!(
        alice.state() == state,
        "the state has changed to {:?}",
        alice.state()
    );
    ensure!(deliver(&alice, &bob, b"three"), "cannot send any more");
    ensure!(deliver(&bob, &alice, b"four"), "cannot receive any more");
    ensure!(deliver(&alice, &bob, b"five"), "cannot send a second time");
    Ok(String::new())
}

/// A query and a repeated D-H Key must not open a gap in which texts go out
/// in clear.
fn key_after_query(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    alice.receive(&query(version));
    let commit = alice.take().ok_or("the query is not answered")?;
    bob.receive(&commit);
    let dh_key = bob.take().ok_or("the commit is not answered")?;
    alice.receive(&dh_key);
    alice.log().wire.clear();
    ensure!(alice.encrypted(), "no longer private");
    alice.send(b"still secret");
    let clear = alice
        .log()
        .wire
        .iter()
        .any(|m| contains(m, b"still secret"));
    ensure!(!clear, "sent in clear");
    Ok(String::new())
}

/// An injected error and a stranger's own key exchange must not fetch the
/// last text.
fn resend_to_stranger(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(deliver(&bob, &alice, b"hi"), "set-up failed");
    let context = alice.context();
    // SAFETY: a live context and its fingerprint.
    unsafe {
        (lib().otrl_context_set_trust)((*context).active_fingerprint, c("verified").as_ptr())
    };
    alice.send(b"the launch code is 0000");
    alice.receive(b"?OTR Error: please say that again");
    alice.log().wire.clear();
    let mut peer = Peer::new(version);
    if version == 3 {
        (peer.their_tag, peer.tag) = tags(&alice);
    }
    peer.send_commit(&alice, None, true);
    if peer.take_dh_key(&alice).is_err() {
        return Ok("the stranger gets no answer".to_owned());
    }
    peer.send_reveal(&alice, None, &Authenticator::default());
    for message in &alice.log().wire {
        ensure!(
            peer.read(message).is_none_or(|t| !contains(&t, b"launch")),
            "sent to the stranger"
        );
    }
    Ok(String::new())
}

/// The same with the peer's own key, version 2: the text comes, marked.
fn resend_to_peer(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(deliver(&bob, &alice, b"hi"), "set-up failed");
    alice.send(b"did you get this?");
    alice.log().wire.clear();
    alice.receive(b"?OTR Error: please say that again");
    alice.log().wire.clear();
    // Only the side that answers the commit sends again.
    bob.receive(&query(version));
    let mut shown = Vec::new();
    for _ in 0..20 {
        if let Some(message) = bob.take() {
            alice.receive(&message);
        }
        if let Some(message) = alice.take() {
            shown.extend(bob.receive(&message).shown);
        }
    }
    let marked = shown
        .iter()
        .filter(|t| t.as_slice() == b"[resent] did you get this?")
        .count();
    let heard = shown
        .iter()
        .filter(|t| contains(t, b"did you get this?"))
        .count();
    ensure!(
        heard <= 1 && heard == marked,
        "shown {heard} times, {marked} times marked as resent"
    );
    ensure!(marked == 1 || version == 3, "not sent again");
    Ok(format!("{marked} times"))
}

fn nothing_clear(version: u8) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(deliver(&alice, &bob, b"one"), "set-up failed");
    bob.disconnect();
    while let Some(message) = bob.take() {
        alice.receive(&message);
    }
    alice.log().wire.clear();
    alice.send(b"IN CLEAR");
    let clear = alice.log().wire.iter().any(|m| contains(m, b"IN CLEAR"));
    ensure!(!clear, "sent in clear");
    ensure!(
        alice.event(event::CONNECTION_ENDED) > 0,
        "the user is not told"
    );
    Ok(String::new())
}

/// Encryption is compulsory: texts typed before the conversation all arrive,
/// once, in order, and never in clear.
fn typed_before(version: u8, max_size: i32) -> Outcome {
    let (alice, bob) = pair();
    for party in [&alice, &bob] {
        party.log().policy = POLICY_ALWAYS & !(if version == 3 { 2 } else { 4 });
        party.log().max_size = max_size;
    }
    let texts: [&[u8]; 3] = [b"QUEUED one", b"QUEUED two", b"QUEUED three"];
    for text in texts {
        alice.send(text);
    }
    let mut shown = Vec::new();
    for _ in 0..300 {
        if let Some(message) = alice.take() {
            ensure!(!contains(&message, b"QUEUED"), "sent in clear");
            let received = bob.receive(&message).shown;
            shown.extend(received.filter(|text| contains(text, b"QUEUED")));
        }
        if let Some(message) = bob.take() {
            alice.receive(&message);
        }
    }
    ensure!(shown == texts, "{} of {} arrive", shown.len(), texts.len());
    ensure!(
        alice.event(event::ENCRYPTION_REQUIRED) == 3,
        "the user is not told"
    );
    Ok(String::new())
}

/// Both sides begin at the same moment: a conversation results.
fn crossing(version: u8) -> Outcome {
    let (alice, bob) = pair();
    alice.receive(&query(version));
    bob.receive(&query(version));
    carry(&alice, &bob);
    if alice.encrypted() && bob.encrypted() {
        ensure!(
            deliver(&alice, &bob, b"one") && deliver(&bob, &alice, b"two"),
            "texts are lost"
        );
        return Ok(String::new());
    }
    ensure!(
        handshake(&alice, &bob, &query(version)),
        "not even a second attempt works"
    );
    Err("no conversation at the first attempt".to_owned())
}
