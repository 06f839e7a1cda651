//! Reading environment variables where that is safe.
#![allow(unsafe_code, reason = "asks the system for the program's privileges")]

use std::ffi::OsString;

/// The variable's value, or `None` if it is not set or the program runs with
/// more privileges than whoever set it.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    if privileged() {
        return None;
    }
    std::env::var_os(name)
}

/// Whether a processor feature is to be taken for granted, for tests under
/// valgrind, which executes the instructions of ADX but does not report them.
#[cfg(all(target_arch = "x86_64", feature = "test-hooks"))]
pub(crate) fn assumed(feature: &str) -> bool {
    variable("OTR_TEST_ASSUME").is_some_and(|value| value == feature)
}

/// Whether a processor feature is to be taken for granted: never.
#[cfg(all(target_arch = "x86_64", not(feature = "test-hooks")))]
pub(crate) const fn assumed(_: &str) -> bool {
    false
}

/// Whether the program is set-user-id, set-group-id or has gained capabilities.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn privileged() -> bool {
    // SAFETY: reads a value that the kernel handed to the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether the program is set-user-id or set-group-id.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn privileged() -> bool {
    // SAFETY: these functions always succeed and touch no memory.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

/// Other systems know no such programs.
#[cfg(not(unix))]
fn privileged() -> bool {
    false
}
