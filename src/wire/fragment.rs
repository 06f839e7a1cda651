//! Cutting messages into pieces and putting pieces together: the section
//! "Fragmentation" of the protocol text.
#![forbid(unsafe_code)]

mod cut;
mod join;
mod scan;

pub use cut::{Cut, Format, cut};
pub use join::{Accumulated, Assembler};
pub use scan::{Scanned, read, route, scan};
