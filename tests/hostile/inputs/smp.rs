//! The socialist millionaires' protocol: forged values, wrong counts and
//! lengths, steps nobody asked for.

use num_bigint::BigUint;

use super::MESSAGE_LIMIT_MS;
use crate::bytes::{Writer, find};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{smp_event, tlv};
use crate::party::{Party, carry, handshake, pair, query, still_works};
use crate::peer::crypt::{element, fingerprint as own_fingerprint, order};
use crate::peer::smp::{self, Log, Second, counted, numbers};
use crate::peer::{DataFields, Peer};

/// Numbers that must not be accepted: the first five are no group elements, the
/// last is one, of which the proof beside it proves nothing.
const WRONG: [&str; 6] = ["0", "1", "p-1", "p", "p+1", "5"];

pub fn run(runner: &mut Runner) {
    for question in [false, true] {
        for version in [2, 3] {
            let with = if question { "question" } else { "secret" };
            runner.case(&format!("smp/v{version}/same-{with}"), 10, || {
                between_honest(version, question, b"the same", b"the same", true)
            });
            runner.case(&format!("smp/v{version}/other-{with}"), 10, || {
                between_honest(version, question, b"the same", b"The same", false)
            });
        }
    }
    runner.case("smp1/honest", 10, || first(None, None));
    for name in WRONG {
        runner.case(&format!("smp1/g2a={name}"), 10, || first(Some(name), None));
        runner.case(&format!("smp1/g3a={name}"), 10, || first(None, Some(name)));
    }
    for (name, record, value) in malformed() {
        runner.case(&format!("smp-raw/{name}"), 20, || raw(record, &value));
    }
    runner.case("smp2/honest", 10, || second(None));
    for field in ["g2b", "g3b", "pb", "qb"] {
        for name in WRONG {
            runner.case(&format!("smp2/{field}={name}"), 10, || {
                second(Some((field, name)))
            });
        }
    }
    runner.case("smp2/pb=1-with-valid-proof", 10, || {
        second_blinded(BigUint::ZERO)
    });
    runner.case("smp3/honest-same", 10, || third(b"word", None, None));
    runner.case("smp3/honest-other", 10, || third(b"Word", None, None));
    for (field, at) in [("pa", 0), ("qa", 1), ("ra", 5)] {
        for name in WRONG {
            runner.case(&format!("smp3/{field}={name}"), 10, || {
                third(b"word", Some((at, name)), None)
            });
        }
    }
    runner.case("smp3/pa=1-with-valid-proof", 10, || {
        third(b"word", None, Some(BigUint::ZERO))
    });
    runner.case("smp4/honest-same", 10, || fourth(b"word", None));
    runner.case("smp4/honest-other", 10, || fourth(b"Word", None));
    for name in WRONG {
        runner.case(&format!("smp4/rb={name}"), 10, || {
            fourth(b"word", Some(name))
        });
    }
}

/// Two honest parties compare their secrets.
fn between_honest(version: u8, question: bool, a: &[u8], b: &[u8], same: bool) -> Outcome {
    let (alice, bob) = pair();
    ensure!(handshake(&alice, &bob, &query(version)), "set-up failed");
    alice.smp_start(question.then_some(b"which?"), a);
    carry(&alice, &bob);
    ensure!(bob.asked() == 1, "the peer is not asked");
    bob.smp_answer(b);
    carry(&alice, &bob);
    let result = if same {
        smp_event::SUCCESS
    } else {
        smp_event::FAILURE
    };
    let other = if same {
        smp_event::FAILURE
    } else {
        smp_event::SUCCESS
    };
    for party in [&alice, &bob] {
        ensure!(
            party.smp_event(result) == 1,
            "a side does not learn the result"
        );
        ensure!(
            party.smp_event(other) == 0,
            "a side learns the wrong result"
        );
    }
    Ok(String::new())
}

/// The value was refused as cheating, and everything else goes on.
fn refused(alice: &Party, bob: &Party) -> Outcome {
    ensure!(
        alice.smp_event(smp_event::CHEATED) > 0,
        "not reported as cheating"
    );
    ensure!(
        alice.smp_event(smp_event::SUCCESS) == 0,
        "taken for a success"
    );
    still_works(alice, bob, 3)?;
    Ok(String::new())
}

/// A first message with at most one forged value.
fn first(g2: Option<&str>, g3: Option<&str>) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(3, &alice)?;
    let (g2a, g3a) = (
        Log::new(&mut peer.rng, 1, g2),
        Log::new(&mut peer.rng, 2, g3),
    );
    peer.say_tlv(&alice, tlv::SMP1, &smp::first(&g2a, &g3a));
    if g2.or(g3).is_none() {
        ensure!(
            alice.smp_event(smp_event::ASK_FOR_SECRET) == 1,
            "the user is not asked"
        );
        return Ok(String::new());
    }
    ensure!(
        alice.asked() == 0,
        "accepted: the user is asked for the secret"
    );
    refused(&alice, &bob)
}

/// Values that are no first message: name, record type, value.
fn malformed() -> Vec<(&'static str, u16, Vec<u8>)> {
    let mut rng = crate::rng::Rng::new(77);
    let (g2, g3) = (Log::honest(&mut rng, 1), Log::honest(&mut rng, 2));
    let honest = smp::first(&g2, &g3);
    let all = [&g2.value, &g2.c, &g2.d, &g3.value, &g3.c, &g3.d];
    let with_d =
        |d2: &BigUint, d3: &BigUint| numbers(&[&g2.value, &g2.c, d2, &g3.value, &g3.c, d3]);
    let q = order();
    let large = BigUint::from_bytes_be(&[0xff; 64_000]);
    let eleven = vec![&g2.value; 11];
    let question = |text: &[u8], rest: &[u8]| [text, rest].concat();
    vec![
        ("d=0", tlv::SMP1, with_d(&BigUint::ZERO, &BigUint::ZERO)),
        ("d=q", tlv::SMP1, with_d(&q, &q)),
        ("d+q", tlv::SMP1, with_d(&(&g2.d + &q), &(&g3.d + &q))),
        (
            "c-of-64000-bytes",
            tlv::SMP1,
            numbers(&[&g2.value, &large, &g2.d, &g3.value, &g3.c, &g3.d]),
        ),
        ("d-of-64000-bytes", tlv::SMP1, with_d(&large, &g3.d)),
        ("count-0", tlv::SMP1, counted(0, &all)),
        ("count-5", tlv::SMP1, counted(5, &all)),
        ("count-7", tlv::SMP1, counted(7, &all)),
        ("count-max", tlv::SMP1, counted(u32::MAX, &all)),
        (
            "length-max",
            tlv::SMP1,
            Writer::default().int(6).int(u32::MAX).raw(&[0xff; 100]).0,
        ),
        ("cut", tlv::SMP1, honest[..honest.len() - 1].to_vec()),
        ("empty", tlv::SMP1, Vec::new()),
        ("question-without-end", tlv::SMP1Q, vec![b'q'; 3000]),
        ("question-only", tlv::SMP1Q, b"which?\0".to_vec()),
        ("question-empty-value", tlv::SMP1Q, Vec::new()),
        (
            "question-then-cut",
            tlv::SMP1Q,
            question(b"which?\0", &honest[..50]),
        ),
        ("smp2-unasked", tlv::SMP2, numbers(&eleven)),
        ("smp3-unasked", tlv::SMP3, numbers(&eleven[..8])),
        ("smp4-unasked", tlv::SMP4, numbers(&eleven[..3])),
    ]
}

fn raw(record: u16, value: &[u8]) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(3, &alice)?;
    let message = Writer::default().byte(0).tlv(record, value).0;
    let message = peer.data_message(&message, &DataFields::default());
    let ((), ms) = within(MESSAGE_LIMIT_MS, "one message", || {
        drop(alice.receive(&message))
    })?;
    ensure!(alice.asked() == 0, "accepted: the user is asked");
    ensure!(
        alice.smp_event(smp_event::SUCCESS) == 0,
        "taken for a success"
    );
    still_works(&alice, &bob, 3)?;
    Ok(format!("{ms:.0} ms"))
}

/// The value of the record of this type in the target's last message.
fn record(peer: &Peer, alice: &Party, wanted: u16) -> Result<Vec<BigUint>, String> {
    let message = alice.take().ok_or("nothing sent")?;
    let plain = peer.read(&message).ok_or("the message cannot be read")?;
    let mut at = find(&plain, &[0]).ok_or("no records")? + 1;
    while let Some(head) = plain.get(at..at + 4) {
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = plain.get(at + 4..at + 4 + len).ok_or("record cut")?;
        // A question stands in front of the numbers.
        if u16::from_be_bytes([head[0], head[1]]) == wanted {
            return smp::parse(value).ok_or_else(|| "numbers cut".to_owned());
        }
        at += 4 + len;
    }
    Err(format!("no record of type {wanted}"))
}

/// The target began with "word"; the peer's number for what it typed.
fn begun(typed: &[u8]) -> Result<(Party, Party, Peer, Vec<BigUint>, BigUint), String> {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(3, &alice)?;
    // The target learns the peer's next key and uses it from now on.
    peer.say(&alice, b"hello", &DataFields::default());
    alice.smp_start(None, b"word");
    let first = record(&peer, &alice, tlv::SMP1)?;
    let own = own_fingerprint();
    let secret = smp::secret(&smp::fingerprint(&alice), &own, &peer.exchange.ssid, typed);
    Ok((alice, bob, peer, first, secret))
}

/// The target began; the answer has at most one value replaced.
fn second(replaced: Option<(&str, &str)>) -> Outcome {
    let (alice, bob, mut peer, first, secret) = begun(b"word")?;
    let answer = Second::answer(&mut peer.rng, &first, &secret, None);
    let value = replaced.map(|(field, name)| (field, element(name)));
    let message = answer.message(value.as_ref().map(|(field, value)| (*field, value)));
    peer.say_tlv(&alice, tlv::SMP2, &message);
    if replaced.is_none() {
        ensure!(
            alice.smp_event(smp_event::IN_PROGRESS) == 1,
            "an honest answer is refused"
        );
        return Ok(String::new());
    }
    ensure!(alice.smp_event(smp_event::IN_PROGRESS) == 0, "accepted");
    refused(&alice, &bob)
}

fn second_blinded(blinding: BigUint) -> Outcome {
    let (alice, bob, mut peer, first, secret) = begun(b"word")?;
    let answer = Second::answer(&mut peer.rng, &first, &secret, Some(blinding));
    peer.say_tlv(&alice, tlv::SMP2, &answer.message(None));
    ensure!(alice.smp_event(smp_event::IN_PROGRESS) == 0, "accepted");
    refused(&alice, &bob)
}

/// The peer began, the target answered "word"; the third message as given.
fn third(typed: &[u8], replaced: Option<(usize, &str)>, blinding: Option<BigUint>) -> Outcome {
    let (alice, bob) = pair();
    let mut peer = Peer::converse(3, &alice)?;
    let (g2a, g3a) = (Log::honest(&mut peer.rng, 1), Log::honest(&mut peer.rng, 2));
    peer.say_tlv(&alice, tlv::SMP1, &smp::first(&g2a, &g3a));
    ensure!(alice.asked() == 1, "set-up failed: the user is not asked");
    alice.smp_answer(b"word");
    let answer = record(&peer, &alice, tlv::SMP2)?;
    let own = own_fingerprint();
    let secret = smp::secret(&own, &smp::fingerprint(&alice), &peer.exchange.ssid, typed);
    let honest = blinding.is_none();
    let mut values = smp::third(&mut peer.rng, (&g2a, &g3a), &answer, &secret, blinding);
    if let Some((at, name)) = replaced {
        values[at] = element(name);
    }
    peer.say_tlv(
        &alice,
        tlv::SMP3,
        &numbers(&values.iter().collect::<Vec<_>>()),
    );
    if replaced.is_none() && honest {
        return result(&alice, typed);
    }
    refused(&alice, &bob)
}

/// The target began; the fourth message as given.
fn fourth(typed: &[u8], replaced: Option<&str>) -> Outcome {
    let (alice, bob, mut peer, first, secret) = begun(typed)?;
    let answer = Second::answer(&mut peer.rng, &first, &secret, None);
    peer.say_tlv(&alice, tlv::SMP2, &answer.message(None));
    let third = record(&peer, &alice, tlv::SMP3)?;
    let mut values = answer.fourth(&mut peer.rng, &third);
    if let Some(name) = replaced {
        values[0] = element(name);
    }
    peer.say_tlv(
        &alice,
        tlv::SMP4,
        &numbers(&values.iter().collect::<Vec<_>>()),
    );
    if replaced.is_none() {
        return result(&alice, typed);
    }
    refused(&alice, &bob)
}

/// With the target's own word the comparison succeeds, with another it fails.
fn result(alice: &Party, typed: &[u8]) -> Outcome {
    let (good, bad) = (
        alice.smp_event(smp_event::SUCCESS),
        alice.smp_event(smp_event::FAILURE),
    );
    let wanted = if typed == b"word" { (1, 0) } else { (0, 1) };
    ensure!(
        (good, bad) == wanted,
        "{good} successes and {bad} failures reported"
    );
    Ok(String::new())
}
