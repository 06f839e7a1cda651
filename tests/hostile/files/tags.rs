//! The instance-tag file.

use std::fs;
use std::path::{Path, PathBuf};

use super::{at_every_step, count, leftovers, mode, reported_when_full, scratch, user_state};
use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{UserState, lib};
use crate::party::{PROTOCOL, c_path};
use crate::trace::Fault;

const TWO: &str = "alice\tprpl-test\t12345678\ncarol\tprpl-test\t0abcdef0\n";

pub fn run(runner: &mut Runner) {
    for (name, text, tags) in TEXTS {
        runner.case(&format!("tags/text/{name}"), 10, || {
            let store = Store::new();
            store.put(text)?;
            store.read();
            let read = store.tags();
            ensure!(
                read.len() == *tags,
                "{} tags read, {tags} wanted",
                read.len()
            );
            Ok(String::new())
        });
    }
    runner.case("tags/cut-at-every-byte", 10, || {
        for len in 0..=TWO.len() {
            let store = Store::new();
            store.put(&TWO[..len])?;
            store.read();
            let good = store
                .tags()
                .iter()
                .all(|tag| [0x1234_5678, 0x0abc_def0].contains(tag));
            ensure!(good, "cut to {len} bytes: {:x?}", store.tags());
        }
        Ok(format!("{} cuts", TWO.len() + 1))
    });
    runner.case("tags/read-twice", 10, || {
        let store = Store::new();
        store.put(TWO)?;
        store.read();
        store.read();
        ensure!(store.tags().len() == 2, "{} tags", store.tags().len());
        Ok(String::new())
    });
    runner.case("tags/mode", 10, || {
        let store = Store::new();
        // SAFETY: a system call on this process.
        unsafe { libc::umask(0o022) };
        ensure!(store.generate() == 0, "not written");
        ensure!(
            mode(&store.path) & 0o077 == 0,
            "mode {:#o}",
            mode(&store.path)
        );
        Ok(String::new())
    });
    for (name, text) in [("empty", ""), ("zeros", "\0\0\0\0\0\0\0\0")] {
        // What a power cut may leave of a file that did not exist before.
        runner.case(&format!("tags/{name}-is-made-anew"), 10, || {
            let store = Store::new();
            store.put(text)?;
            ensure!(store.read() == 0, "not read");
            ensure!(store.generate() == 0, "not written");
            ensure!(on_disk(&store.path) == 1, "no tag was written");
            Ok(String::new())
        });
    }
    for bytes in [0, 300] {
        runner.case(&format!("tags/disk-full-after-{bytes}"), 30, || {
            let store = Store::with_sixty()?;
            let reported = reported_when_full(bytes, || store.generate())?;
            ensure!(
                on_disk(&store.path) >= 60,
                "{} of 60 tags left",
                on_disk(&store.path)
            );
            ensure!(reported, "no error");
            ensure!(
                leftovers(&store.path, &[]).is_empty(),
                "a temporary file stays behind"
            );
            Ok(String::new())
        });
    }
    for (name, fault) in [
        ("killed", Fault::Kill),
        ("error", Fault::Fail(libc::ENOSPC)),
    ] {
        runner.case(&format!("tags/{name}-at-every-step"), 60, || by_step(fault));
    }
}

const TEXTS: &[(&str, &str, usize)] = &[
    ("empty", "", 0),
    ("zeros", "\0\0\0\0\0\0\0\0", 0),
    ("good", "a\tp\t12345678\n", 1),
    ("upper-case", "a\tp\t1234ABCD\n", 1),
    ("comment", "# a comment\na\tp\t12345678\n", 1),
    ("last-line-without-end", "a\tp\t12345678", 1),
    ("carriage-return", "a\tp\t12345678\r\n", 1),
    ("below-0x100", "a\tp\t000000ff\n", 0),
    ("not-hexadecimal", "a\tp\tzzzzzzzz\n", 0),
    ("half-hexadecimal", "a\tp\t123zzzzz\n", 0),
    ("with-minus", "a\tp\t-1234567\n", 0),
    ("with-0x", "a\tp\t0x123456\n", 0),
    ("with-blanks", "a\tp\t    1234\n", 0),
    ("too-short", "a\tp\t1234\n", 0),
    ("too-long", "a\tp\t123456789\n", 0),
];

struct Store {
    us: *mut UserState,
    path: PathBuf,
}

impl Store {
    fn new() -> Self {
        Self {
            us: user_state(),
            path: scratch("tags").join("otr.instance_tags"),
        }
    }

    fn with_sixty() -> Result<Self, String> {
        let store = Self::new();
        let lines = (0..60).map(|i| format!("account{i:02}\tprpl-test\t{:08x}\n", 0x1000 + i));
        store.put(&lines.collect::<String>())?;
        store.read();
        ensure!(
            store.tags().len() == 60,
            "set-up failed: {} of 60 tags",
            store.tags().len()
        );
        Ok(store)
    }

    fn put(&self, text: &str) -> Result<(), String> {
        fs::write(&self.path, text).map_err(|e| e.to_string())
    }

    fn read(&self) -> u32 {
        // SAFETY: a live user state, a valid string.
        unsafe { (lib().otrl_instag_read)(self.us, c_path(&self.path).as_ptr()) }
    }

    /// Adds a tag for a new account.
    fn generate(&self) -> u32 {
        let path = c_path(&self.path);
        // SAFETY: as above.
        unsafe {
            (lib().otrl_instag_generate)(self.us, path.as_ptr(), c"new".as_ptr(), PROTOCOL.as_ptr())
        }
    }

    fn tags(&self) -> Vec<u32> {
        let mut tags = Vec::new();
        // SAFETY: a list of a live user state.
        unsafe {
            let mut node = (*self.us).instag_root;
            while !node.is_null() {
                tags.push((*node).instag);
                node = (*node).next;
            }
        }
        tags
    }
}

fn on_disk(path: &Path) -> usize {
    let store = Store {
        us: user_state(),
        path: path.to_owned(),
    };
    store.read();
    // SAFETY: a live user state.
    count!(unsafe { (*store.us).instag_root })
}

fn by_step(fault: Fault) -> Outcome {
    let store = Store::with_sixty()?;
    let old = fs::read(&store.path).map_err(|e| e.to_string())?;
    let steps = at_every_step(
        fault,
        || store.generate(),
        |step, reported| {
            let left = on_disk(&store.path);
            ensure!(left >= 60, "operation {step}: {left} of 60 tags left");
            ensure!(
                reported != Some(false) || left == 61,
                "operation {step}: no error, not written"
            );
            fs::write(&store.path, &old).map_err(|e| e.to_string())
        },
    )?;
    Ok(format!("{steps} operations"))
}
