//! The private keys behind `OtrlPrivKey`.
//!
//! The structure shows a key to the program: its public part, and an
//! S-expression where libgcrypt is in the process. The library itself works
//! with the key in its vault.

use core::ffi::CStr;
use core::ptr;
use std::sync::Arc;

use super::gcrypt::{gcry_error_t, gcry_sexp_t};
use zeroize::Zeroizing;

use super::privkey_t::{OTRL_PUBKEY_TYPE_DSA, OtrlPrivKey};
use super::userstate::OtrlUserState;
use super::vault::Vault;
use super::{alloc, bridge, list};
use crate::crypto::dsa::{PrivateKey, PublicKey};
use crate::wire;

/// The keys that the library has read or made.
static KEYS: Vault<OtrlPrivKey, Held> = Vault::new();

struct Held {
    key: Arc<PrivateKey>,
    /// What `pubkey_data` must be for the entry to belong to the structure.
    public: Vec<u8>,
}

/// The key of an account, or NULL.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn find(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
) -> *mut OtrlPrivKey {
    // SAFETY: the caller's promise; names in the list are NULL or
    // NUL-terminated.
    unsafe {
        list::iter((*us).privkey_root)
            .find(|key| {
                alloc::is_text((**key).accountname, accountname)
                    && alloc::is_text((**key).protocol, protocol)
            })
            .unwrap_or(ptr::null_mut())
    }
}

/// Puts a key in front of the list, `shown` as an S-expression or not. False
/// without memory.
///
/// # Safety
/// `us` is a valid user state.
unsafe fn add(
    us: OtrlUserState,
    accountname: &[u8],
    protocol: &[u8],
    key: Arc<PrivateKey>,
    shown: bool,
) -> bool {
    let entry = alloc::zeroed::<OtrlPrivKey>();
    if entry.is_null() {
        return false;
    }
    let public = key.public().to_wire();
    // SAFETY: the caller's promise; the entry was made above.
    unsafe {
        (*entry).accountname = alloc::c_string(accountname);
        (*entry).protocol = alloc::c_string(protocol);
        (*entry).pubkey_type = OTRL_PUBKEY_TYPE_DSA as u16;
        (*entry).pubkey_data = alloc::buffer(&public);
        (*entry).pubkey_datalen = public.len();
        if (*entry).accountname.is_null()
            || (*entry).protocol.is_null()
            || (*entry).pubkey_data.is_null()
        {
            forget(entry);
            return false;
        }
        if shown {
            (*entry).privkey = expression(&key);
        }
        list::insert(&raw mut (*us).privkey_root, entry);
    }
    KEYS.set(entry, Held { key, public });
    true
}

/// Gives a user state other keys than it has, in front of each other: the last
/// one comes first in the list. The keys are forgotten that it had.
///
/// # Errors
/// [`gcry_error_t::ENOMEM`]. The user state is then as before.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn replace_all<'a>(
    us: OtrlUserState,
    entries: impl Iterator<Item = (&'a [u8], &'a [u8], Arc<PrivateKey>)>,
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise; the new keys are in front of the old ones.
    unsafe {
        let old = (*us).privkey_root;
        let shown = bridge::present().is_some();
        for (accountname, protocol, key) in entries {
            if !add(us, accountname, protocol, key, shown) {
                for new in list::iter((*us).privkey_root).take_while(|new| *new != old) {
                    forget(new);
                }
                return Err(gcry_error_t::ENOMEM);
            }
        }
        for key in list::iter(old) {
            forget(key);
        }
    }
    Ok(())
}

/// Releases a key.
///
/// # Safety
/// `key` points to a key that is not used any more.
pub(crate) unsafe fn forget(key: *mut OtrlPrivKey) {
    KEYS.remove(key);
    // SAFETY: the caller's promise.
    unsafe {
        list::unlink(key);
        alloc::free((*key).accountname);
        alloc::free((*key).protocol);
        bridge::release(&raw mut (*key).privkey);
        alloc::free((*key).pubkey_data);
        alloc::free(key);
    }
}

/// The key behind a structure: from the vault, or from the S-expression if
/// the program has made the structure.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if it is not DSA,
/// [`gcry_error_t::UNUSABLE_SECKEY`] if there is no usable key.
///
/// # Safety
/// `key` points to a key.
pub(crate) unsafe fn secret_of(key: *mut OtrlPrivKey) -> Result<Arc<PrivateKey>, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        if u32::from((*key).pubkey_type) != OTRL_PUBKEY_TYPE_DSA {
            return Err(gcry_error_t::INV_VALUE);
        }
        let shown = alloc::slice((*key).pubkey_data, (*key).pubkey_datalen);
        let held = KEYS.step(key, |held| {
            (held.public == shown).then(|| Arc::clone(&held.key))
        });
        if let Some(Some(found)) = held {
            return Ok(found);
        }
        let part = |name| {
            bridge::sexp_value((*key).privkey, name).map_err(|_| gcry_error_t::UNUSABLE_SECKEY)
        };
        let (p, q, g, y, x) = (part("p")?, part("q")?, part("g")?, part("y")?, part("x")?);
        PrivateKey::from_components(&p, &q, &g, &y, &x)
            .map(Arc::new)
            .map_err(|_| gcry_error_t::UNUSABLE_SECKEY)
    }
}

/// The public key in an S-expression.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if there is none.
///
/// # Safety
/// `expression` is NULL or an S-expression of libgcrypt.
pub(crate) unsafe fn public_of(expression: gcry_sexp_t) -> Result<PublicKey, gcry_error_t> {
    // SAFETY: the caller's promise.
    let part = |name| unsafe { bridge::sexp_value(expression, name) };
    let (p, q, g, y) = (part("p")?, part("q")?, part("g")?, part("y")?);
    Ok(PublicKey::from_components(&p, &q, &g, &y)?)
}

/// A key as an S-expression of libgcrypt.
fn expression(key: &PrivateKey) -> gcry_sexp_t {
    let public = key.public();
    let x = key.x();
    let mut text = Zeroizing::new(b"(11:private-key(3:dsa".to_vec());
    for (name, number) in [
        ("p", public.p()),
        ("q", public.q()),
        ("g", public.g()),
        ("y", public.y()),
        ("x", wire::significant(&*x)),
    ] {
        // A number whose first bit is set needs a zero in front to be
        // positive.
        let sign = usize::from(number.first().is_some_and(|first| *first >= 0x80));
        let len = number.len().saturating_add(sign);
        text.extend_from_slice(format!("(1:{name}{len}:").as_bytes());
        text.extend(core::iter::repeat_n(0, sign));
        text.extend_from_slice(number);
        text.push(b')');
    }
    text.extend_from_slice(b"))");
    bridge::sexp(&text).unwrap_or(ptr::null_mut())
}
