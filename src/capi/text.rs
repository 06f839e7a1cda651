//! Texts that are made where the program will find them.

use core::ffi::c_char;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::alloc;
use crate::wire::base64;

/// A text with a NUL behind it, from `malloc`. Unless the program gets it, it
/// is wiped and released.
pub(crate) struct Text {
    start: NonNull<u8>,
    len: usize,
}

impl Text {
    /// A copy of these bytes; `None` without memory.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let start = NonNull::new(alloc::c_string(bytes))?.cast();
        let len = bytes.len();
        Some(Self { start, len })
    }

    /// The armoured form of a message; `None` without memory.
    pub(crate) fn armoured(message: &[u8]) -> Option<Self> {
        let len = base64::armoured_len(message.len());
        let start = NonNull::new(alloc::room(len.checked_add(1)?))?;
        // SAFETY: there is so much room, and nobody else has it.
        let room = unsafe { core::slice::from_raw_parts_mut(start.as_ptr(), len) };
        if base64::armour_into(message, room) != Some(len) {
            // SAFETY: from `malloc`, and nothing was written that counts.
            unsafe { alloc::free(start.as_ptr()) };
            return None;
        }
        // SAFETY: there is one byte more, and with it all are initialised.
        unsafe { start.add(len).write(MaybeUninit::new(0)) };
        let start = start.cast();
        Some(Self { start, len })
    }

    /// The text, without the NUL.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: so long it was made, and nobody else has it.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The text as C sees it.
    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.start.as_ptr().cast()
    }

    /// Gives the text to the program.
    pub(crate) fn into_raw(self) -> *mut c_char {
        let start = self.start.as_ptr().cast();
        core::mem::forget(self);
        start
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: so long it was made, from `malloc`, and nobody else has it.
        unsafe { alloc::wipe_buffer(self.start.as_ptr(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_with_a_nul() {
        for bytes in [&b""[..], b"text"] {
            let text = Text::copy(bytes).unwrap().into_raw();
            // SAFETY: a text with a NUL behind it, released once.
            unsafe {
                assert_eq!(alloc::bytes(text), Some(bytes));
                alloc::wipe_string(text);
            }
        }
    }

    #[test]
    fn messages_are_armoured_in_place() {
        let text = Text::armoured(b"foob").unwrap();
        assert_eq!(text.as_bytes(), b"?OTR:Zm9vYg==.");
    }
}
