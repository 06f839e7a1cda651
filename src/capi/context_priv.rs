//! `context_priv.h`: the part of a conversation that applications leave alone.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort};

use libc::time_t;

use super::dh::{DH_keypair, DH_sesskeys};
use super::gcrypt::gcry_mpi_t;

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
