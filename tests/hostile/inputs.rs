//! Single hostile inputs, one table for each layer of the protocol.

mod api;
mod data;
mod exchange;
mod fragments;
mod identity;
mod session;
mod smp;
mod text;

use super::cases::Runner;

/// Runs all tables.
pub fn run(runner: &mut Runner) {
    text::run(runner);
    fragments::run(runner);
    exchange::run(runner);
    identity::run(runner);
    data::run(runner);
    session::run(runner);
    smp::run(runner);
    api::run(runner);
}

/// Group elements that must not be accepted.
const OUTSIDE: [&str; 6] = ["0", "1", "p-1", "p", "p+1", "2^1536-1"];

/// The longest that one small message may keep a program busy.
const MESSAGE_LIMIT_MS: f64 = 300.0;
