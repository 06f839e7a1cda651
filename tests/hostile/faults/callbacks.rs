//! Callbacks that are missing, give nothing, throw the conversation away, or
//! call back.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_ushort, c_void};

use super::{complete, everything, strict_pair, watch};
use crate::cases::{Outcome, Runner, ensure};
use crate::ffi::{AppOps, Context, UserState, c, lib};
use crate::party::{Log, PROTOCOL, Party, ops, party_file, still_works};

/// Names of the callbacks and what takes each away.
const CALLBACKS: &[(&str, fn(&mut AppOps))] = &[
    ("policy", |o| o.policy = None),
    ("create_privkey", |o| o.create_privkey = None),
    ("is_logged_in", |o| o.is_logged_in = None),
    ("inject_message", |o| o.inject_message = None),
    ("update_context_list", |o| o.update_context_list = None),
    ("new_fingerprint", |o| o.new_fingerprint = None),
    ("write_fingerprints", |o| o.write_fingerprints = None),
    ("gone_secure", |o| o.gone_secure = None),
    ("still_secure", |o| o.still_secure = None),
    ("max_message_size", |o| o.max_message_size = None),
    ("received_symkey", |o| o.received_symkey = None),
    ("otr_error_message", |o| o.otr_error_message = None),
    ("otr_error_message_free", |o| {
        o.otr_error_message_free = None
    }),
    ("handle_smp_event", |o| o.handle_smp_event = None),
    ("handle_msg_event", |o| o.handle_msg_event = None),
    ("create_instag", |o| o.create_instag = None),
];

/// What a hostile callback does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    /// Forgets all contexts of the user state.
    Forget,
    /// Calls everything a program can call.
    CallBack,
}

/// The callbacks that can do a deed, by name.
const PLACES: &[&str] = &[
    "policy",
    "is_logged_in",
    "inject_message",
    "update_context_list",
    "new_fingerprint",
    "write_fingerprints",
    "gone_secure",
    "still_secure",
    "max_message_size",
    "received_symkey",
    "otr_error_message",
    "otr_error_message_free",
    "handle_smp_event",
    "handle_msg_event",
    "create_instag",
    "convert_msg",
    "convert_free",
    "resent_msg_prefix",
    "timer_control",
    "add_appdata",
];

pub fn run(runner: &mut Runner) {
    for version in [2, 3] {
        runner.case(&format!("callbacks/v{version}/all-present"), 20, || {
            let (alice, bob) = strict_pair(version);
            let clear = watch([&alice, &bob]);
            everything(&alice, &bob, version);
            ensure!(clear.get() == 0, "sent in clear");
            complete(&alice, &bob)?;
            Ok(String::new())
        });
        for (name, take_away) in CALLBACKS {
            runner.case(&format!("callbacks/v{version}/without-{name}"), 20, || {
                without(version, name, take_away)
            });
        }
        runner.case(&format!("callbacks/v{version}/without-any"), 20, || {
            without(version, "", |ops| *ops = AppOps::default())
        });
        runner.case(
            &format!("callbacks/v{version}/strings-are-null"),
            20,
            || nothing(version),
        );
        for place in PLACES {
            for (what, deed) in [
                ("forget-all", Deed::Forget),
                ("call-everything", Deed::CallBack),
            ] {
                runner.case(&format!("callbacks/v{version}/{place}-{what}"), 30, || {
                    misbehave(version, place, deed)
                });
            }
        }
    }
    runner.case(
        "callbacks/no-clear-text-without-error-message",
        20,
        encryption_fails,
    );
}

fn without(version: u8, name: &str, take_away: impl Fn(&mut AppOps)) -> Outcome {
    let (alice, bob) = strict_pair(version);
    let clear = watch([&alice, &bob]);
    for party in [&alice, &bob] {
        let mut all = all_ops();
        take_away(&mut all);
        party.log().ops = all;
    }
    everything(&alice, &bob, version);
    // Without a policy callback the default applies: texts typed before the
    // conversation go out as typed.
    let weak = name.is_empty() || name == "policy";
    ensure!(clear.get() == 0 || weak, "sent in clear");
    for party in [&alice, &bob] {
        party.log().ops = ops();
    }
    still_works(&alice, &bob, version)?;
    Ok(String::new())
}

/// Callbacks that ought to return a string return NULL.
fn nothing(version: u8) -> Outcome {
    let (alice, bob) = strict_pair(version);
    let clear = watch([&alice, &bob]);
    for party in [&alice, &bob] {
        party.log().ops = AppOps {
            otr_error_message: Some(null_error_message),
            resent_msg_prefix: Some(null_prefix),
            resent_msg_prefix_free: Some(free_text),
            convert_msg: Some(null_convert),
            ..all_ops()
        };
    }
    everything(&alice, &bob, version);
    ensure!(clear.get() == 0, "sent in clear");
    complete(&alice, &bob)?;
    Ok(String::new())
}

thread_local! {
    static DEED: Cell<Deed> = const { Cell::new(Deed::Nothing) };
    static PLACE: Cell<&'static str> = const { Cell::new("") };
    static BUSY: Cell<bool> = const { Cell::new(false) };
    static DONE: Cell<u32> = const { Cell::new(0) };
}

fn misbehave(version: u8, place: &'static str, deed: Deed) -> Outcome {
    let (alice, bob) = strict_pair(version);
    let clear = watch([&alice, &bob]);
    for party in [&alice, &bob] {
        party.log().ops = AppOps {
            resent_msg_prefix: Some(prefix),
            resent_msg_prefix_free: Some(free_text),
            convert_msg: Some(convert),
            convert_free: Some(convert_free),
            timer_control: Some(timer),
            ..all_ops()
        };
    }
    PLACE.set(place);
    DEED.set(deed);
    everything(&alice, &bob, version);
    if place == "add_appdata" {
        added_context(&alice);
    }
    DEED.set(Deed::Nothing);
    ensure!(clear.get() == 0, "sent in clear");
    for party in [&alice, &bob] {
        party.log().ops = ops();
    }
    still_works(&alice, &bob, version)?;
    Ok(format!("{} times", DONE.get()))
}

/// An encrypted conversation that cannot encrypt, and no callback for the
/// error text: nothing may go out.
fn encryption_fails() -> Outcome {
    let (alice, bob) = strict_pair(3);
    crate::party::handshake(&alice, &bob, b"?OTRv3?");
    ensure!(alice.encrypted(), "set-up failed");
    alice.log().ops.otr_error_message = None;
    let context = alice.context();
    // SAFETY: a live context; a program may write its state. Then the keys go.
    unsafe {
        (lib().otrl_context_force_plaintext)(context);
        (*context).msgstate = crate::ffi::ENCRYPTED;
    }
    let clear = watch([&alice, &bob]);
    let error = alice.send(super::SECRET);
    ensure!(
        clear.get() == 0,
        "error {error:#x}, and the text goes out as typed"
    );
    Ok(format!("error {error:#x}"))
}

/// Sends to somebody new with a callback for added contexts.
fn added_context(party: &Party) {
    let (mut out, mut context) = (std::ptr::null_mut(), std::ptr::null_mut());
    let data = party.data();
    let log = data.cast::<Log>();
    // SAFETY: live user state and callbacks, valid strings.
    unsafe {
        (lib().otrl_message_sending)(
            (*log).us,
            &raw const (*log).ops,
            data,
            (*log).name.as_ptr(),
            PROTOCOL.as_ptr(),
            c"somebody new".as_ptr(),
            0,
            c"hello".as_ptr(),
            std::ptr::null_mut(),
            &raw mut out,
            1,
            &raw mut context,
            Some(added),
            data,
        );
        (lib().otrl_message_free)(out);
    }
}

/// What a callback does at its place.
fn act(place: &str, data: *mut c_void) {
    // Every deed causes messages, and those cause deeds.
    const MOST: u32 = 30;
    if DEED.get() == Deed::Nothing || PLACE.get() != place || DONE.get() >= MOST {
        return;
    }
    if BUSY.replace(true) {
        return;
    }
    DONE.set(DONE.get() + 1);
    let log = data.cast::<Log>();
    // SAFETY: the library hands back what it was given.
    let us = unsafe { (*log).us };
    match DEED.get() {
        Deed::Nothing => {}
        Deed::Forget => forget_all(us),
        Deed::CallBack => call_everything(log),
    }
    BUSY.set(false);
}

fn forget_all(us: *mut UserState) {
    // SAFETY: a live user state; the list is read anew after each removal.
    unsafe {
        let mut context = (*us).context_root;
        while !context.is_null() {
            (lib().otrl_context_force_plaintext)(context);
            context = (*context).next;
        }
        while !(*us).context_root.is_null() {
            let before = (*us).context_root;
            (lib().otrl_context_forget)((*before).m_context);
            if (*us).context_root == before {
                break;
            }
        }
    }
}

fn call_everything(log: *mut Log) {
    let data: *mut c_void = log.cast();
    // SAFETY: live user state and callbacks, valid strings, places for results.
    unsafe {
        let (us, ops) = ((*log).us, &raw const (*log).ops);
        let (name, peer) = ((*log).name.clone(), (*log).peer.clone());
        let (name, peer, protocol) = (name.as_ptr(), peer.as_ptr(), PROTOCOL.as_ptr());
        let none = std::ptr::null_mut();
        let context = (lib().otrl_context_find)(
            us,
            peer,
            name,
            protocol,
            1,
            0,
            std::ptr::null_mut(),
            None,
            none,
        );
        for text in [c"more of the same", c"?OTRv23?"] {
            let mut out = std::ptr::null_mut();
            (lib().otrl_message_sending)(
                us,
                ops,
                data,
                name,
                protocol,
                peer,
                1,
                text.as_ptr(),
                std::ptr::null_mut(),
                &raw mut out,
                1,
                std::ptr::null_mut(),
                None,
                none,
            );
            (lib().otrl_message_free)(out);
        }
        for text in [
            c"plain",
            c"?OTRv3?",
            c"?OTR Error: x",
            c"?OTR,1,2,x,",
            c"?OTR:AAMC.",
        ] {
            let (mut out, mut tlvs) = (std::ptr::null_mut(), std::ptr::null_mut());
            (lib().otrl_message_receiving)(
                us,
                ops,
                data,
                name,
                protocol,
                peer,
                text.as_ptr(),
                &raw mut out,
                &raw mut tlvs,
                std::ptr::null_mut(),
                None,
                none,
            );
            (lib().otrl_message_free)(out);
            (lib().otrl_tlv_free)(tlvs);
        }
        // Only a conversation with keys can answer the next ones in the stock library.
        if !context.is_null() && !(*context).active_fingerprint.is_null() {
            (lib().otrl_message_initiate_smp)(us, ops, data, context, b"s".as_ptr(), 1);
            (lib().otrl_message_abort_smp)(us, ops, data, context);
            let mut key = [0; 32];
            (lib().otrl_message_symkey)(
                us,
                ops,
                data,
                context,
                1,
                b"".as_ptr(),
                0,
                key.as_mut_ptr(),
            );
        }
        (lib().otrl_message_poll)(us, ops, data);
        let file = c(party_file("alice", "tag").to_string_lossy().as_bytes());
        (lib().otrl_instag_read)(us, file.as_ptr());
        let other = (lib().otrl_context_find)(
            us,
            c"other".as_ptr(),
            name,
            protocol,
            0,
            1,
            std::ptr::null_mut(),
            None,
            none,
        );
        (lib().otrl_context_forget)(other);
        (lib().otrl_message_disconnect)(us, ops, data, name, protocol, peer, 1);
    }
}

/// All callbacks, with those that [`ops`] leaves out.
fn all_ops() -> AppOps {
    AppOps {
        policy: Some(policy),
        is_logged_in: Some(logged_in),
        inject_message: Some(inject),
        update_context_list: Some(update),
        new_fingerprint: Some(new_fingerprint),
        write_fingerprints: Some(write_fingerprints),
        gone_secure: Some(gone_secure),
        gone_insecure: Some(gone_secure),
        still_secure: Some(still_secure),
        max_message_size: Some(max_size),
        received_symkey: Some(symkey),
        otr_error_message: Some(error_message),
        otr_error_message_free: Some(free_error),
        handle_smp_event: Some(smp),
        handle_msg_event: Some(event),
        create_instag: Some(instag),
        ..ops()
    }
}

// Each callback acts first and then does what the counting one does.

macro_rules! callbacks {
    ($($name:ident = $place:literal, $inner:ident ($($arg:ident: $kind:ty),*) $(-> $ret:ty)?, $none:expr;)*) => {
        $(unsafe extern "C" fn $name(data: *mut c_void $(, $arg: $kind)*) $(-> $ret)? {
            act($place, data);
            match ops().$inner {
                // SAFETY: the same arguments as this function got. A context
                // may be gone by now; the counting callbacks do not look at it.
                Some(inner) => unsafe { inner(data $(, $arg)*) },
                None => $none,
            }
        })*
    };
}

callbacks! {
    policy = "policy", policy(context: *mut Context) -> c_uint, 0;
    logged_in = "is_logged_in", is_logged_in(a: *const c_char, b: *const c_char, d: *const c_char) -> c_int, 1;
    update = "update_context_list", update_context_list(), ();
    new_fingerprint = "new_fingerprint", new_fingerprint(us: *mut UserState, a: *const c_char, b: *const c_char, d: *const c_char, f: *mut u8), ();
    write_fingerprints = "write_fingerprints", write_fingerprints(), ();
    gone_secure = "gone_secure", gone_secure(context: *mut Context), ();
    still_secure = "still_secure", still_secure(context: *mut Context, reply: c_int), ();
    max_size = "max_message_size", max_message_size(context: *mut Context) -> c_int, 0;
    error_message = "otr_error_message", otr_error_message(context: *mut Context, code: c_uint) -> *const c_char, std::ptr::null();
    free_error = "otr_error_message_free", otr_error_message_free(text: *const c_char), ();
    instag = "create_instag", create_instag(a: *const c_char, b: *const c_char), ();
}

unsafe extern "C" fn inject(
    data: *mut c_void,
    account: *const c_char,
    protocol: *const c_char,
    recipient: *const c_char,
    message: *const c_char,
) {
    if let Some(inner) = ops().inject_message {
        // SAFETY: the same arguments; before anything can take the message away.
        unsafe { inner(data, account, protocol, recipient, message) };
    }
    act("inject_message", data);
}

unsafe extern "C" fn symkey(
    data: *mut c_void,
    context: *mut Context,
    usage: c_uint,
    usedata: *const u8,
    len: usize,
    key: *const u8,
) {
    if let Some(inner) = ops().received_symkey {
        // SAFETY: the same arguments, before anything can take the key away.
        unsafe { inner(data, context, usage, usedata, len, key) };
    }
    act("received_symkey", data);
}

unsafe extern "C" fn smp(
    data: *mut c_void,
    number: c_uint,
    context: *mut Context,
    percent: c_ushort,
    question: *mut c_char,
) {
    if let Some(inner) = ops().handle_smp_event {
        // SAFETY: the same arguments.
        unsafe { inner(data, number, context, percent, question) };
    }
    act("handle_smp_event", data);
}

unsafe extern "C" fn event(
    data: *mut c_void,
    number: c_uint,
    context: *mut Context,
    message: *const c_char,
    error: c_uint,
) {
    if let Some(inner) = ops().handle_msg_event {
        // SAFETY: the same arguments.
        unsafe { inner(data, number, context, message, error) };
    }
    act("handle_msg_event", data);
}

unsafe extern "C" fn added(data: *mut c_void, _: *mut Context) {
    act("add_appdata", data);
}

unsafe extern "C" fn timer(data: *mut c_void, _: c_uint) {
    act("timer_control", data);
}

unsafe extern "C" fn prefix(data: *mut c_void, _: *mut Context) -> *const c_char {
    act("resent_msg_prefix", data);
    c"[resent]".as_ptr()
}

unsafe extern "C" fn free_text(_: *mut c_void, _: *const c_char) {}

unsafe extern "C" fn null_prefix(_: *mut c_void, _: *mut Context) -> *const c_char {
    std::ptr::null()
}

unsafe extern "C" fn null_error_message(
    _: *mut c_void,
    _: *mut Context,
    _: c_uint,
) -> *const c_char {
    std::ptr::null()
}

unsafe extern "C" fn null_convert(
    _: *mut c_void,
    _: *mut Context,
    _: c_uint,
    _: *mut *mut c_char,
    _: *const c_char,
) {
}

unsafe extern "C" fn convert(
    data: *mut c_void,
    _: *mut Context,
    _: c_uint,
    out: *mut *mut c_char,
    text: *const c_char,
) {
    // SAFETY: a valid string and a place for the copy.
    unsafe { *out = libc::strdup(text) };
    act("convert_msg", data);
}

unsafe extern "C" fn convert_free(data: *mut c_void, _: *mut Context, text: *mut c_char) {
    act("convert_free", data);
    // SAFETY: made by `convert`.
    unsafe { libc::free(text.cast()) };
}
