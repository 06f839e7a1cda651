//! The key, fingerprint and instance-tag files: damaged, unreadable,
//! unwritable, half written.
//!
//! Wanted: a damaged file is reported, nothing in memory changes when reading
//! fails, a failed or interrupted write leaves the file that was there, files
//! are private, and no name can smuggle a line in.

mod fingerprints;
mod keys;
mod tags;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cases::{Ended, Runner, in_child};
use crate::ffi::{UserState, lib};
use crate::party::c_path;
use crate::trace::{End, Fault, with_fault};

/// Runs all tables.
pub fn run(runner: &mut Runner) {
    keys::run(runner);
    fingerprints::run(runner);
    tags::run(runner);
}

/// A fresh directory for one case.
pub(super) fn scratch(kind: &str) -> PathBuf {
    let directory = crate::party::party_file("files", &format!("{kind}-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    // Some cases go on as another user.
    for path in [directory.as_path(), directory.parent().expect("a parent")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("permissions");
    }
    directory
}

/// A new user state; never freed, the case's process ends soon.
fn user_state() -> *mut UserState {
    // SAFETY: takes nothing.
    unsafe { (lib().otrl_userstate_create)() }
}

/// Number of nodes in a list.
macro_rules! count {
    ($root:expr) => {{
        let (mut node, mut n) = ($root, 0usize);
        while !node.is_null() {
            // SAFETY: nodes of a live list of the library.
            node = unsafe { (*node).next };
            n += 1;
        }
        n
    }};
}
use count;

/// Goes on as a user without special rights.
fn drop_rights() -> Result<(), String> {
    // SAFETY: system calls on this process.
    let failed = unsafe {
        libc::geteuid() == 0
            && (libc::setgroups(0, std::ptr::null()) != 0
                || libc::setgid(65534) != 0
                || libc::setuid(65534) != 0)
    };
    if failed {
        Err("cannot drop the rights".to_owned())
    } else {
        Ok(())
    }
}

/// From now on no file can grow beyond so many bytes: a full disk.
fn fill_disk(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: system calls on this process.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
    }
}

/// Whether a write on a full disk reported its failure. The write happens in
/// a process of its own, so that this one still can write.
fn reported_when_full(bytes: u64, write: impl FnOnce() -> u32) -> Result<bool, String> {
    let (ended, said) = in_child(30, true, || {
        fill_disk(bytes);
        write().to_string()
    });
    match ended {
        Ended::Normally => Ok(said != "0"),
        Ended::TimedOut => Err("the write does not end".to_owned()),
        Ended::Badly(how) => Err(format!("the write ends with {how}")),
    }
}

/// Permission bits of a file.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |m| m.permissions().mode() & 0o777)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
}

/// Files in the directory of `path` that were not there at the start.
fn leftovers(path: &Path, expected: &[&Path]) -> Vec<PathBuf> {
    let entries = fs::read_dir(path.parent().expect("a parent")).expect("a directory");
    let paths = entries.filter_map(|e| e.ok().map(|e| e.path()));
    paths
        .filter(|p| p != path && !expected.contains(&p.as_path()))
        .collect()
}

/// Runs a write with a fault at its first, second, ... operation on files,
/// until it gets through; after each, `check` looks at what is on disk and
/// gets to know whether the write reported a failure (`None`: it was killed).
fn at_every_step(
    fault: Fault,
    write: impl Fn() -> u32,
    check: impl Fn(usize, Option<bool>) -> Result<(), String>,
) -> Result<usize, String> {
    for step in 0..100 {
        match with_fault(step, fault, || write().to_string()) {
            End::Killed => check(step, None)?,
            End::Failed(said) => check(step, Some(said != "0"))?,
            End::NotReached(_) => return Ok(step),
            End::Crashed(signal) => return Err(format!("signal {signal} at step {step}")),
        }
    }
    Err("does not end within 100 operations".to_owned())
}

/// Reads a key file.
fn read_keys(us: *mut UserState, path: &Path) -> u32 {
    // SAFETY: a live user state, a valid string.
    unsafe { (lib().otrl_privkey_read)(us, c_path(path).as_ptr()) }
}
