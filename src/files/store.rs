//! Reading files, and replacing them so that they are never half written.
//!
//! The new text is written into a file beside the old one, forced to the disk
//! and renamed over it. Whoever looks, whenever the program dies and however
//! full the disk is, finds the old text or the new one, whole. Which of them
//! is found after a power cut is a matter of [`Durability`].
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

/// What a power cut may take of a file that was replaced just before.
///
/// The old text and the new one are never mixed, and whatever else happens to
/// the program or to the disk, [`Locked::replace`] leaves one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: the text and its place in the folder are on the disk before
    /// the call returns. For what nobody can make again, private keys and
    /// whom the user trusts.
    Lasting,
    /// The new text, for which the old one is found again; and all of a file
    /// that did not exist before, which may be missing or empty then. For
    /// instance tags: they are random numbers, another one does as well, and
    /// the conversations that knew it are gone with the power.
    ///
    /// The text is on the disk before it takes the place of an old one. Where
    /// there is none to be kept whole, nothing is waited for, and so an error
    /// that shows only when the system gets to the disk is not reported.
    Renewable,
}

impl Durability {
    /// Whether the text has to be on the disk before it takes its place.
    const fn wants_text_first(self, has_old: bool) -> bool {
        match self {
            Self::Lasting => true,
            Self::Renewable => has_old,
        }
    }

    /// Whether its place has to be on the disk before the call returns.
    const fn wants_place(self) -> bool {
        matches!(self, Self::Lasting)
    }
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
pub fn replace(path: &Path, text: &[u8], access: Access, durability: Durability) -> io::Result<()> {
    Locked::new(path)?.replace(text, access, durability)
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
    pub fn replace(
        &mut self,
        text: &[u8],
        access: Access,
        durability: Durability,
    ) -> io::Result<()> {
        self.replace_with(text, access, durability, |part| match part {
            Part::Text(file) => file.sync_all(),
            Part::Folder(folder) => folder.sync_all(),
        })
    }

    /// The same with a function that forces parts to the disk.
    fn replace_with(
        &mut self,
        text: &[u8],
        access: Access,
        durability: Durability,
        mut force: impl FnMut(Part<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.place.is_special() {
            return write_into(self.place.file(), text);
        }
        let old = existing(self.place.file())?;
        let mut new = Temporary::create(self.place.folder(), self.folder.is_some(), access)?;
        new.adopt(old.as_ref(), access)?;
        new.write(text)?;
        if durability.wants_text_first(old.is_some()) {
            force(Part::Text(new.file()))?;
        }
        drop(old);
        new.rename(self.place.file())?;
        if durability.wants_place() {
            self.force_folder(force)?;
        }
        Ok(())
    }

    fn force_folder(&self, mut force: impl FnMut(Part<'_>) -> io::Result<()>) -> io::Result<()> {
        let forced = match &self.folder {
            Some(folder) => force(Part::Folder(folder)),
            None => match File::open(self.place.folder()) {
                Ok(folder) => force(Part::Folder(&folder)),
                // A folder that cannot be opened cannot be forced out.
                Err(_) => Ok(()),
            },
        };
        match forced {
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

/// What is forced to the disk.
enum Part<'a> {
    /// The new text, not in its place yet.
    Text(&'a File),
    /// The folder, in which it is in its place.
    Folder(&'a File),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    /// A file in a folder of its own, removed when the test is over.
    struct Case(PathBuf);

    impl Case {
        fn new(name: &str) -> Self {
            let name = format!("otr-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn file(&self) -> PathBuf {
            self.0.join("file")
        }

        /// Replaces the file and tells what was forced to the disk, each with
        /// the text that was in place then.
        fn forced(&self, text: &str, durability: Durability) -> Vec<(&'static str, String)> {
            let mut seen = Vec::new();
            let in_place = || fs::read_to_string(self.file()).unwrap_or_default();
            let mut locked = Locked::new(&self.file()).unwrap();
            locked
                .replace_with(text.as_bytes(), Access::Private, durability, |part| {
                    seen.push(match part {
                        Part::Text(new) => {
                            // Whole, before it takes its place.
                            assert_eq!(new.metadata().unwrap().len(), text.len() as u64);
                            ("text", in_place())
                        }
                        Part::Folder(folder) => {
                            assert!(folder.metadata().unwrap().is_dir());
                            ("folder", in_place())
                        }
                    });
                    Ok(())
                })
                .unwrap();
            assert_eq!(in_place(), text);
            seen
        }
    }

    impl Drop for Case {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn seen(parts: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let owned = |(part, text): &(&'static str, &str)| (*part, (*text).to_owned());
        parts.iter().map(owned).collect()
    }

    #[test]
    fn what_lasts_is_on_the_disk_with_its_place() {
        let case = Case::new("lasting");
        let first = case.forced("one", Durability::Lasting);
        assert_eq!(first, seen(&[("text", ""), ("folder", "one")]));
        let second = case.forced("other", Durability::Lasting);
        assert_eq!(second, seen(&[("text", "one"), ("folder", "other")]));
    }

    #[test]
    fn what_can_be_made_again_keeps_the_old_text_whole() {
        let case = Case::new("renewable");
        assert_eq!(case.forced("one", Durability::Renewable), []);
        let second = case.forced("other", Durability::Renewable);
        assert_eq!(second, seen(&[("text", "one")]));
    }

    /// An error of the disk is reported while the old text is still in place.
    #[test]
    fn what_cannot_be_forced_out_does_not_take_its_place() {
        let case = Case::new("refused");
        case.forced("old", Durability::Renewable);
        for durability in [Durability::Lasting, Durability::Renewable] {
            let mut locked = Locked::new(&case.file()).unwrap();
            let written = locked.replace_with(b"new", Access::Private, durability, |_| {
                Err(io::ErrorKind::StorageFull.into())
            });
            let kind = written.map_err(|error| error.kind());
            assert_eq!(kind, Err(io::ErrorKind::StorageFull));
            assert_eq!(fs::read_to_string(case.file()).unwrap(), "old");
            assert_eq!(fs::read_dir(&case.0).unwrap().count(), 1);
        }
    }
}
