//! The authenticated key exchange: numbers outside the group, lengths that
//! lie, messages out of turn.

use num_bigint::BigUint;

use super::{MESSAGE_LIMIT_MS, OUTSIDE};
use crate::bytes::{Writer, armour, int_at, unwrap_armour};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::lib;
use crate::party::{PROTOCOL, Party, carry, pair, query, still_works};
use crate::peer::crypt::{element, p};
use crate::peer::{Authenticator, Peer, kind};

const KINDS: [(&str, u8); 4] = [
    ("commit", kind::COMMIT),
    ("dh-key", kind::DH_KEY),
    ("reveal", kind::REVEAL),
    ("signature", kind::SIGNATURE),
];

pub fn run(runner: &mut Runner) {
    for version in [2, 3] {
        for name in OUTSIDE {
            runner.case(&format!("dh-key/v{version}/y={name}"), 10, || {
                dh_key(version, name)
            });
            runner.case(&format!("commit/v{version}/gx={name}"), 10, || {
                commit(version, name)
            });
        }
        runner.case(
            &format!("commit/v{version}/hash-of-another-value"),
            10,
            || {
                let (alice, bob) = pair();
                let mut peer = Peer::new(version);
                peer.send_commit(&alice, None, false);
                peer.take_dh_key(&alice)?;
                peer.send_reveal(&alice, None, &Authenticator::default());
                ensure!(!alice.encrypted(), "the hash of g^x is not checked");
                still_works(&alice, &bob, version)?;
                Ok(String::new())
            },
        );
        runner.case(&format!("commit/v{version}/field-lengths"), 10, || {
            commit_lengths(version)
        });
        for (name, kind) in KINDS {
            for (what, body) in bodies() {
                let case = format!("{name}/v{version}/{what}");
                runner.case(&case, 30, || raw(version, kind, &body));
            }
        }
        runner.case(
            &format!("signature/v{version}/16-MiB-number-in-pieces"),
            30,
            || in_pieces(version),
        );
        for (name, kind) in KINDS.into_iter().skip(1) {
            let case = format!("{name}/v{version}/out-of-turn");
            runner.case(&case, 10, || out_of_turn(version, kind));
        }
    }
}

/// The target begins and gets this public value as an answer.
fn dh_key(version: u8, name: &str) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::new(version);
    alice.receive(&query(version));
    peer.take_commit(&alice)?;
    peer.send_dh_key(&alice, Some(&element(name)));
    let answered = alice.log().wire.iter().filter_map(|m| unwrap_armour(m));
    ensure!(
        answered
            .into_iter()
            .all(|raw| raw.get(2) != Some(&kind::REVEAL)),
        "answered with its signature"
    );
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

/// The target answers a commit to this public value.
fn commit(version: u8, name: &str) -> Outcome {
    let (alice, bob) = pair();
    let gx = element(name);
    // (p-1)^x is 1 or p-1, depending on whether x is even.
    for shared in [&gx % p(), BigUint::from(1u8)] {
        let mut peer = Peer::new(version);
        peer.send_commit(&alice, Some(&gx), true);
        peer.take_dh_key(&alice)?;
        peer.send_reveal(&alice, Some((&gx, &shared)), &Authenticator::default());
        ensure!(
            !alice.encrypted(),
            "accepted: anyone can read the conversation"
        );
    }
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

fn commit_lengths(version: u8) -> Outcome {
    let (alice, bob) = pair();
    let peer = Peer::new(version);
    let zeros = [0; 64];
    let start = || peer.header(kind::COMMIT);
    let commits = [
        start().data(&[]).data(&zeros[..32]),
        start().data(&zeros).data(&zeros[..31]),
        start().data(&zeros).data(&zeros[..33]),
        start().data(&zeros).int(u32::MAX).raw(&zeros[..32]),
        start().int(0xffff_fff0).raw(&zeros),
        start().data(&zeros).data(&zeros[..32]).raw(&[1, 2, 3]),
    ];
    for commit in &commits {
        peer.give(&alice, commit);
        peer.give(
            &alice,
            &peer
                .header(kind::REVEAL)
                .data(&zeros[..16])
                .data(&zeros)
                .raw(&zeros[..20]),
        );
        alice.log().wire.clear();
    }
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

/// Message bodies that any parser must refuse.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let huge = vec![0xa5; (16 << 20) + 64];
    vec![
        ("no-body", Vec::new()),
        ("length-0", Writer::default().int(0).0),
        ("length-1-too-long", Writer::default().int(5).raw(b"abcd").0),
        (
            "length-2^31-1",
            Writer::default().int(0x7fff_ffff).raw(b"abcdefgh").0,
        ),
        (
            "length-2^32-1",
            Writer::default().int(u32::MAX).raw(b"abcd").0,
        ),
        (
            "number-and-more",
            Writer::default().data(&[0x77; 192]).raw(b"more").0,
        ),
        ("number-of-16-MiB", Writer::default().data(&huge).0),
        (
            "number-of-16-KiB",
            Writer::default().data(&huge[..16 << 10]).0,
        ),
    ]
}

/// Brings the target to where it expects this type of message.
fn expecting(version: u8, kind: u8, alice: &Party) -> Result<Peer, String> {
    let mut peer = Peer::new(version);
    match kind {
        kind::COMMIT => {}
        kind::REVEAL => {
            peer.send_commit(alice, None, true);
            peer.take_dh_key(alice)?;
        }
        _ => {
            alice.receive(&query(version));
            peer.take_commit(alice)?;
            if kind == kind::SIGNATURE {
                peer.send_dh_key(alice, None);
                peer.take_reveal(alice)?;
            }
        }
    }
    Ok(peer)
}

fn raw(version: u8, kind: u8, body: &[u8]) -> Outcome {
    let (alice, bob) = pair();
    let peer = expecting(version, kind, &alice)?;
    let message = armour(&peer.header(kind).raw(body).0);
    let ((), ms) = within(MESSAGE_LIMIT_MS, "one message", || {
        drop(alice.receive(&message))
    })?;
    still_works(&alice, &bob, version)?;
    Ok(format!("{ms:.0} ms"))
}

/// A message too large for most networks, in pieces that fit any.
fn in_pieces(version: u8) -> Outcome {
    const PIECE: usize = 60_000;
    let (alice, bob) = pair();
    let peer = expecting(version, kind::DH_KEY, &alice)?;
    let message = armour(
        &peer
            .header(kind::DH_KEY)
            .data(&vec![0xa5; (16 << 20) + 64])
            .0,
    );
    let pieces: Vec<&[u8]> = message.chunks(PIECE).collect();
    for (k, piece) in pieces.iter().enumerate() {
        let header = if version == 3 {
            format!(
                "?OTR|{:08x}|{:08x},{},{},",
                peer.tag,
                peer.their_tag,
                k + 1,
                pieces.len()
            )
        } else {
            format!("?OTR,{},{},", k + 1, pieces.len())
        };
        alice.receive(&[header.as_bytes(), piece, b","].concat());
    }
    still_works(&alice, &bob, version)?;
    Ok(format!("{} pieces", pieces.len()))
}

/// A forged message in the name of the peer must not disturb an exchange that
/// is under way.
fn out_of_turn(version: u8, kind: u8) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::new(version);
    alice.receive(&query(version));
    if version == 3 {
        let commit = alice
            .log()
            .wire
            .front()
            .and_then(|m| unwrap_armour(m))
            .unwrap_or_default();
        peer.their_tag = int_at(&commit, 3).ok_or("set-up failed: no commit")?;
        let log = bob.log();
        // SAFETY: live user state, valid strings; the node belongs to the library.
        unsafe {
            let tag = (lib().otrl_instag_find)(log.us, log.name.as_ptr(), PROTOCOL.as_ptr());
            ensure!(!tag.is_null(), "set-up failed: no instance tag");
            peer.tag = (*tag).instag;
        }
    }
    let body = match kind {
        kind::DH_KEY => Writer::default().data(&[1]),
        kind::REVEAL => Writer::default()
            .data(&[7; 16])
            .data(&[0; 64])
            .raw(&[0; 20]),
        _ => Writer::default().data(&[0; 64]).raw(&[0; 20]),
    };
    peer.give(&alice, &peer.header(kind).raw(&body.0));
    carry(&alice, &bob);
    ensure!(
        alice.encrypted() && bob.encrypted(),
        "one forged message breaks the exchange"
    );
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}
