//! `mem.h`: memory.

use core::ffi::{c_int, c_uchar};

use super::guard::guard;
use super::{alloc, wiping};
use crate::crypto::symmetric::constant_time_eq;

/// Makes libgcrypt wipe all memory that it gives back, if nothing of it has been
/// used yet. This library wipes its own memory in any case.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_mem_init() {
    guard((), wiping::install);
}

/// Compares two blocks of memory in a time that depends on their length only:
/// 0 if they are equal, 1 if they differ.
///
/// # Safety
/// Both have `len` bytes. They may be NULL if that is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_mem_differ(
    buf1: *const c_uchar,
    buf2: *const c_uchar,
    len: usize,
) -> c_int {
    guard(1, || {
        if len != 0 && (buf1.is_null() || buf2.is_null()) {
            return 1;
        }
        // SAFETY: the caller's promise.
        let (first, second) = unsafe { (alloc::slice(buf1, len), alloc::slice(buf2, len)) };
        c_int::from(!constant_time_eq(first, second))
    })
}
