//! Wiping memory that has held something secret.
//!
//! Keys and numbers are wiped by the types of the zeroize crate. Texts can be
//! long, and that crate wipes a vector byte by byte; [`SecretBytes`] wipes it
//! as a whole, at the speed of memory. What a computation leaves behind on the
//! stack, [`scrubbed`] wipes.
#![forbid(unsafe_code)]

use core::fmt;
use core::ops::{Deref, DerefMut};

use zeroize::{Zeroize, ZeroizeOnDrop, zeroize_stack};

/// Runs a computation with secrets and wipes the stack that it has used.
///
/// Values move, and every move may leave a copy of a key behind in memory
/// that nobody wipes. What the computation returns is not wiped: let secrets
/// leave it in boxes.
///
/// Wiping takes less than a microsecond: nothing beside a power, too much
/// beside the encryption of a short text, which has [`scrubbed_briefly`].
pub fn scrubbed<T>(computation: impl FnOnce() -> T) -> T {
    let result = apart(computation);
    zeroize_stack::<{ 32 << 10 }>();
    result
}

/// Does the same for a computation that calls nothing but a cipher.
pub fn scrubbed_briefly<T>(computation: impl FnOnce() -> T) -> T {
    let result = apart(computation);
    zeroize_stack::<{ 4 << 10 }>();
    result
}

/// Keeps the computation's variables out of its caller's part of the stack.
#[inline(never)]
fn apart<T>(computation: impl FnOnce() -> T) -> T {
    computation()
}

/// Bytes, a text for instance, that are wiped when they go.
///
/// A vector that grows may move and leave its content behind: give it the
/// capacity it needs before it is filled.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes over these bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Zeroize for SecretBytes {
    /// Wipes the whole capacity; nothing is left in the vector then.
    fn zeroize(&mut self) {
        if self.0.capacity() == 0 {
            return;
        }
        // Not more than there is room for, so nothing moves.
        self.0.resize(self.0.capacity(), 0);
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for SecretBytes {
    /// The length only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBytes")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiping_empties_and_does_not_move() {
        let mut bytes = SecretBytes::new(b"a secret text".to_vec());
        bytes.truncate(3);
        let (start, capacity) = (bytes.as_ptr(), bytes.capacity());
        bytes.zeroize();
        assert!(bytes.is_empty());
        assert_eq!((bytes.as_ptr(), bytes.capacity()), (start, capacity));
    }

    #[test]
    fn debug_output_shows_the_length_only() {
        let bytes = SecretBytes::new(b"secret".to_vec());
        assert_eq!(format!("{bytes:?}"), "SecretBytes { len: 6, .. }");
    }
}
