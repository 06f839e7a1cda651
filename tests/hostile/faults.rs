//! Faults of the surroundings: callbacks that are missing, give nothing,
//! throw the conversation away or call back; memory, randomness and clocks
//! that fail; several threads.

mod callbacks;
mod resources;
mod threads;

pub use resources::build_shim;

use crate::cases::{Runner, ensure};
use crate::ffi::{ALLOW_V2, ALLOW_V3, POLICY_ALWAYS, event};
use crate::party::{Party, carry, deliver, handshake, pair, query};

/// Runs all tables.
pub fn run(runner: &mut Runner) {
    callbacks::run(runner);
    resources::run(runner);
    threads::run(runner);
}

/// Two parties with compulsory encryption and one version.
fn strict_pair(version: u8) -> (Party, Party) {
    let (alice, bob) = pair();
    for party in [&alice, &bob] {
        party.log().policy = POLICY_ALWAYS & !if version == 3 { ALLOW_V2 } else { ALLOW_V3 };
    }
    (alice, bob)
}

/// What stands in every text that must not be sent in clear.
const SECRET: &[u8] = b"TOP SECRET";

/// Everything that two parties can do with each other, whatever comes of it.
/// Nothing they type may appear on the wire.
fn everything(alice: &Party, bob: &Party, version: u8) {
    alice.send(SECRET);
    handshake(alice, bob, &query(version));
    for (from, to) in [(alice, bob), (bob, alice)] {
        deliver(from, to, SECRET);
    }
    alice.smp_start(Some(b"which?"), b"the same");
    carry(alice, bob);
    bob.smp_answer(b"the same");
    carry(alice, bob);
    bob.smp_start(None, b"one");
    carry(alice, bob);
    alice.smp_abort();
    carry(alice, bob);
    let _ = alice.symkey(1, b"use");
    carry(alice, bob);
    alice.receive(b"plain text");
    alice.receive(b"?OTR:AAMDAAAA.");
    alice.receive(b"?OTR Error: what?");
    carry(alice, bob);
    bob.receive(&query(version));
    carry(alice, bob);
    alice.poll();
    alice.log().max_size = 200;
    deliver(alice, bob, &[SECRET, &[b'.'; 500]].concat());
    alice.log().max_size = 0;
    bob.disconnect();
    carry(alice, bob);
    alice.send(SECRET);
    alice.disconnect();
    carry(alice, bob);
}

/// Watches both wires; the number of texts seen in clear.
fn watch(parties: [&Party; 2]) -> std::rc::Rc<std::cell::Cell<u32>> {
    let seen = std::rc::Rc::new(std::cell::Cell::new(0));
    for party in parties {
        let seen = seen.clone();
        party.log().tap = Some(Box::new(move |message| {
            if crate::bytes::contains(message, SECRET) {
                seen.set(seen.get() + 1);
            }
        }));
    }
    seen
}

/// The control: without faults the scenario does everything it is for.
fn complete(alice: &Party, bob: &Party) -> Result<(), String> {
    use crate::ffi::smp_event::{ASK_FOR_ANSWER, ASK_FOR_SECRET, SUCCESS};
    ensure!(bob.log().seen > 1, "texts did not arrive");
    ensure!(
        alice.smp_event(SUCCESS) == 1 && bob.smp_event(SUCCESS) == 1,
        "no SMP success"
    );
    ensure!(bob.smp_event(ASK_FOR_ANSWER) == 1, "no question");
    ensure!(
        alice.smp_event(ASK_FOR_SECRET) == 1,
        "no question the other way"
    );
    ensure!(bob.log().symkey.is_some(), "no symmetric key");
    ensure!(
        alice.event(event::RCVDMSG_UNENCRYPTED) > 0,
        "no event for plain text"
    );
    ensure!(
        alice.event(event::CONNECTION_ENDED) > 0,
        "no event for the end"
    );
    Ok(())
}
