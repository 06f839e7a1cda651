//! The fingerprint file.

use std::fs;
use std::path::{Path, PathBuf};

use super::{
    at_every_step, drop_rights, leftovers, mode, reported_when_full, scratch, set_mode, user_state,
};
use crate::cases::{Outcome, Runner, ensure, within};
use crate::ffi::{UserState, bytes, c, lib};
use crate::party::{PROTOCOL, c_path};
use crate::trace::Fault;

const HEX: &str = "00112233445566778899aabbccddeeff00112233";

pub fn run(runner: &mut Runner) {
    runner.case("fingerprints/cut-at-every-byte", 60, cut);
    for (name, text, entries) in texts() {
        runner.case(&format!("fingerprints/text/{name}"), 10, || {
            let store = Store::new();
            fs::write(&store.path, &text).map_err(|e| e.to_string())?;
            store.read();
            let read = store.entries().len();
            ensure!(read == entries, "{read} entries read, {entries} wanted");
            Ok(String::new())
        });
    }
    runner.case("fingerprints/tail-of-a-long-line", 10, long_line);
    for (name, user) in [
        ("line-break", "eve\nbob"),
        ("return", "eve\rbob"),
        ("tab", "eve\tbob"),
    ] {
        runner.case(&format!("fingerprints/{name}-in-a-name"), 10, || {
            smuggle(user)
        });
    }
    for bytes in [0, 1000] {
        runner.case(&format!("fingerprints/disk-full-after-{bytes}"), 30, || {
            full(bytes)
        });
    }
    runner.case("fingerprints/killed-at-every-step", 60, || {
        by_step(Fault::Kill)
    });
    runner.case("fingerprints/error-at-every-step", 60, || {
        by_step(Fault::Fail(libc::ENOSPC))
    });
    runner.case("fingerprints/mode", 10, || {
        let store = Store::with(1);
        // SAFETY: a system call on this process.
        unsafe { libc::umask(0o022) };
        ensure!(store.write() == 0, "not written");
        ensure!(
            mode(&store.path) & 0o077 == 0,
            "mode {:#o}",
            mode(&store.path)
        );
        Ok(String::new())
    });
    runner.case("fingerprints/read-only-directory", 10, || {
        let store = Store::with(1);
        ensure!(store.write() == 0, "not written");
        set_mode(&store.path, 0o400);
        set_mode(store.path.parent().ok_or("no parent")?, 0o555);
        drop_rights()?;
        ensure!(store.write() != 0, "no error");
        Ok(String::new())
    });
    runner.case("fingerprints/20000-entries", 60, || {
        let store = Store::new();
        let lines =
            (1..=20_000u32).map(|i| format!("buddy{i:05}\tme\tprpl-test\t{i:040x}\tverified\n"));
        fs::write(&store.path, lines.collect::<String>()).map_err(|e| e.to_string())?;
        let (_, ms) = within(1000.0, "reading", || store.read())?;
        ensure!(
            store.entries().len() == 20_000,
            "{} read",
            store.entries().len()
        );
        Ok(format!("{ms:.0} ms"))
    });
    runner.case("fingerprints/missing-or-directory", 10, || {
        let store = Store::with(1);
        ensure!(store.read() != 0, "no error for a missing file");
        fs::create_dir(&store.path).map_err(|e| e.to_string())?;
        ensure!(
            store.read() != 0 || store.entries().len() == 1,
            "a directory adds entries"
        );
        ensure!(store.write() != 0, "no error for a directory");
        Ok(String::new())
    });
}

/// User, account, protocol, fingerprint, trust.
type Entry = (Vec<u8>, Vec<u8>, Vec<u8>, [u8; 20], Vec<u8>);

struct Store {
    us: *mut UserState,
    path: PathBuf,
}

impl Store {
    fn new() -> Self {
        Self {
            us: user_state(),
            path: scratch("fingerprints").join("otr.fingerprints"),
        }
    }

    /// With so many entries.
    fn with(entries: u8) -> Self {
        let store = Self::new();
        for i in 0..entries {
            let trust = if i % 2 == 0 { "" } else { "verified" };
            store.add(&format!("buddy{i:03}"), [i; 20], trust);
        }
        store
    }

    fn add(&self, user: &str, mut fingerprint: [u8; 20], trust: &str) {
        let (user, mut added) = (c(user), 0);
        // SAFETY: live user state, valid strings; the context and its
        // fingerprint belong to the library.
        unsafe {
            let context = (lib().otrl_context_find)(
                self.us,
                user.as_ptr(),
                c"me".as_ptr(),
                PROTOCOL.as_ptr(),
                0,
                1,
                &raw mut added,
                None,
                std::ptr::null_mut(),
            );
            let node = (lib().otrl_context_find_fingerprint)(
                context,
                fingerprint.as_mut_ptr(),
                1,
                &raw mut added,
            );
            (lib().otrl_context_set_trust)(node, c(trust).as_ptr());
        }
    }

    fn read(&self) -> u32 {
        // SAFETY: a live user state, a valid string.
        unsafe {
            (lib().otrl_privkey_read_fingerprints)(
                self.us,
                c_path(&self.path).as_ptr(),
                None,
                std::ptr::null_mut(),
            )
        }
    }

    fn write(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (lib().otrl_privkey_write_fingerprints)(self.us, c_path(&self.path).as_ptr()) }
    }

    fn entries(&self) -> Vec<Entry> {
        let mut out = Vec::new();
        // SAFETY: lists of a live user state.
        unsafe {
            let mut context = (*self.us).context_root;
            while !context.is_null() {
                let mut node = (*context).fingerprint_root.next;
                while !node.is_null() {
                    out.push((
                        bytes((*context).username).unwrap_or_default(),
                        bytes((*context).accountname).unwrap_or_default(),
                        bytes((*context).protocol).unwrap_or_default(),
                        *(*node).fingerprint.cast::<[u8; 20]>(),
                        bytes((*node).trust).unwrap_or_default(),
                    ));
                    node = (*node).next;
                }
                context = (*context).next;
            }
        }
        out
    }
}

/// What a program that starts now reads.
fn on_disk(path: &Path) -> Vec<Entry> {
    let store = Store {
        us: user_state(),
        path: path.to_owned(),
    };
    store.read();
    let entries = store.entries();
    // SAFETY: made above, not used any more.
    unsafe { (lib().otrl_userstate_free)(store.us) };
    entries
}

/// A cut file gives entries of the whole file, never others.
fn cut() -> Outcome {
    let store = Store::with(5);
    ensure!(store.write() == 0, "not written");
    let whole = fs::read(&store.path).map_err(|e| e.to_string())?;
    let entries = on_disk(&store.path);
    ensure!(
        entries.len() == 5,
        "{} of 5 entries read again",
        entries.len()
    );
    for len in 0..whole.len() {
        fs::write(&store.path, &whole[..len]).map_err(|e| e.to_string())?;
        for entry in on_disk(&store.path) {
            ensure!(
                entries.contains(&entry),
                "cut to {len} bytes: an entry that was not there"
            );
        }
    }
    Ok(format!("{} cuts", whole.len()))
}

fn texts() -> Vec<(&'static str, Vec<u8>, usize)> {
    let line = |tail: &str| format!("u\ta\tp\t{tail}").into_bytes();
    vec![
        ("good", line(&format!("{HEX}\tverified\n")), 1),
        ("without-trust", line(&format!("{HEX}\n")), 1),
        ("carriage-return", line(&format!("{HEX}\tx\r\n")), 1),
        (
            "last-line-without-end",
            line(&format!("{HEX}\tverified")),
            1,
        ),
        (
            "upper-case",
            line(&format!("{}\t\n", HEX.to_uppercase())),
            1,
        ),
        ("not-hexadecimal", line(&format!("zz{}\t\n", &HEX[2..])), 0),
        ("too-short", line("0011\t\n"), 0),
        ("too-long", line(&format!("{HEX}00\t\n")), 0),
        ("empty-lines", b"\n\n\n".to_vec(), 0),
        ("binary", b"\x01\x02\xff\n\t\t\t\t\n".to_vec(), 0),
        (
            "nul-byte",
            [&b"u\0\ta\tp\t"[..], HEX.as_bytes(), b"\t\n"].concat(),
            0,
        ),
        ("twice", line(&format!("{HEX}\tx\nu\ta\tp\t{HEX}\ty\n")), 1),
    ]
}

/// The rest of an over-long line is not a line of its own.
fn long_line() -> Outcome {
    for filler in [998, 999, 1000, 1022, 1023, 1024, 4095, 4096] {
        let store = Store::new();
        let line = format!(
            "{}mallory\tme\tprpl-test\t{HEX}\tverified\n",
            "x".repeat(filler)
        );
        fs::write(&store.path, line).map_err(|e| e.to_string())?;
        store.read();
        let smuggled = store.entries().iter().any(|e| e.0 == b"mallory");
        ensure!(
            !smuggled,
            "after {filler} letters the rest counts as an entry"
        );
    }
    Ok(String::new())
}

/// A name chosen by a stranger must not write an entry for somebody else.
fn smuggle(user: &str) -> Outcome {
    let store = Store::with(3);
    let name = format!("{user}\tme\tprpl-test\t{HEX}\tverified\nx");
    store.add(&name, [0xee; 20], "");
    store.write();
    let before = store.entries();
    for entry in on_disk(&store.path) {
        ensure!(
            before.contains(&entry),
            "an entry for {:?} that nobody made",
            String::from_utf8_lossy(&entry.0)
        );
    }
    ensure!(
        on_disk(&store.path).len() >= 3,
        "the other entries are lost"
    );
    Ok(String::new())
}

fn full(bytes: u64) -> Outcome {
    let store = Store::with(100);
    ensure!(store.write() == 0, "not written");
    store.add("new", [250; 20], "");
    let reported = reported_when_full(bytes, || store.write())?;
    ensure!(
        on_disk(&store.path).len() >= 100,
        "{} of 100 entries left",
        on_disk(&store.path).len()
    );
    ensure!(reported, "no error");
    ensure!(
        leftovers(&store.path, &[]).is_empty(),
        "a temporary file stays behind"
    );
    Ok(String::new())
}

fn by_step(fault: Fault) -> Outcome {
    let store = Store::with(100);
    ensure!(store.write() == 0, "not written");
    store.add("new", [250; 20], "");
    let old = fs::read(&store.path).map_err(|e| e.to_string())?;
    let steps = at_every_step(
        fault,
        || store.write(),
        |step, reported| {
            let left = on_disk(&store.path).len();
            ensure!(left >= 100, "operation {step}: {left} of 100 entries left");
            ensure!(
                reported != Some(false) || left == 101,
                "operation {step}: no error, not written"
            );
            fs::write(&store.path, &old).map_err(|e| e.to_string())
        },
    )?;
    Ok(format!("{steps} operations"))
}
