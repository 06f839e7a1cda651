//! The streams and paths of files that C names.

use core::ffi::{CStr, c_char};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use libc::FILE;
use zeroize::Zeroizing;

use super::gcrypt::gcry_error_t;

/// How much is read at a time.
const PIECE: usize = 16 << 10;

/// The path that C names.
///
/// # Errors
/// The one for `EFAULT` if it is NULL.
///
/// # Safety
/// `name` is NULL or NUL-terminated, and unchanged while the path is used.
pub(crate) unsafe fn path<'a>(name: *const c_char) -> Result<&'a Path, gcry_error_t> {
    if name.is_null() {
        return Err(gcry_error_t::from_errno(libc::EFAULT));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

/// The rest of a stream.
///
/// # Errors
/// The system's, and the one for `EFBIG` beyond `limit` bytes.
///
/// # Safety
/// `stream` is an open stream.
pub(crate) unsafe fn read(
    stream: *mut FILE,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, gcry_error_t> {
    let mut text = Zeroizing::new(Vec::new());
    let mut piece = Zeroizing::new([0; PIECE]);
    loop {
        // SAFETY: the caller's promise; the piece has the length that is
        // passed.
        let count = unsafe { libc::fread(piece.as_mut_ptr().cast(), 1, PIECE, stream) };
        if count == 0 {
            break;
        }
        append(&mut text, piece.get(..count).unwrap_or_default());
        if text.len() > limit {
            return Err(gcry_error_t::from_errno(libc::EFBIG));
        }
    }
    // SAFETY: the caller's promise.
    if unsafe { libc::ferror(stream) } != 0 {
        return Err(last_error());
    }
    Ok(text)
}

/// Appends without leaving the old content behind where the vector grows.
fn append(text: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    let needed = text.len().saturating_add(piece.len());
    if text.capacity() < needed {
        let mut grown = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
        grown.extend_from_slice(text);
        *text = grown;
    }
    text.extend_from_slice(piece);
}

/// Writes to a stream and flushes it.
///
/// # Errors
/// The system's.
///
/// # Safety
/// `stream` is an open stream.
pub(crate) unsafe fn write(stream: *mut FILE, text: &[u8]) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise; the text has the length that is passed.
    unsafe {
        let count = libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream);
        if count != text.len() || libc::fflush(stream) != 0 {
            return Err(last_error());
        }
    }
    Ok(())
}

fn last_error() -> gcry_error_t {
    gcry_error_t::from_io(&std::io::Error::last_os_error())
}
