//! Whole conversations, driven by a stream of operations.
//!
//! Alice talks with an account that Bob uses from one or two places, and that
//! Mallory, who has another key, may have got into. The network belongs to the
//! attacker: it drops, repeats, reorders, spoils and makes up texts. What the
//! parties promise each other is checked after every step, in [`world`].

mod party;
mod world;

use crate::input::Input;
use world::World;

/// Enough for two handshakes and a comparison of secrets, with some trouble.
const STEPS: usize = 120;

pub fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let mut world = World::new(input.byte(), input.byte(), input.byte());
    for _ in 0..STEPS {
        let Some(operation) = input.next() else { break };
        step(&mut world, operation, &mut input);
    }
    world.make_peace();
}

/// One operation: its number in the upper five bits, who is concerned in the
/// lower three.
fn step(world: &mut World, operation: u8, input: &mut Input<'_>) {
    let who = world.somebody(operation & 7);
    match operation >> 3 {
        0..=2 => world.types(who, input.byte()),
        3..=6 => world.deliver(who),
        7 => world.deliver_all(40),
        8 => world.drop_text(who),
        9 => world.repeat(who),
        10 => world.reorder(who, input.byte()),
        11..=13 => {
            let (how, at) = (input.byte(), input.short());
            world.spoil(who, how, at, input.byte());
        }
        14 => world.inject(who, input.bytes().to_vec()),
        15 => world.inject_armoured(who, input.byte(), input.bytes()),
        16 => world.replay(who, input.short()),
        17 => world.asks_for_privacy(who, input.byte()),
        18 => world.leaves(who),
        19..=20 => world.compares(who, input.byte()),
        21..=22 => world.answers(who, input.byte()),
        23 => world.aborts(who),
        24 => world.wants_key(who, input.bytes()),
        25 => world.waits(input.byte()),
        26 => world.crosses(input.byte()),
        27 => world.inject_piece(who, input.byte(), input.byte(), input.bytes()),
        28 => world.inject(who, b"?OTR Error: you wrote nonsense".to_vec()),
        _ => world.deliver_all(6),
    }
}
