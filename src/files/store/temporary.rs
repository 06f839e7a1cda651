//! The file that a new text is written into before it takes its place.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::Access;

/// What everybody may do with a new file that is not private; the process's
/// mask is taken away from it.
const ORDINARY: u32 = 0o666;
/// What the owner alone may do.
const PRIVATE: u32 = 0o600;
/// The bits of a mode that are kept: no set-id bits.
const PERMISSIONS: u32 = 0o777;
/// All bits of a mode that can be changed.
const MODE: u32 = 0o7777;

/// The name while the folder is locked: only one exists at a time.
const NAME: &str = ".otr-new.tmp";
/// How often another name is tried in a folder without lock.
const TRIES: u32 = 16;

/// A new file beside the one it will replace; removed again unless it does.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    file: File,
    in_place: bool,
}

impl Temporary {
    /// Makes the file; nobody else can have put it there.
    pub(super) fn create(folder: &Path, locked: bool, access: Access) -> io::Result<Self> {
        let mode = match access {
            Access::Private => PRIVATE,
            Access::Unchanged => ORDINARY,
        };
        let open = |path: PathBuf| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&path)
                .map(|file| Self {
                    path,
                    file,
                    in_place: false,
                })
        };
        if locked {
            // Whoever left one here died: the lock would not be ours.
            let path = folder.join(NAME);
            match open(path.clone()) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let _ = fs::remove_file(&path);
                }
                result => return result,
            }
            if let Ok(made) = open(path) {
                return Ok(made);
            }
        }
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..TRIES {
            let number = RandomState::new().hash_one(std::process::id());
            match open(folder.join(format!(".otr-{number:016x}.tmp"))) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                result => return result,
            }
        }
        Err(last)
    }

    /// Takes over owner and permissions of the file to be replaced.
    pub(super) fn adopt(&mut self, old: Option<&File>, access: Access) -> io::Result<()> {
        let Some(old) = old else {
            return match access {
                // The mask may have taken away what the owner needs.
                Access::Private => self.permit(self.file.metadata()?.mode(), PRIVATE),
                Access::Unchanged => Ok(()),
            };
        };
        let old = old.metadata()?;
        let new = self.file.metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            // Only the superuser, and for groups a member, is allowed this;
            // for everybody else the new file is the writer's.
            let _ = fchown(&self.file, Some(old.uid()), Some(old.gid()));
        }
        match access {
            Access::Private => self.permit(new.mode(), PRIVATE),
            Access::Unchanged => self.permit(new.mode(), old.mode() & PERMISSIONS),
        }
    }

    /// Changes the permissions, if they are not what they should be: that
    /// costs the disk a write.
    fn permit(&self, is: u32, should_be: u32) -> io::Result<()> {
        if is & MODE == should_be {
            return Ok(());
        }
        self.file.set_permissions(Permissions::from_mode(should_be))
    }

    /// Writes the text.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Takes the place of the file.
    pub(super) fn rename(mut self, file: &Path) -> io::Result<()> {
        fs::rename(&self.path, file)?;
        self.in_place = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}
