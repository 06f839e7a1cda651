//! Memory that C may free, and memory that C has made.
//!
//! Everything here comes from `malloc` and goes to `free`. What may have held
//! a secret or a text is wiped on release.

use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use zeroize::Zeroize;

/// A zeroed object from `calloc`, or NULL without memory.
///
/// For structures in which a pattern of zero bytes is a valid value.
pub(crate) fn zeroed<T>() -> *mut T {
    // SAFETY: `calloc` may be called with any sizes.
    unsafe { libc::calloc(1, size_of::<T>()) }.cast()
}

/// So many bytes from `malloc`, not initialised, or NULL without memory.
pub(crate) fn room(len: usize) -> *mut MaybeUninit<u8> {
    // SAFETY: `malloc` may be called with any size.
    unsafe { libc::malloc(len.max(1)) }.cast()
}

/// A copy of `bytes` from `malloc`, or NULL without memory. Never NULL for
/// lack of bytes.
pub(crate) fn buffer(bytes: &[u8]) -> *mut u8 {
    // SAFETY: `malloc` may be called with any size; the copy fits.
    unsafe {
        let copy = libc::malloc(bytes.len().max(1)).cast::<u8>();
        if !copy.is_null() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        }
        copy
    }
}

/// A copy of `bytes` with a NUL behind it from `malloc`, or NULL without
/// memory. To C, a text ends at the first NUL in it.
pub(crate) fn c_string(bytes: &[u8]) -> *mut c_char {
    let Some(size) = bytes.len().checked_add(1) else {
        return ptr::null_mut();
    };
    // SAFETY: `malloc` may be called with any size; the copy and the NUL fit.
    unsafe {
        let copy = libc::malloc(size).cast::<u8>();
        if !copy.is_null() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
            copy.add(bytes.len()).write(0);
        }
        copy.cast()
    }
}

/// Copies `bytes` to where C wants them and returns how many there are.
///
/// # Safety
/// `to` has room for them.
pub(crate) unsafe fn copy_out(bytes: &[u8], to: *mut u8) -> usize {
    if !to.is_null() {
        // SAFETY: the caller's promise.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }
    bytes.len()
}

/// The bytes of a C string without its NUL, or `None` for NULL.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and unchanged while the slice is used.
pub(crate) unsafe fn bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Whether a C string is there and equal to `other`.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
pub(crate) unsafe fn is_text(text: *const c_char, other: &CStr) -> bool {
    // SAFETY: the caller's promise.
    !text.is_null() && unsafe { libc::strcmp(text, other.as_ptr()) } == 0
}

/// The bytes of a C buffer; an empty slice if it is NULL or has length 0.
///
/// # Safety
/// `data` is NULL or points to `len` bytes, unchanged while the slice is used.
pub(crate) unsafe fn slice<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(data, len) }
}

/// Releases what `malloc` gave. NULL is fine.
///
/// # Safety
/// `memory` is NULL or came from `malloc` and is not used any more.
pub(crate) unsafe fn free<T>(memory: *mut T) {
    // SAFETY: the caller's promise.
    unsafe { libc::free(memory.cast::<c_void>()) };
}

/// Wipes a C string up to its NUL and releases it. NULL is fine.
///
/// # Safety
/// `text` is NULL, or NUL-terminated and from `malloc`, and not used any more.
pub(crate) unsafe fn wipe_string(text: *mut c_char) {
    if text.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { wipe_buffer(text.cast(), libc::strlen(text)) };
}

/// Wipes `len` bytes and releases the buffer. NULL is fine.
///
/// # Safety
/// `data` is NULL, or points to `len` bytes, is from `malloc`, and not used
/// any more.
pub(crate) unsafe fn wipe_buffer(data: *mut u8, len: usize) {
    if data.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        core::slice::from_raw_parts_mut(data, len).zeroize();
        free(data);
    }
}

/// Wipes an object in place.
///
/// # Safety
/// `object` is valid, a pattern of zero bytes is a valid value of it, and
/// nothing that it held has to be released.
pub(crate) unsafe fn wipe_object<T>(object: *mut T) {
    // SAFETY: the caller's promise; padding may be written.
    unsafe {
        core::slice::from_raw_parts_mut(object.cast::<MaybeUninit<u8>>(), size_of::<T>()).zeroize();
    }
}

/// Puts a copy of `text` (NULL for `None`) into a string field and releases
/// what was there. Without memory the field becomes NULL.
///
/// # Safety
/// `field` points to a string that is NULL or from `malloc`.
pub(crate) unsafe fn replace_string(field: *mut *mut c_char, text: Option<&[u8]>) {
    let copy = text.map_or(ptr::null_mut(), c_string);
    // SAFETY: the caller's promise. The copy was made first, so `text` may be
    // the field's own string.
    unsafe {
        let old = field.replace(copy);
        wipe_string(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_buffers_are_copies() {
        let text = c_string(b"text");
        // SAFETY: made above, released once.
        unsafe {
            assert_eq!(bytes(text), Some(&b"text"[..]));
            wipe_string(text);
            assert_eq!(bytes(ptr::null()), None);
            assert_eq!(slice(ptr::null(), 5), b"");
        }
        let empty = buffer(b"");
        assert!(!empty.is_null());
        // SAFETY: made above, released once.
        unsafe { wipe_buffer(empty, 0) };
    }

    #[test]
    fn a_field_may_be_replaced_by_its_own_text() {
        let mut field = c_string(b"verified");
        // SAFETY: the field holds a string from `malloc` throughout.
        unsafe {
            let own = bytes(field);
            replace_string(&raw mut field, own);
            assert_eq!(bytes(field), Some(&b"verified"[..]));
            replace_string(&raw mut field, None);
        }
        assert!(field.is_null());
    }
}
