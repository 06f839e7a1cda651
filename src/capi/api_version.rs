//! The version of the interface that the program was made for.
//!
//! The variable is in no header, but programs declare it themselves, read it
//! and write it. An executable that does so holds the variable in its own
//! memory, so the library reaches it only by its exported name.

use core::sync::atomic::{AtomicU32, Ordering};

use super::gcrypt::gcry_error_t;
use super::version::{OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, OTRL_VERSION_SUB};

/// `major << 16 | minor << 8 | sub` of the smallest version that was asked
/// for, 0 before [`request`].
#[unsafe(no_mangle)]
pub static otrl_api_version: AtomicU32 = AtomicU32::new(0);

/// The first version whose programs know the extra symmetric key.
const WITH_SYMMETRIC_KEY: u32 = 4 << 16;

/// Notes that a part of the program was made for this version.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`], after a line on the standard error stream, if
/// this library is too old for it; nothing is noted then.
pub(crate) fn request(major: u32, minor: u32, sub: u32) -> Result<(), gcry_error_t> {
    if major != OTRL_VERSION_MAJOR || minor > OTRL_VERSION_MINOR {
        eprintln!(
            "libotr: the program needs version {major}.{minor}.{sub} of the library, \
             which is {OTRL_VERSION_MAJOR}.{OTRL_VERSION_MINOR}.{OTRL_VERSION_SUB}"
        );
        return Err(gcry_error_t::INV_VALUE);
    }
    let asked = (major << 16) | (minor << 8) | (sub & 0xff);
    let known = otrl_api_version.load(Ordering::Relaxed);
    if known == 0 || asked < known {
        otrl_api_version.store(asked, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether the program can be told about uses of the extra symmetric key.
pub(crate) fn knows_symmetric_key() -> bool {
    otrl_api_version.load(Ordering::Relaxed) >= WITH_SYMMETRIC_KEY
}
