//! Effects become callbacks.
//!
//! Rules for everything below: while the application runs there is no Rust
//! reference into a C structure, no lock and no state taken out of its vault;
//! a context is known by a [`Handle`] that tells whether it still exists; and
//! whatever an effect needs, it owns.

mod app;
pub(super) mod command;
mod group;
mod perform;
mod receive;
mod send;

pub(super) use app::{App, Names};
pub(super) use group::Newcomers;
pub(super) use perform::inject_sealed;
pub(super) use receive::{ReceiveArguments, receiving};
pub(super) use send::{SendArguments, sending};
