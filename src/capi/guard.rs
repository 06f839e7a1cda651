//! No panic crosses into C.

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
