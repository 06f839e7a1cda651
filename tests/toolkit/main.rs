//! The six command-line programs, as their users see them: against Debian's
//! (package libotr5-bin), what they do beyond those, and their documentation.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

mod arguments;
mod corpus;
mod deniability;
mod differences;
mod docs;
mod extras;
mod parse;
mod run;
mod wire;

// The demonstration, step by step.
#[path = "../../demo/deniability/forgery.rs"]
mod forgery;
#[path = "../../demo/deniability/programs.rs"]
mod programs;
#[path = "../../demo/deniability/replay.rs"]
mod replay;
#[path = "../../demo/deniability/story.rs"]
mod story;
