//! Two threads, each with user states of its own.
//!
//! With `HOSTILE_TURNS` in the environment the two go through the library in
//! turns, for ThreadSanitizer: see [`Turns`].

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;

use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{c, lib, smp_event};
use crate::party::{PROTOCOL, carry, deliver, handshake, pair, query};

pub fn run(runner: &mut Runner) {
    runner.case("threads/two-conversations", 60, two_conversations);
    runner.case("threads/a-key-is-made-while-others-chat", 60, key_and_chat);
    if Turns::wanted() {
        runner.case("threads/one-user-state-for-two", 60, forbidden);
    }
}

/// Whose turn it is to use the library.
///
/// The standard library is not compiled for ThreadSanitizer, which therefore
/// sees a lock that is free when it is taken, and takes one that had to be
/// waited for as none. In turns nobody ever waits. Relaxed operations put
/// nothing in order, so what the library itself leaves unordered still shows.
struct Turns {
    next: AtomicUsize,
    /// One has nothing more to do.
    over: AtomicBool,
}

impl Turns {
    fn wanted() -> bool {
        std::env::var_os("HOSTILE_TURNS").is_some()
    }

    fn new() -> Self {
        Self {
            next: AtomicUsize::new(0),
            over: AtomicBool::new(!Self::wanted()),
        }
    }

    /// Waits until it is the turn of thread `me`, 0 or 1.
    fn wait(&self, me: usize) {
        while self.next.load(Ordering::Relaxed) != me && !self.over.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    }

    /// Lets the other one have a turn.
    fn pass(&self, me: usize) {
        self.next.store(1 - me, Ordering::Relaxed);
        self.wait(me);
    }

    /// Leaves the library to the other one.
    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A conversation with key exchanges, texts and a comparison; how many texts
/// arrived and whether everything worked.
fn converse(turns: &Turns, me: usize, rounds: u32) -> Result<u32, String> {
    turns.wait(me);
    let result = talk(rounds, || turns.pass(me));
    turns.end();
    result
}

fn talk(rounds: u32, pause: impl Fn()) -> Result<u32, String> {
    let (alice, bob) = pair();
    let mut delivered = 0;
    for round in 0..rounds {
        let version = 2 + (round % 2) as u8;
        ensure!(
            handshake(&alice, &bob, &query(version)),
            "no conversation in round {round}"
        );
        for _ in 0..5 {
            pause();
            delivered += u32::from(deliver(&alice, &bob, b"there"));
            pause();
            delivered += u32::from(deliver(&bob, &alice, b"and back"));
        }
        pause();
        alice.smp_start(None, b"the same");
        carry(&alice, &bob);
        pause();
        bob.smp_answer(b"the same");
        carry(&alice, &bob);
        ensure!(
            alice.smp_event(smp_event::SUCCESS) == round + 1,
            "no success in round {round}"
        );
    }
    alice.free();
    bob.free();
    ensure!(
        delivered == 10 * rounds,
        "{delivered} of {} texts",
        10 * rounds
    );
    Ok(delivered)
}

fn two_conversations() -> Outcome {
    let turns = Turns::new();
    let results: Vec<Result<u32, String>> = thread::scope(|scope| {
        let threads: Vec<_> = [0, 1]
            .map(|me| {
                scope.spawn({
                    let turns = &turns;
                    move || converse(turns, me, 10)
                })
            })
            .into();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or(Err("panicked".to_owned())))
            .collect()
    });
    let texts: u32 = results.into_iter().sum::<Result<u32, String>>()?;
    Ok(format!("{texts} texts"))
}

/// The one call that is meant for another thread.
fn key_and_chat() -> Outcome {
    let (done, made) = (AtomicBool::new(false), AtomicU32::new(0));
    let turns = Turns::new();
    // SAFETY: takes nothing.
    let us = unsafe { (lib().otrl_userstate_create)() };
    let result = thread::scope(|scope| {
        let chat = scope.spawn(|| {
            let result = converse(&turns, 0, 10);
            done.store(true, Ordering::Relaxed);
            result
        });
        while !done.load(Ordering::Relaxed) {
            turns.wait(1);
            let account = c(format!("account {}", made.load(Ordering::SeqCst)));
            let mut handle = std::ptr::null_mut();
            // SAFETY: a user state of this thread; the handle goes to one other
            // thread and comes back, as the interface says.
            let error = unsafe {
                (lib().otrl_privkey_generate_start)(
                    us,
                    account.as_ptr(),
                    PROTOCOL.as_ptr(),
                    &raw mut handle,
                )
            };
            ensure!(error == 0, "cannot start: error {error:#x}");
            let address = handle as usize;
            let error = scope
                .spawn(move || {
                    // SAFETY: as above.
                    unsafe { (lib().otrl_privkey_generate_calculate)(address as *mut _) }
                })
                .join();
            ensure!(error.is_ok_and(|e| e == 0), "no key");
            let file = crate::party::party_file("threads", "key");
            let file = c(file.to_string_lossy().as_bytes());
            // SAFETY: as above.
            let error = unsafe { (lib().otrl_privkey_generate_finish)(us, handle, file.as_ptr()) };
            ensure!(error == 0, "cannot finish: error {error:#x}");
            made.fetch_add(1, Ordering::SeqCst);
            turns.pass(1);
        }
        turns.end();
        chat.join().unwrap_or(Err("panicked".to_owned()))
    });
    let texts = result?;
    ensure!(made.load(Ordering::SeqCst) > 0, "no key was made");
    Ok(format!(
        "{texts} texts, {} keys",
        made.load(Ordering::SeqCst)
    ))
}

/// What the interface forbids, two threads on one user state: a race that
/// must be found.
fn forbidden() -> Outcome {
    let alice = pair().0;
    alice.send(b"hello");
    let context = alice.context() as usize;
    let turns = Turns::new();
    thread::scope(|scope| {
        for me in [0, 1] {
            let turns = &turns;
            scope.spawn(move || {
                turns.wait(me);
                for _ in 0..10 {
                    // SAFETY: a live context; the threads take turns.
                    unsafe { (lib().otrl_context_force_plaintext)(context as *mut _) };
                    turns.pass(me);
                }
                turns.end();
            });
        }
    });
    Ok("seen by nobody".to_owned())
}
