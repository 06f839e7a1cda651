//! The keys of a user state and the key file.

use core::ffi::CStr;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use zeroize::Zeroizing;

use super::gcrypt::gcry_error_t;
use super::keys;
use super::userstate::OtrlUserState;
use super::{alloc, list};
use crate::Error;
use crate::crypto::dsa::PrivateKey;
use crate::crypto::symmetric::sha256;
use crate::crypto::{Random as _, os_random};
use crate::files::keys::{self as file, Account, Components};

/// Replaces the keys of a user state by those in the text of a key file.
///
/// # Errors
/// Those of the file's syntax, and [`gcry_error_t::UNUSABLE_SECKEY`] for a key
/// that cannot be one. The user state is then as before. A file without any
/// text is one without keys, unless keys are known: then something has emptied
/// it, and that is an error.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn load(us: OtrlUserState, text: &[u8]) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    let has_keys = unsafe { !(*us).privkey_root.is_null() };
    let accounts = if text.is_empty() {
        if has_keys {
            return Err(gcry_error_t::UNUSABLE_SECKEY);
        }
        Vec::new()
    } else {
        file::read(text)?
    };
    let keys = accounts
        .iter()
        .map(|account| Ok(Arc::new(checked(&account.key)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let entries = accounts
        .iter()
        .zip(keys)
        .map(|(account, key)| (account.name.as_slice(), account.protocol.as_slice(), key));
    // SAFETY: the caller's promise.
    unsafe { keys::replace_all(us, entries) }
}

/// The keys of a user state and a new one behind them, in the order in which
/// a key file has them. A key that the account had before is left out.
///
/// # Errors
/// [`gcry_error_t::UNUSABLE_SECKEY`] if one of the keys is not one.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn with_new(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
    key: Arc<PrivateKey>,
) -> Result<Keys, gcry_error_t> {
    let mut all = Vec::new();
    // SAFETY: the caller's promise; names in the list are NULL or
    // NUL-terminated.
    unsafe {
        for entry in list::iter((*us).privkey_root) {
            let replaced = alloc::is_text((*entry).accountname, accountname)
                && alloc::is_text((*entry).protocol, protocol);
            if !replaced {
                let name = alloc::bytes((*entry).accountname).unwrap_or_default();
                let network = alloc::bytes((*entry).protocol).unwrap_or_default();
                all.push((name.to_vec(), network.to_vec(), keys::secret_of(entry)?));
            }
        }
    }
    all.push((
        accountname.to_bytes().to_vec(),
        protocol.to_bytes().to_vec(),
        key,
    ));
    Ok(Keys(all))
}

/// What a key file is to contain.
pub(crate) struct Keys(Vec<(Vec<u8>, Vec<u8>, Arc<PrivateKey>)>);

impl Keys {
    /// The text of the key file.
    pub(crate) fn text(&self) -> Zeroizing<Vec<u8>> {
        let accounts: Vec<_> = self
            .0
            .iter()
            .map(|(name, protocol, key)| Account {
                name: name.clone(),
                protocol: protocol.clone(),
                key: components(key),
            })
            .collect();
        file::write(&accounts)
    }

    /// Makes these the keys of a user state, as if the file had been read.
    ///
    /// # Errors
    /// [`gcry_error_t::ENOMEM`].
    ///
    /// # Safety
    /// `us` is a valid user state.
    pub(crate) unsafe fn install(self, us: OtrlUserState) -> Result<(), gcry_error_t> {
        let entries = self
            .0
            .iter()
            .map(|(name, protocol, key)| (name.as_slice(), protocol.as_slice(), Arc::clone(key)));
        // SAFETY: the caller's promise.
        unsafe { keys::replace_all(us, entries) }
    }
}

fn components(key: &PrivateKey) -> Components {
    let public = key.public();
    Components {
        p: public.p().to_vec(),
        q: public.q().to_vec(),
        g: public.g().to_vec(),
        y: public.y().to_vec(),
        x: key.x().to_vec(),
    }
}

/// The key of these numbers, if they belong together.
///
/// That they do costs a power to find out, so keys that did once are
/// remembered: programs read their key file again and again.
///
/// # Errors
/// [`Error::UnusableKey`].
fn checked(numbers: &Components) -> Result<PrivateKey, Error> {
    let Components { p, q, g, y, x } = numbers;
    let key = PrivateKey::from_components(p, q, g, y, x).map_err(|_| Error::UnusableKey)?;
    let digest = digest(numbers)?;
    if known().contains(&digest) {
        return Ok(key);
    }
    if !key.is_consistent()? {
        return Err(Error::UnusableKey);
    }
    let mut known = known();
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(digest);
    Ok(key)
}

/// How many keys are remembered as checked.
const MOST_KNOWN: usize = 4096;

/// Digests of the keys that have been checked.
static KNOWN: Mutex<BTreeSet<[u8; 32]>> = Mutex::new(BTreeSet::new());

fn known() -> MutexGuard<'static, BTreeSet<[u8; 32]>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A digest that tells nothing about the key, as it begins with a secret of
/// this process.
fn digest(numbers: &Components) -> Result<[u8; 32], Error> {
    static SALT: OnceLock<[u8; 32]> = OnceLock::new();
    let salt = match SALT.get() {
        Some(salt) => salt,
        None => {
            let mut fresh = [0; 32];
            os_random().fill(&mut fresh)?;
            SALT.get_or_init(|| fresh)
        }
    };
    let Components { p, q, g, y, x } = numbers;
    let lengths = [p, q, g, y, x].map(|number| number.len().to_le_bytes());
    Ok(sha256(&[salt, lengths.as_flattened(), p, q, g, y, x]))
}
