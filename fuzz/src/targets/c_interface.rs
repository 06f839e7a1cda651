//! Two programs that use the C interface, on a hostile network, with callbacks
//! that call back.
//!
//! Beside what AddressSanitizer sees, the lists that programs walk are checked
//! after every step, and no text leaves in clear that must not.

#![allow(unsafe_code, reason = "this is a C program")]

mod callbacks;
mod lists;
mod program;

use std::collections::VecDeque;

use otr::wire::base64::{armour, dearmour_data};

use crate::input::Input;
use program::Program;

const STEPS: usize = 60;

pub fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let absent = input.short();
    let reactions = input.take(6);
    let programs = [("alice", "bob"), ("bob", "alice")].map(|(name, peer)| {
        let program = Program::new(name, peer, input.byte(), input.byte());
        program.remove_callbacks(absent);
        program.react(reactions);
        program
    });
    let mut sent = Vec::new();
    for _ in 0..STEPS {
        let Some(operation) = input.next() else { break };
        let ours = usize::from(operation & 1);
        step(&programs, ours, operation >> 1, &mut input);
        carry(&programs, &mut sent);
        for program in &programs {
            // SAFETY: a live user state, and no callback is running.
            unsafe { lists::check(program.us()) };
        }
        if operation >> 1 == 11 && !sent.is_empty() {
            let which = input.below(sent.len());
            programs[ours].receive(&sent[which]);
        }
    }
    programs.into_iter().for_each(Program::free);
}

fn step(programs: &[Program; 2], ours: usize, operation: u8, input: &mut Input<'_>) {
    let program = &programs[ours];
    match operation {
        0..=3 => program.types(input),
        4..=6 => deliver(program),
        7..=10 => (0..20).for_each(|_| {
            for program in programs {
                deliver(program);
            }
            carry(programs, &mut Vec::new());
        }),
        12 => program.receive(input.bytes()),
        13 => {
            let head: [&[u8]; 6] = [
                b"\0\x03\x02\0\x0b\x0b\x01\0\0\0\0",
                b"\0\x03\x0a\0\x0b\x0b\x01",
                b"\0\x03\x03\0\x0b\x0b\x01",
                b"\0\x02\x02",
                b"\0\x02\x03",
                b"\0\x01\x0a",
            ];
            let head = head[input.below(head.len())];
            program.receive(&armour(&[head, input.bytes()].concat()));
        }
        14..=17 => {
            let (at, to) = (input.short(), input.byte());
            if let Some(text) = program.inbox().front_mut() {
                spoil(text, operation, at, to);
            }
        }
        18 => {
            program.inbox().pop_front();
        }
        19 => {
            let again = program.inbox().front().cloned();
            program.inbox().extend(again);
        }
        20 => program.receive(b"?OTR?v23?"),
        21 => program.compares(input),
        22 => program.answers(input),
        23 => program.aborts(),
        24 => program.leaves(input.byte()),
        25 => program.wants_key(input),
        26 => program.polls(),
        27..=29 => program.manages(input),
        30 => program.goes_deeper(input),
        _ => program.react(input.take(6)),
    }
}

/// What the programs have sent goes to the other's inbox.
fn carry(programs: &[Program; 2], sent: &mut Vec<Vec<u8>>) {
    for ours in [0, 1] {
        let outbox: VecDeque<_> = std::mem::take(programs[ours].outbox());
        for text in outbox {
            if sent.len() < 200 {
                sent.push(text.clone());
            }
            let inbox = programs[1 - ours].inbox();
            if inbox.len() < 100 {
                inbox.push_back(text);
            }
        }
    }
}

fn deliver(program: &Program) {
    let text = program.inbox().pop_front();
    if let Some(text) = text {
        program.receive(&text);
    }
}

fn spoil(text: &mut Vec<u8>, how: u8, at: usize, to: u8) {
    let mut bytes = dearmour_data(text).unwrap_or_default();
    let armoured = how & 1 == 0 && !bytes.is_empty();
    let place = if armoured { &mut bytes } else { &mut *text };
    if place.is_empty() {
        return;
    }
    let at = at % place.len();
    match how & 2 {
        0 => place[at] = to,
        _ if to & 1 == 0 => place.truncate(at),
        _ => place.insert(at, to),
    }
    if armoured {
        *text = armour(&bytes);
    }
}
