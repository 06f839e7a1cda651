//! Off-the-Record Messaging, protocol versions 1 to 3.
//!
//! The protocol is a pure function of bytes and state: nothing in the core
//! calls the application, reads a clock, draws randomness of its own or does
//! input and output. The C interface that replaces libotr 4.1.1 lives in one
//! outer layer and turns the core's effects into callbacks.

pub mod ake;
mod conversation;
pub mod crypto;
pub mod data;
pub mod error;
pub mod files;
pub mod instance_tag;
pub mod limits;
pub mod policy;
pub mod session;
pub mod smp;
#[cfg(feature = "toolkit")]
pub mod toolkit;
pub mod v1;
pub mod wire;

#[allow(unsafe_code)]
mod capi;

#[cfg(test)]
mod recorded;

pub use conversation::{Conversation, Event, Output};
pub use error::Error;
pub use instance_tag::InstanceTag;
pub use policy::{Policy, Version};
