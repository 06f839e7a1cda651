//! The instance tags of a user state and the instance tag file.

use core::ffi::CStr;

use super::gcrypt::gcry_error_t;
use super::instag::{OtrlInsTag, otrl_instag_forget, otrl_instag_t};
use super::userstate::OtrlUserState;
use super::{alloc, list};
use crate::InstanceTag;
use crate::crypto::os_random;
use crate::files::instance_tags::{self as file, Entry};

/// Adds the entries of an instance tag file to the list. What is known
/// already is not added again.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for a file beyond every measure,
/// [`gcry_error_t::ENOMEM`].
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn load(us: OtrlUserState, text: &[u8]) -> Result<(), gcry_error_t> {
    for entry in file::read(text)? {
        // SAFETY: the caller's promise.
        unsafe {
            let known = entries(us).any(|known| known == entry);
            if !known {
                add(us, entry.account, entry.protocol, entry.tag.get())?;
            }
        }
    }
    Ok(())
}

/// Makes a tag for an account and writes all tags.
///
/// # Errors
/// What `write` returns, and then the tag is not kept;
/// [`gcry_error_t::ENOMEM`]; [`gcry_error_t::INTERNAL`] if the system's random
/// source fails.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn generate(
    us: OtrlUserState,
    accountname: &CStr,
    protocol: &CStr,
    write: impl FnOnce(&[u8]) -> Result<(), gcry_error_t>,
) -> Result<(), gcry_error_t> {
    let tag = InstanceTag::random(&mut os_random())?;
    // SAFETY: the caller's promise.
    unsafe {
        let entry = add(us, accountname.to_bytes(), protocol.to_bytes(), tag.get())?;
        write(&text(us)).inspect_err(|_| otrl_instag_forget(entry))
    }
}

/// The text of an instance tag file with all tags of a user state.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn text(us: OtrlUserState) -> Vec<u8> {
    // SAFETY: the caller's promise; nothing changes the list meanwhile.
    file::write(unsafe { entries(us) }).text
}

/// The tags of a user state.
///
/// # Safety
/// `us` is a valid user state, whose list stays as it is while the entries are
/// used.
unsafe fn entries<'a>(us: OtrlUserState) -> impl Iterator<Item = Entry<'a>> {
    // SAFETY: the caller's promise; names are NULL or NUL-terminated.
    unsafe {
        list::iter((*us).instag_root).map(|entry| Entry {
            account: alloc::bytes((*entry).accountname).unwrap_or_default(),
            protocol: alloc::bytes((*entry).protocol).unwrap_or_default(),
            tag: InstanceTag::new((*entry).instag),
        })
    }
}

/// Adds a tag in front of the list.
///
/// # Errors
/// [`gcry_error_t::ENOMEM`].
///
/// # Safety
/// `us` is a valid user state.
unsafe fn add(
    us: OtrlUserState,
    accountname: &[u8],
    protocol: &[u8],
    tag: otrl_instag_t,
) -> Result<*mut OtrlInsTag, gcry_error_t> {
    let entry = alloc::zeroed::<OtrlInsTag>();
    if entry.is_null() {
        return Err(gcry_error_t::ENOMEM);
    }
    // SAFETY: the caller's promise; the entry was made above.
    unsafe {
        (*entry).accountname = alloc::c_string(accountname);
        (*entry).protocol = alloc::c_string(protocol);
        (*entry).instag = tag;
        if (*entry).accountname.is_null() || (*entry).protocol.is_null() {
            otrl_instag_forget(entry);
            return Err(gcry_error_t::ENOMEM);
        }
        list::insert(&raw mut (*us).instag_root, entry);
    }
    Ok(entry)
}
