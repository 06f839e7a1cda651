//! The same input for our functions and for the installed libotr's.
//!
//! Where no libotr is installed these targets do nothing. Inputs on which the
//! other library is known to read memory that is not there, and deliberate
//! differences (`docs/differences.md`), are left out, each where it says so.

#![allow(unsafe_code, reason = "this is a C program")]

use std::ffi::{CStr, c_char};
use std::ptr;

use crate::c::types::{Context, Fingerprint, UserState, bytes, c};
use crate::c::{Api, content, file, installed, ours, records};
use crate::input::Input;

/// Calls something in both libraries; the results must be the same.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, theirs: &Api, call: impl Fn(&Api) -> T) {
    assert_eq!(
        call(ours()),
        call(theirs),
        "{what}: ours and the installed libotr's"
    );
}

/// The first byte says what is compared.
pub fn run(input: &[u8]) {
    let Some(theirs) = installed() else { return };
    let mut stream = Input::new(input);
    match stream.byte() % 3 {
        0 => texts(theirs, stream.rest()),
        1 => pieces(theirs, stream.rest()),
        _ => files(theirs, stream.rest()),
    }
}

/// Functions that look at a text.
fn texts(theirs: &Api, input: &[u8]) {
    let mut stream = Input::new(input);
    let policy = u32::from(stream.byte() & 7);
    let raw = stream.clone().rest();
    let text = c(raw);
    // SAFETY: the functions get a string, and room for their results; what
    // they return is freed once, with the library that made it.
    unsafe {
        same("type", theirs, |api| {
            (api.otrl_proto_message_type)(text.as_ptr())
        });
        same("version", theirs, |api| {
            (api.otrl_proto_message_version)(text.as_ptr())
        });
        if raw.windows(4).any(|part| part == b"?OTR") {
            same("query", theirs, |api| {
                (api.otrl_proto_query_bestversion)(text.as_ptr(), policy)
            });
        }
        same("whitespace tag", theirs, |api| {
            let (mut start, mut end) = (ptr::null(), ptr::null());
            let best = (api.otrl_proto_whitespace_bestversion)(
                text.as_ptr(),
                &raw mut start,
                &raw mut end,
                policy,
            );
            let place = |at: *const c_char| (!at.is_null()).then(|| at.offset_from(text.as_ptr()));
            (best, place(start), place(end))
        });
        same("instances", theirs, |api| {
            let (mut from, mut to) = (0, 0);
            let error = (api.otrl_proto_instance)(text.as_ptr(), &raw mut from, &raw mut to);
            (error, (error == 0).then_some((from, to)))
        });
        same("base64", theirs, |api| {
            let mut out = vec![0; text.as_bytes().len() + 3];
            let len =
                (api.otrl_base64_decode)(out.as_mut_ptr(), text.as_ptr(), text.as_bytes().len());
            out.truncate(len);
            out
        });
        same("armour", theirs, |api| {
            let (mut out, mut len) = (ptr::null_mut(), 0);
            let failed = (api.otrl_base64_otr_decode)(text.as_ptr(), &raw mut out, &raw mut len);
            let decoded = (failed == 0).then(|| std::slice::from_raw_parts(out, len).to_vec());
            libc::free(out.cast());
            (failed, decoded)
        });
        same("flags", theirs, |api| {
            let mut flags = 0;
            let error = (api.otrl_proto_data_read_flags)(text.as_ptr(), &raw mut flags);
            (error, (error == 0).then_some(flags))
        });
        same("records", theirs, |api| {
            let list = (api.otrl_tlv_parse)(raw.as_ptr(), raw.len());
            let all = records(list);
            let mut written = vec![0; (api.otrl_tlv_seriallen)(list)];
            (api.otrl_tlv_serialize)(written.as_mut_ptr(), list);
            (api.otrl_tlv_free)(list);
            (all, written)
        });
    }
}

/// Pieces of messages: joined one after the other, and cut.
fn pieces(theirs: &Api, input: &[u8]) {
    let mut stream = Input::new(input);
    // Smaller limits make the other library divide by zero or cut too long.
    let limit = 20 + i32::from(stream.byte());
    let lines: Vec<_> = stream.rest().split(|byte| *byte == b'\n').map(c).collect();
    let whole = c(lines.first().map_or(&b""[..], |line| line.as_bytes()));
    // SAFETY: a live context, strings, and results that are freed once.
    unsafe {
        same("pieces", theirs, |api| {
            let us = (api.otrl_userstate_create)();
            let context = new_context(api, us);
            let mut results = Vec::new();
            for line in &lines {
                let mut out = ptr::null_mut();
                let result =
                    (api.otrl_proto_fragment_accumulate)(&raw mut out, context, line.as_ptr());
                results.push((result, (result == 2).then(|| bytes(out))));
                if result == 2 {
                    libc::free(out.cast());
                }
            }
            (api.otrl_userstate_free)(us);
            results
        });
        let room = limit - 19;
        let count = (whole.as_bytes().len() as i32 - 1) / room + 1;
        same("cut", theirs, |api| {
            let us = (api.otrl_userstate_create)();
            let context = new_context(api, us);
            (*context).protocol_version = 2;
            let mut array = ptr::null_mut();
            let error = (api.otrl_proto_fragment_create)(
                limit,
                count,
                &raw mut array,
                context,
                whole.as_ptr(),
            );
            let mut all = Vec::new();
            if error == 0 {
                for number in 0..count {
                    all.push(bytes(*array.offset(number as isize)));
                }
                (api.otrl_proto_fragment_free)(&raw mut array, count as u16);
            }
            (api.otrl_userstate_free)(us);
            (error, all)
        });
    }
}

/// # Safety
/// `us` is a live user state of the library.
unsafe fn new_context(api: &Api, us: *mut UserState) -> *mut Context {
    // SAFETY: the caller's promise.
    unsafe {
        (api.otrl_context_find)(
            us,
            c"bob".as_ptr(),
            c"alice".as_ptr(),
            c"prpl".as_ptr(),
            0,
            1,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
        )
    }
}

/// A user's files, read and written again.
fn files(theirs: &Api, input: &[u8]) {
    let mut stream = Input::new(input);
    let kind = stream.byte() % 3;
    let text = stream.rest();
    // Not compared: the end of a file that was cut off, lines that the other
    // library splits, and NULs, behind which it does not look.
    let plain = text.ends_with(b"\n")
        && !text.contains(&0)
        && text
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() < 900);
    match kind {
        0 => keys(theirs, text),
        1 if plain => fingerprints(theirs, text),
        2 if plain => instance_tags(theirs, text),
        _ => {}
    }
}

/// What is known of a key: account, protocol, public key.
type Key = (Vec<u8>, Vec<u8>, Vec<u8>);

fn keys(theirs: &Api, text: &[u8]) {
    let read = |api: &Api| -> (u32, Vec<Key>) {
        // SAFETY: a new user state, a file, and a list that belongs to it.
        unsafe {
            let us = (api.otrl_userstate_create)();
            let file = file(text);
            let error = (api.otrl_privkey_read_FILEp)(us, file);
            libc::fclose(file);
            let mut all = Vec::new();
            let mut key = (*us).privkey_root;
            while !key.is_null() {
                let public = std::slice::from_raw_parts((*key).pubkey_data, (*key).pubkey_datalen);
                all.push((
                    bytes((*key).accountname).unwrap_or_default(),
                    bytes((*key).protocol).unwrap_or_default(),
                    public.to_vec(),
                ));
                key = (*key).next;
            }
            (api.otrl_userstate_free)(us);
            (error, all)
        }
    };
    let (our_error, our_keys) = read(ours());
    let (their_error, their_keys) = read(theirs);
    // A file that one of them refuses is the business of the laboratory.
    if our_error == 0 && their_error == 0 && !text.is_empty() {
        assert_eq!(
            our_keys, their_keys,
            "keys: ours and the installed libotr's"
        );
    }
}

/// A contact's key: user, account, protocol, fingerprint, trust.
type Known = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// All but the trust.
fn whose(known: &Known) -> [&[u8]; 4] {
    [&known.0, &known.1, &known.2, &known.3]
}

fn fingerprints(theirs: &Api, text: &[u8]) {
    let read = |api: &Api| -> (Vec<Known>, Vec<u8>) {
        // SAFETY: a new user state, files, and a list that belongs to it.
        unsafe {
            let us = (api.otrl_userstate_create)();
            let source = file(text);
            let error =
                (api.otrl_privkey_read_fingerprints_FILEp)(us, source, None, ptr::null_mut());
            libc::fclose(source);
            assert_eq!(error, 0);
            let known = known(us);
            let written = file(b"");
            assert_eq!((api.otrl_privkey_write_fingerprints_FILEp)(us, written), 0);
            (api.otrl_userstate_free)(us);
            (known, content(written))
        }
    };
    let (our_known, our_file) = read(ours());
    let (their_known, their_file) = read(theirs);
    for one in &our_known {
        let read = their_known.iter().any(|other| whose(other) == whose(one));
        assert!(read, "only we read {one:?}");
    }
    // The other library also reads digits that are none, so that a later line
    // may be about a key of ours, and writes names with a carriage return.
    let digits = |line: &[u8]| {
        let field = line.split(|byte| *byte == b'\t').nth(3).unwrap_or_default();
        field.iter().take(40).all(u8::is_ascii_hexdigit)
    };
    let clean = text.split(|byte| *byte == b'\n').all(digits);
    if clean && our_known.len() == their_known.len() && !text.contains(&b'\r') {
        assert_eq!(our_known, their_known);
        assert_eq!(our_file, their_file);
    }
}

/// # Safety
/// `us` is a live user state.
unsafe fn known(us: *mut UserState) -> Vec<Known> {
    let mut all = Vec::new();
    // SAFETY: the caller's promise; its lists are live.
    unsafe {
        let mut context = (*us).context_root;
        while !context.is_null() {
            let mut print: *mut Fingerprint = (*context).fingerprint_root.next;
            while !print.is_null() {
                let name = |name: *const c_char| bytes(name).unwrap_or_default();
                all.push((
                    name((*context).username),
                    name((*context).accountname),
                    name((*context).protocol),
                    std::slice::from_raw_parts((*print).fingerprint, 20).to_vec(),
                    bytes((*print).trust),
                ));
                print = (*print).next;
            }
            context = (*context).next;
        }
    }
    all
}

/// An account's tag: account, protocol, tag.
type Tag = (Vec<u8>, Vec<u8>, u32);

fn instance_tags(theirs: &Api, text: &[u8]) {
    let read = |api: &Api| -> (Vec<Tag>, Vec<u8>) {
        // SAFETY: a new user state, files, and a list that belongs to it.
        unsafe {
            let us = (api.otrl_userstate_create)();
            let source = file(text);
            assert_eq!((api.otrl_instag_read_FILEp)(us, source), 0);
            libc::fclose(source);
            let mut all = Vec::new();
            let mut tag = (*us).instag_root;
            while !tag.is_null() {
                let names = [(*tag).accountname, (*tag).protocol];
                let [account, protocol] =
                    names.map(|name| CStr::from_ptr(name).to_bytes().to_vec());
                all.push((account, protocol, (*tag).instag));
                tag = (*tag).next;
            }
            let written = file(b"");
            assert_eq!((api.otrl_instag_write_FILEp)(us, written), 0);
            (api.otrl_userstate_free)(us);
            (all, content(written))
        }
    };
    let (our_tags, our_file) = read(ours());
    let (their_tags, their_file) = read(theirs);
    for one in &our_tags {
        assert!(their_tags.contains(one), "only we read {one:?}");
    }
    if our_tags.len() == their_tags.len() && !text.contains(&b'\r') {
        assert_eq!(our_tags, their_tags);
        assert_eq!(our_file, their_file);
    }
}
