//! `dh.h`: Diffie-Hellman keys and what is derived from them.

use core::ffi::{c_int, c_uchar, c_uint};

use super::gcrypt::{gcry_cipher_hd_t, gcry_md_hd_t, gcry_mpi_t};
use super::open_enum::open_enum;

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
