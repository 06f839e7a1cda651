//! Two threads, each with user states of its own.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{c, lib, smp_event};
use crate::party::{PROTOCOL, carry, deliver, handshake, pair, query};

pub fn run(runner: &mut Runner) {
    runner.case("threads/two-conversations", 60, two_conversations);
    runner.case("threads/a-key-is-made-while-others-chat", 60, key_and_chat);
}

/// A conversation with key exchanges, texts and a comparison; how many texts
/// arrived and whether everything worked.
fn converse(rounds: u32) -> Result<u32, String> {
    let (alice, bob) = pair();
    let mut delivered = 0;
    for round in 0..rounds {
        let version = 2 + (round % 2) as u8;
        ensure!(
            handshake(&alice, &bob, &query(version)),
            "no conversation in round {round}"
        );
        for _ in 0..5 {
            delivered += u32::from(deliver(&alice, &bob, b"there"));
            delivered += u32::from(deliver(&bob, &alice, b"and back"));
        }
        alice.smp_start(None, b"the same");
        carry(&alice, &bob);
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
    let results: Vec<Result<u32, String>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| converse(10))).collect();
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
    // SAFETY: takes nothing.
    let us = unsafe { (lib().otrl_userstate_create)() };
    let result = thread::scope(|scope| {
        let chat = scope.spawn(|| {
            let result = converse(10);
            done.store(true, Ordering::SeqCst);
            result
        });
        while !done.load(Ordering::SeqCst) {
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
        }
        chat.join().unwrap_or(Err("panicked".to_owned()))
    });
    let texts = result?;
    ensure!(made.load(Ordering::SeqCst) > 0, "no key was made");
    Ok(format!(
        "{texts} texts, {} keys",
        made.load(Ordering::SeqCst)
    ))
}
