//! libgcrypt as C sees it: its types and its error numbers.

use core::ffi::{c_int, c_uint};

use super::errno;
use crate::Error;

/// What `gcry_mpi_t` points to.
#[repr(C)]
pub struct gcry_mpi {
    _private: [u8; 0],
}
/// What `gcry_sexp_t` points to.
#[repr(C)]
pub struct gcry_sexp {
    _private: [u8; 0],
}
/// What `gcry_cipher_hd_t` points to.
#[repr(C)]
pub struct gcry_cipher_handle {
    _private: [u8; 0],
}
/// What `gcry_md_hd_t` points to.
#[repr(C)]
pub struct gcry_md_handle {
    _private: [u8; 0],
}

/// A number that belongs to libgcrypt. NULL, or a real one.
pub type gcry_mpi_t = *mut gcry_mpi;
/// An S-expression that belongs to libgcrypt. NULL, or a real one.
pub type gcry_sexp_t = *mut gcry_sexp;
/// A cipher of libgcrypt. NULL, or a real one.
pub type gcry_cipher_hd_t = *mut gcry_cipher_handle;
/// A hash or an authenticator of libgcrypt. NULL, or a real one.
pub type gcry_md_hd_t = *mut gcry_md_handle;

/// An error number as libgpg-error builds it: where it comes from in bits 24
/// to 30, what it is in bits 0 to 15; 0 is success.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct gcry_error_t(pub c_uint);

/// Errors that this library makes: the first source left to users.
const SOURCE_LIBOTR: c_uint = 32 << 24;
/// Errors of libgcrypt, or made from `errno` in its name.
const SOURCE_GCRYPT: c_uint = 1 << 24;

const BAD_SIGNATURE: c_uint = 8;
const NO_SECKEY: c_uint = 17;
const UNUSABLE_SECKEY: c_uint = 54;
const INV_VALUE: c_uint = 55;
const NOT_SUPPORTED: c_uint = 60;
const INTERNAL: c_uint = 63;
const CONFLICT: c_uint = 70;
const SEXP_UNMATCHED_PAREN: c_uint = 203;
const ENOMEM: c_uint = 0x8056;
const EEXIST: c_uint = 0x8023;

impl gcry_error_t {
    /// Success.
    pub const OK: Self = Self(0);
    /// An argument or a message has an invalid value.
    pub const INV_VALUE: Self = Self(SOURCE_LIBOTR | INV_VALUE);
    /// The message does not fit the state of the conversation.
    pub const CONFLICT: Self = Self(SOURCE_LIBOTR | CONFLICT);
    /// A stored key cannot be used.
    pub const UNUSABLE_SECKEY: Self = Self(SOURCE_LIBOTR | UNUSABLE_SECKEY);
    /// There is no key for the account.
    pub const NO_SECKEY: Self = Self(SOURCE_LIBOTR | NO_SECKEY);
    /// No memory is left.
    pub const ENOMEM: Self = Self(SOURCE_LIBOTR | ENOMEM);
    /// It is there already.
    pub const EEXIST: Self = Self(SOURCE_LIBOTR | EEXIST);
    /// Something went wrong inside the library: a caught panic, or a random
    /// source that failed.
    pub const INTERNAL: Self = Self(SOURCE_LIBOTR | INTERNAL);
    /// libgcrypt is needed and cannot be found.
    pub const NO_GCRYPT: Self = Self(SOURCE_LIBOTR | NOT_SUPPORTED);
    /// A DSA signature does not verify, in libgcrypt's name.
    pub const BAD_SIGNATURE: Self = Self(SOURCE_GCRYPT | BAD_SIGNATURE);
    /// An S-expression has bad syntax, in libgcrypt's name.
    pub const SEXP_UNMATCHED_PAREN: Self = Self(SOURCE_GCRYPT | SEXP_UNMATCHED_PAREN);

    /// The number as a result.
    pub(crate) const fn into_result(self) -> Result<(), Self> {
        match self {
            Self::OK => Ok(()),
            error => Err(error),
        }
    }

    /// The error for a value of `errno`.
    pub fn from_errno(errno: c_int) -> Self {
        Self(SOURCE_GCRYPT | errno::code_of(errno))
    }

    /// The error for a failed system call, from its [`std::io::Error`].
    pub fn from_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        Self::from_errno(error.raw_os_error().unwrap_or(match error.kind() {
            ErrorKind::NotFound => libc::ENOENT,
            ErrorKind::PermissionDenied => libc::EACCES,
            ErrorKind::IsADirectory => libc::EISDIR,
            ErrorKind::NotADirectory => libc::ENOTDIR,
            ErrorKind::FileTooLarge => libc::EFBIG,
            ErrorKind::StorageFull => libc::ENOSPC,
            ErrorKind::TimedOut => libc::ETIMEDOUT,
            ErrorKind::InvalidInput => libc::EINVAL,
            _ => libc::EIO,
        }))
    }

    /// Whether it is success.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl From<Error> for gcry_error_t {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownKey | Error::BadMac | Error::Replayed | Error::NotEncrypted => {
                Self::CONFLICT
            }
            Error::BadSignature => Self::BAD_SIGNATURE,
            Error::NoPrivateKey => Self::NO_SECKEY,
            Error::UnusableKey => Self::UNUSABLE_SECKEY,
            Error::Syntax => Self::SEXP_UNMATCHED_PAREN,
            Error::Randomness => Self::INTERNAL,
            _ => Self::INV_VALUE,
        }
    }
}

impl From<Result<(), Self>> for gcry_error_t {
    fn from(result: Result<(), Self>) -> Self {
        result.err().unwrap_or(Self::OK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_programs_compare_with() {
        assert_eq!(gcry_error_t::INV_VALUE.0, 0x2000_0037);
        assert_eq!(gcry_error_t::CONFLICT.0, 0x2000_0046);
        assert_eq!(gcry_error_t::UNUSABLE_SECKEY.0, 0x2000_0036);
        assert_eq!(gcry_error_t::ENOMEM.0, 0x2000_8056);
        assert_eq!(gcry_error_t::EEXIST.0, 0x2000_8023);
        assert_eq!(gcry_error_t::BAD_SIGNATURE.0, 0x0100_0008);
        assert_eq!(gcry_error_t::SEXP_UNMATCHED_PAREN.0, 0x0100_00cb);
        assert_eq!(gcry_error_t::from_errno(libc::ENOENT).0, 0x0100_8051);
        assert_eq!(gcry_error_t::from_errno(libc::EISDIR).0, 0x0100_8033);
    }
}
