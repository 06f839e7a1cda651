//! What the library is fuzzed with.
//!
//! A target is a function that takes any bytes and panics if the library does
//! something wrong with them. The program `fuzz` runs one under libFuzzer, the
//! test `corpus` runs all of them over the committed corpora.

mod c;
mod input;
mod people;
mod random;
pub mod seeds;
mod targets;

pub use random::Seeded;
pub use targets::TARGETS;

/// Something to fuzz.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of its corpus.
    pub name: &'static str,
    /// What it feeds.
    pub about: &'static str,
    /// How long inputs may be; longer ones find nothing that shorter ones do not.
    pub max_len: usize,
    body: fn(&[u8]),
}

impl Target {
    /// Runs one input.
    ///
    /// # Panics
    /// If the library does something wrong.
    pub fn run(&self, input: &[u8]) {
        random::restart();
        (self.body)(input);
    }

    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }
}
