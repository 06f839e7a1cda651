//! The fingerprints of a user state and the fingerprint file.

use core::ffi::CStr;

use memchr::memchr_iter;

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
    let mut known = Known::default();
    for entry in file::read(text)? {
        known.set(&entry);
        // Names with a NUL, which the reader does not let through.
        let Some(names) = known.names() else {
            continue;
        };
        // SAFETY: the caller's promise; the application may have had control
        // since the last entry, so the context is looked up for each.
        unsafe {
            let found = find(us, names, OTRL_INSTAG_MASTER, Some(app_data)).context;
            if !found.is_null() {
                let (fingerprint, _) = find_fingerprint(found, &entry.fingerprint.0, true);
                if !fingerprint.is_null() {
                    alloc::replace_string(&raw mut (*fingerprint).trust, entry.trust);
                }
            }
        }
    }
    Ok(())
}

/// The names of an entry as C strings, one behind the other in memory that is
/// used again for the next.
#[derive(Default)]
struct Known {
    text: Vec<u8>,
    /// Where the second and the third begin.
    starts: [usize; 2],
}

impl Known {
    fn set(&mut self, entry: &Entry<'_>) {
        self.text.clear();
        self.text.extend_from_slice(entry.user);
        self.text.push(0);
        let second = self.text.len();
        self.text.extend_from_slice(entry.account);
        self.text.push(0);
        let third = self.text.len();
        self.text.extend_from_slice(entry.protocol);
        self.text.push(0);
        self.starts = [second, third];
    }

    /// `None` for names with a NUL in them.
    fn names(&self) -> Option<Names<'_>> {
        let [second, third] = self.starts;
        let (username, rest) = self.text.split_at_checked(second)?;
        let (accountname, protocol) = rest.split_at_checked(third.checked_sub(second)?)?;
        // One look at all three takes less than one at each.
        if memchr_iter(0, &self.text).count() != 3 {
            return None;
        }
        // SAFETY: `set` has put a NUL at the end of each name, and there are
        // no others.
        unsafe {
            Some(Names {
                username: CStr::from_bytes_with_nul_unchecked(username),
                accountname: accountname.as_ptr().cast(),
                protocol: protocol.as_ptr().cast(),
            })
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
