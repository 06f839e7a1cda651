//! Reading files, and replacing them so that they are never half written.
//!
//! The new text is written into a file beside the old one, forced to the disk
//! and renamed over it. Whoever looks, whenever the program dies and however
//! full the disk is, finds the old text or the new one, whole.
//!
//! Symbolic links stay; the file they lead to is replaced. What is no regular
//! file, `/dev/null` for instance, is written into instead. A file that may
//! not be written is not replaced either, though its folder would permit it.
//!
//! Two programs that change the same file one after the other lose nothing if
//! each reads, changes and replaces it under one [`Locked`].
#![forbid(unsafe_code)]

mod place;
mod temporary;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use place::Place;
use temporary::Temporary;

use crate::crypto::secret::SecretBytes;

/// Who may read a replaced file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone, whatever was permitted before.
    Private,
    /// Whoever could read it before; for a new file, what the process's mask
    /// leaves.
    Unchanged,
}

/// How often, and how long apart, a lock that somebody else has is tried.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// The whole text of a file.
///
/// # Errors
/// Those of opening and reading; [`io::ErrorKind::FileTooLarge`] beyond
/// `limit` bytes, [`io::ErrorKind::IsADirectory`] for a folder.
pub fn read(path: &Path, limit: usize) -> io::Result<SecretBytes> {
    read_all(File::open(path)?, limit)
}

/// Replaces a file, or makes it. See [`Locked`] for one that is read before.
///
/// # Errors
/// Those of [`Locked::new`] and [`Locked::replace`].
pub fn replace(path: &Path, text: &[u8], access: Access) -> io::Result<()> {
    Locked::new(path)?.replace(text, access)
}

/// A file that no other [`Locked`], in this or another program, replaces at
/// the same time.
///
/// The lock lies on the file's folder, as the file itself changes hands with
/// each replacement; it goes with this value, and with the process. Where the
/// file system knows no locks, or the folder may not be listed, there is none.
#[derive(Debug)]
pub struct Locked {
    place: Place,
    folder: Option<File>,
}

impl Locked {
    /// Finds the file that a path leads to and locks its folder. The file need
    /// not exist.
    ///
    /// # Errors
    /// Those of following the path, and [`io::ErrorKind::TimedOut`] if
    /// somebody else keeps the lock for five seconds.
    pub fn new(path: &Path) -> io::Result<Self> {
        let place = Place::find(path)?;
        let folder = if place.is_special() {
            None
        } else {
            lock(place.folder())?
        };
        Ok(Self { place, folder })
    }

    /// The whole text of the file; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self, limit: usize) -> io::Result<Option<SecretBytes>> {
        match read(self.place.file(), limit) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file, or makes it.
    ///
    /// # Errors
    /// Those of the system's calls, a full disk and a missing permission among
    /// them. The file is as it was then, save for one case: if the folder
    /// cannot be forced to the disk at the very end, the new text is in place,
    /// but might not outlast a power cut.
    pub fn replace(&mut self, text: &[u8], access: Access) -> io::Result<()> {
        if self.place.is_special() {
            return write_into(self.place.file(), text);
        }
        let old = existing(self.place.file())?;
        let mut new = Temporary::create(self.place.folder(), self.folder.is_some(), access)?;
        new.adopt(old.as_ref(), access)?;
        new.write(text)?;
        drop(old);
        new.rename(self.place.file())?;
        self.sync_folder()
    }

    fn sync_folder(&self) -> io::Result<()> {
        let synced = match &self.folder {
            Some(folder) => folder.sync_all(),
            None => match File::open(self.place.folder()) {
                Ok(folder) => folder.sync_all(),
                // A folder that cannot be opened cannot be forced out.
                Err(_) => Ok(()),
            },
        };
        match synced {
            // Some file systems force out a folder with its files or not at all.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            result => result,
        }
    }
}

/// The file that is there, if it may be written.
fn existing(file: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().write(true).open(file) {
        Ok(old) => Ok(Some(old)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes into what is no regular file.
fn write_into(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(file)?;
    file.write_all(text)?;
    file.flush()
}

/// Locks a folder; `None` where that is impossible.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let Ok(folder) = File::open(folder) else {
        return Ok(None);
    };
    for _ in 0..TRIES {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(std::fs::TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(std::fs::TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Reads to the end without leaving copies behind.
fn read_all(mut file: File, limit: usize) -> io::Result<SecretBytes> {
    let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
    let announced = usize::try_from(file.metadata()?.len()).map_err(|_| too_large())?;
    if announced > limit {
        return Err(too_large());
    }
    // One byte more, in which the end of the file shows.
    let mut text = SecretBytes::new(vec![0; announced.saturating_add(1)]);
    let mut len = 0_usize;
    loop {
        if len == text.len() {
            // What announces no size, or has grown, needs a larger place.
            let room = len.saturating_mul(2).clamp(1, limit.saturating_add(1));
            let mut larger = SecretBytes::new(vec![0; room]);
            larger
                .get_mut(..len)
                .unwrap_or_default()
                .copy_from_slice(&text);
            text = larger;
        }
        let free = text.get_mut(len..).unwrap_or_default();
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => len = len.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if len > limit {
            return Err(too_large());
        }
        // As long as announced, and there was room for more.
        if len > 0 && len == announced {
            break;
        }
    }
    text.truncate(len);
    Ok(text)
}
