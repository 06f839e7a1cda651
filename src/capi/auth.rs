//! `auth.h`: the key exchange in the form in which programs see it.

use core::ffi::{c_char, c_int, c_uchar, c_uint};
use core::mem::MaybeUninit;

use libc::time_t;

use super::context::ConnContext;
use super::dh::{DH_keypair, OtrlSessionIdHalf, otrl_dh_keypair_free};
use super::gcrypt::{gcry_cipher_hd_t, gcry_md_hd_t, gcry_mpi_t};
use super::guard::guard;
use super::open_enum::open_enum;
use super::{alloc, bridge};

/// What a key exchange is waiting for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlAuthState {
    /// No key exchange is going on.
    OTRL_AUTHSTATE_NONE,
    /// A D-H Commit was sent; the answer will be a D-H Key.
    OTRL_AUTHSTATE_AWAITING_DHKEY,
    /// A D-H Key was sent; the answer will be a Reveal Signature.
    OTRL_AUTHSTATE_AWAITING_REVEALSIG,
    /// A Reveal Signature was sent; the answer will be a Signature.
    OTRL_AUTHSTATE_AWAITING_SIG,
    /// A version 1 Key Exchange was sent.
    OTRL_AUTHSTATE_V1_SETUP,
}

open_enum!(OtrlAuthState:
    OTRL_AUTHSTATE_NONE,
    OTRL_AUTHSTATE_AWAITING_DHKEY,
    OTRL_AUTHSTATE_AWAITING_REVEALSIG,
    OTRL_AUTHSTATE_AWAITING_SIG,
    OTRL_AUTHSTATE_V1_SETUP,
);

/// The public side of one key exchange. It is part of a `ConnContext`.
#[repr(C)]
pub struct OtrlAuthInfo {
    /// What the exchange is waiting for.
    pub authstate: MaybeUninit<OtrlAuthState>,
    /// The context of which this is a part.
    pub context: *mut ConnContext,
    /// Our D-H key pair in this exchange.
    pub our_dh: DH_keypair,
    /// The number under which that key pair will be known.
    pub our_keyid: c_uint,
    /// The encrypted g^x of the D-H Commit, from `malloc`.
    pub encgx: *mut c_uchar,
    /// The length of `encgx` in bytes.
    pub encgx_len: usize,
    /// The AES key that hides g^x until it is revealed.
    pub r: [c_uchar; 16],
    /// The SHA-256 hash of g^x.
    pub hashgx: [c_uchar; 32],
    /// Their D-H public key.
    pub their_pub: gcry_mpi_t,
    /// The number of that key.
    pub their_keyid: c_uint,
    /// The cipher with key c.
    pub enc_c: gcry_cipher_hd_t,
    /// The cipher with key c'.
    pub enc_cp: gcry_cipher_hd_t,
    /// The authenticator with key m1.
    pub mac_m1: gcry_md_hd_t,
    /// The authenticator with key m1'.
    pub mac_m1p: gcry_md_hd_t,
    /// The authenticator with key m2.
    pub mac_m2: gcry_md_hd_t,
    /// The authenticator with key m2'.
    pub mac_m2p: gcry_md_hd_t,
    /// The fingerprint of the key that they signed with.
    pub their_fingerprint: [c_uchar; 20],
    /// Whether this side began the exchange.
    pub initiated: c_int,
    /// The protocol version of the exchange.
    pub protocol_version: c_uint,
    /// The session id: 8 bytes, 20 in version 1.
    pub secure_session_id: [c_uchar; 20],
    /// How many bytes of `secure_session_id` count.
    pub secure_session_id_len: usize,
    /// Which half of the session id to show in bold type.
    pub session_id_half: MaybeUninit<OtrlSessionIdHalf>,
    /// The message of this exchange that was sent last, from `malloc`.
    pub lastauthmsg: *mut c_char,
    /// When a D-H Commit was sent from a master context, otherwise 0.
    pub commit_sent_time: time_t,
}

/// Ends a key exchange and wipes what it held. The structure remains part of
/// its context.
///
/// # Safety
/// `auth` is NULL or valid; its pointers are NULL or as described above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_clear(auth: *mut OtrlAuthInfo) {
    guard((), || {
        if auth.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            release_contents(auth);
            let context = (*auth).context;
            let half = (*auth).session_id_half;
            alloc::wipe_object(auth);
            (*auth).context = context;
            // Compatibility: this one field survives.
            (*auth).session_id_half = half;
        }
    });
}

/// Releases everything that a key exchange points to.
///
/// # Safety
/// As for [`otrl_auth_clear`]; the structure is wiped afterwards.
unsafe fn release_contents(auth: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise.
    unsafe {
        otrl_dh_keypair_free(&raw mut (*auth).our_dh);
        bridge::release(&raw mut (*auth).their_pub);
        bridge::release(&raw mut (*auth).enc_c);
        bridge::release(&raw mut (*auth).enc_cp);
        bridge::release(&raw mut (*auth).mac_m1);
        bridge::release(&raw mut (*auth).mac_m1p);
        bridge::release(&raw mut (*auth).mac_m2);
        bridge::release(&raw mut (*auth).mac_m2p);
        alloc::wipe_buffer((*auth).encgx, (*auth).encgx_len);
        alloc::wipe_string((*auth).lastauthmsg);
    }
}
