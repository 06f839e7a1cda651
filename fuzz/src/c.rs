//! The C interface: ours, linked into this program, and the installed
//! libotr's, loaded by name.

#![allow(unsafe_code, reason = "this is a C program")]
#![allow(non_snake_case, reason = "names of the interface")]

#[path = "../../tests/hostile/ffi.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)]
pub mod types;

use std::ffi::{CString, c_char, c_int, c_uint, c_ushort, c_void};
use std::sync::OnceLock;

use types::{AddAppData, AppOps, Context, Fingerprint, Tlv, UserState};

type Text = *const c_char;
type Data = *mut c_void;
type Us = *mut UserState;
type Ops = *const AppOps;
type File = *mut libc::FILE;

macro_rules! interface {
    ($($name:ident : fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The functions of one library.
        pub struct Api {
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }

        mod linked {
            use super::*;

            unsafe extern "C" {
                $(pub fn $name($(_: $arg),*) $(-> $ret)?;)*
            }
        }

        static OURS: Api = Api { $($name: linked::$name,)* };

        impl Api {
            fn load(name: &str) -> Option<Self> {
                let name = CString::new(name).ok()?;
                // SAFETY: loading runs the library's initialisers, which is what was asked for.
                let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
                if handle.is_null() {
                    return None;
                }
                Some(Self {
                    $($name: {
                        let symbol = CString::new(stringify!($name)).ok()?;
                        // SAFETY: the handle is valid.
                        let address = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
                        if address.is_null() {
                            return None;
                        }
                        // SAFETY: the headers declare the function with this signature.
                        unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(address)
                        }
                    },)*
                })
            }
        }
    };
}

interface! {
    otrl_init: fn(c_uint, c_uint, c_uint) -> c_uint;
    otrl_userstate_create: fn() -> Us;
    otrl_userstate_free: fn(Us);

    otrl_privkey_read_FILEp: fn(Us, File) -> c_uint;
    otrl_privkey_read_fingerprints_FILEp: fn(Us, File, AddAppData, Data) -> c_uint;
    otrl_privkey_write_fingerprints_FILEp: fn(Us, File) -> c_uint;
    otrl_instag_read_FILEp: fn(Us, File) -> c_uint;
    otrl_instag_write_FILEp: fn(Us, File) -> c_uint;

    otrl_context_find: fn(Us, Text, Text, Text, c_uint, c_int, *mut c_int, AddAppData, Data) -> *mut Context;
    otrl_context_set_trust: fn(*mut Fingerprint, Text);
    otrl_context_force_plaintext: fn(*mut Context);
    otrl_context_force_finished: fn(*mut Context);
    otrl_context_forget: fn(*mut Context) -> c_int;
    otrl_context_forget_fingerprint: fn(*mut Fingerprint, c_int);
    otrl_context_update_recent_child: fn(*mut Context, c_uint);

    otrl_message_sending: fn(Us, Ops, Data, Text, Text, Text, c_uint, Text, *mut Tlv, *mut *mut c_char, c_uint, *mut *mut Context, AddAppData, Data) -> c_uint;
    otrl_message_receiving: fn(Us, Ops, Data, Text, Text, Text, Text, *mut *mut c_char, *mut *mut Tlv, *mut *mut Context, AddAppData, Data) -> c_int;
    otrl_message_free: fn(*mut c_char);
    otrl_message_disconnect: fn(Us, Ops, Data, Text, Text, Text, c_uint);
    otrl_message_disconnect_all_instances: fn(Us, Ops, Data, Text, Text, Text);
    otrl_message_initiate_smp: fn(Us, Ops, Data, *mut Context, *const u8, usize);
    otrl_message_initiate_smp_q: fn(Us, Ops, Data, *mut Context, Text, *const u8, usize);
    otrl_message_respond_smp: fn(Us, Ops, Data, *mut Context, *const u8, usize);
    otrl_message_abort_smp: fn(Us, Ops, Data, *mut Context);
    otrl_message_symkey: fn(Us, Ops, Data, *mut Context, c_uint, *const u8, usize, *mut u8) -> c_uint;
    otrl_message_poll: fn(Us, Ops, Data);

    otrl_proto_message_type: fn(Text) -> c_uint;
    otrl_proto_message_version: fn(Text) -> c_int;
    otrl_proto_query_bestversion: fn(Text, c_uint) -> c_uint;
    otrl_proto_whitespace_bestversion: fn(Text, *mut Text, *mut Text, c_uint) -> c_uint;
    otrl_proto_instance: fn(Text, *mut c_uint, *mut c_uint) -> c_uint;
    otrl_proto_accept_data: fn(*mut *mut c_char, *mut *mut Tlv, *mut Context, Text, *mut u8, *mut u8) -> c_uint;
    otrl_proto_create_data: fn(*mut *mut c_char, *mut Context, Text, *const Tlv, u8, *mut u8) -> c_uint;
    otrl_proto_data_read_flags: fn(Text, *mut u8) -> c_uint;
    otrl_proto_fragment_accumulate: fn(*mut *mut c_char, *mut Context, Text) -> c_uint;
    otrl_proto_fragment_create: fn(c_int, c_int, *mut *mut *mut c_char, *mut Context, Text) -> c_uint;
    otrl_proto_fragment_free: fn(*mut *mut *mut c_char, c_ushort);

    otrl_base64_decode: fn(*mut u8, Text, usize) -> usize;
    otrl_base64_otr_decode: fn(Text, *mut *mut u8, *mut usize) -> c_int;
    otrl_tlv_parse: fn(*const u8, usize) -> *mut Tlv;
    otrl_tlv_seriallen: fn(*const Tlv) -> usize;
    otrl_tlv_serialize: fn(*mut u8, *const Tlv);
    otrl_tlv_free: fn(*mut Tlv);
}

/// Our functions.
pub fn ours() -> &'static Api {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| init(&OURS));
    &OURS
}

/// The installed libotr's functions; `None` where there is none.
pub fn installed() -> Option<&'static Api> {
    static LOADED: OnceLock<Option<Api>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        ours();
        let api = Api::load("libotr.so.5")?;
        let distinct = api.otrl_init as usize != OURS.otrl_init as usize;
        assert!(distinct, "the library was compared with itself");
        init(&api);
        Some(api)
    });
    loaded.as_ref()
}

fn init(api: &Api) {
    // SAFETY: the function takes three numbers.
    assert_eq!(unsafe { (api.otrl_init)(4, 1, 1) }, 0);
}

/// A C file with this content, opened for reading and writing.
pub fn file(content: &[u8]) -> File {
    // SAFETY: a file of its own; `content` is as long as it says.
    unsafe {
        let file = libc::tmpfile();
        assert!(!file.is_null(), "no temporary file");
        libc::fwrite(content.as_ptr().cast(), 1, content.len(), file);
        libc::rewind(file);
        file
    }
}

/// What a file of [`file`] contains now; closes it.
pub fn content(file: File) -> Vec<u8> {
    // SAFETY: an open file, closed once; the buffer has the size that is told.
    unsafe {
        libc::fflush(file);
        libc::rewind(file);
        let mut all = Vec::new();
        let mut part = [0_u8; 4096];
        loop {
            let read = libc::fread(part.as_mut_ptr().cast(), 1, part.len(), file);
            if read == 0 {
                break;
            }
            all.extend_from_slice(&part[..read]);
        }
        libc::fclose(file);
        all
    }
}

/// The records of a list, in their order.
///
/// # Safety
/// `list` is NULL or a list of a library.
pub unsafe fn records(mut list: *const Tlv) -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    while !list.is_null() {
        // SAFETY: the caller's promise; the data has the length that is told.
        let record = unsafe { &*list };
        let value = match record.len {
            0 => Vec::new(),
            // SAFETY: as above.
            len => unsafe { std::slice::from_raw_parts(record.data, len.into()) }.to_vec(),
        };
        all.push((record.kind, value));
        list = record.next;
    }
    all
}
