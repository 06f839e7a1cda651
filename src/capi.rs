//! The C interface of libotr 4.1.1, and the one place with `unsafe` code.
//!
//! Each public header has a module of the same name here, with the same
//! declarations in the same order; the headers in `include/libotr` are made
//! of these modules. Everything the protocol does is done by the safe core;
//! this layer only
//!
//! * keeps the public structures, whose fields belong to the application as
//!   much as to the library (they are read and written through raw pointers,
//!   one field at a time, and no Rust reference into them outlives a call to
//!   the application),
//! * keeps the Rust state that belongs to a C object ([`vault`]),
//! * turns effects into callbacks,
//! * sees to it that no panic crosses into C ([`guard`]), that everything C
//!   may `free` comes from `malloc` ([`alloc`]), and that a number in a field
//!   of an enumerated type is looked at before it counts as one
//!   ([`open_enum`]).
//!
//! Names are those of the C interface, verbatim.

// C sees every item that a header declares, which the compiler cannot know.
// Some of it is only there to be put into the headers.
#![allow(unreachable_pub, missing_docs, dead_code)]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

pub mod auth;
pub mod b64;
pub mod context;
pub mod context_priv;
pub mod dh;
pub mod instag;
pub mod mem;
pub mod message;
pub mod privkey;
pub mod privkey_t;
pub mod proto;
pub mod sm;
pub mod tlv;
pub mod userstate;
pub mod version;

pub(crate) mod alloc;
pub(crate) mod api_version;
pub(crate) mod auth_numbers;
pub(crate) mod blank;
pub(crate) mod bridge;
mod by_key;
mod clock;
pub(crate) mod contacts;
pub(crate) mod conversation;
mod data;
pub(crate) mod dh_numbers;
mod driver;
pub(crate) mod errno;
mod fingerprint_file;
mod forget;
pub(crate) mod gcrypt;
pub(crate) mod guard;
mod instag_file;
mod key_file;
pub(crate) mod keys;
mod layout;
pub(crate) mod list;
pub(crate) mod open_enum;
mod order;
mod own;
pub(crate) mod pending;
mod poll;
mod private_numbers;
pub(crate) mod sm_messages;
pub(crate) mod sm_numbers;
mod state;
mod stream;
#[cfg(feature = "test-hooks")]
pub(crate) mod test_hooks;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod vault;
mod wiping;
