//! Callbacks that answer, and some that call the library again.

use std::ffi::{CString, c_char, c_int, c_uint, c_ushort, c_void};

use super::program::{self, Memory};
use crate::c::ours;
use crate::c::types::{AppOps, Context, UserState, bytes, c};

type Text = *const c_char;

/// Every callback.
pub fn all() -> AppOps {
    AppOps {
        policy: Some(policy),
        create_privkey: Some(create_privkey),
        is_logged_in: Some(is_logged_in),
        inject_message: Some(inject_message),
        update_context_list: Some(plain),
        new_fingerprint: Some(new_fingerprint),
        write_fingerprints: Some(plain),
        gone_secure: Some(with_context),
        gone_insecure: Some(with_context),
        still_secure: Some(still_secure),
        max_message_size: Some(max_message_size),
        received_symkey: Some(received_symkey),
        otr_error_message: Some(words),
        otr_error_message_free: Some(free_words),
        resent_msg_prefix: Some(prefix),
        resent_msg_prefix_free: Some(free_words),
        handle_smp_event: Some(handle_smp_event),
        handle_msg_event: Some(handle_msg_event),
        convert_msg: Some(convert_msg),
        convert_free: Some(convert_free),
        timer_control: Some(timer_control),
        ..AppOps::default()
    }
}

/// Leaves out the callbacks whose bits are set; those that only work together
/// go together.
pub fn remove(ops: &mut AppOps, absent: usize) {
    let is_absent = |bit: u32| absent >> bit & 1 != 0;
    if is_absent(0) {
        ops.policy = None;
    }
    if is_absent(1) {
        ops.is_logged_in = None;
    }
    if is_absent(2) {
        ops.inject_message = None;
    }
    if is_absent(3) {
        ops.update_context_list = None;
    }
    if is_absent(4) {
        ops.new_fingerprint = None;
    }
    if is_absent(5) {
        ops.write_fingerprints = None;
    }
    if is_absent(6) {
        ops.gone_secure = None;
    }
    if is_absent(7) {
        ops.still_secure = None;
    }
    if is_absent(8) {
        ops.max_message_size = None;
    }
    if is_absent(9) {
        ops.received_symkey = None;
    }
    if is_absent(10) {
        (ops.otr_error_message, ops.otr_error_message_free) = (None, None);
    }
    if is_absent(11) {
        (ops.resent_msg_prefix, ops.resent_msg_prefix_free) = (None, None);
    }
    if is_absent(12) {
        ops.handle_smp_event = None;
    }
    if is_absent(13) {
        ops.handle_msg_event = None;
    }
    if is_absent(14) {
        (ops.convert_msg, ops.convert_free) = (None, None);
    }
    if is_absent(15) {
        ops.timer_control = None;
    }
}

/// Does what the input wants this callback to do.
///
/// # Safety
/// `data` is a live program's memory, which nobody has a reference to; the
/// context is live, or NULL for a callback that gets none.
unsafe fn react(data: *mut c_void, context: *mut Context) {
    let memory: *mut Memory = data.cast();
    // SAFETY: the caller's promise; a context that was forgotten is not used.
    unsafe {
        let Some(reaction) = (*memory).reactions.pop() else {
            return;
        };
        match reaction & 0x0f {
            1 => program::types(memory, reaction, None),
            2 => program::leave(memory, reaction),
            3 => program::abort(memory, context),
            4 => program::answer(memory, context, reaction >> 7),
            5 if !context.is_null() => {
                (ours().otrl_context_force_plaintext)(context);
                (ours().otrl_context_forget)(context);
            }
            6 => {
                let master = program::context(memory, 0);
                if !master.is_null() {
                    (ours().otrl_context_force_plaintext)(master);
                    (ours().otrl_context_forget)(master);
                }
            }
            7 => program::receive(memory, b"?OTRv23?"),
            8 => {
                if let Some(text) = (*memory).inbox.pop_front() {
                    program::receive(memory, &text);
                }
            }
            9 => (*memory).policy = c_uint::from(reaction >> 4) | 0x70,
            10 if !context.is_null() => {
                let print = (*(*context).m_context).fingerprint_root.next;
                if !print.is_null() {
                    (ours().otrl_context_forget_fingerprint)(print, 1);
                }
            }
            11 => {
                let ops = &raw const (*memory).ops;
                (ours().otrl_message_poll)((*memory).us, ops, data);
            }
            _ => {}
        }
    }
}

// SAFETY of all below: the library hands back the pointer to the memory that it
// was given, and live contexts and strings.

unsafe extern "C" fn policy(data: *mut c_void, _: *mut Context) -> c_uint {
    // SAFETY: see above.
    unsafe { (*data.cast::<Memory>()).policy }
}

unsafe extern "C" fn create_privkey(data: *mut c_void, _: Text, _: Text) {
    // SAFETY: see above.
    unsafe { react(data, std::ptr::null_mut()) };
}

unsafe extern "C" fn is_logged_in(_: *mut c_void, _: Text, _: Text, _: Text) -> c_int {
    1
}

unsafe extern "C" fn inject_message(data: *mut c_void, _: Text, _: Text, _: Text, text: Text) {
    // SAFETY: see above.
    unsafe {
        let text = bytes(text).expect("a text");
        let memory: *mut Memory = data.cast();
        program::check_leaving(memory, &text, false);
        (*memory).outbox.push_back(text);
        react(data, std::ptr::null_mut());
    }
}

unsafe extern "C" fn plain(data: *mut c_void) {
    // SAFETY: see above.
    unsafe { react(data, std::ptr::null_mut()) };
}

unsafe extern "C" fn new_fingerprint(
    data: *mut c_void,
    _: *mut UserState,
    _: Text,
    _: Text,
    _: Text,
    print: *mut u8,
) {
    // SAFETY: see above; a fingerprint has 20 bytes.
    unsafe {
        let _ = *print.cast::<[u8; 20]>();
        react(data, std::ptr::null_mut());
    }
}

unsafe extern "C" fn with_context(data: *mut c_void, context: *mut Context) {
    // SAFETY: see above.
    unsafe { react(data, context) };
}

unsafe extern "C" fn still_secure(data: *mut c_void, context: *mut Context, _: c_int) {
    // SAFETY: see above.
    unsafe { react(data, context) };
}

unsafe extern "C" fn max_message_size(data: *mut c_void, _: *mut Context) -> c_int {
    // SAFETY: see above.
    unsafe { (*data.cast::<Memory>()).max_size }
}

unsafe extern "C" fn received_symkey(
    data: *mut c_void,
    context: *mut Context,
    _: c_uint,
    value: *const u8,
    len: usize,
    key: *const u8,
) {
    // SAFETY: see above; both have the lengths that the interface promises.
    unsafe {
        let _ = *key.cast::<[u8; 32]>();
        if len > 0 {
            let _ = std::slice::from_raw_parts(value, len).to_vec();
        }
        react(data, context);
    }
}

unsafe extern "C" fn words(_: *mut c_void, _: *mut Context, code: c_uint) -> Text {
    c(format!("error {code}")).into_raw()
}

unsafe extern "C" fn prefix(_: *mut c_void, _: *mut Context) -> Text {
    c("[again]").into_raw()
}

unsafe extern "C" fn free_words(_: *mut c_void, text: Text) {
    if !text.is_null() {
        // SAFETY: made by one of the two above, freed once.
        drop(unsafe { CString::from_raw(text.cast_mut()) });
    }
}

unsafe extern "C" fn handle_smp_event(
    data: *mut c_void,
    event: c_uint,
    context: *mut Context,
    percent: c_ushort,
    question: *mut c_char,
) {
    assert!(event <= 8 && percent <= 100);
    // SAFETY: see above.
    unsafe {
        let _ = bytes(question);
        react(data, context);
    }
}

unsafe extern "C" fn handle_msg_event(
    data: *mut c_void,
    event: c_uint,
    context: *mut Context,
    text: Text,
    _: c_uint,
) {
    assert!(event <= 15);
    // SAFETY: see above.
    unsafe {
        let _ = bytes(text);
        react(data, context);
    }
}

unsafe extern "C" fn convert_msg(
    _: *mut c_void,
    _: *mut Context,
    _: c_uint,
    out: *mut *mut c_char,
    text: Text,
) {
    // SAFETY: see above.
    unsafe {
        let text = bytes(text).expect("a text");
        // Not every text is converted.
        if text.len() & 1 == 0 {
            *out = c([&text[..], b"!"].concat()).into_raw();
        }
    }
}

unsafe extern "C" fn convert_free(_: *mut c_void, _: *mut Context, text: *mut c_char) {
    // SAFETY: made by `convert_msg`, freed once.
    unsafe { free_words(std::ptr::null_mut(), text) };
}

unsafe extern "C" fn timer_control(data: *mut c_void, _: c_uint) {
    // SAFETY: see above.
    unsafe { react(data, std::ptr::null_mut()) };
}
