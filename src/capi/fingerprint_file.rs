//! The fingerprints of a user state and the fingerprint file.

use core::ffi::CStr;
use std::ffi::CString;

use super::context::ConnContext;
use super::conversation::{AppData, Names, find, find_fingerprint};
use super::gcrypt::gcry_error_t;
use super::instag::OTRL_INSTAG_MASTER;
use super::userstate::OtrlUserState;
use super::{alloc, list};
use crate::crypto::dsa;
use crate::files::fingerprints::{self as file, Entry};

/// Adds the entries of a fingerprint file to the contexts of a user state, and
/// makes contexts for them where there are none.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for a file beyond every measure.
///
/// # Safety
/// `us` is a valid user state, and the application's function leaves it so.
pub(crate) unsafe fn load(
    us: OtrlUserState,
    text: &[u8],
    app_data: AppData,
) -> Result<(), gcry_error_t> {
    let mut last = None::<Known>;
    for entry in file::read(text)? {
        let known = match last.take() {
            Some(known) if known.is_of(&entry) => known,
            _ => match Known::of(&entry) {
                Some(known) => known,
                None => continue,
            },
        };
        // SAFETY: the caller's promise; the application may have had control
        // since the last entry, so the context is looked up for each.
        unsafe {
            let found = find(us, known.names(), OTRL_INSTAG_MASTER, Some(app_data)).context;
            if !found.is_null() {
                let (fingerprint, _) = find_fingerprint(found, &entry.fingerprint.0, true);
                if !fingerprint.is_null() {
                    alloc::replace_string(&raw mut (*fingerprint).trust, entry.trust);
                }
            }
        }
        last = Some(known);
    }
    Ok(())
}

/// The names of an entry as C strings.
struct Known {
    username: CString,
    accountname: CString,
    protocol: CString,
}

impl Known {
    /// `None` for names with a NUL, which the reader does not let through.
    fn of(entry: &Entry<'_>) -> Option<Self> {
        Some(Self {
            username: CString::new(entry.user).ok()?,
            accountname: CString::new(entry.account).ok()?,
            protocol: CString::new(entry.protocol).ok()?,
        })
    }

    fn is_of(&self, entry: &Entry<'_>) -> bool {
        self.username.to_bytes() == entry.user
            && self.accountname.to_bytes() == entry.account
            && self.protocol.to_bytes() == entry.protocol
    }

    fn names(&self) -> Names<'_> {
        Names {
            username: &self.username,
            accountname: &self.accountname,
            protocol: &self.protocol,
        }
    }
}

/// The text of a fingerprint file with all fingerprints of a user state.
///
/// # Safety
/// `us` is a valid user state.
pub(crate) unsafe fn text(us: OtrlUserState) -> Vec<u8> {
    // SAFETY: the caller's promise; nothing changes the lists meanwhile.
    let entries = unsafe { list::iter((*us).context_root).flat_map(|context| entries(context)) };
    file::write(entries).text
}

/// The entries of a context; none if it is not a master.
///
/// # Safety
/// `context` points to a context, which stays as it is while the entries are
/// used.
unsafe fn entries<'a>(context: *mut ConnContext) -> impl Iterator<Item = Entry<'a>> {
    // SAFETY: the caller's promise; names are NULL or NUL-terminated, and
    // fingerprints are NULL or have 20 bytes.
    unsafe {
        let name = |text| alloc::bytes(text).unwrap_or_default();
        let (user, account) = (name((*context).username), name((*context).accountname));
        let protocol = name((*context).protocol);
        let is_master = (*context).their_instance == OTRL_INSTAG_MASTER;
        let first = if is_master {
            (*context).fingerprint_root.next
        } else {
            core::ptr::null_mut()
        };
        list::iter(first).filter_map(move |entry| {
            let bytes = (*entry).fingerprint;
            if bytes.is_null() {
                return None;
            }
            Some(Entry {
                user,
                account,
                protocol,
                fingerprint: dsa::Fingerprint(*bytes.cast::<[u8; 20]>()),
                // Compatibility: the column is always there.
                trust: Some(trust((*entry).trust)),
            })
        })
    }
}

/// # Safety
/// `text` is NULL or NUL-terminated, and unchanged while the slice is used.
unsafe fn trust<'a>(text: *const core::ffi::c_char) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}
