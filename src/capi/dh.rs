//! `dh.h`: Diffie-Hellman keys and what is derived from them.

use core::ffi::{c_int, c_uchar, c_uint};
use core::ptr;

use super::gcrypt::{gcry_cipher_hd_t, gcry_md_hd_t, gcry_mpi_t};
use super::guard::guard;
use super::open_enum::open_enum;
use super::{alloc, bridge};

/// The group that OTR uses: 1536 bits, generator 2.
pub const DH1536_GROUP_ID: u32 = 5;

/// A D-H key pair.
#[repr(C)]
pub struct DH_keypair {
    /// The group: `DH1536_GROUP_ID`, or 0 in an empty key pair.
    pub groupid: c_uint,
    /// The private exponent.
    pub r#priv: gcry_mpi_t,
    /// The public key.
    pub r#pub: gcry_mpi_t,
}

/// Which half of a session id to show in bold type.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlSessionIdHalf {
    /// The first half.
    OTRL_SESSIONID_FIRST_HALF_BOLD,
    /// The second half.
    OTRL_SESSIONID_SECOND_HALF_BOLD,
}

open_enum!(OtrlSessionIdHalf:
    OTRL_SESSIONID_FIRST_HALF_BOLD,
    OTRL_SESSIONID_SECOND_HALF_BOLD,
);

/// The length of the extra symmetric key in bytes.
pub const OTRL_EXTRAKEY_BYTES: usize = 32;

/// The keys that follow from one of our keys and one of theirs.
#[repr(C)]
pub struct DH_sesskeys {
    /// The counter of the message sent last.
    pub sendctr: [c_uchar; 16],
    /// The counter of the message received last.
    pub rcvctr: [c_uchar; 16],
    /// The cipher for sending.
    pub sendenc: gcry_cipher_hd_t,
    /// The cipher for receiving.
    pub rcvenc: gcry_cipher_hd_t,
    /// The authenticator for sending.
    pub sendmac: gcry_md_hd_t,
    /// Its key.
    pub sendmackey: [c_uchar; 20],
    /// Whether that key has been used.
    pub sendmacused: c_int,
    /// The authenticator for receiving.
    pub rcvmac: gcry_md_hd_t,
    /// Its key.
    pub rcvmackey: [c_uchar; 20],
    /// Whether that key has verified a message.
    pub rcvmacused: c_int,
    /// The extra symmetric key.
    pub extrakey: [c_uchar; OTRL_EXTRAKEY_BYTES],
}

/// Makes a key pair empty. What it held is not released.
///
/// # Safety
/// `kp` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_keypair_init(kp: *mut DH_keypair) {
    guard((), || {
        if kp.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            (*kp).groupid = 0;
            (*kp).r#priv = ptr::null_mut();
            (*kp).r#pub = ptr::null_mut();
        }
    });
}

/// Makes `dst` an independent copy of `src`. What `dst` held is not released.
///
/// # Safety
/// Both are NULL or valid, and `src` holds NULL or numbers of libgcrypt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_keypair_copy(dst: *mut DH_keypair, src: *const DH_keypair) {
    guard((), || {
        if dst.is_null() || src.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            let copy = |number| bridge::mpi_copy(number).unwrap_or(ptr::null_mut());
            let private = copy((*src).r#priv);
            let public = copy((*src).r#pub);
            (*dst).groupid = (*src).groupid;
            (*dst).r#priv = private;
            (*dst).r#pub = public;
        }
    });
}

/// Releases the numbers of a key pair.
///
/// # Safety
/// `kp` is NULL or valid and holds NULL or numbers of libgcrypt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_keypair_free(kp: *mut DH_keypair) {
    guard((), || {
        if kp.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            bridge::release(&raw mut (*kp).r#priv);
            bridge::release(&raw mut (*kp).r#pub);
        }
    });
}

/// Releases the ciphers and authenticators of session keys and wipes them.
///
/// # Safety
/// `sess` is NULL or valid and holds NULL or objects of libgcrypt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_session_free(sess: *mut DH_sesskeys) {
    guard((), || {
        if sess.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            bridge::release(&raw mut (*sess).sendenc);
            bridge::release(&raw mut (*sess).rcvenc);
            bridge::release(&raw mut (*sess).sendmac);
            bridge::release(&raw mut (*sess).rcvmac);
            alloc::wipe_object(sess);
        }
    });
}

/// Wipes session keys. What they held is not released.
///
/// # Safety
/// `sess` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_session_blank(sess: *mut DH_sesskeys) {
    guard((), || {
        if !sess.is_null() {
            // SAFETY: the caller's promise.
            unsafe { alloc::wipe_object(sess) };
        }
    });
}

/// Adds 1 to the upper 8 bytes of a counter, a big-endian number.
///
/// # Safety
/// `ctr` is NULL or has 8 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_incctr(ctr: *mut c_uchar) {
    guard((), || {
        if ctr.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            let bytes = ctr.cast::<[u8; 8]>();
            let number = u64::from_be_bytes(bytes.read());
            bytes.write(number.wrapping_add(1).to_be_bytes());
        }
    });
}

/// Compares the upper 8 bytes of two counters: 0 if they are equal, negative
/// if the first is smaller, positive if it is larger.
///
/// # Safety
/// Both are NULL or have 8 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_cmpctr(ctr1: *const c_uchar, ctr2: *const c_uchar) -> c_int {
    guard(0, || {
        if ctr1.is_null() || ctr2.is_null() {
            return 0;
        }
        // SAFETY: the caller's promise.
        let (first, second) =
            unsafe { (ctr1.cast::<[u8; 8]>().read(), ctr2.cast::<[u8; 8]>().read()) };
        first.cmp(&second) as c_int
    })
}
