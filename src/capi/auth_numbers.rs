//! Key exchanges between the fields of `OtrlAuthInfo` and the core.
//!
//! As with comparisons of secrets, an exchange lives in one of two places:
//! with the rest of the conversation, which is where the functions of
//! `message.h` keep it, or in the structure, as numbers of libgcrypt, which is
//! where the functions of `auth.h` keep it that a program may call one by one.
//! Each takes over from the other what it finds.

use core::mem::MaybeUninit;
use core::ptr;

use zeroize::Zeroizing;

use super::auth::{OtrlAuthInfo, OtrlAuthState};
use super::context::ConnContext;
use super::dh::{OtrlSessionIdHalf, otrl_dh_keypair_free};
use super::dh_numbers::{self, Ours, SignatureHandles};
use super::gcrypt::gcry_error_t;
use super::open_enum::read_or;
use super::{alloc, bridge, state};
use crate::ake::parts::{Parts, StateParts};
use crate::ake::{Ake, AuthState, Established, Local, SessionHalf};
use crate::crypto::dh::{AkeKeys, KeyPair};
use crate::wire::base64;
use crate::wire::message::DhCommit;
use crate::{InstanceTag, Version};

/// How the headers of an exchange's messages are written.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for an unknown version.
///
/// # Safety
/// `auth` is valid, its context NULL or valid.
pub(crate) unsafe fn local(auth: *mut OtrlAuthInfo, version: u32) -> Result<Local, gcry_error_t> {
    let version = u8::try_from(version)
        .ok()
        .and_then(Version::from_number)
        .ok_or(gcry_error_t::INV_VALUE)?;
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*auth).context;
        let (ours, theirs) = if context.is_null() {
            (0, 0)
        } else {
            ((*context).our_instance, (*context).their_instance)
        };
        Ok(Local {
            version,
            ours: InstanceTag::new(ours),
            theirs: InstanceTag::new(theirs),
        })
    }
}

/// The exchange in a structure, whichever place it lives in.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if a number is missing or out of range.
///
/// # Safety
/// `auth` is valid, its context NULL or valid, its pointers as documented.
pub(crate) unsafe fn take(auth: *mut OtrlAuthInfo) -> Result<Ake, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        surface(auth)?;
        read(auth)
    }
}

/// Reads an exchange that lives in the structure.
///
/// # Errors
/// As for [`take`].
///
/// # Safety
/// As for [`take`].
unsafe fn read(auth: *mut OtrlAuthInfo) -> Result<Ake, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let key = || dh_numbers::secret_bytes(&raw const (*auth).our_dh);
        let r = Zeroizing::new((*auth).r);
        let last = || {
            alloc::bytes((*auth).lastauthmsg)
                .map(<[u8]>::to_vec)
                .ok_or(gcry_error_t::INV_VALUE)
        };
        let state = match read_or((*auth).authstate, OtrlAuthState::OTRL_AUTHSTATE_NONE) {
            OtrlAuthState::OTRL_AUTHSTATE_NONE => StateParts::None,
            OtrlAuthState::OTRL_AUTHSTATE_AWAITING_DHKEY => {
                StateParts::AwaitingDhKey { key: key()?, r }
            }
            OtrlAuthState::OTRL_AUTHSTATE_AWAITING_REVEALSIG => StateParts::AwaitingRevealSig {
                key: key()?,
                encrypted_gx: alloc::slice((*auth).encgx, (*auth).encgx_len).to_vec(),
                hashed_gx: (*auth).hashgx,
            },
            OtrlAuthState::OTRL_AUTHSTATE_AWAITING_SIG => StateParts::AwaitingSig {
                key: key()?,
                r,
                their_dh: bridge::mpi_bytes((*auth).their_pub)?.to_vec(),
                reveal_signature: last()?,
            },
            OtrlAuthState::OTRL_AUTHSTATE_V1_SETUP => StateParts::V1Setup {
                key: key()?,
                keyid: (*auth).our_keyid,
                message: last()?,
            },
        };
        let version = u8::try_from((*auth).protocol_version).ok();
        Ok(Ake::from_parts(Parts {
            version: version.and_then(Version::from_number),
            initiated: (*auth).initiated != 0,
            state,
        })?)
    }
}

/// Shows an exchange in a structure that was cleared, or that shows an
/// earlier state of the same exchange.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`take`].
pub(crate) unsafe fn keep(
    auth: *mut OtrlAuthInfo,
    ake: &Ake,
    last_message: Option<&[u8]>,
) -> Result<(), gcry_error_t> {
    let Parts {
        version,
        initiated,
        state,
    } = ake.parts();
    // SAFETY: the caller's promise.
    unsafe {
        (*auth).initiated = initiated.into();
        (*auth).protocol_version = version.map_or(0, |version| version.number().into());
        if let Some(message) = last_message {
            alloc::replace_string(&raw mut (*auth).lastauthmsg, Some(message));
        }
        (*auth).authstate = MaybeUninit::new(match ake.state() {
            AuthState::None => OtrlAuthState::OTRL_AUTHSTATE_NONE,
            AuthState::AwaitingDhKey => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_DHKEY,
            AuthState::AwaitingRevealSig => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_REVEALSIG,
            AuthState::AwaitingSig => OtrlAuthState::OTRL_AUTHSTATE_AWAITING_SIG,
            AuthState::V1Setup => OtrlAuthState::OTRL_AUTHSTATE_V1_SETUP,
        });
        match state {
            StateParts::None => Ok(()),
            StateParts::AwaitingDhKey { key, r } => {
                (*auth).r = *r;
                show_key(auth, &key, 1)?;
                show_commit(auth)
            }
            StateParts::AwaitingRevealSig {
                key,
                encrypted_gx,
                hashed_gx,
            } => {
                show_commitment(auth, &encrypted_gx, &hashed_gx)?;
                show_key(auth, &key, 1)
            }
            StateParts::AwaitingSig {
                key, r, their_dh, ..
            } => {
                (*auth).r = *r;
                show_key(auth, &key, 1)?;
                bridge::release(&raw mut (*auth).their_pub);
                (*auth).their_pub = bridge::mpi(&their_dh)?;
                show_keys(auth)
            }
            StateParts::V1Setup { key, keyid, .. } => show_key(auth, &key, keyid),
        }
    }
}

/// Shows what the D-H Commit that is to be sent commits to.
///
/// # Safety
/// As for [`take`].
unsafe fn show_commit(auth: *mut OtrlAuthInfo) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(message) = alloc::bytes((*auth).lastauthmsg) else {
            return Ok(());
        };
        let message = base64::dearmour(message)?;
        let commit = DhCommit::parse(&message)?;
        show_commitment(auth, &commit.encrypted_gx, &commit.hashed_gx)
    }
}

/// # Safety
/// As for [`take`].
pub(crate) unsafe fn show_commitment(
    auth: *mut OtrlAuthInfo,
    encrypted_gx: &[u8],
    hashed_gx: &[u8; 32],
) -> Result<(), gcry_error_t> {
    let copy = alloc::buffer(encrypted_gx);
    if copy.is_null() {
        return Err(gcry_error_t::ENOMEM);
    }
    // SAFETY: the caller's promise.
    unsafe {
        alloc::wipe_buffer((*auth).encgx, (*auth).encgx_len);
        (*auth).encgx = copy;
        (*auth).encgx_len = encrypted_gx.len();
        (*auth).hashgx = *hashed_gx;
    }
    Ok(())
}

/// # Safety
/// As for [`take`].
unsafe fn show_key(auth: *mut OtrlAuthInfo, secret: &[u8], keyid: u32) -> Result<(), gcry_error_t> {
    let secret = crate::crypto::modp::SecretExponent::from_be_bytes(secret)?;
    let ours = KeyPair::from_secret(secret)?;
    // SAFETY: the caller's promise.
    unsafe {
        (*auth).our_keyid = keyid;
        otrl_dh_keypair_free(&raw mut (*auth).our_dh);
        dh_numbers::show_pair(&raw mut (*auth).our_dh, &ours)
    }
}

/// Shows the keys that follow from our and their D-H key, and the session id.
///
/// # Safety
/// As for [`take`].
unsafe fn show_keys(auth: *mut OtrlAuthInfo) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let ours = Ours::read(&raw const (*auth).our_dh)?;
        let theirs = dh_numbers::element((*auth).their_pub)?;
        let keys = AkeKeys::derive(&ours.shared(&theirs));
        let (reveal, signature) = handles(auth);
        reveal.release();
        signature.release();
        reveal.show(&keys.reveal)?;
        signature.show(&keys.signature)?;
        show_session_id(auth, &keys.session_id);
    }
    Ok(())
}

/// # Safety
/// `auth` is valid.
unsafe fn handles(auth: *mut OtrlAuthInfo) -> (SignatureHandles, SignatureHandles) {
    // SAFETY: the caller's promise.
    unsafe {
        (
            SignatureHandles {
                c: &raw mut (*auth).enc_c,
                m1: &raw mut (*auth).mac_m1,
                m2: &raw mut (*auth).mac_m2,
            },
            SignatureHandles {
                c: &raw mut (*auth).enc_cp,
                m1: &raw mut (*auth).mac_m1p,
                m2: &raw mut (*auth).mac_m2p,
            },
        )
    }
}

/// # Safety
/// `auth` is valid.
unsafe fn show_session_id(auth: *mut OtrlAuthInfo, id: &[u8]) {
    // SAFETY: the caller's promise.
    unsafe {
        let field = &mut (*auth).secure_session_id;
        field.fill(0);
        for (to, from) in field.iter_mut().zip(id) {
            *to = *from;
        }
        (*auth).secure_session_id_len = id.len();
    }
}

/// Shows how an exchange has ended. Its state stays as it was, which is what
/// the program's function for the success gets to see; [`end`] sets it.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`take`].
pub(crate) unsafe fn show_established(
    auth: *mut OtrlAuthInfo,
    established: &Established,
    last_message: Option<&[u8]>,
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        if (*auth).our_dh.r#priv.is_null() {
            dh_numbers::show_pair(&raw mut (*auth).our_dh, &established.our_dh)?;
        }
        (*auth).our_keyid = established.our_keyid;
        bridge::release(&raw mut (*auth).their_pub);
        (*auth).their_pub = dh_numbers::number(&established.their_dh)?;
        (*auth).their_keyid = established.their_keyid;
        (*auth).their_fingerprint = established.their_key.fingerprint().0;
        if established.version == Version::V1 {
            show_session_id(auth, established.session_id.as_bytes());
        } else {
            show_keys(auth)?;
        }
        (*auth).session_id_half = MaybeUninit::new(match established.half {
            SessionHalf::First => OtrlSessionIdHalf::OTRL_SESSIONID_FIRST_HALF_BOLD,
            SessionHalf::Second => OtrlSessionIdHalf::OTRL_SESSIONID_SECOND_HALF_BOLD,
        });
        (*auth).protocol_version = established.version.number().into();
        (*auth).initiated = established.initiated.into();
        if let Some(message) = last_message {
            alloc::replace_string(&raw mut (*auth).lastauthmsg, Some(message));
        }
    }
    Ok(())
}

/// Ends an exchange that has succeeded. What it has led to remains visible.
///
/// # Safety
/// `auth` is valid.
pub(crate) unsafe fn end(auth: *mut OtrlAuthInfo) {
    // SAFETY: the caller's promise.
    unsafe {
        (*auth).our_keyid = 0;
        (*auth).authstate = MaybeUninit::new(OtrlAuthState::OTRL_AUTHSTATE_NONE);
    }
}

/// Moves an exchange that the conversation keeps into the structure.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`take`].
pub(crate) unsafe fn surface(auth: *mut OtrlAuthInfo) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*auth).context;
        if !is_part_of(auth, context) {
            return Ok(());
        }
        match state::take_handshake(context) {
            Some(ake) => keep(auth, &ake, None),
            None => Ok(()),
        }
    }
}

/// Moves an exchange that lives in the structure out of it, for the
/// conversation to keep.
///
/// # Safety
/// As for [`take`].
pub(crate) unsafe fn submerge(auth: *mut OtrlAuthInfo) -> Option<Ake> {
    // SAFETY: the caller's promise.
    unsafe {
        // Only exchanges that live in the structure have this.
        if (*auth).our_dh.r#priv.is_null() {
            return None;
        }
        let ake = read(auth).ok();
        otrl_dh_keypair_free(&raw mut (*auth).our_dh);
        bridge::release(&raw mut (*auth).their_pub);
        let (reveal, signature) = handles(auth);
        reveal.release();
        signature.release();
        (*auth).r = [0; 16];
        alloc::wipe_buffer((*auth).encgx, (*auth).encgx_len);
        (*auth).encgx = ptr::null_mut();
        (*auth).encgx_len = 0;
        ake
    }
}

/// Whether a structure is part of this context.
///
/// # Safety
/// `context` is NULL or valid.
unsafe fn is_part_of(auth: *mut OtrlAuthInfo, context: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    !context.is_null() && unsafe { &raw mut (*context).auth } == auth
}
