//! The three files of a user, in the formats that libotr 4.1.1 established.
//!
//! [`keys`], [`fingerprints`] and [`instance_tags`] turn text into values and
//! back and touch nothing else; [`store`] alone reads and replaces files.
//! Names are byte strings: networks differ in what they allow.
#![forbid(unsafe_code)]

pub mod fingerprints;
pub mod instance_tags;
pub mod keys;
mod lines;
pub mod sexp;
pub mod store;

pub use lines::Written;
