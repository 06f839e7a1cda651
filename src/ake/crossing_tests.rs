//! Commits that cross, in every order in which the network may deliver.
#![forbid(unsafe_code)]
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use core::cmp::Ordering;
use std::collections::VecDeque;

use super::testing::{Done, Message, Side, parse};
use super::*;
use crate::crypto::os_random;

/// Whether a peer compares hashes or always gives way where it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Compares,
    /// What widespread implementations do: see [`super::crossing`].
    GivesWay,
}

/// A peer as the session layer has it: a master and, in version 3, a child.
struct Party {
    master: Side,
    child: Side,
    manner: Manner,
    outbox: VecDeque<Vec<u8>>,
    sessions: Vec<SessionId>,
}

impl Party {
    fn new(x: u32, version: Version, manner: Manner) -> Self {
        Self {
            master: Side::new(x, version),
            child: Side::new(x, version),
            manner,
            outbox: VecDeque::new(),
            sessions: Vec::new(),
        }
    }

    fn start(&mut self) {
        self.outbox = VecDeque::from([self.master.start()]);
    }

    fn receive(&mut self, text: &[u8]) {
        let version = self.master.local.version;
        let done = match (version, self.manner) {
            (Version::V3, Manner::Compares) => self.child.receive(text, Some(&self.master.ake)),
            (Version::V3, Manner::GivesWay) => {
                let waiting = self.master.ake.state() == AuthState::AwaitingDhKey;
                let adopts = waiting && self.child.ake.state() != AuthState::AwaitingDhKey;
                if matches!(parse(text), Message::Key(_)) && adopts {
                    self.child.ake.adopt_commit(&self.master.ake);
                }
                self.child.receive(text, None)
            }
            (_, Manner::Compares) => self.master.receive(text, None),
            (_, Manner::GivesWay) => {
                if matches!(parse(text), Message::Commit(_))
                    && self.master.ake.state() == AuthState::AwaitingDhKey
                {
                    self.master.ake.clear();
                }
                let done = self.master.receive(text, None);
                if let State::AwaitingRevealSig(answered) = &mut self.master.ake.state {
                    answered.yielded = None;
                }
                done
            }
        };
        let Done { reply, established } = done.unwrap();
        self.outbox.extend(reply);
        self.sessions.extend(established.map(|end| end.session_id));
    }
}

/// Delivers all messages; `choices` says whose goes first where there is a
/// choice. Returns how many choices there were.
fn deliver(parties: &mut [Party; 2], choices: &[bool]) -> usize {
    let mut choices = choices.iter();
    let mut made = 0;
    for _ in 0..40 {
        let [a, b] = parties;
        let from_a = match (a.outbox.is_empty(), b.outbox.is_empty()) {
            (true, true) => return made,
            (false, true) => true,
            (true, false) => false,
            (false, false) => {
                made += 1;
                *choices.next().unwrap_or(&true)
            }
        };
        let (from, to) = if from_a { (a, b) } else { (b, a) };
        let text = from.outbox.pop_front().unwrap();
        to.receive(&text);
    }
    panic!("the two never come to an end");
}

/// Lets two commits cross, the first party's hash in the given relation to
/// the second's, and expects one session in every order of delivery.
fn cross(version: Version, manners: [Manner; 2], relation: Ordering) {
    // Depth first through all sequences of choices.
    let mut choices: Vec<bool> = Vec::new();
    loop {
        let [first, second] = manners;
        let mut parties = [
            Party::new(1, version, first),
            Party::new(2, version, second),
        ];
        loop {
            parties.iter_mut().for_each(Party::start);
            let [a, b] = parties
                .each_ref()
                .map(|party| party.master.ake.commit_hash());
            if a.cmp(&b) == relation {
                break;
            }
        }
        let made = deliver(&mut parties, &choices);
        let context = format!("{version:?} {manners:?} {relation:?} {choices:?}");
        let [a, b] = parties;
        assert_eq!(a.sessions.len(), 1, "{context}");
        assert_eq!(a.sessions, b.sessions, "{context}");
        for party in [a, b] {
            let side = if version == Version::V3 {
                party.child
            } else {
                party.master
            };
            assert_eq!(side.ake.state(), AuthState::None, "{context}");
        }

        choices.resize(made, true);
        while choices.last() == Some(&false) {
            choices.pop();
        }
        match choices.last_mut() {
            Some(last) => *last = false,
            None => return,
        }
    }
}

#[test]
fn version_2_with_a_peer_that_compares() {
    cross(Version::V2, [Manner::Compares; 2], Ordering::Less);
}

#[test]
fn version_3_with_a_peer_that_compares() {
    cross(Version::V3, [Manner::Compares; 2], Ordering::Less);
}

#[test]
fn version_2_with_a_peer_that_always_gives_way() {
    let manners = [Manner::Compares, Manner::GivesWay];
    cross(Version::V2, manners, Ordering::Less);
    cross(Version::V2, manners, Ordering::Greater);
}

#[test]
fn version_3_with_a_peer_that_always_gives_way() {
    let manners = [Manner::Compares, Manner::GivesWay];
    cross(Version::V3, manners, Ordering::Less);
    cross(Version::V3, manners, Ordering::Greater);
}

/// The model of such a peer is true to life only if two of them get stuck.
#[test]
fn two_peers_that_always_give_way_get_stuck() {
    for version in [Version::V2, Version::V3] {
        let mut parties = [1, 2].map(|x| Party::new(x, version, Manner::GivesWay));
        parties.iter_mut().for_each(Party::start);
        deliver(&mut parties, &[true, false, true, false]);
        assert!(parties.iter().all(|party| party.sessions.is_empty()));
    }
}

#[test]
fn a_reflected_commit_is_ignored() {
    for version in [Version::V2, Version::V3] {
        let mut party = Party::new(1, version, Manner::Compares);
        party.start();
        let commit = party.outbox.pop_front().unwrap();
        let hash = party.master.ake.commit_hash();
        party.receive(&commit);
        assert!(party.outbox.is_empty());
        assert_eq!(party.master.ake.commit_hash(), hash);
        assert_eq!(party.child.ake.state(), AuthState::None);
    }
}

#[test]
fn commits_of_different_versions_are_not_compared() {
    for _ in 0..4 {
        let (mut bob, mut alice) = (Side::new(1, Version::V3), Side::new(2, Version::V2));
        bob.start();
        let commit = alice.start();
        bob.local.version = Version::V2;
        let key = bob.reply(&commit);
        assert!(matches!(parse(&key), Message::Key(_)));
        let reveal = alice.reply(&key);
        assert!(bob.receive(&reveal, None).unwrap().established.is_some());
    }
}

/// One commit of the master is answered by two instances of the peer.
#[test]
fn every_instance_may_answer_the_masters_commit() {
    let mut bob = Side::new(1, Version::V3);
    let commit = bob.start();
    let [mut first, mut second] = [2, 3].map(|x| Side::new(x, Version::V3));
    let mut children = [1, 1].map(|x| Side::new(x, Version::V3));
    for (peer, child) in [&mut first, &mut second].into_iter().zip(&mut children) {
        let key = peer.reply(&commit);
        let reveal = child.receive(&key, Some(&bob.ake)).unwrap().reply.unwrap();
        let signature = peer.reply(&reveal);
        let end = child.receive(&signature, Some(&bob.ake)).unwrap();
        assert!(end.established.unwrap().initiated);
        // The master goes on waiting, but not for this instance.
        assert_eq!(bob.ake.state(), AuthState::AwaitingDhKey);
        assert!(child.receive(&key, Some(&bob.ake)).unwrap().reply.is_none());
        assert_eq!(child.ake.state(), AuthState::None);
    }
}

/// A commit that led to a session no longer competes with what the peer
/// starts afterwards.
#[test]
fn a_used_commit_does_not_compete() {
    let mut refused = 0;
    for _ in 0..4 {
        let (mut bob, mut alice) = (Side::new(1, Version::V3), Side::new(2, Version::V3));
        let commit = bob.start();
        let mut child = Side::new(1, Version::V3);
        let key = alice.reply(&commit);
        let reveal = child.receive(&key, Some(&bob.ake)).unwrap().reply.unwrap();
        let signature = alice.reply(&reveal);
        child.receive(&signature, Some(&bob.ake)).unwrap();

        let again = alice.start();
        let answer = child
            .receive(&again, Some(&bob.ake))
            .unwrap()
            .reply
            .unwrap();
        refused += usize::from(!matches!(parse(&answer), Message::Key(_)));
    }
    assert_eq!(refused, 0);
}

/// Whoever forges a D-H key first cannot keep the true one from being used.
#[test]
fn a_forged_key_does_not_use_up_the_masters_commit() {
    let (mut bob, mut alice) = (Side::new(1, Version::V3), Side::new(2, Version::V3));
    let commit = bob.start();
    let forged = Side::new(3, Version::V3).reply(&commit);
    let key = alice.reply(&commit);
    let mut child = Side::new(1, Version::V3);
    assert!(
        child
            .receive(&forged, Some(&bob.ake))
            .unwrap()
            .reply
            .is_some()
    );
    let reveal = child.receive(&key, Some(&bob.ake)).unwrap().reply.unwrap();
    let signature = alice.reply(&reveal);
    let end = child.receive(&signature, Some(&bob.ake)).unwrap();
    assert!(end.established.is_some());
}

#[test]
fn a_key_out_of_range_is_not_adopted() {
    let mut bob = Side::new(1, Version::V3);
    bob.start();
    let mut child = Side::new(1, Version::V3);
    for gy in super::testing::out_of_range() {
        let message = DhKey {
            header: child.local.header(),
            gy,
        };
        let local = &child.local;
        let rng = &mut os_random();
        let refused = child
            .ake
            .on_dh_key(&message, local, Some(&bob.ake), &bob.key, rng);
        assert_eq!(refused, Err(Error::OutOfRange));
        assert_eq!(child.ake.state(), AuthState::None);
    }
}
