//! Runs in every outcome, records out of order, and forged numbers.
#![forbid(unsafe_code)]

use super::*;
use crate::ake::testing::{long_term_key, out_of_range};
use crate::crypto::os_random;
use crate::wire::{Reader, Writer};

fn secret(typed: &str) -> Secret {
    let [initiator, responder] = [1, 2].map(|x| long_term_key(x).public().fingerprint());
    let session_id = SessionId::new([7; 8]);
    Secret::new(&initiator, &responder, &session_id, typed.as_bytes()).unwrap()
}

fn receive(smp: &mut Smp, record: &Tlv) -> Outcome {
    smp.receive(record, &mut os_random()).unwrap()
}

fn reply(smp: &mut Smp, record: &Tlv) -> Tlv {
    match receive(smp, record) {
        Outcome::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn begin(smp: &mut Smp, typed: &str, question: Option<&str>) -> Tlv {
    let question = question.map(str::as_bytes);
    smp.begin(&secret(typed), question, &mut os_random())
        .unwrap()
}

fn answer(smp: &mut Smp, typed: &str) -> Tlv {
    smp.answer(&secret(typed), &mut os_random()).unwrap()
}

/// The two sides of one run after the other.
struct Run {
    alice: Smp,
    bob: Smp,
}

impl Run {
    fn new() -> Self {
        Self {
            alice: Smp::new(),
            bob: Smp::new(),
        }
    }

    /// Runs to the end; returns whether each side finds the secrets equal.
    fn compare(&mut self, alices: &str, bobs: &str, question: Option<&str>) -> (bool, bool) {
        let (alice, bob) = (&mut self.alice, &mut self.bob);
        let first = begin(alice, alices, question);
        assert_eq!(alice.expected(), Expected::Message2);
        let asked = Outcome::Asked {
            question: question.map(|question| question.as_bytes().to_vec()),
        };
        assert_eq!(receive(bob, &first), asked);
        assert_eq!(bob.expected(), Expected::Message1);
        assert!(bob.is_asked());
        let second = answer(bob, bobs);
        assert_eq!(bob.expected(), Expected::Message3);
        let third = reply(alice, &second);
        assert_eq!(alice.expected(), Expected::Message4);
        let Outcome::Compared {
            reply: Some(fourth),
            equal: bob_says,
            decides_trust,
        } = receive(bob, &third)
        else {
            panic!("not compared");
        };
        assert_eq!(decides_trust, question.is_none());
        let Outcome::Compared {
            reply: None,
            equal: alice_says,
            decides_trust: true,
        } = receive(alice, &fourth)
        else {
            panic!("not compared");
        };
        for (side, says) in [(&*alice, alice_says), (&*bob, bob_says)] {
            let progress = if says {
                Progress::Succeeded
            } else {
                Progress::Failed
            };
            assert_eq!(side.progress(), progress);
            assert_eq!(side.expected(), Expected::Message1);
        }
        let kinds = [first.kind, second.kind, third.kind, fourth.kind];
        let begun = if question.is_some() {
            tlv::SMP1Q
        } else {
            tlv::SMP1
        };
        assert_eq!(kinds, [begun, tlv::SMP2, tlv::SMP3, tlv::SMP4]);
        (alice_says, bob_says)
    }
}

/// Brings a side into each of the states; with it comes the record it expects.
fn in_state(expected: Expected) -> (Smp, Tlv) {
    let (mut alice, mut bob) = (Smp::new(), Smp::new());
    let first = begin(&mut alice, "x", None);
    if expected == Expected::Message1 {
        return (bob, first);
    }
    receive(&mut bob, &first);
    let second = answer(&mut bob, "x");
    if expected == Expected::Message2 {
        return (alice, second);
    }
    let third = reply(&mut alice, &second);
    if expected == Expected::Message3 {
        return (bob, third);
    }
    let Outcome::Compared { reply, .. } = receive(&mut bob, &third) else {
        panic!("not compared");
    };
    (alice, reply.unwrap())
}

const STATES: [Expected; 4] = [
    Expected::Message1,
    Expected::Message2,
    Expected::Message3,
    Expected::Message4,
];

#[test]
fn equal_secrets_are_found_equal_and_others_are_not() {
    let mut run = Run::new();
    assert_eq!(run.compare("same", "same", None), (true, true));
    assert_eq!(run.compare("same", "other", None), (false, false));
    assert_eq!(run.compare("same", "same", Some("which?")), (true, true));
    assert_eq!(run.compare("", "x", Some("")), (false, false));
    // The roles change, in the same session.
    core::mem::swap(&mut run.alice, &mut run.bob);
    assert_eq!(run.compare("again", "again", None), (true, true));
}

#[test]
fn everything_goes_into_the_secret() {
    let [a, b] = [1, 2].map(|x| long_term_key(x).public().fingerprint());
    let id = SessionId::new([7; 8]);
    let hash = |a, b, id: SessionId, typed: &[u8]| {
        let secret = Secret::new(a, b, &id, typed).unwrap();
        secret.0.to_be_bytes().to_vec()
    };
    let secret = hash(&a, &b, id, b"typed");
    assert_eq!(secret.len(), 32);
    assert_ne!(secret, hash(&b, &a, id, b"typed"));
    assert_ne!(secret, hash(&a, &b, SessionId::new([8; 8]), b"typed"));
    assert_ne!(secret, hash(&a, &b, SessionId::new_v1([7; 20]), b"typed"));
    assert_ne!(secret, hash(&a, &b, id, b"tyqed"));
    let parts = [&[1][..], a.as_bytes(), b.as_bytes(), &[7; 8], b"typed"].concat();
    assert_eq!(secret, sha256(&[&parts]));
}

#[test]
fn unexpected_records_change_nothing() {
    for state in STATES {
        for other in STATES {
            let (mut smp, due) = in_state(state);
            if state == other {
                continue;
            }
            let (_, record) = in_state(other);
            assert_eq!(receive(&mut smp, &record), Outcome::Unexpected);
            assert_eq!(smp.expected(), state);
            // The run goes on as if nothing had happened.
            assert!(!matches!(
                receive(&mut smp, &due),
                Outcome::Unexpected | Outcome::Cheated { .. }
            ));
        }
    }
}

#[test]
fn records_that_are_not_of_smp_change_nothing() {
    for state in STATES {
        let (mut smp, _) = in_state(state);
        for kind in [
            tlv::PADDING,
            tlv::DISCONNECTED,
            tlv::SYMMETRIC_KEY,
            9,
            0xffff,
        ] {
            let record = Tlv::new(kind, vec![]);
            assert_eq!(receive(&mut smp, &record), Outcome::Unexpected);
            assert_eq!(smp.expected(), state);
        }
    }
}

#[test]
fn an_abort_ends_the_run_in_every_state() {
    for state in STATES {
        let (mut smp, due) = in_state(state);
        let record = smp.abort();
        assert_eq!(record, Tlv::new(tlv::SMP_ABORT, vec![]));
        assert_eq!(smp.expected(), Expected::Message1);
        if state != Expected::Message1 {
            assert_eq!(receive(&mut smp, &due), Outcome::Unexpected);
        }
        let (mut smp, _) = in_state(state);
        assert_eq!(receive(&mut smp, &record), Outcome::Aborted);
        assert_eq!(smp.expected(), Expected::Message1);
        assert_eq!(smp.progress(), Progress::Ok);
    }
}

#[test]
fn an_aborted_question_cannot_be_answered() {
    let (mut bob, first) = in_state(Expected::Message1);
    receive(&mut bob, &first);
    receive(&mut bob, &Tlv::new(tlv::SMP_ABORT, vec![]));
    let refused = bob.answer(&secret("x"), &mut os_random());
    assert_eq!(refused.err(), Some(Error::NotAsked));
}

#[test]
fn answers_nobody_asked_for_are_refused() {
    for state in STATES {
        let (mut smp, _) = in_state(state);
        let refused = smp.answer(&secret("x"), &mut os_random());
        assert_eq!(refused.err(), Some(Error::NotAsked));
        assert_eq!(smp.expected(), state);
    }
}

#[test]
fn a_second_request_replaces_the_first() {
    let mut bob = Smp::new();
    let (mut first, mut second) = (Smp::new(), Smp::new());
    receive(&mut bob, &begin(&mut first, "x", Some("first?")));
    assert!(bob.received_question());
    receive(&mut bob, &begin(&mut second, "x", None));
    assert!(!bob.received_question());
    let record = answer(&mut bob, "x");
    assert!(matches!(
        receive(&mut first, &record),
        Outcome::Cheated { .. }
    ));
    assert!(matches!(receive(&mut second, &record), Outcome::Reply(_)));
}

#[test]
fn beginning_drops_the_run_in_progress() {
    for state in STATES {
        let (mut smp, _) = in_state(state);
        let mut peer = Smp::new();
        receive(&mut peer, &begin(&mut smp, "x", None));
        let record = answer(&mut peer, "x");
        assert!(matches!(receive(&mut smp, &record), Outcome::Reply(_)));
    }
}

/// The numbers of a record.
fn numbers(record: &Tlv) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(&record.value);
    let count = reader.int().unwrap();
    let numbers = (0..count).map(|_| reader.mpi().unwrap().to_vec()).collect();
    reader.finish().unwrap();
    numbers
}

fn encode(numbers: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.int(numbers.len().try_into().unwrap());
    for number in numbers {
        writer.mpi(number);
    }
    writer.finish().unwrap()
}

/// What a side that expects this record says to these numbers; it stays as
/// it was.
fn refusal(smp: &Smp, value: &[u8]) -> Option<Error> {
    let rng = &mut os_random();
    match &smp.state {
        State::Idle | State::Asked(_) => Message1::parse(value)
            .and_then(|message| Asked::new(&message))
            .err(),
        State::Begun(begun) => Message2::parse(value)
            .and_then(|message| begun.receive(&message, rng))
            .err(),
        State::Answered(answered) => Message3::parse(value)
            .and_then(|message| answered.receive(&message, rng))
            .err(),
        State::Committed(committed) => Message4::parse(value)
            .and_then(|message| committed.receive(&message))
            .err(),
    }
}

#[test]
fn every_number_is_proven() {
    for state in STATES {
        let (smp, due) = in_state(state);
        let genuine = numbers(&due);
        assert_eq!(refusal(&smp, &encode(&genuine)), None);
        for place in 0..genuine.len() {
            let mut numbers = genuine.clone();
            *numbers[place].last_mut().unwrap() ^= 1;
            let refused = refusal(&smp, &encode(&numbers));
            assert_eq!(refused, Some(Error::BadProof), "{state:?} number {place}");
        }
    }
}

/// Group elements lie in 2..=p-2, responses in 1..q, and challenges have at
/// most 256 bits.
#[test]
fn every_number_is_in_its_range() {
    let elements: [&[usize]; 4] = [&[0, 3], &[0, 3, 6, 7], &[0, 1, 5], &[0]];
    let challenges: [&[usize]; 4] = [&[1, 4], &[1, 4, 8], &[2, 6], &[1]];
    let p = num_bigint::BigUint::from_bytes_be(&out_of_range()[3]);
    let q = (&p - 1_u32) / 2_u32;
    let responses = [
        vec![],
        q.to_bytes_be(),
        (&q + 1_u32).to_bytes_be(),
        vec![1; 193],
    ];
    for (state, (elements, challenges)) in
        STATES.into_iter().zip(elements.into_iter().zip(challenges))
    {
        let (smp, due) = in_state(state);
        let genuine = numbers(&due);
        for place in 0..genuine.len() {
            let forgeries = if elements.contains(&place) {
                out_of_range().to_vec()
            } else if challenges.contains(&place) {
                vec![vec![1; 33]]
            } else {
                responses.to_vec()
            };
            for forgery in forgeries {
                let mut numbers = genuine.clone();
                numbers[place] = forgery;
                let refused = refusal(&smp, &encode(&numbers));
                assert_eq!(refused, Some(Error::OutOfRange), "{state:?} number {place}");
            }
        }
    }
}

#[test]
fn malformed_records_end_the_run() {
    for state in STATES {
        let (_, due) = in_state(state);
        let mut fewer = numbers(&due);
        fewer.pop();
        let values = [
            vec![],
            vec![0; 3],
            encode(&[]),
            encode(&fewer),
            due.value[..due.value.len() - 1].to_vec(),
            vec![0xff; 64],
        ];
        for value in values {
            let (mut smp, _) = in_state(state);
            let decides_trust = matches!(state, Expected::Message3 | Expected::Message4);
            let outcome = receive(&mut smp, &Tlv::new(due.kind, value));
            assert_eq!(outcome, Outcome::Cheated { decides_trust });
            assert_eq!(smp.expected(), Expected::Message1);
            assert_eq!(smp.progress(), Progress::Cheated);
            smp.clear();
            assert_eq!(smp.progress(), Progress::Ok);
        }
    }
}

/// Compatibility: bytes behind the numbers are not looked at.
#[test]
fn trailing_bytes_are_tolerated() {
    for state in STATES {
        let (mut smp, mut due) = in_state(state);
        due.value.extend_from_slice(b"more");
        let outcome = receive(&mut smp, &due);
        assert!(!matches!(outcome, Outcome::Cheated { .. }));
    }
}

#[test]
fn questions_without_an_end_are_refused() {
    let mut smp = Smp::new();
    // Compatibility: an empty record counts as one that is not expected.
    let empty = Tlv::new(tlv::SMP1Q, vec![]);
    assert_eq!(receive(&mut smp, &empty), Outcome::Unexpected);
    let endless = Tlv::new(tlv::SMP1Q, b"question".to_vec());
    let cheated = Outcome::Cheated {
        decides_trust: false,
    };
    assert_eq!(receive(&mut smp, &endless), cheated);
    let only = Tlv::new(tlv::SMP1Q, b"question\0".to_vec());
    assert_eq!(receive(&mut smp, &only), cheated);
}

/// After the peer's question the outcome says nothing about the peer.
#[test]
fn cheating_after_a_question_does_not_touch_trust() {
    let (mut alice, mut bob) = (Smp::new(), Smp::new());
    receive(&mut bob, &begin(&mut alice, "x", Some("question?")));
    answer(&mut bob, "x");
    let outcome = receive(&mut bob, &Tlv::new(tlv::SMP3, vec![]));
    assert_eq!(
        outcome,
        Outcome::Cheated {
            decides_trust: false
        }
    );
}

#[test]
fn questions_fit_a_record_or_are_refused() {
    let mut smp = Smp::new();
    let rng = &mut os_random();
    let longest = vec![b'?'; 0xffff - Message1::MAX_LEN - 1];
    let record = smp.begin(&secret("x"), Some(&longest), rng).unwrap();
    assert!(record.value.len() <= 0xffff);
    let mut bob = Smp::new();
    let asked = Outcome::Asked {
        question: Some(longest.clone()),
    };
    assert_eq!(receive(&mut bob, &record), asked);

    smp.clear();
    let refused = smp.begin(&secret("x"), Some(&[&longest[..], b"?"].concat()), rng);
    assert_eq!(refused.err(), Some(Error::TooLong));
    let refused = smp.begin(&secret("x"), Some(b"a\0b"), rng);
    assert_eq!(refused.err(), Some(Error::InvalidValue));
    assert_eq!(smp.expected(), Expected::Message1);
}

#[test]
fn a_failing_random_source_changes_nothing() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), Error> {
            Err(Error::Randomness)
        }
    }
    let refused = Some(Error::Randomness);
    for state in STATES {
        let (mut smp, due) = in_state(state);
        let begun = smp.begin(&secret("x"), None, &mut Broken);
        assert_eq!(begun.err(), refused);
        assert_eq!(smp.expected(), state);
        if matches!(state, Expected::Message2 | Expected::Message3) {
            assert_eq!(smp.receive(&due, &mut Broken).err(), refused);
            assert_eq!(smp.expected(), state);
            assert!(!matches!(receive(&mut smp, &due), Outcome::Unexpected));
        }
    }
    let (mut bob, first) = in_state(Expected::Message1);
    receive(&mut bob, &first);
    assert_eq!(bob.answer(&secret("x"), &mut Broken).err(), refused);
    assert!(bob.is_asked());
}

#[test]
fn debug_output_shows_no_secrets() {
    let (smp, _) = in_state(Expected::Message2);
    let shown = format!("{smp:?} {:?}", secret("x"));
    assert_eq!(
        shown,
        "Smp { expected: Message2, progress: Ok, .. } Secret(..)"
    );
}

#[test]
fn an_idle_run_is_small() {
    assert!(size_of::<Smp>() <= 32);
}

#[test]
fn a_run_taken_apart_and_put_together_goes_on() {
    for state in STATES {
        let (smp, due) = in_state(state);
        let mut again = Smp::from_parts(&smp.parts(), smp.progress(), false).unwrap();
        assert_eq!(again.expected(), state);
        let outcome = receive(&mut again, &due);
        assert!(!matches!(
            outcome,
            Outcome::Unexpected | Outcome::Cheated { .. } | Outcome::Compared { equal: false, .. }
        ));
        if state == Expected::Message1 {
            let asked = Smp::from_parts(&again.parts(), Progress::Ok, true).unwrap();
            assert!(asked.is_asked() && asked.received_question());
        }
    }
    let parts = parts::Parts::Asked {
        g2a: vec![1].into(),
        g3a: vec![2].into(),
    };
    let refused = Smp::from_parts(&parts, Progress::Ok, false);
    assert_eq!(refused.err(), Some(Error::OutOfRange));
}
