//! A chat program in miniature: one user state of the library under test,
//! callbacks that count and remember, and an in-memory wire.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ushort, c_void};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::ffi::{
    AppOps, BEST, Context, ENCRYPTED, POLICY_DEFAULT, Tlv, UserState, bytes, c, event, lib,
    smp_event,
};

/// The protocol name all parties use.
pub const PROTOCOL: &CStr = c"prpl-test";

/// What a program remembers of a conversation; the callbacks' data.
pub struct Log {
    pub us: *mut UserState,
    pub ops: AppOps,
    pub name: CString,
    pub peer: CString,
    pub policy: c_uint,
    /// Longest message the network takes; 0 for any length.
    pub max_size: c_int,
    /// Which instance typed texts go to.
    pub instance: c_uint,
    /// Messages put on the wire, oldest first.
    pub wire: VecDeque<Vec<u8>>,
    pub events: [u32; 16],
    pub event_texts: Vec<Vec<u8>>,
    pub smp: [u32; 9],
    pub last_smp: usize,
    pub secure: u32,
    pub still_secure: u32,
    pub symkey: Option<[u8; 32]>,
    /// Texts shown to the user.
    pub seen: u64,
    /// Called for every message put on the wire.
    pub tap: Option<Box<dyn FnMut(&[u8])>>,
    instag_file: CString,
}

/// What the user gets to see of a received message.
#[derive(Debug, Default)]
pub struct Received {
    /// The text, if any is shown.
    pub shown: Option<Vec<u8>>,
    pub tlvs: Vec<(u16, Vec<u8>)>,
}

/// One side of a conversation.
pub struct Party {
    log: *mut Log,
}

static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();

/// Makes the keys of `alice` and `bob` in `directory` unless they are there.
pub fn prepare(directory: &Path) {
    set_directory(directory);
    Party::new("alice", "bob").free();
    Party::new("bob", "alice").free();
}

/// Says where the test keys are.
pub fn set_directory(directory: &Path) {
    DIRECTORY.set(directory.to_owned()).expect("set twice");
}

/// A file of a party in the run's directory.
pub fn party_file(name: &str, kind: &str) -> PathBuf {
    DIRECTORY
        .get()
        .expect("prepared")
        .join(format!("{name}.{kind}"))
}

/// A path for a C function.
pub fn c_path(path: &Path) -> CString {
    c(path.to_string_lossy().as_bytes())
}

impl Party {
    /// A party with its key and instance tag loaded, default policy.
    pub fn new(name: &str, peer: &str) -> Self {
        let party = Self::without_key(name, peer);
        let log = party.log();
        let (key, tag) = (party_file(name, "key"), party_file(name, "tag"));
        // SAFETY: a live user state and valid strings.
        unsafe {
            let error = if key.exists() {
                (lib().otrl_privkey_read)(log.us, c_path(&key).as_ptr())
            } else {
                (lib().otrl_privkey_generate)(
                    log.us,
                    c_path(&key).as_ptr(),
                    log.name.as_ptr(),
                    PROTOCOL.as_ptr(),
                )
            };
            assert_eq!(error, 0, "no key for {name}");
            if tag.exists() {
                (lib().otrl_instag_read)(log.us, c_path(&tag).as_ptr());
            } else {
                (lib().otrl_instag_generate)(
                    log.us,
                    c_path(&tag).as_ptr(),
                    log.name.as_ptr(),
                    PROTOCOL.as_ptr(),
                );
            }
        }
        party
    }

    /// A party without a key and without an instance tag.
    pub fn without_key(name: &str, peer: &str) -> Self {
        // SAFETY: takes nothing.
        let us = unsafe { (lib().otrl_userstate_create)() };
        let log = Log {
            us,
            ops: ops(),
            name: c(name),
            peer: c(peer),
            policy: POLICY_DEFAULT,
            max_size: 0,
            instance: BEST,
            wire: VecDeque::new(),
            events: [0; 16],
            event_texts: Vec::new(),
            smp: [0; 9],
            last_smp: 0,
            secure: 0,
            still_secure: 0,
            symkey: None,
            seen: 0,
            tap: None,
            instag_file: c_path(&party_file(name, "tag")),
        };
        Self {
            log: Box::into_raw(Box::new(log)),
        }
    }

    /// The party's memory. Not to be kept across a call of the library.
    #[allow(clippy::mut_from_ref)]
    pub fn log(&self) -> &mut Log {
        // SAFETY: made by `without_key`, freed by `free` only; this process has
        // one thread, and nobody keeps the reference across library calls.
        unsafe { &mut *self.log }
    }

    /// The pointer that the library hands back to the callbacks.
    pub fn data(&self) -> *mut c_void {
        self.log.cast()
    }

    /// The user state.
    pub fn us(&self) -> *mut UserState {
        self.log().us
    }

    /// Frees the user state and the memory of the conversation.
    pub fn free(self) {
        // SAFETY: both were made by `without_key` and nobody uses them any more.
        unsafe {
            (lib().otrl_userstate_free)((*self.log).us);
            drop(Box::from_raw(self.log));
        }
    }

    /// A message arrives from the network.
    pub fn receive(&self, message: &[u8]) -> Received {
        let message = c(message);
        let (mut new, mut tlvs) = (std::ptr::null_mut(), std::ptr::null_mut());
        let log = self.log;
        // SAFETY: live user state and callbacks, valid strings, places for the results.
        let hidden = unsafe {
            (lib().otrl_message_receiving)(
                (*log).us,
                &raw const (*log).ops,
                log.cast(),
                (*log).name.as_ptr(),
                PROTOCOL.as_ptr(),
                (*log).peer.as_ptr(),
                message.as_ptr(),
                &raw mut new,
                &raw mut tlvs,
                std::ptr::null_mut(),
                None,
                std::ptr::null_mut(),
            )
        };
        let mut received = Received::default();
        if hidden == 0 {
            // SAFETY: NULL or a string of the library.
            let shown = unsafe { bytes(new) }.unwrap_or_else(|| message.to_bytes().to_vec());
            received.shown = Some(shown);
            self.log().seen += 1;
        }
        // SAFETY: a list of the library, walked and freed once; both may be NULL.
        unsafe {
            let mut record: *mut Tlv = tlvs;
            while !record.is_null() {
                let value = if (*record).data.is_null() {
                    Vec::new()
                } else {
                    std::slice::from_raw_parts((*record).data, (*record).len.into()).to_vec()
                };
                received.tlvs.push(((*record).kind, value));
                record = (*record).next;
            }
            (lib().otrl_message_free)(new);
            (lib().otrl_tlv_free)(tlvs);
        }
        received
    }

    /// The user types a text; what leaves goes on the wire. The library's
    /// error number, 0 for none.
    pub fn send(&self, text: &[u8]) -> u32 {
        let original = c(text);
        let mut out = std::ptr::null_mut();
        let log = self.log;
        // SAFETY: as in `receive`.
        let error = unsafe {
            (lib().otrl_message_sending)(
                (*log).us,
                &raw const (*log).ops,
                log.cast(),
                (*log).name.as_ptr(),
                PROTOCOL.as_ptr(),
                (*log).peer.as_ptr(),
                (*log).instance,
                original.as_ptr(),
                std::ptr::null_mut(),
                &raw mut out,
                1, // inject every piece
                std::ptr::null_mut(),
                None,
                std::ptr::null_mut(),
            )
        };
        // A program sends the text as typed if it gets neither an error nor a
        // replacement.
        if error == 0 && out.is_null() {
            self.put(text);
        }
        // SAFETY: NULL or a string of the library.
        unsafe { (lib().otrl_message_free)(out) };
        error
    }

    /// Puts a message on this party's wire.
    pub fn put(&self, message: &[u8]) {
        self.log().put(message.to_vec());
    }

    /// Takes the oldest message off this party's wire.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.log().wire.pop_front()
    }

    /// The context that typed texts go to, or NULL.
    pub fn context(&self) -> *mut Context {
        self.context_for(self.log().instance)
    }

    /// The context of the given instance or pseudo instance, or NULL.
    pub fn context_for(&self, instance: c_uint) -> *mut Context {
        let log = self.log();
        // SAFETY: live user state and valid strings; nothing is added.
        unsafe {
            (lib().otrl_context_find)(
                log.us,
                log.peer.as_ptr(),
                log.name.as_ptr(),
                PROTOCOL.as_ptr(),
                instance,
                0,
                std::ptr::null_mut(),
                None,
                std::ptr::null_mut(),
            )
        }
    }

    /// Number of contexts in the user state.
    pub fn contexts(&self) -> usize {
        // SAFETY: the list belongs to a live user state.
        let mut context = unsafe { (*self.us()).context_root };
        let mut n = 0;
        while !context.is_null() {
            n += 1;
            // SAFETY: as above.
            context = unsafe { (*context).next };
        }
        n
    }

    /// The message state of the current context.
    pub fn state(&self) -> Option<c_uint> {
        let context = self.context();
        // SAFETY: a live context.
        (!context.is_null()).then(|| unsafe { (*context).msgstate })
    }

    pub fn encrypted(&self) -> bool {
        self.state() == Some(ENCRYPTED)
    }

    /// Ends all private conversations with the peer.
    pub fn disconnect(&self) {
        let log = self.log;
        // SAFETY: as in `receive`.
        unsafe {
            (lib().otrl_message_disconnect_all_instances)(
                (*log).us,
                &raw const (*log).ops,
                log.cast(),
                (*log).name.as_ptr(),
                PROTOCOL.as_ptr(),
                (*log).peer.as_ptr(),
            );
        }
    }

    /// Starts the socialist millionaires' protocol.
    pub fn smp_start(&self, question: Option<&[u8]>, secret: &[u8]) {
        let (log, context) = (self.log, self.context());
        // SAFETY: as in `receive`; the context is NULL or live.
        unsafe {
            let (us, ops, data) = ((*log).us, &raw const (*log).ops, log.cast());
            let (secret, len) = (secret.as_ptr(), secret.len());
            match question {
                Some(q) => (lib().otrl_message_initiate_smp_q)(
                    us,
                    ops,
                    data,
                    context,
                    c(q).as_ptr(),
                    secret,
                    len,
                ),
                None => (lib().otrl_message_initiate_smp)(us, ops, data, context, secret, len),
            }
        }
    }

    /// Answers the peer's socialist millionaires' protocol.
    pub fn smp_answer(&self, secret: &[u8]) {
        let (log, context) = (self.log, self.context());
        // SAFETY: as in `smp_start`.
        unsafe {
            (lib().otrl_message_respond_smp)(
                (*log).us,
                &raw const (*log).ops,
                log.cast(),
                context,
                secret.as_ptr(),
                secret.len(),
            );
        }
    }

    /// Breaks the socialist millionaires' protocol off.
    pub fn smp_abort(&self) {
        let (log, context) = (self.log, self.context());
        // SAFETY: as in `smp_start`.
        unsafe {
            (lib().otrl_message_abort_smp)((*log).us, &raw const (*log).ops, log.cast(), context);
        }
    }

    /// Announces the use of the extra symmetric key; the key, or the error.
    pub fn symkey(&self, usage: u32, usedata: &[u8]) -> Result<[u8; 32], u32> {
        let (log, context, mut key) = (self.log, self.context(), [0; 32]);
        // SAFETY: as in `smp_start`; `key` has the 32 bytes the interface asks for.
        let error = unsafe {
            (lib().otrl_message_symkey)(
                (*log).us,
                &raw const (*log).ops,
                log.cast(),
                context,
                usage,
                usedata.as_ptr(),
                usedata.len(),
                key.as_mut_ptr(),
            )
        };
        if error == 0 { Ok(key) } else { Err(error) }
    }

    /// What a program's timer does.
    pub fn poll(&self) {
        let log = self.log;
        // SAFETY: as in `receive`.
        unsafe { (lib().otrl_message_poll)((*log).us, &raw const (*log).ops, log.cast()) };
    }

    /// How often the given message event was reported.
    pub fn event(&self, number: usize) -> u32 {
        self.log().events[number]
    }

    /// How often the given event of the socialist millionaires' protocol was
    /// reported.
    pub fn smp_event(&self, number: usize) -> u32 {
        self.log().smp[number]
    }

    /// How often the user was asked for a secret or an answer.
    pub fn asked(&self) -> u32 {
        self.smp_event(smp_event::ASK_FOR_SECRET) + self.smp_event(smp_event::ASK_FOR_ANSWER)
    }

    /// How often a text was shown with a warning instead of as a message.
    pub fn warned(&self) -> u32 {
        self.event(event::RCVDMSG_UNENCRYPTED) + self.event(event::RCVDMSG_GENERAL_ERR)
    }
}

impl Log {
    fn put(&mut self, message: Vec<u8>) {
        if let Some(tap) = &mut self.tap {
            tap(&message);
        }
        self.wire.push_back(message);
    }
}

/// Two parties with default policies.
pub fn pair() -> (Party, Party) {
    (Party::new("alice", "bob"), Party::new("bob", "alice"))
}

/// A query for one version.
pub fn query(version: u8) -> Vec<u8> {
    format!("?OTRv{version}?").into_bytes()
}

/// Carries messages both ways until the wire is silent.
pub fn carry(a: &Party, b: &Party) {
    for _ in 0..200 {
        let (from_a, from_b) = (a.take(), b.take());
        if from_a.is_none() && from_b.is_none() {
            return;
        }
        if let Some(message) = from_a {
            b.receive(&message);
        }
        if let Some(message) = from_b {
            a.receive(&message);
        }
    }
}

/// An honest key exchange, asked for by `a`; whether both are private after it.
pub fn handshake(a: &Party, b: &Party, query: &[u8]) -> bool {
    a.log().wire.clear();
    b.log().wire.clear();
    a.put(query);
    carry(a, b);
    a.encrypted() && b.encrypted()
}

/// Two parties in a private conversation of the given version.
pub fn private_pair(version: u8) -> Result<(Party, Party), String> {
    let (a, b) = pair();
    if handshake(&a, &b, &query(version)) {
        Ok((a, b))
    } else {
        Err("set-up failed: no private conversation".to_owned())
    }
}

/// `from` types a text; whether exactly this text is shown to `to`.
pub fn deliver(from: &Party, to: &Party, text: &[u8]) -> bool {
    if from.send(text) != 0 {
        return false;
    }
    let mut arrived = false;
    while let Some(message) = from.take() {
        arrived |= to.receive(&message).shown.as_deref() == Some(text);
    }
    arrived
}

/// Checks that after everything that happened an honest key exchange works at
/// the first attempt and carries a text each way.
pub fn still_works(a: &Party, b: &Party, version: u8) -> Result<(), String> {
    for party in [a, b] {
        let log = party.log();
        // Not the best but the latest instance: a hostile second instance may
        // have a session too, and "best" looks at times in seconds.
        (log.instance, log.max_size) = (super::ffi::RECENT_RECEIVED, 0);
        log.wire.clear();
    }
    if handshake(a, b, &query(version))
        && deliver(a, b, b"after that, one way")
        && deliver(b, a, b"after that, the other way")
    {
        Ok(())
    } else {
        Err("an honest key exchange afterwards does not lead to a conversation".to_owned())
    }
}

/// The callbacks that only count and remember.
pub fn ops() -> AppOps {
    AppOps {
        policy: Some(on_policy),
        is_logged_in: Some(on_logged_in),
        inject_message: Some(on_inject),
        gone_secure: Some(on_secure),
        still_secure: Some(on_still_secure),
        max_message_size: Some(on_max_size),
        received_symkey: Some(on_symkey),
        otr_error_message: Some(on_error_message),
        otr_error_message_free: Some(on_error_message_free),
        handle_smp_event: Some(on_smp),
        handle_msg_event: Some(on_event),
        create_instag: Some(on_create_instag),
        ..AppOps::default()
    }
}

/// # Safety
/// `data` is the pointer of [`Party::data`]; no other reference to it is live.
unsafe fn log<'a>(data: *mut c_void) -> &'a mut Log {
    // SAFETY: the caller's promise.
    unsafe { &mut *data.cast::<Log>() }
}

unsafe extern "C" fn on_policy(data: *mut c_void, _: *mut Context) -> c_uint {
    // SAFETY: the library hands back what it was given; so in all callbacks.
    unsafe { log(data) }.policy
}

unsafe extern "C" fn on_logged_in(
    _: *mut c_void,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    1
}

unsafe extern "C" fn on_inject(
    data: *mut c_void,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    message: *const c_char,
) {
    // SAFETY: a string of the library.
    let message = unsafe { bytes(message) }.unwrap_or_default();
    // SAFETY: as in `on_policy`.
    unsafe { log(data) }.put(message);
}

unsafe extern "C" fn on_secure(data: *mut c_void, _: *mut Context) {
    // SAFETY: as in `on_policy`.
    unsafe { log(data) }.secure += 1;
}

unsafe extern "C" fn on_still_secure(data: *mut c_void, _: *mut Context, _: c_int) {
    // SAFETY: as in `on_policy`.
    unsafe { log(data) }.still_secure += 1;
}

unsafe extern "C" fn on_max_size(data: *mut c_void, _: *mut Context) -> c_int {
    // SAFETY: as in `on_policy`.
    unsafe { log(data) }.max_size
}

unsafe extern "C" fn on_symkey(
    data: *mut c_void,
    _: *mut Context,
    _: c_uint,
    _: *const u8,
    _: usize,
    key: *const u8,
) {
    // SAFETY: the interface promises 32 bytes.
    let key = unsafe { *key.cast::<[u8; 32]>() };
    // SAFETY: as in `on_policy`.
    unsafe { log(data) }.symkey = Some(key);
}

unsafe extern "C" fn on_error_message(
    _: *mut c_void,
    _: *mut Context,
    code: c_uint,
) -> *const c_char {
    c(format!("error {code}")).into_raw()
}

unsafe extern "C" fn on_error_message_free(_: *mut c_void, message: *const c_char) {
    if !message.is_null() {
        // SAFETY: made by `on_error_message`, freed once.
        drop(unsafe { CString::from_raw(message.cast_mut()) });
    }
}

unsafe extern "C" fn on_smp(
    data: *mut c_void,
    number: c_uint,
    _: *mut Context,
    _: c_ushort,
    _: *mut c_char,
) {
    // SAFETY: as in `on_policy`.
    let log = unsafe { log(data) };
    log.smp[number as usize] += 1;
    log.last_smp = number as usize;
}

unsafe extern "C" fn on_event(
    data: *mut c_void,
    number: c_uint,
    _: *mut Context,
    message: *const c_char,
    _: c_uint,
) {
    // SAFETY: a string of the library, or NULL.
    let message = unsafe { bytes(message) };
    // SAFETY: as in `on_policy`.
    let log = unsafe { log(data) };
    log.events[number as usize] += 1;
    log.event_texts.extend(message);
}

unsafe extern "C" fn on_create_instag(
    data: *mut c_void,
    account: *const c_char,
    protocol: *const c_char,
) {
    // SAFETY: as in `on_policy`; not kept across the call below.
    let log = unsafe { log(data) };
    let (us, file) = (log.us, log.instag_file.clone());
    // SAFETY: live user state, valid strings.
    unsafe { (lib().otrl_instag_generate)(us, file.as_ptr(), account, protocol) };
}
