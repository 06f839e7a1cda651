//! Random numbers that are the same in every run of an input.

#![allow(unsafe_code, reason = "the interface of a getrandom backend")]

use std::sync::atomic::{AtomicU64, Ordering};

use otr::Error;
use otr::crypto::Random;

/// A simple generator; nothing here has to be secret.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The generator that begins here.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound as u64) as usize
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        for part in out.chunks_mut(8) {
            let bytes = self.number().to_le_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
        Ok(())
    }
}

/// Where the numbers that take the operating system's place stand.
static SYSTEM: AtomicU64 = AtomicU64::new(0);

/// Starts the numbers that take the operating system's place anew.
pub fn restart() {
    SYSTEM.store(0, Ordering::Relaxed);
}

/// What getrandom calls instead of the operating system.
///
/// # Safety
/// `len` bytes can be written at `dest`.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    dest: *mut u8,
    len: usize,
) -> Result<(), getrandom::Error> {
    // SAFETY: the caller's promise; zeros first, as the memory may never have
    // been written.
    let out = unsafe {
        dest.write_bytes(0, len);
        std::slice::from_raw_parts_mut(dest, len)
    };
    let _ = Seeded::new(SYSTEM.fetch_add(1, Ordering::Relaxed) << 20).fill(out);
    Ok(())
}
