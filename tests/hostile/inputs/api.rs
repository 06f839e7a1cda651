//! A program that asks for impossible things.

use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{ENCRYPTED, c, lib, smp_event};
use crate::party::{
    PROTOCOL, Party, carry, deliver, handshake, pair, private_pair, query, still_works,
};

/// What a careless program does to a private conversation.
type Careless = fn(&Party, &Party) -> Result<(), String>;

const CARELESS: &[(&str, Careless)] = &[
    ("smp-answer-unasked", |alice, _| {
        alice.smp_answer(b"secret");
        ensure!(alice.log().wire.is_empty(), "an answer to nothing is sent");
        Ok(())
    }),
    ("smp-answer-after-new-session", |alice, bob| {
        bob.smp_start(None, b"secret");
        carry(alice, bob);
        bob.disconnect();
        carry(alice, bob);
        ensure!(handshake(alice, bob, &query(3)), "set-up failed");
        alice.smp_answer(b"secret");
        ensure!(
            alice.log().wire.is_empty(),
            "an answer to an older conversation is sent"
        );
        Ok(())
    }),
    ("smp-answer-twice", |alice, bob| {
        bob.smp_start(None, b"secret");
        carry(alice, bob);
        alice.smp_answer(b"secret");
        alice.smp_answer(b"secret");
        carry(alice, bob);
        Ok(())
    }),
    ("smp-start-twice", |alice, bob| {
        alice.smp_start(None, b"secret");
        alice.smp_start(None, b"secret");
        carry(alice, bob);
        bob.smp_answer(b"secret");
        carry(alice, bob);
        Ok(())
    }),
    ("smp-abort-unasked", |alice, bob| {
        alice.smp_abort();
        carry(alice, bob);
        Ok(())
    }),
    ("smp-empty-secret", |alice, bob| {
        alice.smp_start(None, b"");
        carry(alice, bob);
        ensure!(bob.asked() == 1, "the peer is not asked");
        Ok(())
    }),
    ("smp-question-of-70000-letters", |alice, bob| {
        alice.smp_start(Some(&[b'q'; 70_000]), b"secret");
        carry(alice, bob);
        let told = alice.smp_event(smp_event::ERROR) > 0;
        ensure!(
            bob.smp_event(smp_event::CHEATED) == 0,
            "the peer is told of cheating"
        );
        ensure!(told || bob.asked() > 0, "neither asked nor refused");
        Ok(())
    }),
    ("symkey-with-70000-bytes", |alice, _| {
        ensure!(
            alice.symkey(1, &[0; 70_000]).is_err(),
            "cut without an error"
        );
        Ok(())
    }),
    ("symkey-with-65531-bytes", |alice, bob| {
        let key = alice.symkey(1, &[7; 65_531]);
        carry(alice, bob);
        let key = key.map_err(|e| format!("error {e:#x}"))?;
        ensure!(bob.log().symkey == Some(key), "the peer gets another key");
        Ok(())
    }),
    ("everything-after-the-end", |alice, _| {
        let context = alice.context();
        alice.disconnect();
        alice.log().wire.clear();
        let log = alice.log();
        let (us, ops, data) = (log.us, &raw const log.ops, alice.data());
        // SAFETY: a live context that is no longer private.
        unsafe {
            (lib().otrl_message_initiate_smp)(us, ops, data, context, b"s".as_ptr(), 1);
            (lib().otrl_message_respond_smp)(us, ops, data, context, b"s".as_ptr(), 1);
            (lib().otrl_message_abort_smp)(us, ops, data, context);
        }
        ensure!(
            alice.symkey(1, b"").is_err(),
            "a key without a conversation"
        );
        Ok(())
    }),
    ("null-context", |alice, _| {
        let log = alice.log();
        let (us, ops, data) = (log.us, &raw const log.ops, alice.data());
        let none = std::ptr::null_mut();
        // SAFETY: the interface allows NULL here.
        unsafe {
            (lib().otrl_message_initiate_smp)(us, ops, data, none, b"s".as_ptr(), 1);
            (lib().otrl_message_respond_smp)(us, ops, data, none, b"s".as_ptr(), 1);
            (lib().otrl_message_abort_smp)(us, ops, data, none);
            let mut key = [0; 32];
            let error = (lib().otrl_message_symkey)(
                us,
                ops,
                data,
                none,
                1,
                b"".as_ptr(),
                0,
                key.as_mut_ptr(),
            );
            ensure!(error != 0, "a key without a context");
        }
        Ok(())
    }),
];

pub fn run(runner: &mut Runner) {
    for (name, careless) in CARELESS {
        runner.case(&format!("api/{name}"), 10, || {
            let (alice, bob) = private_pair(3)?;
            careless(&alice, &bob)?;
            still_works(&alice, &bob, 3)?;
            Ok(String::new())
        });
    }
    for limit in [1, 18, 19, 20, 36, 37, 38, 60, 200] {
        for version in [2, 3] {
            runner.case(
                &format!("api/v{version}/longest-message-{limit}"),
                10,
                || tiny_network(version, limit),
            );
        }
    }
    for instance in [2, 3, 4, 5, 0xff, 0x100, u32::MAX] {
        runner.case(&format!("api/send-to-instance-{instance:#x}"), 10, || {
            odd_instance(instance)
        });
    }
    runner.case("api/forget-during-a-conversation", 10, forget);
}

/// The network takes only very short messages: pieces that fit, or an error.
fn tiny_network(version: u8, limit: i32) -> Outcome {
    let (alice, bob) = private_pair(version)?;
    alice.log().max_size = limit;
    let error = alice.send(b"hello");
    let pieces: Vec<Vec<u8>> = alice.log().wire.drain(..).collect();
    if error != 0 {
        ensure!(
            pieces.is_empty(),
            "an error, but {} pieces sent",
            pieces.len()
        );
        still_works(&alice, &bob, version)?;
        return Ok("refused".to_owned());
    }
    let long = pieces.iter().filter(|p| p.len() > limit as usize).count();
    ensure!(
        long == 0,
        "{long} of {} pieces longer than {limit}",
        pieces.len()
    );
    let shown = pieces.iter().filter_map(|piece| bob.receive(piece).shown);
    ensure!(shown.collect::<Vec<_>>() == [b"hello"], "not delivered");
    Ok(format!("{} pieces", pieces.len()))
}

/// Sends twice to an instance that does not exist.
fn odd_instance(instance: u32) -> Outcome {
    let (alice, bob) = pair();
    alice.log().instance = instance;
    for _ in 0..3 {
        alice.send(b"?OTRv23?");
        alice.send(b"hello");
    }
    alice.log().wire.clear();
    still_works(&alice, &bob, 3)?;
    Ok(String::new())
}

/// A private context cannot be forgotten; the conversation goes on.
fn forget() -> Outcome {
    let (alice, bob) = private_pair(3)?;
    let context = alice.context();
    // SAFETY: a live context; forgetting must be refused.
    unsafe {
        ensure!(
            (lib().otrl_context_forget)(context) != 0,
            "a private context is forgotten"
        );
        ensure!((*context).msgstate == ENCRYPTED, "no longer private");
        // The only key must not go either while it is in use.
        let (log, name) = (alice.log(), c("nobody"));
        let none = (lib().otrl_context_find)(
            log.us,
            name.as_ptr(),
            log.name.as_ptr(),
            PROTOCOL.as_ptr(),
            0,
            0,
            std::ptr::null_mut(),
            None,
            std::ptr::null_mut(),
        );
        ensure!(none.is_null(), "a context that was never made");
    }
    ensure!(
        deliver(&alice, &bob, b"still there?"),
        "the conversation is lost"
    );
    Ok(String::new())
}
