//! `context_priv.h`: the part of a conversation that applications leave alone.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort};
use core::ptr;

use libc::time_t;

use super::dh::{DH_keypair, DH_sesskeys, otrl_dh_keypair_free, otrl_dh_session_free};
use super::gcrypt::gcry_mpi_t;
use super::guard::guard;
use super::{alloc, blank, bridge};

/// The library's own part of a `ConnContext`.
#[repr(C)]
pub struct s_context_priv {
    /// The pieces of a message that have arrived so far, from `malloc`.
    pub fragment: *mut c_char,
    /// The length of `fragment` in bytes.
    pub fragment_len: usize,
    /// How many pieces that message has.
    pub fragment_n: c_ushort,
    /// How many of them have arrived.
    pub fragment_k: c_ushort,
    /// The number of their newest D-H key, 0 if there is none.
    pub their_keyid: c_uint,
    /// Their D-H public key with that number.
    pub their_y: gcry_mpi_t,
    /// Their D-H public key before.
    pub their_old_y: gcry_mpi_t,
    /// The number of our newest D-H key.
    pub our_keyid: c_uint,
    /// Our D-H key pair with that number.
    pub our_dh_key: DH_keypair,
    /// Our D-H key pair before.
    pub our_old_dh_key: DH_keypair,
    /// The session keys of our key `our_keyid - i` and their key
    /// `their_keyid - j`.
    pub sesskeys: [[DH_sesskeys; 2]; 2],
    /// How many MAC keys wait to be revealed.
    pub numsavedkeys: c_uint,
    /// These keys, 20 bytes each.
    pub saved_mac_keys: *mut c_uchar,
    /// How often the conversation has become private.
    pub generation: c_uint,
    /// When a data message was sent last.
    pub lastsent: time_t,
    /// When a message was received last.
    pub lastrecv: time_t,
    /// The text that was sent last.
    pub lastmessage: *mut c_char,
    /// Whether that text may be sent once more.
    pub may_retransmit: c_int,
}

/// The library's own part of a `ConnContext`.
pub type ConnContextPriv = s_context_priv;

/// Makes an empty private part, to be released with `free`. NULL without
/// memory.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_context_priv_new() -> *mut ConnContextPriv {
    guard(ptr::null_mut(), alloc::zeroed)
}

/// Wipes and releases what a private part holds, except for the generation
/// and the times of the last messages. The structure itself remains.
///
/// # Safety
/// `context_priv` is NULL or valid; its pointers are NULL or as described
/// above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_context_priv_force_finished(context_priv: *mut ConnContextPriv) {
    guard((), || {
        if context_priv.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            // Most private parts are blank and not even in memory; writing
            // zeros would bring them there.
            if blank::is_blank(context_priv) {
                return;
            }
            release_contents(context_priv);
            let generation = (*context_priv).generation;
            let (sent, received) = ((*context_priv).lastsent, (*context_priv).lastrecv);
            alloc::wipe_object(context_priv);
            (*context_priv).generation = generation;
            (*context_priv).lastsent = sent;
            (*context_priv).lastrecv = received;
        }
    });
}

/// Releases everything that a private part points to.
///
/// # Safety
/// As for [`otrl_context_priv_force_finished`]; the structure is wiped
/// afterwards.
unsafe fn release_contents(private: *mut ConnContextPriv) {
    // SAFETY: the caller's promise.
    unsafe {
        alloc::wipe_buffer((*private).fragment.cast(), (*private).fragment_len);
        bridge::release(&raw mut (*private).their_y);
        bridge::release(&raw mut (*private).their_old_y);
        otrl_dh_keypair_free(&raw mut (*private).our_dh_key);
        otrl_dh_keypair_free(&raw mut (*private).our_old_dh_key);
        let keys = (&raw mut (*private).sesskeys).cast::<DH_sesskeys>();
        for number in 0..4 {
            otrl_dh_session_free(keys.add(number));
        }
        let saved = (*private).numsavedkeys as usize;
        alloc::wipe_buffer((*private).saved_mac_keys, saved.saturating_mul(20));
        alloc::wipe_string((*private).lastmessage);
    }
}
