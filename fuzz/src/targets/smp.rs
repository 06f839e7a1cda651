//! Two runs of the socialist millionaires' protocol, with a peer who sends
//! whatever it likes under valid authentication.

use otr::ake::SessionId;
use otr::smp::{Expected, Outcome, Progress, Secret, Smp};
use otr::wire::tlv::{self, Tlv};

use crate::input::Input;
use crate::{Seeded, people};

/// Powers cost a millisecond each; more steps only repeat what was seen.
const STEPS: usize = 12;

struct Side {
    smp: Smp,
    inbox: Vec<Tlv>,
    /// Which of the secrets was used last.
    secret: Option<u8>,
}

pub fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let mut rng = Seeded::new(2);
    let mut sides = [0, 1].map(|_| Side {
        smp: Smp::new(),
        inbox: Vec::new(),
        secret: None,
    });
    // Whether only honest records have been delivered in the present run.
    let mut honest = true;
    for _ in 0..STEPS {
        let Some(operation) = input.next() else { break };
        let me = usize::from(operation & 1);
        let [ours, theirs] = match me {
            0 => [0, 1],
            _ => [1, 0],
        };
        match operation >> 1 & 7 {
            0 | 1 => {
                let choice = input.byte();
                let question = (operation & 0x10 != 0).then(|| input.bytes());
                let asked = secret(choice & 1, ours == 0);
                let before = sides[ours].smp.expected();
                match sides[ours].smp.begin(&asked, question, &mut rng) {
                    Ok(record) => {
                        honest = !sides[theirs].smp.is_asked()
                            && sides[theirs].smp.expected() == Expected::Message1
                            && sides[theirs].inbox.is_empty();
                        sides[ours].inbox.clear();
                        sides[ours].secret = Some(choice & 1);
                        sides[theirs].inbox.push(record);
                    }
                    Err(_) => {
                        assert!(question.is_some_and(|words| words.contains(&0)));
                        assert_eq!(sides[ours].smp.expected(), before);
                    }
                }
            }
            2 => {
                let choice = input.byte();
                let asked = sides[ours].smp.is_asked();
                let typed = secret(choice & 1, theirs == 0);
                let record = sides[ours].smp.answer(&typed, &mut rng);
                assert_eq!(record.is_ok(), asked);
                if let Ok(record) = record {
                    sides[ours].secret = Some(choice & 1);
                    sides[theirs].inbox.push(record);
                }
            }
            3 => {
                let record = sides[ours].smp.abort();
                assert_eq!(sides[ours].smp.expected(), Expected::Message1);
                sides[theirs].inbox.push(record);
                honest = false;
            }
            4 => {
                // A record of the peer's own making.
                let kind = u16::from(input.byte() % 10);
                sides[ours]
                    .inbox
                    .insert(0, Tlv::new(kind, input.long().to_vec()));
                honest = false;
            }
            5 => {
                // An honest record, spoilt.
                if let Some(record) = sides[ours].inbox.first_mut() {
                    let mut value = record.value.to_vec();
                    let at = input.below(value.len().max(1));
                    let to = input.byte();
                    match value.get_mut(at) {
                        Some(byte) if operation & 0x10 == 0 => *byte = to,
                        _ => value.truncate(at),
                    }
                    honest &= *record.value == *value;
                    *record = Tlv::new(record.kind, value);
                }
            }
            _ => deliver(&mut sides, ours, theirs, &mut rng, honest),
        }
    }
}

fn deliver(sides: &mut [Side; 2], ours: usize, theirs: usize, rng: &mut Seeded, honest: bool) {
    if sides[ours].inbox.is_empty() {
        return;
    }
    let record = sides[ours].inbox.remove(0);
    let before = sides[ours].smp.expected();
    let progress = sides[ours].smp.progress();
    let outcome = sides[ours]
        .smp
        .receive(&record, rng)
        .expect("numbers never run out");
    let smp = &sides[ours].smp;
    match outcome {
        Outcome::Unexpected => assert_eq!((smp.expected(), smp.progress()), (before, progress)),
        Outcome::Asked { question } => {
            assert!(smp.is_asked());
            assert_eq!(smp.received_question(), question.is_some());
            assert_eq!(question.is_some(), record.kind == tlv::SMP1Q);
        }
        Outcome::Reply(reply) => {
            assert_eq!(smp.expected(), Expected::Message4);
            sides[theirs].inbox.push(reply);
        }
        Outcome::Compared { reply, equal, .. } => {
            assert_eq!(smp.expected(), Expected::Message1);
            let progress = [Progress::Failed, Progress::Succeeded][usize::from(equal)];
            assert_eq!(smp.progress(), progress);
            // Nothing but the same secret on both sides makes them equal.
            let secrets = [sides[ours].secret, sides[theirs].secret];
            assert!(!equal || honest.eq(&false) || secrets[0] == secrets[1]);
            assert!(!honest || equal == (secrets[0] == secrets[1]));
            sides[theirs].inbox.extend(reply);
        }
        Outcome::Aborted => assert_eq!(smp.expected(), Expected::Message1),
        Outcome::Cheated { .. } => {
            assert!(!honest, "an honest peer was called a cheat");
            assert_eq!(smp.expected(), Expected::Message1);
            assert_eq!(smp.progress(), Progress::Cheated);
        }
    }
}

/// A secret as typed in a run that the first side has begun, or the second.
fn secret(choice: u8, first_began: bool) -> Secret {
    let prints = [people::fingerprint(0), people::fingerprint(1)];
    let [initiator, responder] = match first_began {
        true => [&prints[0], &prints[1]],
        false => [&prints[1], &prints[0]],
    };
    Secret::new(initiator, responder, &SessionId::new([1; 8]), &[choice]).expect("a secret")
}
