//! A key file that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Keys, on_disk, sign};
use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::lib;
use crate::party::{PROTOCOL, c_path};

pub fn run(runner: &mut Runner, file: &[u8]) {
    for (name, make) in PATHS {
        runner.case(&format!("keys/not-written/{name}"), 30, || {
            not_written(file, *make)
        });
    }
}

/// Paths beside a key file at which no file can be written.
const PATHS: &[(&str, fn(&Path) -> PathBuf)] = &[
    ("no-such-folder", |folder| folder.join("missing/keys")),
    ("is-a-folder", |folder| {
        let path = folder.join("folder");
        fs::create_dir(&path).expect("a folder is made");
        path
    }),
    ("in-a-file", |folder| folder.join("otr.private_key/keys")),
    ("name-too-long", |folder| folder.join("k".repeat(300))),
];

/// A key whose file cannot be written is not there: not on disk, where the old
/// file stays as it was, and not in memory. What was computed for it is not
/// lost: it can be written elsewhere.
fn not_written(file: &[u8], make: fn(&Path) -> PathBuf) -> Outcome {
    let keys = Keys::load(file)?;
    let folder = keys.path.parent().ok_or("no parent")?;
    let bad = make(folder);
    let unchanged = |when: &str| {
        ensure!(
            fs::read(&keys.path).is_ok_and(|text| text == file),
            "{when}: the old file is changed"
        );
        ensure!(
            keys.in_memory() == 2 && keys.find(b"new").is_null(),
            "{when}: {} keys in memory",
            keys.in_memory()
        );
        ensure!(
            sign(keys.find(b"alice")).is_ok_and(|error| error == 0),
            "{when}: an old key does not sign"
        );
        Ok(())
    };
    let error = keys.generate(&bad, b"new");
    ensure!(error != 0, "at once: no error");
    unchanged("at once")?;

    let mut handle = std::ptr::null_mut();
    // SAFETY: live user state, valid strings, a place for the handle, which is
    // used until it was finished without an error.
    unsafe {
        let started = (lib().otrl_privkey_generate_start)(
            keys.us,
            c"new".as_ptr(),
            PROTOCOL.as_ptr(),
            &raw mut handle,
        );
        let made = (lib().otrl_privkey_generate_calculate)(handle);
        ensure!(started == 0 && made == 0, "set-up failed");
        let finish = |path: &Path| {
            (lib().otrl_privkey_generate_finish)(keys.us, handle, c_path(path).as_ptr())
        };
        let late = finish(&bad);
        ensure!(late == error, "step by step: error {late:#x}");
        unchanged("step by step")?;
        ensure!(finish(&keys.path) == 0, "cannot be written elsewhere");
    }
    ensure!(
        on_disk(&keys.path) == 3 && sign(keys.find(b"new")).is_ok_and(|error| error == 0),
        "the key is lost"
    );
    Ok(format!("error {error:#x}"))
}
