//! What stays in memory: texts, keys, secrets.
//!
//! The victim is a fresh process with the library under test and nothing
//! else; it wipes every buffer of its own. The hostile peer, in this process,
//! knows every secret the two share and reads the victim's whole memory after
//! each stage. A count of 0 is necessary, not sufficient: only whole secrets
//! are looked for, and only those this conversation makes.

pub mod victim;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Child;

use memchr::memmem;
use num_bigint::BigUint;

use crate::bytes::{Writer, data_at, find, hex, int_at, unhex, unwrap_armour};
use crate::cases::{Outcome, Runner, ensure};
use crate::party::{Party, Received, party_file};
use crate::peer::crypt::{DataKeys, fingerprint as own_fingerprint, g, minimal, p, random};
use crate::peer::{Authenticator, DataFields, Peer, Target, kind, smp};
use victim::{Command, Port};

pub fn run(runner: &mut Runner) {
    // With libgcrypt in the process keys are shown to the program as its objects.
    for (version, gcrypt, name) in [(2, false, "v2"), (3, true, "v3-with-libgcrypt")] {
        let mut table = Vec::new();
        let scene = Scene::new(version, gcrypt).and_then(|scene| scene.play(&mut table));
        runner.case(&format!("memory/{name}/conversation"), 60, || scene.clone());
        // Secrets of the same name and kind share a row.
        table.sort_by(|a: &Pattern, b| a.row.cmp(&b.row));
        for rows in table.chunk_by(|a, b| a.row == b.row) {
            runner.case(&format!("memory/{name}/{}", rows[0].row), 10, || {
                verdict(rows)
            });
        }
    }
}

/// The moments at which memory is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    KeyRead,
    InSession,
    Disconnected,
    Freed,
}

const STAGES: [(Stage, &str); 4] = [
    (Stage::KeyRead, "key read"),
    (Stage::InSession, "in session"),
    (Stage::Disconnected, "disconnected"),
    (Stage::Freed, "freed"),
];

/// A secret, the stage from which on it must be gone, and where it was found.
struct Pattern {
    row: String,
    bytes: Vec<u8>,
    gone_at: Stage,
    found: [u32; 4],
}

fn verdict(rows: &[Pattern]) -> Outcome {
    let at = |stage: usize| rows.iter().filter(|p| p.found[stage] > 0).count();
    let found: Vec<String> = STAGES
        .iter()
        .enumerate()
        .map(|(i, (_, name))| format!("{name} {}", at(i)))
        .collect();
    let figures = format!("of {} found: {}", rows.len(), found.join(", "));
    let late = rows.iter().any(|p| {
        STAGES
            .iter()
            .enumerate()
            .any(|(i, (stage, _))| *stage >= p.gone_at && p.found[i] > 0)
    });
    ensure!(!late, "{figures}");
    Ok(figures)
}

/// The victim, as the hostile peer sees it.
struct Remote {
    child: Child,
    port: Port,
    wire: RefCell<VecDeque<Vec<u8>>>,
}

impl Remote {
    fn ask(&self, command: Command, data: &[u8]) {
        self.wire.borrow_mut().extend(self.port.ask(command, data));
    }

    /// Counts the patterns in everything the victim could write to.
    fn search(&self, stage: usize, patterns: &mut [Pattern]) -> Result<(), String> {
        let process = format!("/proc/{}", self.child.id());
        let maps = fs::read_to_string(format!("{process}/maps")).map_err(|e| e.to_string())?;
        let memory = fs::File::open(format!("{process}/mem")).map_err(|e| e.to_string())?;
        let mut searched = 0;
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').ok_or("odd line in maps")?;
            let constant = !rest.starts_with("rw") && line.contains('/');
            if !rest.starts_with('r') || constant || line.contains("[v") {
                continue;
            }
            let (start, end) = range.split_once('-').ok_or("odd range in maps")?;
            let start = u64::from_str_radix(start, 16).map_err(|e| e.to_string())?;
            let end = u64::from_str_radix(end, 16).map_err(|e| e.to_string())?;
            let mut bytes = vec![0; (end - start) as usize];
            let Ok(read) = memory.read_at(&mut bytes, start) else {
                continue;
            };
            searched += read;
            for pattern in patterns.iter_mut() {
                let n = memmem::find_iter(&bytes[..read], &pattern.bytes).count();
                pattern.found[stage] += n as u32;
            }
        }
        ensure!(
            searched > 100_000,
            "only {searched} bytes of memory could be read"
        );
        Ok(())
    }
}

impl Target for Remote {
    fn hear(&self, message: &[u8]) -> Received {
        self.ask(Command::Receive, message);
        Received::default()
    }

    fn said(&self) -> Option<Vec<u8>> {
        self.wire.borrow_mut().pop_front()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One conversation between the hostile peer and the victim.
struct Scene {
    remote: Remote,
    peer: Peer,
    patterns: Vec<Pattern>,
    /// The peer's D-H keys and the victim's, by key id.
    x: Vec<BigUint>,
    y: Vec<BigUint>,
    their_y: Vec<BigUint>,
}

impl Scene {
    fn new(version: u8, gcrypt: bool) -> Result<Self, String> {
        let (child, port) = Port::spawn(gcrypt)?;
        let remote = Remote {
            child,
            port,
            wire: RefCell::default(),
        };
        let mut peer = Peer::new(version);
        let x: Vec<BigUint> = (0..6)
            .map(|i| {
                if i == 1 {
                    peer.x[0].clone()
                } else {
                    random(&mut peer.rng, 320)
                }
            })
            .collect();
        let y = x.iter().map(|x| g().modpow(x, &p())).collect();
        Ok(Self {
            remote,
            peer,
            patterns: Vec::new(),
            x,
            y,
            their_y: vec![BigUint::ZERO; 2],
        })
    }

    fn add(&mut self, row: &str, bytes: &[u8], gone_at: Stage) {
        let bytes = bytes[..bytes.len().min(64)].to_vec();
        self.patterns.push(Pattern {
            row: row.to_owned(),
            bytes,
            gone_at,
            found: [0; 4],
        });
    }

    /// A number as it may lie in memory: big-endian bytes, limbs.
    fn add_number(&mut self, row: &str, number: &BigUint, gone_at: Stage) {
        let big = number.to_bytes_be();
        let little = number.to_bytes_le();
        let most = big.len().min(32);
        self.add(&format!("{row}/big-endian"), &big[..most], gone_at);
        self.add(&format!("{row}/limbs"), &little[..most], gone_at);
    }

    /// A MAC key as it may lie in memory: itself, and mixed with the pads.
    fn add_mac_key(&mut self, row: &str, key: &[u8], gone_at: Stage) {
        let mixed = |pad: u8| key.iter().map(|b| b ^ pad).collect::<Vec<_>>();
        self.add(row, key, gone_at);
        self.add(&format!("{row}/inner-pad"), &mixed(0x36), gone_at);
        self.add(&format!("{row}/outer-pad"), &mixed(0x5c), gone_at);
    }

    /// A text with a random end. The end is looked for, as the C allocator
    /// overwrites the beginning of what is freed.
    fn text(&mut self, row: &str, len: usize, gone_at: Stage) -> Vec<u8> {
        let end = hex(&self.peer.rng.bytes(12)).into_bytes();
        self.add(row, &end, gone_at);
        [vec![b'.'; len], end].concat()
    }

    fn search(&mut self, stage: usize) -> Result<(), String> {
        self.remote.search(stage, &mut self.patterns)
    }

    /// Goes through the whole conversation; the table of what was found.
    fn play(mut self, table: &mut Vec<Pattern>) -> Outcome {
        self.read_key()?;
        self.exchange()?;
        for i in 1..4 {
            self.round_trip(i)?;
        }
        self.many_texts();
        self.smp()?;
        self.remote.ask(Command::Symkey, b"");
        self.search(1)?;
        self.remote.ask(Command::Disconnect, b"");
        self.search(2)?;
        self.remote.ask(Command::Free, b"");
        self.search(3)?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.remote.child.id()));
        let locked = status.unwrap_or_default();
        let locked = locked
            .lines()
            .find_map(|l| l.strip_prefix("VmLck:"))
            .unwrap_or("?")
            .trim();
        let found: u32 = self
            .patterns
            .iter()
            .map(|p| p.found.iter().sum::<u32>())
            .sum();
        table.append(&mut self.patterns);
        ensure!(
            found > 0,
            "nothing at all was found: the search does not work"
        );
        Ok(format!("{} secrets, locked memory {locked}", table.len()))
    }

    fn read_key(&mut self) -> Result<(), String> {
        let file = fs::read(party_file("alice", "key")).map_err(|e| e.to_string())?;
        let at = find(&file, b"(x #").ok_or("no x in the key file")? + 4;
        let digits = &file[at..at + find(&file[at..], b"#").ok_or("no end of x")?];
        let x = BigUint::from_bytes_be(&unhex(&String::from_utf8_lossy(digits)));
        self.add(
            "dsa-key/file-text",
            &digits[2..34.min(digits.len())],
            Stage::KeyRead,
        );
        self.add_number("dsa-key/x", &x, Stage::Freed);
        self.remote.ask(Command::ReadKey, b"");
        self.search(0)
    }

    /// Two texts are typed under compulsory encryption, then the peer begins.
    fn exchange(&mut self) -> Result<(), String> {
        for name in ["typed-before/first", "typed-before/second"] {
            let text = self.text(name, 20, Stage::Disconnected);
            self.remote.ask(Command::Type, &text);
        }
        let (remote, peer) = (&self.remote, &mut self.peer);
        peer.send_commit(remote, None, true);
        peer.take_dh_key(remote)?;
        peer.send_reveal(remote, None, &Authenticator::default());
        self.their_y[1] = peer.their_y.clone();
        self.learn();
        let keys = std::mem::take(&mut self.peer.exchange);
        let r = self.peer.r;
        self.add("exchange/r", &r, Stage::InSession);
        self.add("exchange/c", &keys.c, Stage::InSession);
        self.add("exchange/c-prime", &keys.c_prime, Stage::InSession);
        for (name, key) in [
            ("m1", &keys.m1),
            ("m2", &keys.m2),
            ("m1-prime", &keys.m1_prime),
            ("m2-prime", &keys.m2_prime),
        ] {
            self.add_mac_key(&format!("exchange/{name}"), key, Stage::InSession);
        }
        self.peer.exchange = keys;
        Ok(())
    }

    /// Takes the victim's next D-H keys from its data messages.
    fn learn(&mut self) {
        while let Some(text) = self.remote.said() {
            let Some(raw) = unwrap_armour(&text) else {
                continue;
            };
            let at = self.peer.header_len() + 1;
            let next = int_at(&raw, at).zip(data_at(&raw, at + 8));
            if let (Some(&kind::DATA), Some((keyid, (key, _)))) = (raw.get(2), next) {
                let keyid = keyid as usize + 1;
                if keyid == self.their_y.len() {
                    self.their_y.push(BigUint::from_bytes_be(key));
                }
            }
        }
    }

    /// A text to the victim with both sides' keys number `i`, and one back.
    fn round_trip(&mut self, i: usize) -> Result<(), String> {
        let theirs = self
            .their_y
            .get(i)
            .ok_or("the victim's keys do not move on")?;
        let shared = theirs.modpow(&self.x[i], &p());
        self.peer.keys = DataKeys::derive(&shared, self.y[i] > *theirs);
        let fields = DataFields {
            next: Some(Writer::default().data(&minimal(&self.y[i + 1])).0),
            sender_keyid: Some(i as u32),
            recipient_keyid: Some(i as u32),
            ..DataFields::default()
        };
        let (to, from) = (
            self.text("texts/received-with-rotation", 30, Stage::InSession),
            self.text("texts/sent-with-rotation", 30, Stage::Disconnected),
        );
        self.peer.say(&self.remote, &to, &fields);
        self.learn();
        self.remote.ask(Command::Type, &from);
        self.learn();
        if i != 2 {
            // Keys two rotations ago must be gone, the current ones later.
            let (row, gone_at) = if i == 1 {
                ("old-keys", Stage::InSession)
            } else {
                ("current-keys", Stage::Disconnected)
            };
            let keys = std::mem::take(&mut self.peer.keys);
            self.add_number(&format!("{row}/shared-value"), &shared, gone_at);
            self.add(&format!("{row}/aes-in"), &keys.send_key, gone_at);
            self.add(&format!("{row}/aes-out"), &keys.receive_key, gone_at);
            self.add(&format!("{row}/extra"), &keys.extra, gone_at);
            self.peer.keys = keys;
        }
        Ok(())
    }

    /// Texts of many lengths both ways.
    fn many_texts(&mut self) {
        for _ in 0..100 {
            let (long, longer) = (self.peer.rng.below(600), self.peer.rng.below(600));
            let from = self.text("texts/100-sent", 20 + long, Stage::Disconnected);
            let to = self.text("texts/100-received", 20 + longer, Stage::InSession);
            self.remote.ask(Command::Type, &from);
            let fields = DataFields {
                sender_keyid: Some(3),
                recipient_keyid: Some(3),
                ..DataFields::default()
            };
            self.peer.say(&self.remote, &to, &fields);
            self.remote.wire.borrow_mut().clear();
        }
    }

    /// A comparison of secrets, begun by the victim and left open.
    fn smp(&mut self) -> Result<(), String> {
        let typed = self.text("smp/secret-as-typed", 10, Stage::Disconnected);
        let alice = Party::new("alice", "bob");
        let (ours, theirs) = (smp::fingerprint(&alice), own_fingerprint());
        alice.free();
        let secret = smp::secret(&ours, &theirs, &self.peer.exchange.ssid, &typed);
        self.add_number("smp/secret", &secret, Stage::Disconnected);
        self.remote.ask(Command::Smp, &typed);
        ensure!(
            !self.remote.wire.borrow().is_empty(),
            "the victim does not begin"
        );
        self.remote.wire.borrow_mut().clear();
        Ok(())
    }
}
