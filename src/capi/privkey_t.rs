//! `privkey-t.h`: the structures that describe our keys.

use core::ffi::{c_char, c_uchar, c_ushort};

use super::gcrypt::gcry_sexp_t;

/// The private key of one of our accounts.
#[repr(C)]
pub struct s_OtrlPrivKey {
    /// The next one in the list, or NULL.
    pub next: *mut s_OtrlPrivKey,
    /// The pointer that points here.
    pub tous: *mut *mut s_OtrlPrivKey,
    /// The account, from `malloc`.
    pub accountname: *mut c_char,
    /// Its chat protocol, from `malloc`.
    pub protocol: *mut c_char,
    /// The kind of key: `OTRL_PUBKEY_TYPE_DSA`.
    pub pubkey_type: c_ushort,
    /// The key as an S-expression; NULL in a process without libgcrypt.
    pub privkey: gcry_sexp_t,
    /// The public key: p, q, g and y as MPIs, from `malloc`.
    pub pubkey_data: *mut c_uchar,
    /// The length of `pubkey_data` in bytes.
    pub pubkey_datalen: usize,
}

/// The private key of one of our accounts.
pub type OtrlPrivKey = s_OtrlPrivKey;

/// The only kind of key that OTR has.
pub const OTRL_PUBKEY_TYPE_DSA: u32 = 0x0000;

/// An account whose key is being generated, perhaps in the background.
#[repr(C)]
pub struct s_OtrlPendingPrivKey {
    /// The next one in the list, or NULL.
    pub next: *mut s_OtrlPendingPrivKey,
    /// The pointer that points here.
    pub tous: *mut *mut s_OtrlPendingPrivKey,
    /// The account, from `malloc`.
    pub accountname: *mut c_char,
    /// Its chat protocol, from `malloc`.
    pub protocol: *mut c_char,
}

/// An account whose key is being generated.
pub type OtrlPendingPrivKey = s_OtrlPendingPrivKey;
