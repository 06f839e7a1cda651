//! Where a path leads.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many links a path may lead through, as in the system itself.
const MAX_LINKS: usize = 40;

/// A file's place once every symbolic link at its end is followed.
#[derive(Debug)]
pub(super) struct Place {
    file: PathBuf,
    folder: PathBuf,
    special: bool,
}

impl Place {
    /// Follows the links at the end of a path. The last of them may lead to a
    /// file that does not exist yet.
    pub(super) fn find(path: &Path) -> io::Result<Self> {
        let mut file = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let special = match fs::symlink_metadata(&file) {
                Ok(metadata) if metadata.is_symlink() => {
                    let target = fs::read_link(&file)?;
                    file = folder_of(&file).join(target);
                    continue;
                }
                Ok(metadata) => !metadata.is_file(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            if file.file_name().is_none() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            return Ok(Self {
                folder: folder_of(&file),
                file,
                special,
            });
        }
        Err(io::ErrorKind::InvalidInput.into())
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether something else than a regular file is there.
    pub(super) const fn is_special(&self) -> bool {
        self.special
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
