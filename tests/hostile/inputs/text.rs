//! Plain text, offers, errors, and text that only looks like a message.

use crate::bytes::{armour, contains, unwrap_armour};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{ALLOW_V2, ALLOW_V3, POLICY_ALWAYS, POLICY_DEFAULT, WHITESPACE_START_AKE};
use crate::party::{Party, deliver, handshake, pair, private_pair, query, still_works};
use crate::peer::Peer;

const BASE_TAG: &str = " \t  \t\t\t\t \t \t \t  ";
const V1_TAG: &str = " \t \t  \t ";
const V2_TAG: &str = "  \t\t  \t ";
const V3_TAG: &str = "  \t\t  \t\t";

pub fn run(runner: &mut Runner) {
    // Text that nobody authenticated, in a private conversation.
    let spoofs = [
        ("plain", "the bank has moved".to_owned()),
        (
            "tagged",
            format!("the bank has moved{BASE_TAG}{V2_TAG}{V3_TAG}"),
        ),
        ("error", "?OTR Error: please call 555-0199".to_owned()),
        (
            "error-without-blank",
            "?OTR Error:please call 555-0199".to_owned(),
        ),
        ("error-after-text", "hello ?OTR Error:x".to_owned()),
        ("one-piece-v2", "?OTR,1,1,the bank has moved,".to_owned()),
        (
            "one-piece-v3",
            "?OTR|100|0,1,1,the bank has moved,".to_owned(),
        ),
    ];
    for version in [2, 3] {
        for (name, text) in &spoofs {
            runner.case(&format!("spoof/v{version}/{name}"), 10, || {
                spoof(version, text.as_bytes())
            });
        }
    }

    // Offers and commits that the policy forbids.
    let v2_only = ALLOW_V2 | WHITESPACE_START_AKE;
    let v3_only = ALLOW_V3 | WHITESPACE_START_AKE;
    let forbidden = [
        ("v1-query", POLICY_DEFAULT, "?OTR?".to_owned()),
        (
            "v1-key-exchange",
            POLICY_DEFAULT,
            "?OTR:AAEKAAAA.".to_owned(),
        ),
        ("v1-tag", POLICY_DEFAULT, format!("hi{BASE_TAG}{V1_TAG}")),
        ("v2-query-to-v3", v3_only, "?OTRv2?".to_owned()),
        ("v1-and-v2-query-to-v3", v3_only, "?OTR?v2?".to_owned()),
        ("v2-tag-to-v3", v3_only, format!("hi{BASE_TAG}{V2_TAG}")),
        ("v3-query-to-v2", v2_only, "?OTRv3?".to_owned()),
        ("v3-tag-to-v2", v2_only, format!("hi{BASE_TAG}{V3_TAG}")),
        ("v4-query", POLICY_DEFAULT, "?OTRv4?".to_owned()),
        ("any-query-never", 0, "?OTRv23?".to_owned()),
    ];
    for (name, policy, text) in &forbidden {
        runner.case(&format!("policy/{name}"), 10, || {
            unanswered(*policy, text.as_bytes())
        });
    }
    for (version, policy) in [(2, ALLOW_V3), (3, ALLOW_V2)] {
        runner.case(&format!("policy/v{version}-commit-forbidden"), 10, || {
            let (alice, _) = pair();
            alice.log().policy = policy;
            Peer::new(version).send_commit(&alice, None, true);
            ensure!(
                alice.log().wire.is_empty(),
                "answered a commit of version {version}"
            );
            Ok(String::new())
        });
    }
    runner.case("policy/rewritten-query-is-the-protocols-limit", 10, || {
        let (alice, bob) = pair();
        (alice.log().policy, bob.log().policy) = (POLICY_ALWAYS, POLICY_ALWAYS);
        ensure!(handshake(&alice, &bob, b"?OTRv2?"), "no conversation");
        Ok("a query changed on its way from 23 to 2 gives version 2".to_owned())
    });

    for (name, text) in huge() {
        runner.case(&format!("10MiB/{name}"), 30, || {
            let (alice, bob) = private_pair(3)?;
            let ((), ms) = within(1000.0, "one message", || drop(alice.receive(&text)))?;
            still_works(&alice, &bob, 3)?;
            Ok(format!("{ms:.0} ms"))
        });
    }

    runner.case("junk/headers-and-armour", 10, junk);
    for version in [2, 3] {
        runner.case(&format!("truncate/v{version}/every-message"), 120, || {
            truncations(version)
        });
    }
}

fn spoof(version: u8, text: &[u8]) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    let shown = alice.receive(text).shown;
    if let Some(shown) = shown {
        ensure!(
            alice.warned() > 0,
            "shown as an ordinary message: {:?}",
            String::from_utf8_lossy(&shown)
        );
    }
    alice.log().wire.clear();
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

fn unanswered(policy: u32, text: &[u8]) -> Outcome {
    let (alice, _) = pair();
    alice.log().policy = policy;
    alice.receive(text);
    match alice.take() {
        Some(answer) => Err(format!("answered {:.40}", String::from_utf8_lossy(&answer))),
        None => Ok(String::new()),
    }
}

fn huge() -> Vec<(&'static str, Vec<u8>)> {
    const N: usize = 10 << 20;
    let filled = |start: &[u8], end: &[u8]| {
        let mut text = vec![b'A'; N];
        text[..start.len()].copy_from_slice(start);
        text[N - end.len()..].copy_from_slice(end);
        text
    };
    let mut tag = vec![b' '; N];
    tag[N / 2..N / 2 + 16].copy_from_slice(BASE_TAG.as_bytes());
    vec![
        ("plain", filled(b"", b"")),
        ("data-message", filled(b"?OTR:AAMD", b".")),
        ("data-message-without-end", filled(b"?OTR:AAMD", b"")),
        ("commit", filled(b"?OTR:AAMC", b".")),
        ("signature", filled(b"?OTR:AAMS", b".")),
        ("query", filled(b"?OTRv", b"")),
        ("whitespace", tag),
        ("many-queries", b"?OTR?".repeat(N / 5)),
        ("many-almost-queries", b"?OT".repeat(N / 3)),
        ("fragment-header", filled(b"?OTR|", b",")),
        ("fragment-number", filled(b"?OTR,1", b",2,x,")),
    ]
}

fn junk() -> Outcome {
    const JUNK: &[&[u8]] = &[
        b"",
        b"?OTR",
        b"?OTR!",
        b"?OTR:",
        b"?OTR:.",
        b"?OTR:AAM",
        b"?OTR:AAMC",
        b"?OTR:AAMD",
        b"?OTR:AAMD.",
        b"?OTR:AAMD====.",
        b"?OTR:AAMD%%%%%%%%%%%%%%%%.",
        b"?OTR:AAMDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        b"?OTR:AAMD\x80\xff\xfe\x81\xc0\xaf\xed\xa0\x80...",
        b"?OTR:AAMD.?OTR:AAMD.",
        b"?OTR:AA MD.",
        b"?OTR:AAMR\xff.",
        b"?OTR:AAMS.",
        b"?OTR:AAMK.",
        b"?OTR:AAIK.",
        b"?OTR:AAIC",
        b"?OTR:AAEK.",
        b"?OTR:AAED.",
        b"?OTR:AAQD.",
        b"?OTR:AAAA.",
        b"?OTR:%n%n%n%s.",
        b"%s%s%s%n%n%n",
        b"x?OTR:AAMC.x",
        b"?OTR?",
        b"?OTRv",
        b"?OTRv?",
        b"?OTR?v?",
        b"?OTRv3",
        b"?OTRv99999999999999999999?",
        b"?OTR|",
        b"?OTR,",
        b"?OTR Error:",
        b"?OTR Error: ",
        b"\xf0\x9f\x98\x80 \xc3\x28",
    ];
    let (alice, bob) = private_pair(3)?;
    let tags = [
        BASE_TAG.to_owned(),
        format!("{BASE_TAG}{V1_TAG}"),
        format!("{BASE_TAG}    \t"),
    ];
    for text in JUNK
        .iter()
        .copied()
        .chain(tags.iter().map(String::as_bytes))
    {
        for party in [&alice, &bob] {
            party.receive(text);
            party.log().wire.clear();
        }
    }
    still_works(&alice, &bob, 3)?;
    Ok(format!("{} texts", JUNK.len() + tags.len()))
}

/// Every message of a conversation cut short, inside and outside its armour.
fn truncations(version: u8) -> Outcome {
    let (alice, bob) = pair();
    let mut heard: Vec<(&Party, Vec<u8>)> = Vec::new();
    alice.put(&query(version));
    while let Some((from, to)) = [(&alice, &bob), (&bob, &alice)]
        .into_iter()
        .find(|(from, _)| !from.log().wire.is_empty())
    {
        let message = from.take().unwrap_or_default();
        to.receive(&message);
        heard.push((to, message));
    }
    ensure!(alice.encrypted() && bob.encrypted(), "set-up failed");
    alice.smp_start(Some(b"which?"), b"that");
    alice.send(b"keep this to yourself");
    heard.extend(alice.log().wire.drain(..).map(|message| (&bob, message)));

    let mut tried = 0;
    let mut hear = |party: &Party, text: &[u8]| {
        tried += 1;
        let shown = party.receive(text).shown.unwrap_or_default();
        alice.log().wire.clear();
        bob.log().wire.clear();
        contains(&shown, b"keep this")
    };
    for (to, message) in &heard {
        if let Some(raw) = unwrap_armour(message) {
            // Every length near both ends, every seventh in between.
            let near = |len: usize| len < 64 || len + 64 > raw.len() || len.is_multiple_of(7);
            for len in (0..raw.len()).filter(|len| near(*len)) {
                ensure!(
                    !hear(to, &armour(&raw[..len])),
                    "shown although cut to {len} bytes"
                );
            }
        }
        for len in (0..message.len()).step_by(9) {
            // Without its final dot a data message is still whole.
            let whole = len + 1 == message.len();
            ensure!(
                whole || !hear(to, &message[..len]),
                "shown although cut to {len} letters"
            );
        }
    }
    ensure!(
        deliver(&alice, &bob, b"one more") && deliver(&bob, &alice, b"and back"),
        "the conversation does not go on"
    );
    still_works(&alice, &bob, version)?;
    Ok(format!("{tried} truncations"))
}
