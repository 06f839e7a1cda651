//! Memory, randomness and clocks that fail.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{SECRET, everything, strict_pair, watch};
use crate::cases::{Ended, Outcome, Runner, ensure, in_child};
use crate::ffi::lib;
use crate::party::{c_path, carry, deliver, handshake, private_pair, query, still_works};

const SHIM: &str = include_str!("shim.c");

/// Compiles the shim; `None` without a C compiler.
pub fn build_shim(directory: &Path) -> Option<PathBuf> {
    let (source, library) = (directory.join("shim.c"), directory.join("shim.so"));
    std::fs::write(&source, SHIM).ok()?;
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(compiler)
        .args(["-O1", "-fno-builtin", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    built
        .is_ok_and(|status| status.success())
        .then_some(library)
}

/// A function of the shim, if it is loaded.
fn shim(name: &str) -> Option<*mut libc::c_void> {
    let name = CString::new(name).ok()?;
    // SAFETY: looks a name up.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

fn shift_clock(seconds: i64) {
    let address = shim("shim_shift_clock").expect("the shim is loaded");
    // SAFETY: the shim's function has this signature.
    unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn(i64)>(address)(seconds) };
}

/// From now on the library's `n`-th allocation fails; none if negative. How
/// many there were since the last call.
fn fail_allocation(n: i64) -> i64 {
    let address = shim("shim_fail").expect("the shim is loaded");
    let (low, high) = code_of_library();
    // SAFETY: the shim's function has this signature.
    let function: extern "C" fn(usize, usize, i64) -> i64 =
        unsafe { std::mem::transmute::<*mut libc::c_void, _>(address) };
    function(low, high, n)
}

/// Where the code of the library under test lies.
fn code_of_library() -> (usize, usize) {
    let function = lib().otrl_message_sending as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a list of mappings");
    maps.lines()
        .filter_map(|line| {
            let (start, rest) = line.split_once('-')?;
            let (end, _) = rest.split_once(' ')?;
            let range = (
                usize::from_str_radix(start, 16).ok()?,
                usize::from_str_radix(end, 16).ok()?,
            );
            (range.0 <= function && function < range.1).then_some(range)
        })
        .next()
        .expect("the library's code is mapped")
}

pub fn run(runner: &mut Runner) {
    let key_file = runner.directory().join("alice.key");
    for version in [2, 3] {
        runner.case(
            &format!("randomness/v{version}/gone-from-the-start"),
            20,
            || randomness_gone(version, false),
        );
        runner.case(
            &format!("randomness/v{version}/gone-in-a-conversation"),
            20,
            || randomness_gone(version, true),
        );
    }
    if shim("shim_fail").is_none() {
        println!("memory and clock: left out, no C compiler for the shim");
        return;
    }
    for (name, shift) in [
        ("back-an-hour", -3600),
        ("before-1970", -4_000_000_000),
        ("ahead-a-century", 3_200_000_000),
    ] {
        for version in [2, 3] {
            runner.case(&format!("clock/v{version}/{name}"), 20, || {
                clock_jumps(version, shift)
            });
        }
    }
    runner.case("allocation/every-one-fails-once", 600, every_allocation);
    runner.case("allocation/while-keys-are-read", 120, || {
        keys_are_read(&key_file)
    });
}

/// No more random numbers: reading from the kernel or the device fails.
fn no_randomness() {
    let errno = libc::SECCOMP_RET_ERRNO | libc::EIO as u32;
    let statement = |code: u32, k: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let unless = |k: u32, skip: u8| libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: skip,
        k,
    };
    let mut program = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        unless(libc::SYS_getrandom as u32, 1),
        statement(libc::BPF_RET | libc::BPF_K, errno),
        unless(libc::SYS_openat as u32, 1),
        statement(libc::BPF_RET | libc::BPF_K, errno),
        unless(libc::SYS_open as u32, 1),
        statement(libc::BPF_RET | libc::BPF_K, errno),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: a filter for this process, which ends soon.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const filter
            ),
            0
        );
    }
}

/// Without random numbers nothing secret may be made, and nothing clear sent.
/// Ending the program is a permitted answer; garbage keys are not.
fn randomness_gone(version: u8, conversation: bool) -> Outcome {
    let (ended, said) = in_child(20, true, || {
        let (alice, bob) = if conversation {
            match private_pair(version) {
                Ok(pair) => pair,
                Err(reason) => return reason,
            }
        } else {
            strict_pair(version)
        };
        let clear = watch([&alice, &bob]);
        no_randomness();
        if conversation {
            // The first texts need no new keys, later ones do.
            for _ in 0..6 {
                deliver(&alice, &bob, SECRET);
                deliver(&bob, &alice, SECRET);
            }
        } else {
            alice.send(SECRET);
            handshake(&alice, &bob, &query(version));
        }
        let private = alice.encrypted() || bob.encrypted();
        match (clear.get(), private && !conversation) {
            (0, false) => String::new(),
            (0, true) => "a conversation without random numbers".to_owned(),
            _ => "sent in clear".to_owned(),
        }
    });
    match ended {
        Ended::Normally if said.is_empty() => Ok("goes on".to_owned()),
        Ended::Normally => Err(said),
        Ended::Badly(how) if how == format!("signal {}", libc::SIGABRT) => {
            Ok("ends the program".to_owned())
        }
        Ended::Badly(how) => Err(how),
        Ended::TimedOut => Err("does not end".to_owned()),
    }
}

/// The clock jumps in the middle of a conversation.
fn clock_jumps(version: u8, seconds: i64) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    ensure!(
        deliver(&alice, &bob, b"one") && deliver(&bob, &alice, b"two"),
        "set-up failed"
    );
    shift_clock(seconds);
    for party in [&alice, &bob] {
        party.poll();
    }
    for text in [&b"three"[..], b"four"] {
        ensure!(
            deliver(&alice, &bob, text) && deliver(&bob, &alice, text),
            "texts are lost"
        );
    }
    carry(&alice, &bob);
    still_works(&alice, &bob, version)?;
    shift_clock(0);
    alice.poll();
    ensure!(
        deliver(&alice, &bob, b"five"),
        "texts are lost when the clock is right again"
    );
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

/// Each allocation of the library fails once. Permitted: an error, nothing at
/// all, or the end of the program by `abort`. Not permitted: any other end, a
/// hang, clear text.
fn every_allocation() -> Outcome {
    // Once without failures: how many are there?
    let (_, said) = in_child(60, true, || {
        fail_allocation(-1);
        let (alice, bob) = strict_pair(3);
        everything(&alice, &bob, 3);
        alice.free();
        bob.free();
        fail_allocation(-1).to_string()
    });
    let all: i64 = said.parse().unwrap_or(0);
    ensure!(all > 100, "only {all} allocations seen: {said}");
    // A few hundred of them, spread over the whole scenario.
    let stride = (all / 400).max(1);
    let (mut aborted, mut survived) = (0, 0);
    let mut n = 0;
    while n < all {
        let (ended, said) = in_child(60, false, || {
            let (alice, bob) = strict_pair(3);
            let clear = watch([&alice, &bob]);
            fail_allocation(n);
            everything(&alice, &bob, 3);
            alice.free();
            bob.free();
            fail_allocation(-1);
            if clear.get() == 0 {
                String::new()
            } else {
                "sent in clear".to_owned()
            }
        });
        match ended {
            Ended::Normally if said.is_empty() => survived += 1,
            Ended::Normally => return Err(format!("allocation {n}: {said}")),
            Ended::Badly(how) if how == format!("signal {}", libc::SIGABRT) => aborted += 1,
            Ended::Badly(how) => return Err(format!("allocation {n} of {all}: {how}")),
            Ended::TimedOut => return Err(format!("allocation {n} of {all}: does not end")),
        }
        n += stride;
    }
    Ok(format!(
        "{all} allocations, every {stride}.: {survived} survived, {aborted} ended by abort"
    ))
}

/// Memory runs out while a key file is read, in every place where the library
/// can go on: the keys from before are still there.
fn keys_are_read(file: &Path) -> Outcome {
    let file = c_path(file);
    let read = |n: i64| {
        in_child(30, false, || {
            // SAFETY: a user state of this process and a valid path; keys in a
            // user state have names.
            unsafe {
                let us = (lib().otrl_userstate_create)();
                let keys = || {
                    let mut count = 0;
                    let mut key = (*us).privkey_root;
                    while !key.is_null() {
                        count += 1;
                        key = (*key).next;
                    }
                    count
                };
                if (lib().otrl_privkey_read)(us, file.as_ptr()) != 0 || keys() == 0 {
                    return "set-up failed".to_owned();
                }
                let before = keys();
                fail_allocation(n);
                let error = (lib().otrl_privkey_read)(us, file.as_ptr());
                let count = fail_allocation(-1);
                match (keys() == before, error) {
                    (true, 0) => format!("read {count}"),
                    (true, _) => format!("kept {count}"),
                    (false, _) => format!("error {error:#x}, {} of {before} keys left", keys()),
                }
            }
        })
    };
    let (mut kept, mut aborted) = (0, 0);
    for n in 0.. {
        match read(n) {
            (Ended::Normally, said) if said.starts_with("kept ") => kept += 1,
            // Without an error: as many allocations as it takes, and none failed.
            (Ended::Normally, said) if said.starts_with("read ") => {
                let all: i64 = said.trim_start_matches("read ").parse().unwrap_or(0);
                if all <= n {
                    break;
                }
            }
            (Ended::Normally, said) => return Err(format!("allocation {n}: {said}")),
            (Ended::Badly(how), _) if how == format!("signal {}", libc::SIGABRT) => aborted += 1,
            (Ended::Badly(how), _) => return Err(format!("allocation {n}: {how}")),
            (Ended::TimedOut, _) => return Err(format!("allocation {n}: does not end")),
        }
    }
    ensure!(kept > 0, "no allocation that failed was reported");
    Ok(format!(
        "{kept} errors without loss, {aborted} ended by abort"
    ))
}
