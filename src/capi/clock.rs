//! Time as C has it and as the core has it: seconds since 1970 in both, but in
//! as many bits as the machine's `time_t` has in C.
#![allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "where `time_t` has 64 bits there is nothing to convert"
)]

use libc::time_t;

/// The present time.
pub(crate) fn now() -> i64 {
    // SAFETY: `time` accepts NULL.
    from_c(unsafe { libc::time(core::ptr::null_mut()) })
}

/// A time that C keeps.
pub(crate) fn from_c(time: time_t) -> i64 {
    i64::from(time)
}

/// A time for C to keep; one that `time_t` cannot hold becomes the last that
/// it can.
pub(crate) fn to_c(time: i64) -> time_t {
    time_t::try_from(time).unwrap_or(time_t::MAX)
}
