//! The C interface as a program sees it: the public structures and the
//! functions of one library, loaded by path.
//!
//! Written down from the public headers, not taken from the crate: the suite
//! must notice when the crate and the headers disagree, and must be able to
//! load any library that has this interface.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ushort, c_void};
use std::path::Path;
use std::sync::OnceLock;

/// Message state: a private conversation is going on.
pub const ENCRYPTED: c_uint = 1;

/// Version 2 may be used.
pub const ALLOW_V2: c_uint = 0x02;
/// Version 3 may be used.
pub const ALLOW_V3: c_uint = 0x04;
/// Nothing is sent in clear.
pub const REQUIRE_ENCRYPTION: c_uint = 0x08;
/// Ordinary messages carry an invisible offer.
pub const SEND_WHITESPACE_TAG: c_uint = 0x10;
/// An invisible offer starts a key exchange.
pub const WHITESPACE_START_AKE: c_uint = 0x20;
/// What programs set unless the user chooses otherwise.
pub const POLICY_DEFAULT: c_uint = 0x76;
/// Encryption is compulsory.
pub const POLICY_ALWAYS: c_uint = 0x6e;

/// Pseudo tag: the best instance.
pub const BEST: c_uint = 1;
/// Pseudo tag: the instance that spoke last.
pub const RECENT_RECEIVED: c_uint = 3;

/// Message events, by their number in the interface.
pub mod event {
    pub const ENCRYPTION_REQUIRED: usize = 1;
    pub const CONNECTION_ENDED: usize = 3;
    pub const RCVDMSG_GENERAL_ERR: usize = 12;
    pub const RCVDMSG_UNENCRYPTED: usize = 13;
}

/// Events of the socialist millionaires' protocol, by their number.
pub mod smp_event {
    pub const ERROR: usize = 1;
    pub const CHEATED: usize = 3;
    pub const ASK_FOR_ANSWER: usize = 4;
    pub const ASK_FOR_SECRET: usize = 5;
    pub const IN_PROGRESS: usize = 6;
    pub const SUCCESS: usize = 7;
    pub const FAILURE: usize = 8;
}

/// TLV record types.
pub mod tlv {
    pub const DISCONNECTED: u16 = 1;
    pub const SMP1: u16 = 2;
    pub const SMP2: u16 = 3;
    pub const SMP3: u16 = 4;
    pub const SMP4: u16 = 5;
    pub const SMP1Q: u16 = 7;
    pub const SYMKEY: u16 = 8;
}

#[repr(C)]
pub struct Fingerprint {
    pub next: *mut Fingerprint,
    pub tous: *mut *mut Fingerprint,
    pub fingerprint: *mut u8,
    pub context: *mut Context,
    pub trust: *mut c_char,
}

#[repr(C)]
pub struct Context {
    pub next: *mut Context,
    pub tous: *mut *mut Context,
    pub context_priv: *mut c_void,
    pub username: *mut c_char,
    pub accountname: *mut c_char,
    pub protocol: *mut c_char,
    pub m_context: *mut Context,
    pub recent_rcvd_child: *mut Context,
    pub recent_sent_child: *mut Context,
    pub recent_child: *mut Context,
    pub our_instance: c_uint,
    pub their_instance: c_uint,
    pub msgstate: c_uint,
    pub auth: [u64; 32],
    pub fingerprint_root: Fingerprint,
    pub active_fingerprint: *mut Fingerprint,
    pub sessionid: [u8; 20],
    pub sessionid_len: usize,
    pub sessionid_half: c_uint,
    pub protocol_version: c_uint,
    pub otr_offer: c_uint,
    pub app_data: *mut c_void,
    pub app_data_free: Option<unsafe extern "C" fn(*mut c_void)>,
    pub smstate: *mut c_void,
}

#[repr(C)]
pub struct PrivKey {
    pub next: *mut PrivKey,
    pub tous: *mut *mut PrivKey,
    pub accountname: *mut c_char,
    pub protocol: *mut c_char,
    pub pubkey_type: c_ushort,
    pub privkey: *mut c_void,
    pub pubkey_data: *mut u8,
    pub pubkey_datalen: usize,
}

#[repr(C)]
pub struct InsTag {
    pub next: *mut InsTag,
    pub tous: *mut *mut InsTag,
    pub accountname: *mut c_char,
    pub protocol: *mut c_char,
    pub instag: c_uint,
}

#[repr(C)]
pub struct UserState {
    pub context_root: *mut Context,
    pub privkey_root: *mut PrivKey,
    pub instag_root: *mut InsTag,
    pub pending_root: *mut c_void,
    pub timer_running: c_int,
}

#[repr(C)]
pub struct Tlv {
    pub kind: c_ushort,
    pub len: c_ushort,
    pub data: *mut u8,
    pub next: *mut Tlv,
}

const _: () = {
    assert!(size_of::<Fingerprint>() == 40);
    assert!(size_of::<Context>() == 472);
    assert!(size_of::<PrivKey>() == 64);
    assert!(size_of::<InsTag>() == 40);
    assert!(size_of::<UserState>() == 40);
    assert!(size_of::<Tlv>() == 24);
    assert!(size_of::<AppOps>() == 192);
};

type Text = *const c_char;
type Data = *mut c_void;

/// The program's callbacks, in the order of the interface.
#[repr(C)]
#[derive(Clone, Default)]
pub struct AppOps {
    pub policy: Option<unsafe extern "C" fn(Data, *mut Context) -> c_uint>,
    pub create_privkey: Option<unsafe extern "C" fn(Data, Text, Text)>,
    pub is_logged_in: Option<unsafe extern "C" fn(Data, Text, Text, Text) -> c_int>,
    pub inject_message: Option<unsafe extern "C" fn(Data, Text, Text, Text, Text)>,
    pub update_context_list: Option<unsafe extern "C" fn(Data)>,
    pub new_fingerprint:
        Option<unsafe extern "C" fn(Data, *mut UserState, Text, Text, Text, *mut u8)>,
    pub write_fingerprints: Option<unsafe extern "C" fn(Data)>,
    pub gone_secure: Option<unsafe extern "C" fn(Data, *mut Context)>,
    pub gone_insecure: Option<unsafe extern "C" fn(Data, *mut Context)>,
    pub still_secure: Option<unsafe extern "C" fn(Data, *mut Context, c_int)>,
    pub max_message_size: Option<unsafe extern "C" fn(Data, *mut Context) -> c_int>,
    pub account_name: Option<unsafe extern "C" fn(Data, Text, Text) -> Text>,
    pub account_name_free: Option<unsafe extern "C" fn(Data, Text)>,
    pub received_symkey:
        Option<unsafe extern "C" fn(Data, *mut Context, c_uint, *const u8, usize, *const u8)>,
    pub otr_error_message: Option<unsafe extern "C" fn(Data, *mut Context, c_uint) -> Text>,
    pub otr_error_message_free: Option<unsafe extern "C" fn(Data, Text)>,
    pub resent_msg_prefix: Option<unsafe extern "C" fn(Data, *mut Context) -> Text>,
    pub resent_msg_prefix_free: Option<unsafe extern "C" fn(Data, Text)>,
    pub handle_smp_event:
        Option<unsafe extern "C" fn(Data, c_uint, *mut Context, c_ushort, *mut c_char)>,
    pub handle_msg_event: Option<unsafe extern "C" fn(Data, c_uint, *mut Context, Text, c_uint)>,
    pub create_instag: Option<unsafe extern "C" fn(Data, Text, Text)>,
    pub convert_msg:
        Option<unsafe extern "C" fn(Data, *mut Context, c_uint, *mut *mut c_char, Text)>,
    pub convert_free: Option<unsafe extern "C" fn(Data, *mut Context, *mut c_char)>,
    pub timer_control: Option<unsafe extern "C" fn(Data, c_uint)>,
}

type Ops = *const AppOps;
type Us = *mut UserState;
/// Called for a context the library has just added.
pub type AddAppData = Option<unsafe extern "C" fn(Data, *mut Context)>;

macro_rules! library {
    ($($name:ident : fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The functions of the library under test.
        pub struct Library {
            /// Where it was loaded from.
            pub path: String,
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }

        impl Library {
            /// Loads the library and looks up every function.
            fn open(path: &str) -> Result<Self, String> {
                let name = CString::new(path).map_err(|_| "NUL in the path".to_owned())?;
                // SAFETY: loading runs the library's initialisers, which is what was asked for.
                let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
                if handle.is_null() {
                    // SAFETY: dlerror returns a string or NULL after a failure.
                    let reason = unsafe { text(libc::dlerror()) };
                    return Err(reason.unwrap_or_default());
                }
                Ok(Self {
                    path: path.to_owned(),
                    $($name: {
                        let symbol = CString::new(stringify!($name)).map_err(|_| String::new())?;
                        // SAFETY: the handle is valid.
                        let address = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
                        if address.is_null() {
                            return Err(format!("no function {}", stringify!($name)));
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

library! {
    otrl_init: fn(c_uint, c_uint, c_uint) -> c_uint;
    otrl_version: fn() -> Text;
    otrl_userstate_create: fn() -> Us;
    otrl_userstate_free: fn(Us);
    otrl_privkey_generate: fn(Us, Text, Text, Text) -> c_uint;
    otrl_privkey_generate_start: fn(Us, Text, Text, *mut *mut c_void) -> c_uint;
    otrl_privkey_generate_calculate: fn(*mut c_void) -> c_uint;
    otrl_privkey_generate_finish: fn(Us, *mut c_void, Text) -> c_uint;
    otrl_privkey_generate_cancelled: fn(Us, *mut c_void);
    otrl_privkey_read: fn(Us, Text) -> c_uint;
    otrl_privkey_find: fn(Us, Text, Text) -> *mut PrivKey;
    otrl_privkey_sign: fn(*mut *mut u8, *mut usize, *mut PrivKey, *const u8, usize) -> c_uint;
    otrl_privkey_fingerprint_raw: fn(Us, *mut u8, Text, Text) -> *mut u8;
    otrl_privkey_read_fingerprints: fn(Us, Text, AddAppData, Data) -> c_uint;
    otrl_privkey_write_fingerprints: fn(Us, Text) -> c_uint;
    otrl_instag_generate: fn(Us, Text, Text, Text) -> c_uint;
    otrl_instag_read: fn(Us, Text) -> c_uint;
    otrl_instag_find: fn(Us, Text, Text) -> *mut InsTag;
    otrl_context_find: fn(Us, Text, Text, Text, c_uint, c_int, *mut c_int, AddAppData, Data) -> *mut Context;
    otrl_context_find_fingerprint: fn(*mut Context, *mut u8, c_int, *mut c_int) -> *mut Fingerprint;
    otrl_context_set_trust: fn(*mut Fingerprint, Text);
    otrl_context_force_plaintext: fn(*mut Context);
    otrl_context_forget: fn(*mut Context) -> c_int;
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
    otrl_tlv_free: fn(*mut Tlv);
}

static LIBRARY: OnceLock<Library> = OnceLock::new();

/// Loads the library under test, once.
pub fn load(path: &Path) -> Result<(), String> {
    let library = Library::open(&path.to_string_lossy())?;
    // SAFETY: the function takes three numbers.
    if unsafe { (library.otrl_init)(4, 1, 1) } != 0 {
        return Err("otrl_init(4, 1, 1) failed".to_owned());
    }
    LIBRARY.set(library).map_err(|_| "loaded twice".to_owned())
}

/// The library under test.
pub fn lib() -> &'static Library {
    LIBRARY.get().expect("a library has been loaded")
}

/// A copy of a C string, bytes outside UTF-8 replaced; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or a NUL-terminated string.
pub unsafe fn text(pointer: Text) -> Option<String> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(pointer) }?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A copy of a C string's bytes; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or a NUL-terminated string.
pub unsafe fn bytes(pointer: Text) -> Option<Vec<u8>> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise, and not NULL.
    Some(unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
}

/// A C string; anything from the first NUL on is dropped.
pub fn c(bytes: impl AsRef<[u8]>) -> CString {
    let bytes = bytes.as_ref();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    CString::new(&bytes[..end]).expect("no NUL before the first NUL")
}

fn clock(which: libc::clockid_t) -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is a valid place for the result.
    unsafe { libc::clock_gettime(which, &raw mut t) };
    t.tv_sec as f64 * 1e3 + t.tv_nsec as f64 / 1e6
}

/// Milliseconds of a clock that only goes forward.
pub fn now_ms() -> f64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// Milliseconds of processor time that this process has used.
pub fn cpu_ms() -> f64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Resident memory of this process in kB.
pub fn resident_kb() -> i64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: i64 = pages
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * 4
}

/// Bytes the C allocator has handed out and not got back.
pub fn allocated() -> i64 {
    // SAFETY: takes nothing, returns numbers.
    let info = unsafe { libc::mallinfo2() };
    (info.uordblks + info.hblkhd) as i64
}
