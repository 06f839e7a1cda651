//! Keys that are being generated, perhaps in another thread.
//!
//! A generation is known to C by an address. The same address serves to look
//! it up here, so that one which was finished or cancelled before is noticed.

use core::ffi::{CStr, c_void};
use std::collections::HashMap;
use std::ffi::CString;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::gcrypt::gcry_error_t;
use super::key_file;
use super::privkey_t::OtrlPendingPrivKey;
use super::userstate::OtrlUserState;
use super::vault::{ByAddress, trim};
use super::{alloc, list};
use crate::crypto::dsa::PrivateKey;
use crate::crypto::os_random;

/// A key for an account, from the moment it is asked for.
pub(crate) struct Generation {
    accountname: CString,
    protocol: CString,
    key: OnceLock<Arc<PrivateKey>>,
}

static RUNNING: Mutex<HashMap<usize, Arc<Generation>, ByAddress>> =
    Mutex::new(HashMap::with_hasher(BuildHasherDefault::new()));

fn running() -> MutexGuard<'static, HashMap<usize, Arc<Generation>, ByAddress>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Generation {
    /// Begins a generation, of which only the address is known to C.
    pub(crate) fn begin(accountname: &CStr, protocol: &CStr) -> *mut c_void {
        let generation = Arc::new(Self::new(accountname, protocol));
        let address = Arc::as_ptr(&generation);
        running().insert(address.addr(), generation);
        address.cast_mut().cast()
    }

    fn new(accountname: &CStr, protocol: &CStr) -> Self {
        Self {
            accountname: accountname.to_owned(),
            protocol: protocol.to_owned(),
            key: OnceLock::new(),
        }
    }

    /// The generation at an address, if it was neither finished nor cancelled.
    ///
    /// # Errors
    /// [`gcry_error_t::INV_VALUE`].
    pub(crate) fn at(address: *mut c_void) -> Result<Arc<Self>, gcry_error_t> {
        running()
            .get(&address.addr())
            .cloned()
            .ok_or(gcry_error_t::INV_VALUE)
    }

    /// Ends the generation at an address, if there is one.
    pub(crate) fn end(address: *mut c_void) -> Option<Arc<Self>> {
        let mut running = running();
        let ended = running.remove(&address.addr());
        trim(&mut running);
        ended
    }

    /// Makes the key. Takes its time; several threads may make different keys.
    ///
    /// # Errors
    /// [`gcry_error_t::INTERNAL`] if the system's random source fails.
    pub(crate) fn calculate(&self) -> Result<(), gcry_error_t> {
        if self.key.get().is_none() {
            let key = PrivateKey::generate(&mut os_random())?;
            // Another thread may have been faster; its key is as good.
            let _ = self.key.set(Arc::new(key));
        }
        Ok(())
    }

    /// Writes the keys of a user state and this one, and makes it one of them.
    ///
    /// # Errors
    /// [`gcry_error_t::UNUSABLE_SECKEY`] if the key was not made; what `write`
    /// returns. The user state is then as before.
    ///
    /// # Safety
    /// `us` is a valid user state.
    pub(crate) unsafe fn finish(
        &self,
        us: OtrlUserState,
        write: impl FnOnce(&[u8]) -> Result<(), gcry_error_t>,
    ) -> Result<(), gcry_error_t> {
        let key = self.key.get().ok_or(gcry_error_t::UNUSABLE_SECKEY)?;
        // SAFETY: the caller's promise.
        unsafe {
            let keys = key_file::with_new(us, &self.accountname, &self.protocol, Arc::clone(key))?;
            write(&keys.text())?;
            keys.install(us)
        }
    }

    /// Takes the account off the list of pending keys.
    ///
    /// # Safety
    /// `us` is a valid user state.
    pub(crate) unsafe fn forget_pending(&self, us: OtrlUserState) {
        // SAFETY: the caller's promise.
        unsafe {
            let entry = find(us, &self.accountname, &self.protocol);
            if !entry.is_null() {
                forget(entry);
            }
        }
    }
}

/// Makes a key at once.
///
/// # Errors
/// [`gcry_error_t::EEXIST`] if one is being generated for the account; others
/// as for [`Generation::finish`].
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn generate(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
    write: impl FnOnce(&[u8]) -> Result<(), gcry_error_t>,
) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        if !find(us, accountname, protocol).is_null() {
            return Err(gcry_error_t::EEXIST);
        }
        let generation = Generation::new(accountname, protocol);
        generation.calculate()?;
        generation.finish(us, write)
    }
}

/// The entry of an account in the list of pending keys, or NULL.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn find(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
) -> *mut OtrlPendingPrivKey {
    // SAFETY: the caller's promise; names in the list are NULL or
    // NUL-terminated.
    unsafe {
        list::iter((*us).pending_root)
            .find(|entry| {
                alloc::is_text((**entry).accountname, accountname)
                    && alloc::is_text((**entry).protocol, protocol)
            })
            .unwrap_or(core::ptr::null_mut())
    }
}

/// Puts an account on the list of pending keys. False without memory.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn add(us: OtrlUserState, accountname: &CStr, protocol: &CStr) -> bool {
    let entry = alloc::zeroed::<OtrlPendingPrivKey>();
    if entry.is_null() {
        return false;
    }
    // SAFETY: the caller's promise; the entry was made above.
    unsafe {
        (*entry).accountname = alloc::c_string(accountname.to_bytes());
        (*entry).protocol = alloc::c_string(protocol.to_bytes());
        if (*entry).accountname.is_null() || (*entry).protocol.is_null() {
            forget(entry);
            return false;
        }
        list::insert(&raw mut (*us).pending_root, entry);
    }
    true
}

/// Releases an entry of the list of pending keys.
///
/// # Safety
/// `entry` points to an entry that is not used any more.
pub(crate) unsafe fn forget(entry: *mut OtrlPendingPrivKey) {
    // SAFETY: the caller's promise.
    unsafe {
        list::unlink(entry);
        alloc::free((*entry).accountname);
        alloc::free((*entry).protocol);
        alloc::free(entry);
    }
}
