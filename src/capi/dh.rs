//! `dh.h`: Diffie-Hellman keys and what is derived from them.

use core::ffi::{c_int, c_uchar, c_uint};
use core::ptr;

use super::dh_numbers::{self, Ours, SignatureHandles};
use super::gcrypt::{gcry_cipher_hd_t, gcry_error_t, gcry_md_hd_t, gcry_mpi_t};
use super::guard::{guard, guard_error};
use super::open_enum::open_enum;
use super::{alloc, bridge};
use crate::crypto::dh::{AkeKeys, KeyPair, SessionKeys, v1_session_id};
use crate::crypto::os_random;

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

/// Prepares this part of the library. There is nothing to prepare any more.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_dh_init() {}

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

/// Makes a key pair in the group `groupid`, which must be `DH1536_GROUP_ID`.
/// What `kp` held is not released.
///
/// # Safety
/// `kp` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_gen_keypair(groupid: c_uint, kp: *mut DH_keypair) -> gcry_error_t {
    guard_error(|| {
        if kp.is_null() || groupid != DH1536_GROUP_ID {
            return Err(gcry_error_t::INV_VALUE);
        }
        let ours = KeyPair::generate(&mut os_random())?;
        // SAFETY: the caller's promise.
        unsafe { dh_numbers::show_pair(kp, &ours) }
    })
}

/// Derives session keys from our key pair and their public key. What `sess`
/// held is not released; on an error it is blank.
///
/// # Safety
/// `sess` and `kp` are NULL or valid; `kp` and `y` hold NULL or numbers of
/// libgcrypt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_session(
    sess: *mut DH_sesskeys,
    kp: *const DH_keypair,
    y: gcry_mpi_t,
) -> gcry_error_t {
    guard_error(|| {
        if sess.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            alloc::wipe_object(sess);
            let ours = Ours::read(kp)?;
            let theirs = dh_numbers::element(y)?;
            let keys = SessionKeys::derive(&ours.shared(&theirs), ours.public > theirs);
            dh_numbers::show_session(sess, &keys)
        }
    })
}

/// Derives the keys of a key exchange of version 2 or 3: the session id of 8
/// bytes, its length, two ciphers and four authenticators. What the pointers
/// held is not released; on an error they are NULL.
///
/// # Safety
/// `our_dh` is NULL or valid; it and `their_pub` hold NULL or numbers of
/// libgcrypt. `sessionid` is NULL or has room for 8 bytes, the other pointers
/// are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_compute_v2_auth_keys(
    our_dh: *const DH_keypair,
    their_pub: gcry_mpi_t,
    sessionid: *mut c_uchar,
    sessionidlenp: *mut usize,
    enc_c: *mut gcry_cipher_hd_t,
    enc_cp: *mut gcry_cipher_hd_t,
    mac_m1: *mut gcry_md_hd_t,
    mac_m1p: *mut gcry_md_hd_t,
    mac_m2: *mut gcry_md_hd_t,
    mac_m2p: *mut gcry_md_hd_t,
) -> gcry_error_t {
    guard_error(|| {
        let reveal = SignatureHandles {
            c: enc_c,
            m1: mac_m1,
            m2: mac_m2,
        };
        let signature = SignatureHandles {
            c: enc_cp,
            m1: mac_m1p,
            m2: mac_m2p,
        };
        // SAFETY: the caller's promise.
        unsafe {
            reveal.blank();
            signature.blank();
            let ours = Ours::read(our_dh)?;
            let keys = AkeKeys::derive(&ours.shared(&dh_numbers::element(their_pub)?));
            let made = reveal
                .show(&keys.reveal)
                .and_then(|()| signature.show(&keys.signature));
            if made.is_err() {
                reveal.release();
                signature.release();
                return made;
            }
            alloc::copy_out(&keys.session_id, sessionid);
            dh_numbers::set(sessionidlenp, keys.session_id.len());
        }
        Ok(())
    })
}

/// Derives the session id of a version 1 key exchange: 20 bytes, their number,
/// and which half to show in bold type.
///
/// # Safety
/// `our_dh` is NULL or valid; it and `their_pub` hold NULL or numbers of
/// libgcrypt. `sessionid` is NULL or has room for 20 bytes, the other pointers
/// are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_dh_compute_v1_session_id(
    our_dh: *const DH_keypair,
    their_pub: gcry_mpi_t,
    sessionid: *mut c_uchar,
    sessionidlenp: *mut usize,
    halfp: *mut OtrlSessionIdHalf,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let ours = Ours::read(our_dh)?;
            let theirs = dh_numbers::element(their_pub)?;
            let id = v1_session_id(&ours.shared(&theirs));
            alloc::copy_out(&id, sessionid);
            dh_numbers::set(sessionidlenp, id.len());
            let half = if ours.public > theirs {
                OtrlSessionIdHalf::OTRL_SESSIONID_SECOND_HALF_BOLD
            } else {
                OtrlSessionIdHalf::OTRL_SESSIONID_FIRST_HALF_BOLD
            };
            dh_numbers::set(halfp, half);
        }
        Ok(())
    })
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
