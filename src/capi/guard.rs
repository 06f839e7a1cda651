//! No panic crosses into C.

use core::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::gcrypt::gcry_error_t;

/// Runs the body of an exported function; `failed` is what the function
/// returns if the body panics.
///
/// `failed` must be the answer that makes the caller do the least: an error,
/// never "there was nothing to do", which for a message about to be sent
/// would mean plaintext.
pub(crate) fn guard<T>(failed: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(failed)
}

/// Runs the body of an exported function that returns an error number.
pub(crate) fn guard_error(body: impl FnOnce() -> Result<(), gcry_error_t>) -> gcry_error_t {
    guard(Err(gcry_error_t::INTERNAL), body).into()
}

/// How much of the stack below the caller may hold what a step has computed.
/// The arithmetic on secrets works in frames of a few KiB and a table.
const STACK_USED: usize = 48 << 10;

/// Overwrites the part of the stack that a step has used.
///
/// Values that hold secrets wipe themselves when they are dropped, but the
/// compiler also copies them: into registers that are spilled, and from frame
/// to frame when they are moved. Nobody owns these copies, so the memory is
/// wiped as a whole.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut used = [MaybeUninit::<u8>::uninit(); STACK_USED];
    used.fill(MaybeUninit::new(0));
    zeroize::optimization_barrier(&used);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_failure_value() {
        assert_eq!(guard(7, || 3), 3);
        assert_eq!(guard(7, || panic!("expected by the test")), 7);
        let error = guard_error(|| panic!("expected by the test"));
        assert_eq!(error, gcry_error_t::INTERNAL);
        assert!(guard_error(|| Ok(())).is_ok());
    }
}
