//! A chat program: one user state, callbacks, what it sends and receives.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr;

use super::callbacks;
use crate::c::types::{AppOps, Context, ENCRYPTED, UserState, bytes, c};
use crate::c::{file, ours, records};
use crate::input::Input;
use crate::people;

/// The protocol of the people's key files.
pub const PROTOCOL: &CStr = c"prpl";

/// Pseudo instances and some that are none.
const INSTANCES: [c_uint; 8] = [1, 0, 2, 3, 4, 5, 0xb0b01, 0xa11ce];

/// What the callbacks get to see. Never borrowed while the library runs.
pub struct Memory {
    pub us: *mut UserState,
    pub ops: AppOps,
    pub name: CString,
    pub peer: CString,
    pub policy: c_uint,
    pub max_size: c_int,
    pub inbox: VecDeque<Vec<u8>>,
    pub outbox: VecDeque<Vec<u8>>,
    /// What the next callbacks do, last first.
    pub reactions: Vec<u8>,
    /// Texts that must not leave in clear.
    pub secret: Vec<Vec<u8>>,
    texts: usize,
}

pub struct Program(*mut Memory);

impl Program {
    pub fn new(name: &str, peer: &str, policy: u8, size: u8) -> Self {
        let person = usize::from(name == "bob");
        let tag = [0xa11ce, 0xb0b01][person];
        let tags = format!("{name}\tprpl\t{tag:08x}\n");
        // SAFETY: a new user state, and files opened here.
        let us = unsafe {
            let us = (ours().otrl_userstate_create)();
            let (keys, tags) = (
                file(people::KEY_FILES[person].as_bytes()),
                file(tags.as_bytes()),
            );
            assert_eq!((ours().otrl_privkey_read_FILEp)(us, keys), 0);
            assert_eq!((ours().otrl_instag_read_FILEp)(us, tags), 0);
            libc::fclose(keys);
            libc::fclose(tags);
            us
        };
        Self(Box::into_raw(Box::new(Memory {
            us,
            ops: callbacks::all(),
            name: c(name),
            peer: c(peer),
            policy: match policy {
                0xff => 0x76,
                policy => policy.into(),
            },
            max_size: [0, 0, 400, 100, 37, 19, 1, -1][usize::from(size & 7)],
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            reactions: Vec::new(),
            secret: Vec::new(),
            texts: 0,
        })))
    }

    pub fn free(self) {
        // SAFETY: nobody uses either any more.
        unsafe {
            (ours().otrl_userstate_free)((*self.0).us);
            drop(Box::from_raw(self.0));
        }
    }

    /// The memory of the program, while the library does not run.
    #[allow(clippy::mut_from_ref, reason = "one thread, and never kept")]
    fn memory(&self) -> &mut Memory {
        // SAFETY: live until `free`; nobody else has a reference.
        unsafe { &mut *self.0 }
    }

    pub fn us(&self) -> *mut UserState {
        self.memory().us
    }

    #[allow(clippy::mut_from_ref, reason = "one thread, and never kept")]
    pub fn inbox(&self) -> &mut VecDeque<Vec<u8>> {
        &mut self.memory().inbox
    }

    #[allow(clippy::mut_from_ref, reason = "one thread, and never kept")]
    pub fn outbox(&self) -> &mut VecDeque<Vec<u8>> {
        &mut self.memory().outbox
    }

    pub fn remove_callbacks(&self, absent: usize) {
        callbacks::remove(&mut self.memory().ops, absent);
    }

    pub fn react(&self, reactions: &[u8]) {
        self.memory().reactions = reactions.iter().rev().copied().collect();
    }

    pub fn receive(&self, text: &[u8]) {
        // SAFETY: a live program.
        unsafe { receive(self.0, text) };
    }

    pub fn types(&self, input: &mut Input<'_>) {
        let how = input.byte();
        let tlvs = (how & 0x08 != 0).then(|| input.bytes());
        // SAFETY: a live program.
        unsafe { types(self.0, how, tlvs) };
    }

    fn context(&self) -> *mut Context {
        // SAFETY: a live program.
        unsafe { context(self.0, 1) }
    }

    pub fn compares(&self, input: &mut Input<'_>) {
        let (how, context) = (input.byte(), self.context());
        let secret = [how & 1];
        // SAFETY: a live program and context, or none.
        unsafe {
            let (us, ops, data) = ((*self.0).us, &raw const (*self.0).ops, self.0.cast());
            match how & 2 {
                0 => (ours().otrl_message_initiate_smp)(us, ops, data, context, secret.as_ptr(), 1),
                _ => {
                    let question = c(input.bytes());
                    (ours().otrl_message_initiate_smp_q)(
                        us,
                        ops,
                        data,
                        context,
                        question.as_ptr(),
                        secret.as_ptr(),
                        1,
                    );
                }
            }
        }
    }

    pub fn answers(&self, input: &mut Input<'_>) {
        // SAFETY: a live program and context, or none.
        unsafe { answer(self.0, self.context(), input.byte() & 1) };
    }

    pub fn aborts(&self) {
        // SAFETY: a live program and context, or none.
        unsafe { abort(self.0, self.context()) };
    }

    pub fn leaves(&self, how: u8) {
        // SAFETY: a live program.
        unsafe { leave(self.0, how) };
    }

    pub fn wants_key(&self, input: &mut Input<'_>) {
        let (data, mut key) = (input.bytes(), [0; 32]);
        // SAFETY: a live program and context, or none; room for a key.
        unsafe {
            (ours().otrl_message_symkey)(
                (*self.0).us,
                &raw const (*self.0).ops,
                self.0.cast(),
                self.context(),
                7,
                data.as_ptr(),
                data.len(),
                key.as_mut_ptr(),
            );
        }
    }

    pub fn polls(&self) {
        // SAFETY: a live program.
        unsafe {
            let ops = &raw const (*self.0).ops;
            (ours().otrl_message_poll)((*self.0).us, ops, self.0.cast());
        }
    }

    /// What programs do with contexts and fingerprints in their windows.
    pub fn manages(&self, input: &mut Input<'_>) {
        let how = input.byte();
        let instance = INSTANCES[usize::from(how >> 5)];
        // SAFETY: a live program; contexts are looked up anew for every call.
        unsafe {
            let context = match how & 0x10 {
                0 => context(self.0, instance),
                _ => add(self.0, instance),
            };
            if context.is_null() {
                return;
            }
            match how & 0x07 {
                0 => (ours().otrl_context_force_plaintext)(context),
                1 => (ours().otrl_context_force_finished)(context),
                2 => {
                    (ours().otrl_context_forget)(context);
                }
                3 | 4 => {
                    let print = (*(*context).m_context).fingerprint_root.next;
                    if !print.is_null() {
                        (ours().otrl_context_forget_fingerprint)(print, c_int::from(how & 1));
                    }
                }
                5 => {
                    let trust = c(input.bytes());
                    (ours().otrl_context_set_trust)((*context).active_fingerprint, trust.as_ptr());
                }
                6 => (ours().otrl_context_update_recent_child)(context, c_uint::from(how & 8)),
                _ => self.memory().policy = input.byte().into(),
            }
        }
    }

    /// The functions below those that programs use.
    pub fn goes_deeper(&self, input: &mut Input<'_>) {
        let how = input.byte();
        let text = c(input.bytes());
        // SAFETY: a live program; what comes out is freed once.
        unsafe {
            let context = add(self.0, 1);
            if context.is_null() {
                return;
            }
            let (mut out, mut list, mut flags, mut key) =
                (ptr::null_mut(), ptr::null_mut(), 0, [0; 32]);
            match how & 3 {
                0 => {
                    (ours().otrl_proto_fragment_accumulate)(&raw mut out, context, text.as_ptr());
                }
                1 => {
                    let error = (ours().otrl_proto_accept_data)(
                        &raw mut out,
                        &raw mut list,
                        context,
                        text.as_ptr(),
                        &raw mut flags,
                        key.as_mut_ptr(),
                    );
                    assert!(error != 0 || (*context).msgstate == ENCRYPTED);
                    records(list);
                    (ours().otrl_tlv_free)(list);
                }
                2 => {
                    let error = (ours().otrl_proto_create_data)(
                        &raw mut out,
                        context,
                        text.as_ptr(),
                        ptr::null(),
                        0,
                        key.as_mut_ptr(),
                    );
                    assert!((error == 0) != out.is_null());
                    assert!(error != 0 || (*context).msgstate == ENCRYPTED);
                    (*self.0).outbox.extend(bytes(out));
                }
                _ => {
                    (ours().otrl_proto_data_read_flags)(text.as_ptr(), &raw mut flags);
                }
            }
            (ours().otrl_message_free)(out);
        }
    }
}

/// The context of an instance, or NULL.
///
/// # Safety
/// The program is live; so in all functions below. They may run inside of a
/// callback.
pub unsafe fn context(program: *mut Memory, instance: c_uint) -> *mut Context {
    // SAFETY: the caller's promise.
    unsafe { find(program, instance, 0) }
}

unsafe fn add(program: *mut Memory, instance: c_uint) -> *mut Context {
    // SAFETY: the caller's promise.
    unsafe { find(program, instance, 1) }
}

unsafe fn find(program: *mut Memory, instance: c_uint, add: c_int) -> *mut Context {
    // SAFETY: the caller's promise.
    unsafe {
        (ours().otrl_context_find)(
            (*program).us,
            (*program).peer.as_ptr(),
            (*program).name.as_ptr(),
            PROTOCOL.as_ptr(),
            instance,
            add,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
        )
    }
}

pub unsafe fn receive(program: *mut Memory, text: &[u8]) {
    let text = c(text);
    let (mut new, mut list, mut context) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's promise; what comes out is freed once.
    unsafe {
        let hidden = (ours().otrl_message_receiving)(
            (*program).us,
            &raw const (*program).ops,
            program.cast(),
            (*program).name.as_ptr(),
            PROTOCOL.as_ptr(),
            (*program).peer.as_ptr(),
            text.as_ptr(),
            &raw mut new,
            &raw mut list,
            &raw mut context,
            None,
            ptr::null_mut(),
        );
        assert!(hidden == 0 || hidden == 1);
        let _ = bytes(new);
        let _ = records(list);
        (ours().otrl_message_free)(new);
        (ours().otrl_tlv_free)(list);
    }
}

pub unsafe fn types(program: *mut Memory, how: u8, tlvs: Option<&[u8]>) {
    // SAFETY: the caller's promise; what comes out is freed once.
    unsafe {
        let number = (*program).texts;
        (*program).texts += 1;
        let name = (*program).name.to_string_lossy();
        let mut text = format!("this is {name}'s text {number:06}").into_bytes();
        if how & 0x10 != 0 {
            text.resize(900, b'.');
        }
        let original = c(&text);
        let list = tlvs.map_or(ptr::null_mut(), |raw| {
            (ours().otrl_tlv_parse)(raw.as_ptr(), raw.len())
        });
        // Callbacks that call back may change everything meanwhile.
        let calm = (*program).reactions.is_empty();
        let (mut out, mut concerned) = (ptr::null_mut(), ptr::null_mut());
        let error = (ours().otrl_message_sending)(
            (*program).us,
            &raw const (*program).ops,
            program.cast(),
            (*program).name.as_ptr(),
            PROTOCOL.as_ptr(),
            (*program).peer.as_ptr(),
            INSTANCES[usize::from(how >> 5)],
            original.as_ptr(),
            list,
            &raw mut out,
            c_uint::from(how & 3),
            &raw mut concerned,
            None,
            ptr::null_mut(),
        );
        let replaced = bytes(out);
        if calm && error == 0 && !concerned.is_null() {
            let policy = match (*program).ops.policy {
                Some(_) => (*program).policy,
                None => 0x76,
            };
            let private = (*concerned).msgstate != 0 && policy & 7 != 0;
            if private || (policy & 8 != 0 && policy & 7 != 0) {
                (*program).secret.push(text.clone());
                assert!(replaced.is_some(), "a secret text would leave in clear");
            }
        }
        let leaving = replaced.unwrap_or_else(|| text.clone());
        check_leaving(program, &leaving, error != 0);
        if error == 0 && how & 3 == 0 {
            (*program).outbox.push_back(leaving);
        }
        (ours().otrl_message_free)(out);
        (ours().otrl_tlv_free)(list);
    }
}

/// Nothing secret is in what leaves.
///
/// # Safety
/// As [`context`].
pub unsafe fn check_leaving(program: *mut Memory, text: &[u8], kept_back: bool) {
    // SAFETY: the caller's promise.
    let secret = unsafe { &(*program).secret };
    for secret in secret {
        let leaks = text.windows(secret.len()).any(|part| part == secret);
        assert!(kept_back || !leaks, "a secret text left in clear");
    }
}

pub unsafe fn answer(program: *mut Memory, context: *mut Context, secret: u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let ops = &raw const (*program).ops;
        (ours().otrl_message_respond_smp)(
            (*program).us,
            ops,
            program.cast(),
            context,
            &raw const secret,
            1,
        );
    }
}

pub unsafe fn abort(program: *mut Memory, context: *mut Context) {
    // SAFETY: the caller's promise.
    unsafe {
        let ops = &raw const (*program).ops;
        (ours().otrl_message_abort_smp)((*program).us, ops, program.cast(), context);
    }
}

pub unsafe fn leave(program: *mut Memory, how: u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let (us, ops, data) = (
            (*program).us,
            &raw const (*program).ops,
            program.cast::<c_void>(),
        );
        let names = [
            (*program).name.as_ptr(),
            PROTOCOL.as_ptr(),
            (*program).peer.as_ptr(),
        ];
        let [account, protocol, peer] = names;
        match how & 1 {
            0 => (ours().otrl_message_disconnect_all_instances)(
                us, ops, data, account, protocol, peer,
            ),
            _ => {
                let instance = INSTANCES[usize::from(how >> 5)];
                (ours().otrl_message_disconnect)(us, ops, data, account, protocol, peer, instance);
            }
        }
    }
}
