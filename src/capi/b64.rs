//! `b64.h`: base64 and the armour of encoded messages.

use core::ffi::{c_char, c_int, c_uchar};
use core::ptr;

use super::alloc;
use super::guard::guard;
use crate::Error;
use crate::wire::base64;

/// Base64 takes groups of this many bytes ...
pub const OTRL_B64_DECODED_LEN: u32 = 3;
/// ... and turns each into a group of this many characters.
pub const OTRL_B64_ENCODED_LEN: u32 = 4;

/// Encodes `datalen` bytes and returns the number of characters. There is no
/// NUL behind them.
///
/// # Safety
/// `data` has `datalen` bytes; `base64data` has room for 4 characters for
/// every 3 bytes begun.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_base64_encode(
    base64data: *mut c_char,
    data: *const c_uchar,
    datalen: usize,
) -> usize {
    guard(0, || {
        // SAFETY: the caller's promise; `base64data` has room for the text.
        unsafe {
            let text = base64::encode(alloc::slice(data, datalen));
            alloc::copy_out(&text, base64data.cast())
        }
    })
}

/// Decodes `base64len` characters and returns the number of bytes. Characters
/// outside the alphabet are skipped; the first `=` ends the text, and an
/// incomplete group without one is dropped.
///
/// # Safety
/// `base64data` has `base64len` characters; `data` has room for
/// `OTRL_B64_MAX_DECODED_SIZE(base64len)` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_base64_decode(
    data: *mut c_uchar,
    base64data: *const c_char,
    base64len: usize,
) -> usize {
    guard(0, || {
        // SAFETY: the caller's promise; `data` has room for the bytes.
        unsafe {
            let bytes = base64::decode(alloc::slice(base64data.cast(), base64len));
            alloc::copy_out(&bytes, data)
        }
    })
}

/// Wraps `buflen` bytes for sending: `?OTR:`, their base64 form, and a full
/// stop. Returns a string from `malloc`, or NULL without memory.
///
/// # Safety
/// `buf` has `buflen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_base64_otr_encode(buf: *const c_uchar, buflen: usize) -> *mut c_char {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let bytes = unsafe { alloc::slice(buf, buflen) };
        alloc::c_string(&base64::armour(bytes))
    })
}

/// Unwraps the first wrapped message in a text. On success, returns 0 and
/// puts a buffer from `malloc` into `*bufp` and its length into `*lenp`. Returns
/// -1 without memory, and -2 if there is no `?OTR:` with a full stop somewhere
/// behind it.
///
/// # Safety
/// `msg` is NULL or NUL-terminated; `bufp` and `lenp` are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_base64_otr_decode(
    msg: *const c_char,
    bufp: *mut *mut c_uchar,
    lenp: *mut usize,
) -> c_int {
    guard(-1, || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(text) = alloc::bytes(msg) else {
                return -2;
            };
            if bufp.is_null() || lenp.is_null() {
                return -2;
            }
            let bytes = match base64::dearmour(text) {
                Ok(bytes) => bytes,
                Err(Error::TooLong) => return -1,
                Err(_) => return -2,
            };
            let buffer = alloc::buffer(&bytes);
            if buffer.is_null() {
                return -1;
            }
            *bufp = buffer;
            *lenp = bytes.len();
            0
        }
    })
}
