//! `auth.h`: the key exchange in the form in which programs see it.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_void};
use core::mem::MaybeUninit;
use std::sync::Arc;

use libc::time_t;

use super::context::ConnContext;
use super::dh::{DH_keypair, OtrlSessionIdHalf, otrl_dh_keypair_copy, otrl_dh_keypair_free};
use super::gcrypt::{gcry_cipher_hd_t, gcry_error_t, gcry_md_hd_t, gcry_mpi_t};
use super::guard::{guard, guard_error};
use super::open_enum::{open_enum, read_or};
use super::privkey_t::OtrlPrivKey;
use super::{alloc, auth_numbers, bridge, contacts, dh_numbers, keys};
use crate::Version;
use crate::ake::{Ake, AuthState, Local};
use crate::crypto::dh::KeyPair;
use crate::crypto::dsa::PrivateKey;
use crate::crypto::modp::SecretExponent;
use crate::crypto::os_random;
use crate::v1::{Exchanged, Numbered};
use crate::wire::base64;
use crate::wire::message::{DhCommit, DhKey, RevealSignature, Signature};
use crate::wire::v1::V1KeyExchange;

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
            let group = (*auth).our_dh.groupid;
            alloc::wipe_object(auth);
            (*auth).context = context;
            // Compatibility: these two fields survive.
            (*auth).session_id_half = half;
            (*auth).our_dh.groupid = group;
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

/// Makes the key exchange of a context blank. What it held is not released.
///
/// # Safety
/// `context` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_new(context: *mut ConnContext) {
    guard((), || {
        if context.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            let auth = &raw mut (*context).auth;
            let half = (*auth).session_id_half;
            alloc::wipe_object(auth);
            (*auth).context = context;
            // Compatibility: this one field survives.
            (*auth).session_id_half = half;
        }
    });
}

/// Begins a key exchange of version 2 or 3. `lastauthmsg` is then the D-H
/// Commit that has to be sent.
///
/// # Safety
/// `auth` is NULL or valid; its context is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_start_v23(
    auth: *mut OtrlAuthInfo,
    version: c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let local = local_of(auth, version)?;
            let mut ake = Ake::new();
            let message = ake.start(&local, &mut os_random())?;
            begin(auth, &local)?;
            auth_numbers::keep(auth, &ake, Some(&message))
        }
    })
}

/// Handles a D-H Commit of the given version. `lastauthmsg` is then the answer
/// that has to be sent.
///
/// # Safety
/// `auth` is NULL or valid, its context is NULL or valid; `commitmsg` is NULL
/// or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_handle_commit(
    auth: *mut OtrlAuthInfo,
    commitmsg: *const c_char,
    version: c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let local = local_of(auth, version)?;
            let bytes = dearmoured(commitmsg)?;
            let message = DhCommit::parse(&bytes)?;
            let mut ake = auth_numbers::take(auth)?;
            let went_on = ake.state() == AuthState::AwaitingRevealSig;
            let Some(answer) = ake.on_commit(&message, &local, None, &mut os_random())? else {
                return Ok(());
            };
            if ake.state() == AuthState::AwaitingRevealSig && !went_on {
                begin(auth, &local)?;
            }
            auth_numbers::keep(auth, &ake, Some(&answer))
        }
    })
}

/// Handles a D-H Key. `*havemsgp` becomes 1 if `lastauthmsg` has to be sent,
/// otherwise 0.
///
/// # Safety
/// `auth` is NULL or valid, its context is NULL or valid; `keymsg` is NULL or
/// NUL-terminated; `havemsgp` is NULL or valid; `privkey` is NULL or a valid
/// key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_handle_key(
    auth: *mut OtrlAuthInfo,
    keymsg: *const c_char,
    havemsgp: *mut c_int,
    privkey: *mut OtrlPrivKey,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            dh_numbers::set(havemsgp, 0);
            let bytes = dearmoured(keymsg)?;
            let message = DhKey::parse(&bytes)?;
            let Some((local, mut ake)) = ongoing(auth, message.header.version)? else {
                return Ok(());
            };
            let signer = signer(privkey)?;
            let answer = ake.on_dh_key(&message, &local, None, &signer, &mut os_random())?;
            let Some(answer) = answer else {
                return Ok(());
            };
            auth_numbers::keep(auth, &ake, Some(&answer))?;
            dh_numbers::set(havemsgp, 1);
        }
        Ok(())
    })
}

/// Handles a Reveal Signature. If it ends the exchange, `auth_succeeded` is
/// called with `asdata`, `lastauthmsg` has to be sent, and `*havemsgp` becomes
/// 1, otherwise 0. What `auth_succeeded` returns is returned.
///
/// # Safety
/// As for `otrl_auth_handle_key`, with `revealmsg` in place of `keymsg`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_handle_revealsig(
    auth: *mut OtrlAuthInfo,
    revealmsg: *const c_char,
    havemsgp: *mut c_int,
    privkey: *mut OtrlPrivKey,
    auth_succeeded: Option<
        unsafe extern "C" fn(auth: *const OtrlAuthInfo, asdata: *mut c_void) -> gcry_error_t,
    >,
    asdata: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            dh_numbers::set(havemsgp, 0);
            let bytes = dearmoured(revealmsg)?;
            let message = RevealSignature::parse(&bytes)?;
            let Some((local, mut ake)) = ongoing(auth, message.header.version)? else {
                return Ok(());
            };
            let signer = signer(privkey)?;
            let done = ake.on_reveal_signature(&message, &local, &signer, &mut os_random())?;
            let Some((answer, established)) = done else {
                return Ok(());
            };
            (*auth).r = message.revealed_key;
            auth_numbers::show_established(auth, &established, Some(&answer))?;
            dh_numbers::set(havemsgp, 1);
            succeed(auth, auth_succeeded, asdata, |auth| auth_numbers::end(auth))
        }
    })
}

/// Handles a Signature. If it ends the exchange, `auth_succeeded` is called
/// with `asdata`; what it returns is returned. There is nothing to be sent, so
/// `*havemsgp` becomes 0.
///
/// # Safety
/// As for `otrl_auth_handle_key`, with `sigmsg` in place of `keymsg`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_handle_signature(
    auth: *mut OtrlAuthInfo,
    sigmsg: *const c_char,
    havemsgp: *mut c_int,
    auth_succeeded: Option<
        unsafe extern "C" fn(auth: *const OtrlAuthInfo, asdata: *mut c_void) -> gcry_error_t,
    >,
    asdata: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            dh_numbers::set(havemsgp, 0);
            let bytes = dearmoured(sigmsg)?;
            let message = Signature::parse(&bytes)?;
            let Some((local, mut ake)) = ongoing(auth, message.header.version)? else {
                return Ok(());
            };
            let Some(established) = ake.on_signature(&message, &local)? else {
                return Ok(());
            };
            auth_numbers::show_established(auth, &established, None)?;
            succeed(auth, auth_succeeded, asdata, |auth| {
                alloc::replace_string(&raw mut (*auth).lastauthmsg, None);
                auth_numbers::end(auth);
            })
        }
    })
}

/// Begins a key exchange of version 1. `lastauthmsg` is then the message that
/// has to be sent.
///
/// `our_dh` and `our_keyid` are a D-H key that is to be used again and its
/// number; `our_dh` may be NULL.
///
/// # Safety
/// `auth` is NULL or valid; `our_dh` is NULL or valid and holds NULL or numbers
/// of libgcrypt; `privkey` is NULL or a valid key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_start_v1(
    auth: *mut OtrlAuthInfo,
    our_dh: *mut DH_keypair,
    our_keyid: c_uint,
    privkey: *mut OtrlPrivKey,
) -> gcry_error_t {
    guard_error(|| {
        if auth.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let signer = signer(privkey)?;
            let key = numbered(our_dh, our_keyid)?;
            let mut ake = Ake::new();
            let message = ake.start_v1_with(key, &signer, &mut os_random())?;
            bridge::gcrypt()?;
            auth_numbers::surface(auth)?;
            otrl_auth_clear(auth);
            auth_numbers::keep(auth, &ake, Some(&message))
        }
    })
}

/// Handles a Key Exchange of version 1. If it ends the exchange,
/// `auth_succeeded` is called with `asdata`, and what it returns is returned.
/// `*havemsgp` becomes 1 if `lastauthmsg` has to be sent, otherwise 0.
///
/// # Safety
/// As for `otrl_auth_start_v1` and `otrl_auth_handle_key`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_handle_v1_key_exchange(
    auth: *mut OtrlAuthInfo,
    keyexchmsg: *const c_char,
    havemsgp: *mut c_int,
    privkey: *mut OtrlPrivKey,
    our_dh: *mut DH_keypair,
    our_keyid: c_uint,
    auth_succeeded: Option<
        unsafe extern "C" fn(auth: *const OtrlAuthInfo, asdata: *mut c_void) -> gcry_error_t,
    >,
    asdata: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            dh_numbers::set(havemsgp, 0);
            if auth.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let bytes = dearmoured(keyexchmsg)?;
            let message = V1KeyExchange::parse(&bytes)?;
            let mut ake = auth_numbers::take(auth)?;
            let signer = signer(privkey)?;
            let key = numbered(our_dh, our_keyid)?;
            let rng = &mut os_random();
            let done = ake.on_v1_key_exchange_with(&message, &bytes, key, &signer, rng)?;
            let Some(Exchanged { reply, established }) = done else {
                return Ok(());
            };
            bridge::gcrypt()?;
            if !established.initiated {
                otrl_auth_clear(auth);
            }
            auth_numbers::show_established(auth, &established, reply.as_deref())?;
            dh_numbers::set(havemsgp, reply.is_some().into());
            succeed(auth, auth_succeeded, asdata, |auth| auth_numbers::end(auth))
        }
    })
}

/// Lets `auth`, the exchange with one instance of the peer, take over the D-H
/// Commit of `m_auth`, the exchange of the master context, which a D-H Key of
/// that instance is about to answer.
///
/// # Safety
/// Both are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_auth_copy_on_key(m_auth: *mut OtrlAuthInfo, auth: *mut OtrlAuthInfo) {
    guard((), || {
        if m_auth.is_null() || auth.is_null() || m_auth == auth {
            return;
        }
        // SAFETY: the caller's promise. Without libgcrypt there is nothing to
        // copy.
        unsafe {
            if auth_numbers::surface(m_auth).is_err() || auth_numbers::surface(auth).is_err() {
                return;
            }
            let state = read_or((*m_auth).authstate, OtrlAuthState::OTRL_AUTHSTATE_NONE);
            if !matches!(
                state,
                OtrlAuthState::OTRL_AUTHSTATE_AWAITING_DHKEY
                    | OtrlAuthState::OTRL_AUTHSTATE_AWAITING_SIG
            ) {
                return;
            }
            otrl_dh_keypair_free(&raw mut (*auth).our_dh);
            otrl_dh_keypair_copy(&raw mut (*auth).our_dh, &raw const (*m_auth).our_dh);
            (*auth).our_keyid = (*m_auth).our_keyid;
            (*auth).initiated = (*m_auth).initiated;
            (*auth).r = (*m_auth).r;
            let encrypted = alloc::slice((*m_auth).encgx, (*m_auth).encgx_len);
            let hash = (*m_auth).hashgx;
            if auth_numbers::show_commitment(auth, encrypted, &hash).is_ok() {
                (*auth).authstate = MaybeUninit::new(OtrlAuthState::OTRL_AUTHSTATE_AWAITING_DHKEY);
            }
        }
    });
}

/// The program's function for an exchange that has succeeded.
type Succeeded = unsafe extern "C" fn(*const OtrlAuthInfo, *mut c_void) -> gcry_error_t;

/// Calls the program's function and ends the exchange, if it still exists.
///
/// # Safety
/// `auth` is valid, its context NULL or valid.
unsafe fn succeed(
    auth: *mut OtrlAuthInfo,
    function: Option<Succeeded>,
    data: *mut c_void,
    end: impl FnOnce(*mut OtrlAuthInfo),
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*auth).context;
        let epoch = contacts::epoch();
        let born = (!context.is_null()).then(|| contacts::born_of(context));
        let outcome = function.map_or(gcry_error_t::OK, |function| function(auth, data));
        if contacts::epoch() == epoch || contacts::born(context) == born.flatten() {
            end(auth);
        }
        if outcome.is_ok() {
            Ok(())
        } else {
            Err(outcome)
        }
    }
}

/// Clears a structure for a new exchange.
///
/// # Errors
/// Without libgcrypt, and then nothing was done.
///
/// # Safety
/// `auth` is valid, its context NULL or valid.
unsafe fn begin(auth: *mut OtrlAuthInfo, local: &Local) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        bridge::gcrypt()?;
        auth_numbers::surface(auth)?;
        otrl_auth_clear(auth);
        let context = (*auth).context;
        if !context.is_null() {
            (*context).protocol_version = local.version.number().into();
        }
    }
    Ok(())
}

/// # Errors
/// [`gcry_error_t::INV_VALUE`] for NULL, or an unknown version.
///
/// # Safety
/// `auth` is NULL or valid, its context NULL or valid.
unsafe fn local_of(auth: *mut OtrlAuthInfo, version: c_int) -> Result<Local, gcry_error_t> {
    let version = u32::try_from(version).map_err(|_| gcry_error_t::INV_VALUE)?;
    if auth.is_null() {
        return Err(gcry_error_t::INV_VALUE);
    }
    // SAFETY: the caller's promise.
    unsafe { auth_numbers::local(auth, version) }
}

/// The exchange that a message of this version may belong to.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for NULL, or numbers that are missing.
///
/// # Safety
/// `auth` is NULL or valid, its context NULL or valid.
unsafe fn ongoing(
    auth: *mut OtrlAuthInfo,
    version: Version,
) -> Result<Option<(Local, Ake)>, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let local = local_of(auth, version.number().into())?;
        let ake = auth_numbers::take(auth)?;
        Ok((ake.version() == Some(version)).then_some((local, ake)))
    }
}

/// The bytes of an encoded message.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`].
///
/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn dearmoured(text: *const c_char) -> Result<Vec<u8>, gcry_error_t> {
    // SAFETY: the caller's promise.
    let text = unsafe { alloc::bytes(text) }.ok_or(gcry_error_t::INV_VALUE)?;
    Ok(base64::dearmour(text)?)
}

/// # Errors
/// [`gcry_error_t::INV_VALUE`] for NULL, and as [`keys::secret_of`].
///
/// # Safety
/// `key` is NULL or a valid key.
unsafe fn signer(key: *mut OtrlPrivKey) -> Result<Arc<PrivateKey>, gcry_error_t> {
    if key.is_null() {
        return Err(gcry_error_t::INV_VALUE);
    }
    // SAFETY: the caller's promise.
    unsafe { keys::secret_of(key) }
}

/// A D-H key that is to be used again, with its number.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for a key out of range.
///
/// # Safety
/// `pair` is NULL or valid and holds NULL or numbers of libgcrypt.
unsafe fn numbered(
    pair: *const DH_keypair,
    keyid: c_uint,
) -> Result<Option<Numbered>, gcry_error_t> {
    if pair.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let secret = unsafe { dh_numbers::secret_bytes(pair)? };
    let secret = SecretExponent::from_be_bytes(&secret)?;
    Ok(Some((KeyPair::from_secret(secret)?, keyid)))
}
