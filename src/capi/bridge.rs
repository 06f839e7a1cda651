//! The way to libgcrypt, for functions that take or return its objects.
//!
//! The cryptography of this library is its own. But some structures of the C
//! interface hold numbers, ciphers, authenticators and S-expressions of
//! libgcrypt, and programs hand them to libgcrypt. So these are real ones,
//! made by the libgcrypt that is in the process already or, where one is
//! needed and none is there, by the one that the system has. Nothing else of
//! libgcrypt is used, and a process without it loses only the functions that
//! cannot do without such objects.
//!
//! With the feature `link-gcrypt` the library is linked against libgcrypt
//! instead of looking for it at run time.

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;

use once_cell::sync::OnceCell;
use zeroize::Zeroizing;

use super::gcrypt::{gcry_cipher_hd_t, gcry_error_t, gcry_md_hd_t, gcry_mpi_t, gcry_sexp_t};
use crate::wire;

const MPI_FORMAT_UNSIGNED: c_int = 5;
const CIPHER_AES: c_int = 7;
const CIPHER_MODE_CTR: c_int = 6;
const MD_FLAG_HMAC: c_uint = 2;

/// The hash of an authenticator.
#[derive(Clone, Copy)]
pub(crate) enum Hash {
    /// SHA-1.
    Sha1 = 2,
    /// SHA-256.
    Sha256 = 8,
}

/// Declares the functions of libgcrypt that are used, for both ways of
/// getting them.
macro_rules! functions {
    ($(fn $name:ident($($kind:ty),* $(; $more:tt)?) $(-> $result:ty)?;)*) => {
        /// The functions of libgcrypt that are used.
        pub(crate) struct Gcrypt {
            $(pub(crate) $name: unsafe extern "C" fn($($kind),* $(, $more)?) $(-> $result)?,)*
        }

        #[cfg(feature = "link-gcrypt")]
        #[allow(improper_ctypes)]
        mod linked {
            use super::*;
            #[link(name = "gcrypt")]
            unsafe extern "C" {
                $(pub(super) fn $name($(_: $kind),* $(, $more)?) $(-> $result)?;)*
            }
        }

        impl Gcrypt {
            #[cfg(feature = "link-gcrypt")]
            fn linked() -> Self {
                Self { $($name: linked::$name,)* }
            }

            /// Takes the functions from an open library.
            ///
            /// # Safety
            /// `library` came from `dlopen`, and is libgcrypt 1.6 or later
            /// with its documented interface.
            #[cfg(not(feature = "link-gcrypt"))]
            unsafe fn from_library(library: *mut c_void) -> Option<Self> {
                Some(Self {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        // SAFETY: the caller's promise; a function pointer is
                        // a pointer that is not NULL.
                        unsafe {
                            let symbol = libc::dlsym(library, name.as_ptr().cast::<c_char>());
                            if symbol.is_null() {
                                return None;
                            }
                            core::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($kind),* $(, $more)?) $(-> $result)?,
                            >(symbol)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    fn gcry_check_version(*const c_char) -> *const c_char;
    fn gcry_mpi_scan(*mut gcry_mpi_t, c_int, *const u8, usize, *mut usize) -> gcry_error_t;
    fn gcry_mpi_print(c_int, *mut u8, usize, *mut usize, gcry_mpi_t) -> gcry_error_t;
    fn gcry_mpi_copy(gcry_mpi_t) -> gcry_mpi_t;
    fn gcry_mpi_release(gcry_mpi_t);
    fn gcry_sexp_sscan(*mut gcry_sexp_t, *mut usize, *const u8, usize) -> gcry_error_t;
    fn gcry_sexp_find_token(gcry_sexp_t, *const c_char, usize) -> gcry_sexp_t;
    fn gcry_sexp_nth_data(gcry_sexp_t, c_int, *mut usize) -> *const u8;
    fn gcry_sexp_release(gcry_sexp_t);
    fn gcry_cipher_open(*mut gcry_cipher_hd_t, c_int, c_int, c_uint) -> gcry_error_t;
    fn gcry_cipher_setkey(gcry_cipher_hd_t, *const u8, usize) -> gcry_error_t;
    fn gcry_cipher_close(gcry_cipher_hd_t);
    fn gcry_md_open(*mut gcry_md_hd_t, c_int, c_uint) -> gcry_error_t;
    fn gcry_md_setkey(gcry_md_hd_t, *const u8, usize) -> gcry_error_t;
    fn gcry_md_close(gcry_md_hd_t);
    fn gcry_control(c_int; ...) -> gcry_error_t;
    fn gcry_set_allocation_handler(
        unsafe extern "C" fn(usize) -> *mut c_void,
        unsafe extern "C" fn(usize) -> *mut c_void,
        unsafe extern "C" fn(*const c_void) -> c_int,
        unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
        unsafe extern "C" fn(*mut c_void)
    );
}

static GCRYPT: OnceCell<Gcrypt> = OnceCell::new();

/// libgcrypt, loaded if need be.
///
/// # Errors
/// [`gcry_error_t::NO_GCRYPT`] if there is none. The next call looks again.
pub(crate) fn gcrypt() -> Result<&'static Gcrypt, gcry_error_t> {
    GCRYPT.get_or_try_init(|| open(false).ok_or(gcry_error_t::NO_GCRYPT))
}

/// libgcrypt if it is in the process. A program that hands objects of ours
/// to libgcrypt has it.
pub(crate) fn present() -> Option<&'static Gcrypt> {
    GCRYPT.get_or_try_init(|| open(true).ok_or(())).ok()
}

/// libgcrypt if it is in the process and nothing of it has been used yet.
pub(crate) fn unused() -> Option<Gcrypt> {
    const ANY_INITIALIZATION_P: c_int = 40;
    let gcrypt = find(true)?;
    // SAFETY: this question has no arguments.
    let used = unsafe { (gcrypt.gcry_control)(ANY_INITIALIZATION_P) };
    used.is_ok().then_some(gcrypt)
}

fn open(only_if_present: bool) -> Option<Gcrypt> {
    let gcrypt = find(only_if_present)?;
    // Lets libgcrypt set itself up, if the program has not done so.
    // SAFETY: NULL asks for no particular version.
    unsafe { (gcrypt.gcry_check_version)(ptr::null()) };
    Some(gcrypt)
}

#[cfg(feature = "link-gcrypt")]
fn find(_only_if_present: bool) -> Option<Gcrypt> {
    Some(Gcrypt::linked())
}

#[cfg(not(feature = "link-gcrypt"))]
fn find(only_if_present: bool) -> Option<Gcrypt> {
    #[cfg(target_vendor = "apple")]
    const NAME: &core::ffi::CStr = c"libgcrypt.20.dylib";
    #[cfg(not(target_vendor = "apple"))]
    const NAME: &core::ffi::CStr = c"libgcrypt.so.20";
    let mode = if only_if_present {
        if !may_be_present() {
            return None;
        }
        libc::RTLD_LAZY | libc::RTLD_NOLOAD
    } else {
        libc::RTLD_LAZY
    };
    // SAFETY: opening a library runs its initialisers; libgcrypt's do no
    // harm. `dlopen` of a loaded soname returns the copy that is loaded. It
    // is never closed, so its functions stay where they are.
    unsafe {
        let library = libc::dlopen(NAME.as_ptr(), mode);
        if library.is_null() {
            return None;
        }
        Gcrypt::from_library(library)
    }
}

/// Whether an object of libgcrypt's name is in the process. Asking `dlopen`,
/// which would search the disk for one that is not, takes ten times as long.
#[cfg(all(target_os = "linux", not(feature = "link-gcrypt")))]
fn may_be_present() -> bool {
    /// # Safety
    /// `object` is valid, `_found` is not used.
    unsafe extern "C" fn is_it(
        object: *mut libc::dl_phdr_info,
        _len: usize,
        _found: *mut c_void,
    ) -> c_int {
        // SAFETY: the caller's promise; the name is NULL or NUL-terminated.
        let name = unsafe { super::alloc::bytes((*object).dlpi_name) };
        let is_it = name.is_some_and(|name| name.windows(9).any(|part| part == b"libgcrypt"));
        c_int::from(is_it)
    }
    // SAFETY: the function keeps to what `dl_iterate_phdr` demands; the first
    // answer that is not 0 ends the search.
    unsafe { libc::dl_iterate_phdr(Some(is_it), ptr::null_mut()) != 0 }
}

/// Whether libgcrypt may be in the process.
#[cfg(all(not(target_os = "linux"), not(feature = "link-gcrypt")))]
const fn may_be_present() -> bool {
    true
}

/// Makes a number of big-endian bytes.
///
/// # Errors
/// Without libgcrypt, or what libgcrypt says.
pub(crate) fn mpi(number: &[u8]) -> Result<gcry_mpi_t, gcry_error_t> {
    let gcrypt = gcrypt()?;
    let mut made = ptr::null_mut();
    // SAFETY: the buffer has the length that is passed.
    let error = unsafe {
        (gcrypt.gcry_mpi_scan)(
            &raw mut made,
            MPI_FORMAT_UNSIGNED,
            number.as_ptr(),
            number.len(),
            ptr::null_mut(),
        )
    };
    if error.is_ok() { Ok(made) } else { Err(error) }
}

/// The big-endian bytes of a number, without leading zeros. The sign of a
/// negative number is ignored.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for NULL, or what libgcrypt says.
///
/// # Safety
/// `number` is NULL or a number of libgcrypt.
pub(crate) unsafe fn mpi_bytes(number: gcry_mpi_t) -> Result<Zeroizing<Vec<u8>>, gcry_error_t> {
    if number.is_null() {
        return Err(gcry_error_t::INV_VALUE);
    }
    let print = gcrypt()?.gcry_mpi_print;
    let mut len = 0;
    // SAFETY: the caller's promise; without a buffer only the length is told,
    // and the buffer has the length that is passed.
    unsafe {
        let format = MPI_FORMAT_UNSIGNED;
        let error = print(format, ptr::null_mut(), 0, &raw mut len, number);
        if !error.is_ok() {
            return Err(error);
        }
        let mut bytes = Zeroizing::new(vec![0; len]);
        let error = print(format, bytes.as_mut_ptr(), len, &raw mut len, number);
        if !error.is_ok() {
            return Err(error);
        }
        bytes.truncate(len);
        let leading = bytes.len().saturating_sub(wire::significant(&bytes).len());
        bytes.drain(..leading);
        Ok(bytes)
    }
}

/// A copy of a number; NULL of NULL.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// `number` is NULL or a number of libgcrypt.
pub(crate) unsafe fn mpi_copy(number: gcry_mpi_t) -> Result<gcry_mpi_t, gcry_error_t> {
    if number.is_null() {
        return Ok(ptr::null_mut());
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { (gcrypt()?.gcry_mpi_copy)(number) })
}

/// AES-128 in counter mode with its key set. libgcrypt wipes the key when the
/// cipher is closed; its protected memory is left to the program, as there is
/// little of it.
///
/// # Errors
/// Without libgcrypt, or what libgcrypt says.
pub(crate) fn cipher(key: &[u8; 16]) -> Result<gcry_cipher_hd_t, gcry_error_t> {
    let gcrypt = gcrypt()?;
    let mut made = ptr::null_mut();
    // SAFETY: the handle is written before it is used; the key has the length
    // that is passed.
    unsafe {
        let error = (gcrypt.gcry_cipher_open)(&raw mut made, CIPHER_AES, CIPHER_MODE_CTR, 0);
        if !error.is_ok() {
            return Err(error);
        }
        let error = (gcrypt.gcry_cipher_setkey)(made, key.as_ptr(), key.len());
        if !error.is_ok() {
            (gcrypt.gcry_cipher_close)(made);
            return Err(error);
        }
    }
    Ok(made)
}

/// An HMAC with its key set.
///
/// # Errors
/// Without libgcrypt, or what libgcrypt says.
pub(crate) fn hmac(hash: Hash, key: &[u8]) -> Result<gcry_md_hd_t, gcry_error_t> {
    let gcrypt = gcrypt()?;
    let mut made = ptr::null_mut();
    // SAFETY: the handle is written before it is used; the key has the length
    // that is passed.
    unsafe {
        let error = (gcrypt.gcry_md_open)(&raw mut made, hash as c_int, MD_FLAG_HMAC);
        if !error.is_ok() {
            return Err(error);
        }
        let error = (gcrypt.gcry_md_setkey)(made, key.as_ptr(), key.len());
        if !error.is_ok() {
            (gcrypt.gcry_md_close)(made);
            return Err(error);
        }
    }
    Ok(made)
}

/// An S-expression from any of its notations.
///
/// # Errors
/// Without libgcrypt in the process, or what libgcrypt says.
pub(crate) fn sexp(text: &[u8]) -> Result<gcry_sexp_t, gcry_error_t> {
    let gcrypt = present().ok_or(gcry_error_t::NO_GCRYPT)?;
    let mut made = ptr::null_mut();
    // SAFETY: the buffer has the length that is passed.
    let error = unsafe {
        (gcrypt.gcry_sexp_sscan)(&raw mut made, ptr::null_mut(), text.as_ptr(), text.len())
    };
    if error.is_ok() { Ok(made) } else { Err(error) }
}

/// The value of the first list in `expression` that is called `name`: the
/// number in `(p #...#)`.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if there is none.
///
/// # Safety
/// `expression` is NULL or an S-expression of libgcrypt.
pub(crate) unsafe fn sexp_value(
    expression: gcry_sexp_t,
    name: &str,
) -> Result<Zeroizing<Vec<u8>>, gcry_error_t> {
    if expression.is_null() {
        return Err(gcry_error_t::INV_VALUE);
    }
    let gcrypt = gcrypt()?;
    // SAFETY: the caller's promise; the name has the length that is passed,
    // and the data are copied before the list is released.
    unsafe {
        let list =
            (gcrypt.gcry_sexp_find_token)(expression, name.as_ptr().cast::<c_char>(), name.len());
        if list.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        let mut len = 0;
        let data = (gcrypt.gcry_sexp_nth_data)(list, 1, &raw mut len);
        let value =
            (!data.is_null()).then(|| Zeroizing::new(super::alloc::slice(data, len).to_vec()));
        (gcrypt.gcry_sexp_release)(list);
        value.ok_or(gcry_error_t::INV_VALUE)
    }
}

/// An object of libgcrypt that can be released.
pub(crate) trait Object: Sized {
    /// How it is released.
    fn release(gcrypt: &Gcrypt) -> unsafe extern "C" fn(Self);
}

impl Object for gcry_mpi_t {
    fn release(gcrypt: &Gcrypt) -> unsafe extern "C" fn(Self) {
        gcrypt.gcry_mpi_release
    }
}

impl Object for gcry_sexp_t {
    fn release(gcrypt: &Gcrypt) -> unsafe extern "C" fn(Self) {
        gcrypt.gcry_sexp_release
    }
}

impl Object for gcry_cipher_hd_t {
    fn release(gcrypt: &Gcrypt) -> unsafe extern "C" fn(Self) {
        gcrypt.gcry_cipher_close
    }
}

impl Object for gcry_md_hd_t {
    fn release(gcrypt: &Gcrypt) -> unsafe extern "C" fn(Self) {
        gcrypt.gcry_md_close
    }
}

/// Releases the object in a field, if there is one, and sets the field to
/// NULL.
///
/// # Safety
/// `field` points to NULL or an object of libgcrypt that is not used any more.
pub(crate) unsafe fn release<T>(field: *mut *mut T)
where
    *mut T: Object,
{
    // SAFETY: the caller's promise.
    unsafe {
        if (*field).is_null() {
            return;
        }
        let object = field.replace(ptr::null_mut());
        // Whoever made the object had libgcrypt.
        if let Ok(gcrypt) = gcrypt() {
            <*mut T as Object>::release(gcrypt)(object);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        let Ok(number) = mpi(&[0, 0, 0x12, 0x34]) else {
            println!("skipped: no libgcrypt");
            return;
        };
        // SAFETY: made above, released once.
        unsafe {
            assert_eq!(**mpi_bytes(number).unwrap(), [0x12, 0x34]);
            let mut copy = mpi_copy(number).unwrap();
            assert_eq!(**mpi_bytes(copy).unwrap(), [0x12, 0x34]);
            release(&raw mut copy);
            assert!(copy.is_null());
            (gcrypt().unwrap().gcry_mpi_release)(number);
        }
        let mut zero = mpi(&[]).unwrap();
        // SAFETY: made above, released once.
        unsafe {
            assert!(mpi_bytes(zero).unwrap().is_empty());
            release(&raw mut zero);
        }
    }

    #[test]
    fn values_are_found_in_expressions() {
        if gcrypt().is_err() {
            println!("skipped: no libgcrypt");
            return;
        }
        let mut made = sexp(b"(private-key (dsa (p #00C1#) (q #07#)))").unwrap();
        // SAFETY: made above, released once.
        unsafe {
            assert_eq!(**sexp_value(made, "p").unwrap(), [0, 0xc1]);
            assert_eq!(sexp_value(made, "g"), Err(gcry_error_t::INV_VALUE));
            release(&raw mut made);
        }
        assert_eq!(
            sexp(b"(unbalanced"),
            Err(gcry_error_t::SEXP_UNMATCHED_PAREN)
        );
    }

    #[test]
    fn ciphers_and_authenticators_can_be_made() {
        let Ok(mut cipher) = cipher(&[1; 16]) else {
            println!("skipped: no libgcrypt");
            return;
        };
        let mut mac = hmac(Hash::Sha1, &[2; 20]).unwrap();
        // SAFETY: made above, released once.
        unsafe {
            release(&raw mut cipher);
            release(&raw mut mac);
        }
    }
}
