//! The arrays of numbers that SMP messages consist of.
//!
//! These functions are in no header. They exist because programs that declare
//! them themselves can be linked.

use core::ffi::c_int;
use core::ptr;

use super::gcrypt::{gcry_error_t, gcry_mpi_t};
use super::guard::guard;
use super::{alloc, bridge};

/// Which numbers of each message are hashes: they begin as NULL, all others
/// as zero.
const MESSAGE_1: [bool; 6] = [false, true, false, false, true, false];
const MESSAGE_2: [bool; 11] = [
    false, true, false, false, true, false, false, false, true, false, false,
];
const MESSAGE_3: [bool; 8] = [false, false, true, false, false, false, true, false];
const MESSAGE_4: [bool; 3] = [false, true, false];

/// Makes the numbers of message 1. `*msg1` becomes NULL on an error.
///
/// # Safety
/// `msg1` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_msg1_init(msg1: *mut *mut gcry_mpi_t) {
    // SAFETY: the caller's promise.
    guard((), || unsafe { initialise(msg1, &MESSAGE_1) });
}

/// Makes the numbers of message 2. `*msg2` becomes NULL on an error.
///
/// # Safety
/// `msg2` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_msg2_init(msg2: *mut *mut gcry_mpi_t) {
    // SAFETY: the caller's promise.
    guard((), || unsafe { initialise(msg2, &MESSAGE_2) });
}

/// Makes the numbers of message 3. `*msg3` becomes NULL on an error.
///
/// # Safety
/// `msg3` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_msg3_init(msg3: *mut *mut gcry_mpi_t) {
    // SAFETY: the caller's promise.
    guard((), || unsafe { initialise(msg3, &MESSAGE_3) });
}

/// Makes the numbers of message 4. `*msg4` becomes NULL on an error.
///
/// # Safety
/// `msg4` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_msg4_init(msg4: *mut *mut gcry_mpi_t) {
    // SAFETY: the caller's promise.
    guard((), || unsafe { initialise(msg4, &MESSAGE_4) });
}

/// Releases an array of `msg_size` numbers and sets the pointer to it to NULL.
///
/// # Safety
/// `message` is NULL, or points to NULL or to an array from `malloc` of that
/// many numbers of libgcrypt or NULLs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_msg_free(message: *mut *mut gcry_mpi_t, msg_size: c_int) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            if message.is_null() || (*message).is_null() {
                return;
            }
            let array = message.replace(ptr::null_mut());
            for number in 0..usize::try_from(msg_size).unwrap_or(0) {
                bridge::release(array.add(number));
            }
            alloc::free(array);
        }
    });
}

/// # Safety
/// `place` is NULL or valid.
unsafe fn initialise(place: *mut *mut gcry_mpi_t, hashes: &[bool]) {
    if place.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { *place = array(hashes).unwrap_or(ptr::null_mut()) };
}

/// An array from `malloc`.
fn array(hashes: &[bool]) -> Result<*mut gcry_mpi_t, gcry_error_t> {
    bridge::gcrypt()?;
    // SAFETY: `calloc` may be called with any sizes; the array has room for
    // all, and NULL is a valid number.
    unsafe {
        let array = libc::calloc(hashes.len(), size_of::<gcry_mpi_t>()).cast::<gcry_mpi_t>();
        if array.is_null() {
            return Err(gcry_error_t::ENOMEM);
        }
        for (number, is_hash) in hashes.iter().enumerate() {
            if !is_hash {
                // Cannot fail with libgcrypt there, except for lack of memory.
                *array.add(number) = bridge::mpi(&[]).unwrap_or(ptr::null_mut());
            }
        }
        Ok(array)
    }
}
