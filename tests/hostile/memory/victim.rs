//! A program that holds nothing but the library under test, steered through a
//! pair of sockets.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ushort, c_void};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command as Program};
use std::{io::Read, io::Write};

use crate::ffi::{AppOps, BEST, Context, POLICY_ALWAYS, UserState, lib};
use crate::party::{PROTOCOL, c_path, party_file};

/// What the victim is told to do.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Command {
    ReadKey = b'K',
    Receive = b'R',
    Type = b'T',
    Smp = b'S',
    Symkey = b'E',
    Disconnect = b'D',
    Free = b'F',
}

/// The tester's end of the sockets.
pub struct Port(UnixStream);

impl Port {
    /// Starts a victim, with libgcrypt loaded or not.
    pub fn spawn(gcrypt: bool) -> Result<(Child, Self), String> {
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        let theirs: OwnedFd = theirs.into();
        let fd = theirs.into_raw_fd();
        // SAFETY: the descriptor is open; it has to live through the start of
        // the victim and is closed here afterwards.
        let child = unsafe {
            libc::fcntl(fd, libc::F_SETFD, 0);
            let directory = party_file("alice", "key");
            let child = Program::new("/proc/self/exe")
                .arg("--victim")
                .arg(fd.to_string())
                .arg(&lib().path)
                .arg(directory.parent().expect("a directory"))
                .arg(if gcrypt { "libgcrypt.so.20" } else { "" })
                .spawn();
            libc::close(fd);
            child
        };
        Ok((child.map_err(|e| e.to_string())?, Self(ours)))
    }

    /// Has a command executed; the messages the victim sent meanwhile.
    pub fn ask(&self, command: Command, data: &[u8]) -> Vec<Vec<u8>> {
        let mut stream = &self.0;
        let mut number = [0; 4];
        let mut out = Vec::new();
        let mut exchange = || -> std::io::Result<()> {
            stream.write_all(&[command as u8])?;
            stream.write_all(&(data.len() as u32).to_le_bytes())?;
            stream.write_all(data)?;
            stream.read_exact(&mut number)?;
            for _ in 0..u32::from_le_bytes(number) {
                let mut len = [0; 4];
                stream.read_exact(&mut len)?;
                let mut message = vec![0; u32::from_le_bytes(len) as usize];
                stream.read_exact(&mut message)?;
                out.push(message);
            }
            Ok(())
        };
        exchange().expect("the victim died");
        out
    }
}

/// What the victim sent, as C strings of its own.
type Outbox = Vec<Vec<u8>>;

/// The victim's whole life.
pub fn live(fd: RawFd) -> ! {
    // SAFETY: the descriptor was opened for this process.
    let mut stream = unsafe { UnixStream::from_raw_fd(fd) };
    let ops = AppOps {
        policy: Some(on_policy),
        is_logged_in: Some(on_logged_in),
        inject_message: Some(on_inject),
        received_symkey: Some(on_symkey),
        handle_smp_event: Some(on_smp),
        handle_msg_event: Some(on_event),
        ..AppOps::default()
    };
    // Room for the largest command and a NUL, made once and always wiped.
    let mut buffer = vec![0u8; 1 << 16];
    let mut outbox: Outbox = Vec::new();
    // SAFETY: takes nothing.
    let mut us = unsafe { (lib().otrl_userstate_create)() };
    loop {
        let mut head = [0; 5];
        if stream.read_exact(&mut head).is_err() {
            std::process::exit(0);
        }
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        assert!(len < buffer.len(), "command too long");
        stream.read_exact(&mut buffer[..len]).expect("a command");
        // SAFETY: live user state and callbacks, NUL-terminated buffer.
        unsafe { obey(head[0], &buffer, len, &mut us, &ops, &mut outbox) };
        // SAFETY: the buffer is that long.
        unsafe { libc::explicit_bzero(buffer.as_mut_ptr().cast(), buffer.len()) };
        stream
            .write_all(&(outbox.len() as u32).to_le_bytes())
            .expect("an answer");
        for message in outbox.drain(..) {
            stream
                .write_all(&(message.len() as u32).to_le_bytes())
                .expect("an answer");
            stream.write_all(&message).expect("an answer");
        }
    }
}

/// # Safety
/// `us` is NULL or a live user state; `buffer` has a NUL after `len` bytes.
unsafe fn obey(
    command: u8,
    buffer: &[u8],
    len: usize,
    us: &mut *mut UserState,
    ops: &AppOps,
    outbox: &mut Outbox,
) {
    const ALICE: &CStr = c"alice";
    const BOB: &CStr = c"bob";
    let (text, data): (*const c_char, *mut c_void) =
        (buffer.as_ptr().cast(), std::ptr::from_mut(outbox).cast());
    let (mut new, mut tlvs) = (std::ptr::null_mut::<c_char>(), std::ptr::null_mut());
    let none = std::ptr::null_mut();
    // SAFETY: the caller's promises; everything is used as the interface says.
    unsafe {
        let context = || {
            (lib().otrl_context_find)(
                *us,
                BOB.as_ptr(),
                ALICE.as_ptr(),
                PROTOCOL.as_ptr(),
                BEST,
                0,
                std::ptr::null_mut(),
                None,
                std::ptr::null_mut(),
            )
        };
        match command {
            b'K' => {
                let path = c_path(&party_file("alice", "key"));
                assert_eq!((lib().otrl_privkey_read)(*us, path.as_ptr()), 0, "no key");
                let path = c_path(&party_file("alice", "tag"));
                (lib().otrl_instag_read)(*us, path.as_ptr());
            }
            b'R' => {
                (lib().otrl_message_receiving)(
                    *us,
                    ops,
                    data,
                    ALICE.as_ptr(),
                    PROTOCOL.as_ptr(),
                    BOB.as_ptr(),
                    text,
                    &raw mut new,
                    &raw mut tlvs,
                    std::ptr::null_mut(),
                    None,
                    none,
                );
                // The library made this text, and wipes it.
                (lib().otrl_message_free)(new);
                (lib().otrl_tlv_free)(tlvs);
            }
            b'T' => {
                (lib().otrl_message_sending)(
                    *us,
                    ops,
                    data,
                    ALICE.as_ptr(),
                    PROTOCOL.as_ptr(),
                    BOB.as_ptr(),
                    BEST,
                    text,
                    tlvs,
                    &raw mut new,
                    1,
                    std::ptr::null_mut(),
                    None,
                    none,
                );
                (lib().otrl_message_free)(new);
            }
            b'S' => {
                (lib().otrl_message_initiate_smp)(*us, ops, data, context(), buffer.as_ptr(), len)
            }
            b'E' => {
                let mut key = [0; 32];
                let use_data = b"use".as_ptr();
                (lib().otrl_message_symkey)(
                    *us,
                    ops,
                    data,
                    context(),
                    1,
                    use_data,
                    3,
                    key.as_mut_ptr(),
                );
                libc::explicit_bzero(key.as_mut_ptr().cast(), key.len());
            }
            b'D' => {
                (lib().otrl_message_disconnect_all_instances)(
                    *us,
                    ops,
                    data,
                    ALICE.as_ptr(),
                    PROTOCOL.as_ptr(),
                    BOB.as_ptr(),
                );
            }
            b'F' => {
                (lib().otrl_userstate_free)(*us);
                *us = std::ptr::null_mut();
            }
            _ => unreachable!("unknown command"),
        }
    }
}

unsafe extern "C" fn on_policy(_: *mut c_void, _: *mut Context) -> c_uint {
    POLICY_ALWAYS
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
    // SAFETY: a string of the library; the outbox lives as long as the victim.
    unsafe { (*data.cast::<Outbox>()).push(CStr::from_ptr(message).to_bytes().to_vec()) };
}

unsafe extern "C" fn on_symkey(
    _: *mut c_void,
    _: *mut Context,
    _: c_uint,
    _: *const u8,
    _: usize,
    _: *const u8,
) {
}

unsafe extern "C" fn on_smp(
    _: *mut c_void,
    _: c_uint,
    _: *mut Context,
    _: c_ushort,
    _: *mut c_char,
) {
}

unsafe extern "C" fn on_event(
    _: *mut c_void,
    _: c_uint,
    _: *mut Context,
    _: *const c_char,
    _: c_uint,
) {
}
