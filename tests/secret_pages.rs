//! Secrets that stay for long lie in memory that is kept out of core dumps
//! and, as far as the system permits it, locked.
//!
//! The test knows the secrets of a conversation, looks for them in all of the
//! process's memory, and asks the system about the pages that they lie in.
#![cfg(all(target_os = "linux", target_endian = "little"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]
#![allow(unsafe_code, reason = "forks")]

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Arc, Mutex};

use otr::crypto::dh::KeyPair;
use otr::crypto::dsa::PrivateKey;
use otr::crypto::secret::scrubbed;
use otr::crypto::{Random, os_random};
use otr::{Conversation, Error, InstanceTag, Policy};

/// The tests run one after the other: one of them forks.
static ALONE: Mutex<()> = Mutex::new(());

/// What the test itself keeps of a secret is combined with this, so that it
/// does not find itself.
const MASK: u8 = 0x5a;

/// A secret as it lies in memory: words of 64 bits, the least significant
/// first.
type Masked = Vec<u8>;

fn masked(big_endian: &[u8]) -> Masked {
    big_endian.iter().rev().map(|byte| byte ^ MASK).collect()
}

/// The system's random source, which notes the D-H exponents drawn from it.
#[derive(Default)]
struct Noting(Vec<Masked>);

impl Random for Noting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        os_random().fill(out)?;
        if out.len() == 40 {
            self.0.push(masked(out));
        }
        Ok(())
    }
}

/// A piece of the process's memory, from `/proc/self/smaps`.
struct Mapping {
    start: u64,
    end: u64,
    flags: Vec<String>,
}

impl Mapping {
    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    fn is_guarded(&self) -> bool {
        self.is("dd")
    }
}

fn mappings() -> io::Result<Vec<Mapping>> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in fs::read_to_string("/proc/self/smaps")?.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let number = |text| u64::from_str_radix(text, 16).map_err(io::Error::other);
            mappings.push(Mapping {
                start: number(start)?,
                end: number(end)?,
                flags: Vec::new(),
            });
        } else if let (Some(flags), Some(last)) =
            (line.strip_prefix("VmFlags:"), mappings.last_mut())
        {
            last.flags = flags.split_whitespace().map(str::to_owned).collect();
        }
    }
    Ok(mappings)
}

/// In which mappings a secret is found, one entry for each place.
fn places<'a>(secret: &Masked, mappings: &'a [Mapping]) -> Vec<&'a Mapping> {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut piece = vec![0; 1 << 16];
    let own = piece.as_ptr().addr() as u64;
    let mut places = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.is("rd")) {
        let mut at = mapping.start;
        while at < mapping.end {
            let wanted = (mapping.end - at).min(piece.len() as u64) as usize;
            // Some pages of the kernel's own cannot be read.
            let Ok(read) = memory.read_at(&mut piece[..wanted], at) else {
                break;
            };
            for (offset, window) in piece[..read].windows(secret.len()).enumerate() {
                let address = at + offset as u64;
                let is_own = (own..own + (1 << 16)).contains(&address);
                if window[0] ^ MASK == secret[0]
                    && !is_own
                    && window.iter().zip(secret).all(|(a, b)| a ^ MASK == *b)
                {
                    places.push(mapping);
                }
            }
            // The next piece begins before this one's end.
            let step = read as u64 + 1 - secret.len() as u64;
            if read < secret.len() || at + read as u64 >= mapping.end {
                break;
            }
            at += step;
        }
    }
    places
}

/// How many bytes this process may lock.
fn lockable() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"))
        .unwrap();
    match line.split_whitespace().next().unwrap() {
        "unlimited" => u64::MAX,
        number => number.parse().unwrap(),
    }
}

/// Two conversations that are private, with their keys and what was drawn.
struct World {
    talks: [Conversation; 2],
    keys: [Arc<PrivateKey>; 2],
    drawn: Noting,
}

fn world() -> World {
    let mut drawn = Noting::default();
    let keys =
        [(); 2].map(|()| Arc::new(scrubbed(|| PrivateKey::generate(&mut os_random())).unwrap()));
    let mut talks = [0, 1].map(|side| {
        let tag = InstanceTag::random(&mut os_random()).unwrap();
        let key = Arc::clone(&keys[side]);
        Conversation::new(vec![b'a' + side as u8], key, tag, Policy::ALWAYS)
    });
    let mut wire: Vec<(usize, Vec<u8>)> = vec![(0, b"?OTRv3?".to_vec())];
    for round in 0..3 {
        while let Some((to, text)) = wire.pop() {
            let output = talks[to].receive(&text, 1_700_000_000, &mut drawn);
            wire.extend(output.wire.into_iter().map(|text| (1 - to, text)));
        }
        assert!(talks.iter().all(Conversation::is_private));
        for side in [0, 1] {
            let output = talks[side].send(b"hello", 1_700_000_000 + round).unwrap();
            for text in output.wire {
                let shown = talks[1 - side].receive(&text, 1_700_000_000 + round, &mut drawn);
                assert_eq!(shown.text.unwrap().as_slice(), b"hello");
            }
        }
    }
    World { talks, keys, drawn }
}

#[test]
fn long_lived_secrets_lie_in_guarded_pages() {
    let _alone = ALONE.lock();
    let world = world();
    let mappings = mappings().unwrap();
    let mut secrets: Vec<_> = world.keys.iter().map(|key| masked(&*key.x())).collect();
    let keys = secrets.len();
    secrets.extend(world.drawn.0);
    let mut alive = 0;
    for (number, secret) in secrets.iter().enumerate() {
        let places = places(secret, &mappings);
        assert!(number >= keys || !places.is_empty(), "x is not found");
        alive += usize::from(!places.is_empty());
        for place in places {
            assert!(place.is_guarded(), "secret {number} in ordinary memory");
            // What is needed here are a few pages.
            if lockable() >= 1 << 18 {
                assert!(place.is("lo"), "secret {number} is not locked");
            } else if lockable() < 4 * 4096 {
                assert!(!place.is("lo"), "more is locked than may be");
            }
        }
    }
    // Each side has two key pairs at least.
    assert!(alive >= keys + 4, "{alive} of {} secrets", secrets.len());
    assert!(world.talks.iter().all(Conversation::is_private));
}

/// The test above in a process that may lock nothing.
#[test]
fn nothing_fails_where_nothing_may_be_locked() {
    let output = Command::new("sh")
        .args(["-c", "ulimit -l 0 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "long_lived_secrets_lie_in_guarded_pages"])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
}

/// A child that was forked has its parent's pages, but not their locks.
#[test]
fn a_forked_process_locks_its_pages_anew() {
    if lockable() < 1 << 18 {
        println!("nothing can be said where this little may be locked");
        return;
    }
    let _alone = ALONE.lock();
    let before = KeyPair::generate(&mut os_random()).unwrap();
    let mut command = Command::new("true");
    // SAFETY: no other thread is inside of the library while this one forks,
    // and the C library permits its allocations in a child.
    unsafe {
        command.pre_exec(|| {
            let locked = || {
                Ok::<_, io::Error>(
                    mappings()?
                        .iter()
                        .any(|mapping| mapping.is_guarded() && mapping.is("lo")),
                )
            };
            let inherited = locked()?;
            let _after = KeyPair::generate(&mut os_random()).map_err(io::Error::other)?;
            match (inherited, locked()?) {
                (false, true) => Ok(()),
                _ => Err(io::Error::other("not locked anew")),
            }
        });
    }
    assert!(command.status().unwrap().success());
    drop(before);
}
