//! The key file.

mod unwritable;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{
    at_every_step, count, drop_rights, leftovers, mode, read_keys, reported_when_full, scratch,
    set_mode, user_state,
};
use crate::bytes::{find, hex};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{PrivKey, UserState, c, lib};
use crate::party::{PROTOCOL, c_path};
use crate::trace::{Fault, operations};

pub fn run(runner: &mut Runner) {
    let Some(file) = two_keys(runner) else { return };
    let file = file.as_slice();

    runner.case("keys/two-accounts", 10, || {
        Ok(format!("{} keys", Keys::load(file)?.in_memory()))
    });
    runner.case("keys/cut-at-every-byte", 120, || cut(file));
    runner.case("keys/one-bit-changed", 120, || flip(file));
    for (name, text, refused) in texts() {
        runner.case(&format!("keys/text/{name}"), 30, || {
            text_case(file, &text, refused)
        });
    }
    for (name, field, digits) in FIELDS {
        runner.case(&format!("keys/field/{name}"), 20, || {
            field_case(file, field, *digits)
        });
    }
    for kind in [
        "missing",
        "no-bytes",
        "directory",
        "unreadable",
        "dangling-link",
    ] {
        runner.case(&format!("keys/{kind}"), 10, || unreadable(file, kind));
    }
    for (name, before) in [
        ("new", None),
        ("was-0600", Some(0o600)),
        ("was-0644", Some(0o644)),
        ("was-0666", Some(0o666)),
    ] {
        runner.case(&format!("keys/mode/{name}"), 30, || private(file, before));
    }
    for bytes in [0, 1, 600, 1500, 2200] {
        runner.case(&format!("keys/disk-full-after-{bytes}"), 30, || {
            full(file, bytes)
        });
    }
    runner.case("keys/killed-while-generating", 60, || killed_by_time(file));
    runner.case("keys/killed-at-every-step", 120, || killed_by_step(file));
    for (name, number) in [("no-space", libc::ENOSPC), ("input-output", libc::EIO)] {
        runner.case(&format!("keys/{name}-error-at-every-step"), 120, || {
            failed_by_step(file, number)
        });
    }
    runner.case("keys/forced-to-the-disk", 30, || forced(file));
    runner.case("keys/read-only-file", 30, || read_only(file, false));
    runner.case("keys/read-only-directory", 30, || read_only(file, true));
    unwritable::run(runner, file);
    runner.case("keys/symbolic-link", 30, || link(file));
    for device in ["/dev/full", "/dev/null"] {
        runner.case(&format!("keys/written-to{device}"), 30, || {
            let keys = Keys::load(file)?;
            // A library that replaces devices must not be able to.
            drop_rights()?;
            let reported = keys.generate(Path::new(device), b"new") != 0;
            ensure!(reported || device == "/dev/null", "no error");
            ensure!(!reported || device == "/dev/full", "not written into");
            ensure!(
                keys.in_memory() >= 2,
                "{} keys left in memory",
                keys.in_memory()
            );
            ensure!(
                !fs::metadata(device).map_err(|e| e.to_string())?.is_file(),
                "replaced by a file"
            );
            Ok(String::new())
        });
    }
    for (number, name) in NAMES.iter().enumerate() {
        runner.case(&format!("keys/account-name-{number}"), 30, || {
            odd_name(file, name)
        });
    }
    runner.case("keys/two-programs-at-once", 60, || two_programs(file));
    runner.case("keys/generate-while-pending", 30, || pending(file));
}

/// A user state with a file of its own.
struct Keys {
    us: *mut UserState,
    path: PathBuf,
}

impl Keys {
    /// Writes `file` and reads it; two keys are expected.
    fn load(file: &[u8]) -> Result<Self, String> {
        let path = scratch("keys").join("otr.private_key");
        fs::write(&path, file).map_err(|e| e.to_string())?;
        set_mode(&path, 0o600);
        let keys = Self {
            us: user_state(),
            path,
        };
        ensure!(
            keys.read() == 0 && keys.in_memory() == 2,
            "set-up failed: two keys expected"
        );
        Ok(keys)
    }

    fn read(&self) -> u32 {
        read_keys(self.us, &self.path)
    }

    fn in_memory(&self) -> usize {
        // SAFETY: a live user state.
        count!(unsafe { (*self.us).privkey_root })
    }

    /// Adds a key for an account, with the given file.
    fn generate(&self, path: &Path, account: &[u8]) -> u32 {
        // SAFETY: a live user state, valid strings.
        unsafe {
            (lib().otrl_privkey_generate)(
                self.us,
                c_path(path).as_ptr(),
                c(account).as_ptr(),
                PROTOCOL.as_ptr(),
            )
        }
    }

    fn find(&self, account: &[u8]) -> *mut PrivKey {
        // SAFETY: as above.
        unsafe { (lib().otrl_privkey_find)(self.us, c(account).as_ptr(), PROTOCOL.as_ptr()) }
    }
}

/// How many keys a file gives to a program that starts now.
fn on_disk(path: &Path) -> usize {
    let us = user_state();
    read_keys(us, path);
    // SAFETY: a live user state.
    let n = count!(unsafe { (*us).privkey_root });
    // SAFETY: made above, not used any more.
    unsafe { (lib().otrl_userstate_free)(us) };
    n
}

/// A key file of two accounts, made by the library.
fn two_keys(runner: &mut Runner) -> Option<Vec<u8>> {
    let path = runner.directory().join("two.key");
    let keys = Keys {
        us: user_state(),
        path: path.clone(),
    };
    let good = keys.generate(&path, b"alice") == 0 && keys.generate(&path, b"carol") == 0;
    let file = fs::read(&path).ok().filter(|_| good);
    if file.is_none() {
        println!("keys: no key file could be made");
        runner.count(false);
    }
    file
}

/// Signs something; the library's error number.
fn sign(key: *mut PrivKey) -> Result<u32, String> {
    let (mut signature, mut len) = (std::ptr::null_mut(), 0);
    // SAFETY: a live key, places for the results.
    let error = unsafe {
        (lib().otrl_privkey_sign)(&raw mut signature, &raw mut len, key, [9; 32].as_ptr(), 32)
    };
    ensure!(error != 0 || len == 40, "a signature of {len} bytes");
    // SAFETY: NULL or from the C allocator.
    unsafe { libc::free(signature.cast()) };
    Ok(error)
}

fn cut(file: &[u8]) -> Outcome {
    let end = file
        .iter()
        .rposition(|b| !b.is_ascii_whitespace())
        .ok_or("an empty file")?;
    let keys = Keys::load(file)?;
    for len in 0..=end {
        fs::write(&keys.path, &file[..len]).map_err(|e| e.to_string())?;
        let error = keys.read();
        ensure!(error != 0, "cut to {len} bytes, read without an error");
        ensure!(
            keys.in_memory() == 2,
            "cut to {len} bytes, {} keys left",
            keys.in_memory()
        );
    }
    Ok(format!("{} cuts", end + 1))
}

/// One bit changed anywhere: no crash, no hang, and no key that cannot sign.
fn flip(file: &[u8]) -> Outcome {
    let (mut tried, mut loaded) = (0, 0);
    let path = scratch("keys").join("otr.private_key");
    for i in (0..file.len()).step_by(3) {
        let mut changed = file.to_vec();
        changed[i] ^= 1 << (i % 7);
        fs::write(&path, changed).map_err(|e| e.to_string())?;
        let keys = Keys {
            us: user_state(),
            path: path.clone(),
        };
        tried += 1;
        if keys.read() == 0 {
            loaded += 1;
            let key = keys.find(b"alice");
            if !key.is_null() {
                sign(key)?;
            }
        }
        // SAFETY: made above, not used any more.
        unsafe { (lib().otrl_userstate_free)(keys.us) };
    }
    Ok(format!("{tried} changes, {loaded} of them load"))
}

/// Files that are not key files: name, text, whether it must be refused.
fn texts() -> Vec<(&'static str, Vec<u8>, bool)> {
    let account = |inside: &str| format!("(privkeys (account {inside}))").into_bytes();
    let dsa = |numbers: &str| {
        account(&format!(
            "(name alice) (protocol prpl-test) (private-key (dsa {numbers}))"
        ))
    };
    vec![
        ("garbage", b"\x01\xff\x80(((".repeat(500), true),
        ("another-list", b"(something else)".to_vec(), true),
        ("a-million-parentheses", b"(".repeat(1_000_000), true),
        (
            "a-million-pairs",
            [b"(".repeat(1_000_000), b")".repeat(1_000_000)].concat(),
            true,
        ),
        ("50-MB", b"0123456789abcdef".repeat(3_200_000), true),
        (
            "length-beyond-the-end",
            b"(privkeys 99999999999999999999:x)".to_vec(),
            true,
        ),
        ("no-accounts", b"(privkeys)".to_vec(), false),
        ("account-without-list", b"(privkeys account)".to_vec(), true),
        (
            "no-name",
            account("(protocol p) (private-key (dsa (p #01#)(q #01#)(g #01#)(y #01#)(x #01#)))"),
            true,
        ),
        (
            "empty-name",
            account("(name) (protocol p) (private-key (dsa))"),
            true,
        ),
        ("dsa-without-numbers", dsa(""), true),
        (
            "rsa",
            account("(name n) (protocol p) (private-key (rsa (n #01#)(e #01#)))"),
            true,
        ),
        (
            "all-numbers-1",
            dsa("(p #01#)(q #01#)(g #01#)(y #01#)(x #01#)"),
            true,
        ),
        ("all-numbers-0", dsa("(p ##)(q ##)(g ##)(y ##)(x ##)"), true),
        (
            "odd-hex-digits",
            dsa("(p #1#)(q #1#)(g #1#)(y #1#)(x #1#)"),
            true,
        ),
    ]
}

fn text_case(file: &[u8], text: &[u8], refused: bool) -> Outcome {
    let keys = Keys::load(file)?;
    fs::write(&keys.path, text).map_err(|e| e.to_string())?;
    let (error, ms) = within(2000.0, "reading", || keys.read())?;
    if refused {
        ensure!(error != 0, "read without an error");
        ensure!(
            keys.in_memory() == 2,
            "{} of 2 keys left in memory",
            keys.in_memory()
        );
    } else {
        ensure!(error == 0, "error {error:#x}");
    }
    Ok(format!("{ms:.0} ms"))
}

/// One number of the first key replaced or (`None`) left out: case, field,
/// hexadecimal digits.
const FIELDS: &[(&str, &str, Option<&str>)] = &[
    ("no-x", "x", None),
    ("no-y", "y", None),
    ("no-q", "q", None),
    ("no-g", "g", None),
    ("x-of-another-key", "x", Some("0123456789")),
    ("x=0", "x", Some("00")),
    ("p=0", "p", Some("00")),
    ("p=4", "p", Some("04")),
    ("q=0", "q", Some("00")),
    ("g=1", "g", Some("01")),
    ("y=1", "y", Some("01")),
    (
        "q-of-248-bits",
        "q",
        Some("00FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF61"),
    ),
];

fn field_case(file: &[u8], field: &str, digits: Option<&str>) -> Outcome {
    let start = find(file, format!("({field} #").as_bytes()).ok_or("no such field")?;
    let end = start + find(&file[start..], b")").ok_or("no end")? + 1;
    let new = digits.map_or(String::new(), |digits| format!("({field} #{digits}#)"));
    let path = scratch("keys").join("otr.private_key");
    fs::write(
        &path,
        [&file[..start], new.as_bytes(), &file[end..]].concat(),
    )
    .map_err(|e| e.to_string())?;
    let keys = Keys {
        us: user_state(),
        path,
    };
    if keys.read() != 0 {
        return Ok("refused".to_owned());
    }
    for account in [b"alice", b"carol"] {
        let key = keys.find(account);
        if !key.is_null() {
            sign(key)?;
        }
    }
    Err("accepted".to_owned())
}

fn unreadable(file: &[u8], kind: &str) -> Outcome {
    let keys = Keys::load(file)?;
    let path = &keys.path;
    match kind {
        "no-bytes" => fs::write(path, "").map_err(|e| e.to_string())?,
        "unreadable" => {
            set_mode(path, 0);
            drop_rights()?;
        }
        _ => {
            fs::remove_file(path).map_err(|e| e.to_string())?;
            match kind {
                "directory" => fs::create_dir(path).map_err(|e| e.to_string())?,
                "dangling-link" => symlink("nowhere", path).map_err(|e| e.to_string())?,
                _ => {}
            }
        }
    }
    let error = keys.read();
    // A file without bytes is what an interrupted write leaves behind.
    ensure!(error != 0, "no error");
    ensure!(
        keys.in_memory() == 2,
        "{} of 2 keys left in memory",
        keys.in_memory()
    );
    Ok(format!("error {error:#x}"))
}

fn private(file: &[u8], before: Option<u32>) -> Outcome {
    let keys = Keys::load(file)?;
    // SAFETY: a system call on this process.
    unsafe { libc::umask(0) };
    match before {
        Some(mode) => set_mode(&keys.path, mode),
        None => fs::remove_file(&keys.path).map_err(|e| e.to_string())?,
    }
    ensure!(keys.generate(&keys.path, b"new") == 0, "no key made");
    ensure!(
        mode(&keys.path) & 0o077 == 0,
        "mode {:#o}",
        mode(&keys.path)
    );
    Ok(String::new())
}

fn full(file: &[u8], bytes: u64) -> Outcome {
    let keys = Keys::load(file)?;
    let reported = reported_when_full(bytes, || {
        let error = keys.generate(&keys.path, b"new");
        // A program that goes on must still have its keys.
        if error != 0 && keys.in_memory() < 2 {
            0
        } else {
            error
        }
    })?;
    ensure!(reported, "no error, or the keys in memory are lost");
    ensure!(
        on_disk(&keys.path) == 2,
        "{} of 2 keys left on disk",
        on_disk(&keys.path)
    );
    ensure!(
        leftovers(&keys.path, &[]).is_empty(),
        "a temporary file stays behind"
    );
    Ok(String::new())
}

fn killed_by_time(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    for ms in 0..10 {
        // SAFETY: this process has one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            keys.generate(&keys.path, b"new");
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(0) };
        }
        std::thread::sleep(std::time::Duration::from_millis(1 + 2 * ms));
        // SAFETY: our own child.
        unsafe { libc::kill(child, libc::SIGKILL) };
        crate::cases::reap(child);
        ensure!(
            on_disk(&keys.path) >= 2,
            "killed after {} ms: keys lost",
            1 + 2 * ms
        );
        fs::write(&keys.path, file).map_err(|e| e.to_string())?;
    }
    Ok("10 times".to_owned())
}

fn killed_by_step(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    let steps = at_every_step(
        Fault::Kill,
        || keys.generate(&keys.path, b"new"),
        |step, _| {
            ensure!(
                on_disk(&keys.path) >= 2,
                "killed at operation {step}: keys lost"
            );
            Ok(())
        },
    )?;
    Ok(format!("{steps} operations"))
}

fn failed_by_step(file: &[u8], number: i32) -> Outcome {
    let keys = Keys::load(file)?;
    let steps = at_every_step(
        Fault::Fail(number),
        || keys.generate(&keys.path, b"new"),
        |step, reported| {
            let left = on_disk(&keys.path);
            ensure!(left >= 2, "operation {step} fails: keys lost");
            // Not every operation matters, but success must mean three keys.
            ensure!(
                reported == Some(true) || left == 3,
                "operation {step} fails: no error, no key"
            );
            fs::write(&keys.path, file).map_err(|e| e.to_string())
        },
    )?;
    Ok(format!("{steps} operations"))
}

fn read_only(file: &[u8], directory: bool) -> Outcome {
    let keys = Keys::load(file)?;
    set_mode(&keys.path, 0o400);
    let parent = keys.path.parent().ok_or("no parent")?;
    if directory {
        set_mode(parent, 0o555);
    }
    drop_rights()?;
    let error = keys.generate(&keys.path, b"new");
    ensure!(error != 0, "no error");
    ensure!(keys.in_memory() == 2, "{} keys in memory", keys.in_memory());
    Ok(format!("error {error:#x}"))
}

/// A link is written through and stays a link.
fn link(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    let target = keys.path.with_extension("real");
    fs::rename(&keys.path, &target).map_err(|e| e.to_string())?;
    symlink(&target, &keys.path).map_err(|e| e.to_string())?;
    ensure!(keys.generate(&keys.path, b"new") == 0, "an error");
    let kind = fs::symlink_metadata(&keys.path).map_err(|e| e.to_string())?;
    ensure!(kind.is_symlink(), "the link is gone");
    ensure!(
        on_disk(&target) == 3,
        "{} keys in its target",
        on_disk(&target)
    );
    Ok(String::new())
}

const NAMES: [&[u8]; 10] = [
    b"with blanks",
    b"quote\"s and \\ backslashes",
    b"paren)(theses",
    b"new\nline",
    b"tab\tname",
    b"caf\xc3\xa9@example",
    b"\xff\xfe",
    b"",
    b"name (x #00#)",
    b"#31#",
];

fn odd_name(file: &[u8], name: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    if keys.generate(&keys.path, name) != 0 {
        return Ok("refused".to_owned());
    }
    let again = Keys {
        us: user_state(),
        path: keys.path,
    };
    let error = again.read();
    ensure!(error == 0, "cannot be read again: error {error:#x}");
    ensure!(
        again.in_memory() == 3,
        "{} keys read again",
        again.in_memory()
    );
    ensure!(
        !again.find(name).is_null(),
        "not found again: {}",
        hex(name)
    );
    Ok(String::new())
}

/// The new file is on the disk before it takes its place, and its place after.
fn forced(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    let calls = operations(|| {
        keys.generate(&keys.path, b"new");
    });
    let is = |names: &'static [i64]| move |call: &i64| names.contains(call);
    let renames = is(&[libc::SYS_rename, libc::SYS_renameat, libc::SYS_renameat2]);
    let forces = is(&[libc::SYS_fsync, libc::SYS_fdatasync]);
    let at = calls.iter().position(renames).ok_or("nothing is renamed")?;
    let written = calls[..at]
        .iter()
        .rposition(is(&[libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64]))
        .ok_or("nothing is written")?;
    ensure!(calls[written..at].iter().any(forces), "not the text");
    ensure!(calls[at..].iter().any(forces), "not its place");
    Ok(format!("{} operations", calls.len()))
}

/// Two programs with the same file add an account each: neither may destroy
/// what it read.
fn two_programs(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    let mut children = Vec::new();
    for account in [b"first", b"other"] {
        // SAFETY: this process has one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            keys.generate(&keys.path, account);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(0) };
        }
        children.push(child);
    }
    for child in children {
        crate::cases::reap(child);
    }
    let left = on_disk(&keys.path);
    ensure!(left >= 3, "{left} keys on disk");
    Ok(format!("{left} keys on disk"))
}

/// Asking for a key while another one for the account is being made must not
/// touch the file.
fn pending(file: &[u8]) -> Outcome {
    let keys = Keys::load(file)?;
    let mut handle = std::ptr::null_mut();
    // SAFETY: live user state, valid strings, a place for the handle.
    let error = unsafe {
        (lib().otrl_privkey_generate_start)(
            keys.us,
            c"new".as_ptr(),
            PROTOCOL.as_ptr(),
            &raw mut handle,
        )
    };
    ensure!(error == 0 && !handle.is_null(), "error {error:#x}");
    ensure!(
        keys.generate(&keys.path, b"new") != 0,
        "made although pending"
    );
    ensure!(
        on_disk(&keys.path) == 2,
        "{} of 2 keys left on disk",
        on_disk(&keys.path)
    );
    // SAFETY: the handle of this user state, used once.
    unsafe { (lib().otrl_privkey_generate_cancelled)(keys.us, handle) };
    ensure!(
        keys.generate(&keys.path, b"new") == 0,
        "not made after the cancellation"
    );
    ensure!(
        on_disk(&keys.path) == 3,
        "{} of 3 keys on disk",
        on_disk(&keys.path)
    );
    Ok(String::new())
}
