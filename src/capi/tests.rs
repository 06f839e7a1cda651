//! The C interface as a program uses it, from Rust.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use super::context::*;
use super::gcrypt::gcry_error_t;
use super::instag::*;
use super::privkey::*;
use super::privkey_t::OtrlPrivKey;
use super::proto::{otrl_proto_fragment_create, otrl_proto_fragment_free};
use super::userstate::*;

/// A user state that is released at the end of the test.
struct User(OtrlUserState);

impl User {
    fn new() -> Self {
        Self(otrl_userstate_create())
    }

    fn find(&self, user: &CStr, tag: otrl_instag_t, add: bool) -> *mut ConnContext {
        // SAFETY: the user state is valid.
        unsafe {
            otrl_context_find(
                self.0,
                user.as_ptr(),
                c"account".as_ptr(),
                c"protocol".as_ptr(),
                tag,
                c_int::from(add),
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        }
    }

    fn listed(&self) -> Vec<(String, otrl_instag_t)> {
        // SAFETY: the user state is valid.
        unsafe {
            let mut all = Vec::new();
            let (mut place, mut node) = (&raw mut (*self.0).context_root, (*self.0).context_root);
            while !node.is_null() {
                assert_eq!((*node).tous, place);
                let name = CStr::from_ptr((*node).username).to_str().unwrap();
                all.push((name.to_owned(), (*node).their_instance));
                place = &raw mut (*node).next;
                node = (*node).next;
            }
            all
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // SAFETY: valid, and not used any more.
        unsafe { otrl_userstate_free(self.0) };
    }
}

/// A program may forget a peer while it is shown a new instance of it, which
/// stands among its siblings but has no master yet.
#[test]
fn a_master_is_forgotten_with_the_siblings_of_a_newcomer() {
    unsafe extern "C" fn forget_master(us: *mut c_void, newcomer: *mut ConnContext) {
        let user = core::mem::ManuallyDrop::new(User(us.cast()));
        let master = user.find(c"bob", 0, false);
        // SAFETY: both are valid.
        unsafe {
            assert_eq!((*newcomer).m_context, newcomer);
            let last = user.find(c"bob", 0x400, false);
            let state = (*last).msgstate;
            (*last)
                .msgstate
                .write(OtrlMessageState::OTRL_MSGSTATE_ENCRYPTED);
            assert_ne!(otrl_context_forget(master), 0, "a child is not plaintext");
            (*last).msgstate = state;
            assert_eq!(otrl_context_forget(master), 0);
        }
    }

    let user = User::new();
    for tag in [0, 0x200, 0x400] {
        user.find(c"bob", tag, true);
    }
    user.find(c"bobby", 0, true);
    // SAFETY: the user state is valid.
    let newcomer = unsafe {
        otrl_context_find(
            user.0,
            c"bob".as_ptr(),
            c"account".as_ptr(),
            c"protocol".as_ptr(),
            0x300,
            1,
            ptr::null_mut(),
            Some(forget_master),
            user.0.cast(),
        )
    };
    // SAFETY: the newcomer was not forgotten.
    assert_eq!(unsafe { (*newcomer).m_context }, newcomer);
    let left = [("bob".to_owned(), 0x300), ("bobby".to_owned(), 0)];
    assert_eq!(user.listed(), left);
}

#[test]
fn contexts_are_found_and_listed_in_order() {
    let user = User::new();
    // A full cycle of a generator modulo 1009: every name once, out of order.
    let mut names: Vec<u32> = (0..1009).map(|n| n * 523 % 1009).collect();
    for number in &names {
        let name = std::ffi::CString::new(format!("user{number}")).unwrap();
        let context = user.find(&name, 0, true);
        assert_eq!(user.find(&name, 0, false), context);
        assert_eq!(user.find(&name, 1, false), context);
        if number % 3 == 0 {
            let child = user.find(&name, 0x100 + number, true);
            // SAFETY: both are valid.
            assert_eq!(unsafe { (*child).m_context }, context);
        }
    }
    assert!(user.find(c"user1009", 0, false).is_null());
    assert!(user.find(c"user1", 0x100, false).is_null());
    let listed = user.listed();
    assert!(listed.is_sorted());
    assert_eq!(listed.len(), 1009 + 337);
    names.retain(|number| number % 2 == 0);
    for number in &names {
        let name = std::ffi::CString::new(format!("user{number}")).unwrap();
        // SAFETY: the context is valid.
        let refused = unsafe { otrl_context_forget(user.find(&name, 0, false)) };
        assert_eq!(refused, 0);
        assert!(user.find(&name, 0, false).is_null());
    }
    assert!(user.listed().is_sorted());
    assert!(
        user.listed().iter().all(|(name, _)| {
            name.strip_prefix("user").unwrap().parse::<u32>().unwrap() % 2 == 1
        })
    );
}

#[test]
fn a_child_without_master_gets_one() {
    let user = User::new();
    let child = user.find(c"bob", 0x500, true);
    assert_eq!(user.listed(), [("bob".into(), 0), ("bob".into(), 0x500)]);
    let master = user.find(c"bob", 0, false);
    // SAFETY: both are valid.
    unsafe {
        assert_eq!((*child).m_context, master);
        assert_eq!((*master).recent_child, master);
    }
}

#[test]
fn the_list_is_the_authority() {
    let user = User::new();
    let bob = user.find(c"bob", 0, true);
    let carol = user.find(c"carol", 0, true);
    let dave = user.find(c"dave", 0, true);
    // SAFETY: the test plays a program that changes the public list.
    unsafe {
        // A node of the program's own, in its place.
        let mut own: ConnContext = core::mem::zeroed();
        own.username = c"bert".as_ptr().cast_mut();
        own.accountname = c"account".as_ptr().cast_mut();
        own.protocol = c"protocol".as_ptr().cast_mut();
        let own = &raw mut own;
        super::list::insert(&raw mut (*user.0).context_root, own);
        assert_eq!(user.find(c"bert", 0, false), own);
        assert_eq!(user.find(c"carol", 0, false), carol);
        let alice = user.find(c"alice", 0, true);
        assert_eq!((*alice).next, own);
        super::list::unlink(own);
        assert!(user.find(c"bert", 0, false).is_null());
        assert_eq!(user.find(c"alice", 0, false), alice);

        // A node of ours that the program takes out, and puts back.
        super::list::unlink(carol);
        assert!(user.find(c"carol", 0, false).is_null());
        assert_eq!(user.find(c"dave", 0, false), dave);
        super::list::insert(&raw mut (*bob).next, carol);
        assert_eq!(user.find(c"carol", 0, false), carol);

        // A changed key.
        (*dave).their_instance = 0x200;
        assert!(user.find(c"dave", 0, false).is_null());
        assert_eq!(user.find(c"dave", 0x200, false), dave);
        (*dave).their_instance = 0;

        // A root that the program sets, and sets back.
        let root = (*user.0).context_root;
        (*user.0).context_root = ptr::null_mut();
        assert!(user.find(c"bob", 0, false).is_null());
        (*user.0).context_root = root;
        assert_eq!(user.find(c"bob", 0, false), bob);
        assert_eq!(user.find(c"dave", 0, false), dave);
    }
    assert_eq!(user.listed().len(), 4);
}

#[test]
fn forgetting_leaves_nothing_dangling() {
    let user = User::new();
    let master = user.find(c"bob", 0, true);
    let child = user.find(c"bob", 0x500, true);
    // SAFETY: all are valid until they are forgotten.
    unsafe {
        otrl_context_update_recent_child(child, 1);
        assert_eq!(user.find(c"bob", OTRL_INSTAG_RECENT_SENT, false), child);
        let mut print = [7; 20];
        let mut added = 5;
        let entry = otrl_context_find_fingerprint(child, print.as_mut_ptr(), 1, &raw mut added);
        assert_eq!((added, (*entry).context), (1, master));
        (*child).active_fingerprint = entry;
        otrl_context_forget_fingerprint(entry, 1);
        assert_eq!((*master).fingerprint_root.next, entry);
        (*child).active_fingerprint = ptr::null_mut();
        assert_eq!(otrl_context_forget(child), 0);
        assert_eq!(user.find(c"bob", OTRL_INSTAG_RECENT_SENT, false), master);
        otrl_context_forget_fingerprint(entry, 1);
    }
    assert!(user.listed().is_empty());
}

#[test]
fn the_application_may_forget_a_context_from_its_own_callbacks() {
    unsafe extern "C" fn forget_it(_: *mut c_void, context: *mut ConnContext) {
        // SAFETY: called with a valid context.
        unsafe { otrl_context_forget(context) };
    }
    unsafe extern "C" fn forget_again(data: *mut c_void) {
        // SAFETY: the test sets the context itself as its data.
        unsafe { otrl_context_forget(data.cast()) };
    }
    let user = User::new();
    let name: *const c_char = c"bob".as_ptr();
    // SAFETY: all arguments are valid.
    unsafe {
        let none = otrl_context_find(
            user.0,
            name,
            name,
            name,
            0x500,
            1,
            ptr::null_mut(),
            Some(forget_it),
            ptr::null_mut(),
        );
        assert!(none.is_null());
        assert!(user.listed().is_empty());
        let context = user.find(c"bob", 0, true);
        (*context).app_data = context.cast();
        (*context).app_data_free = Some(forget_again);
        assert_eq!(otrl_context_forget(context), 0);
    }
    assert!(user.listed().is_empty());
}

/// A folder that is removed at the end of the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otr-capi-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> std::ffi::CString {
        let path = self.0.join(name);
        std::ffi::CString::new(path.to_str().unwrap()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The accounts of a user state's keys, in the order of the list.
fn accounts(user: &User) -> Vec<String> {
    // SAFETY: the user state is valid.
    unsafe { super::list::iter((*user.0).privkey_root) }
        // SAFETY: keys in the list are valid.
        .map(|key| unsafe { CStr::from_ptr((*key).accountname) })
        .map(|name| name.to_str().unwrap().to_owned())
        .collect()
}

/// As libotr 4.1.1 does; found by comparing the two.
#[test]
fn an_empty_text_is_cut_into_one_empty_piece() {
    let user = User::new();
    let context = user.find(c"bob", 0, true);
    for (limit, count, accepted) in [(30, 1, true), (20, 1, true), (30, 0, false)] {
        let mut pieces = ptr::null_mut();
        // SAFETY: a live context, a string, and room for the result, which is
        // freed once.
        unsafe {
            let error =
                otrl_proto_fragment_create(limit, count, &raw mut pieces, context, c"".as_ptr());
            assert_eq!(error == gcry_error_t::OK, accepted);
            if accepted {
                assert_eq!(CStr::from_ptr(*pieces), c"?OTR,00001,00001,,");
                otrl_proto_fragment_free(&raw mut pieces, 1);
            }
        }
    }
}

#[test]
fn keys_are_generated_written_and_read() {
    let folder = Folder::new("keys");
    let file = folder.file("keys");
    let user = User::new();
    let protocol = c"p".as_ptr();
    // SAFETY: all arguments are valid.
    unsafe {
        let path = file.as_ptr();
        for name in [c"one", c"two"] {
            assert!(otrl_privkey_generate(user.0, path, name.as_ptr(), protocol).is_ok());
        }
        assert_eq!(accounts(&user), ["two", "one"]);

        // In the background, with the account pending meanwhile.
        let mut handle = ptr::null_mut();
        let three = c"three".as_ptr();
        assert!(otrl_privkey_generate_start(user.0, three, protocol, &raw mut handle).is_ok());
        let exists = gcry_error_t::EEXIST;
        let mut second = ptr::dangling_mut();
        assert_eq!(
            otrl_privkey_generate_start(user.0, three, protocol, &raw mut second),
            exists
        );
        assert!(second.is_null());
        let before = std::fs::read(file.to_str().unwrap()).unwrap();
        assert_eq!(otrl_privkey_generate(user.0, path, three, protocol), exists);
        assert_eq!(std::fs::read(file.to_str().unwrap()).unwrap(), before);
        let address = handle.addr();
        std::thread::spawn(move || {
            otrl_privkey_generate_calculate(ptr::with_exposed_provenance_mut(address))
        })
        .join()
        .unwrap();
        let nowhere = c"/nonexistent/keys".as_ptr();
        assert_eq!(
            otrl_privkey_generate_finish(user.0, handle, nowhere).0,
            0x0100_8051
        );
        assert!(otrl_privkey_generate_finish(user.0, handle, path).is_ok());
        assert!((*user.0).pending_root.is_null());
        let invalid = gcry_error_t::INV_VALUE;
        assert_eq!(otrl_privkey_generate_finish(user.0, handle, path), invalid);
        otrl_privkey_generate_cancelled(user.0, handle);
        // Compatibility: the file has the list's order and then the new key, and
        // the list has the reverse of the file's order.
        assert_eq!(accounts(&user), ["three", "one", "two"]);

        // What was written is what is known.
        let again = User::new();
        assert!(otrl_privkey_read(again.0, path).is_ok());
        assert_eq!(accounts(&again), ["three", "one", "two"]);
        let mut prints = [[0; 45]; 2];
        for (user, print) in [&user, &again].into_iter().zip(&mut prints) {
            let name = c"two".as_ptr();
            let print = print.as_mut_ptr();
            assert_eq!(
                otrl_privkey_fingerprint(user.0, print, name, protocol),
                print
            );
        }
        assert_eq!(prints[0], prints[1]);

        // A file that cannot be read changes nothing.
        std::fs::write(folder.0.join("bad"), "(privkeys (account))").unwrap();
        std::fs::write(folder.0.join("empty"), "").unwrap();
        let unusable = gcry_error_t::UNUSABLE_SECKEY;
        for bad in ["bad", "empty"] {
            assert_eq!(
                otrl_privkey_read(again.0, folder.file(bad).as_ptr()),
                unusable
            );
        }
        assert_eq!(accounts(&again).len(), 3);
        assert!(otrl_privkey_read(User::new().0, folder.file("empty").as_ptr()).is_ok());
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file.to_str().unwrap())
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn signatures_verify_with_the_shown_key() {
    if super::bridge::gcrypt().is_err() {
        println!("skipped: no libgcrypt");
        return;
    }
    let folder = Folder::new("signatures");
    let (user, file) = (User::new(), folder.file("keys"));
    // SAFETY: all arguments are valid.
    unsafe {
        let name = c"a".as_ptr();
        assert!(otrl_privkey_generate(user.0, file.as_ptr(), name, name).is_ok());
        let key = otrl_privkey_find(user.0, name, name);
        let (mut signature, mut len) = (ptr::null_mut(), 0);
        let data = [9_u8; 32];
        let signed = otrl_privkey_sign(
            &raw mut signature,
            &raw mut len,
            key,
            data.as_ptr(),
            data.len(),
        );
        assert!(signed.is_ok());
        assert_eq!(len, 40);
        let verify = |data: &[u8]| {
            let shown = (*key).privkey;
            otrl_privkey_verify(signature, len, 0, shown, data.as_ptr(), data.len())
        };
        assert!(verify(&data).is_ok());
        assert_eq!(verify(&data[1..]), gcry_error_t::BAD_SIGNATURE);

        // A structure of the program's own, of which only the expression is
        // known.
        let mut own: OtrlPrivKey = core::mem::zeroed();
        own.privkey = (*key).privkey;
        let (mut second, mut len) = (ptr::null_mut(), 0);
        let own = &raw mut own;
        assert!(otrl_privkey_sign(&raw mut second, &raw mut len, own, data.as_ptr(), 32).is_ok());
        assert!(otrl_privkey_verify(second, len, 0, (*key).privkey, data.as_ptr(), 32).is_ok());
        (*own).privkey = ptr::null_mut();
        let unusable = gcry_error_t::UNUSABLE_SECKEY;
        assert_eq!(
            otrl_privkey_sign(&raw mut second, &raw mut len, own, data.as_ptr(), 32),
            unusable
        );
        super::alloc::free(signature);
        super::alloc::free(second);
    }
}

#[test]
fn fingerprints_and_tags_survive_their_files() {
    let folder = Folder::new("lines");
    let user = User::new();
    // SAFETY: all arguments are valid.
    unsafe {
        for (name, byte) in [(c"bob", 1), (c"alice", 2), (c"bob", 3)] {
            let context = user.find(name, 0, true);
            let mut print = [byte; 20];
            let entry =
                otrl_context_find_fingerprint(context, print.as_mut_ptr(), 1, ptr::null_mut());
            otrl_context_set_trust(entry, c"verified".as_ptr());
        }
        let file = folder.file("prints");
        assert!(otrl_privkey_write_fingerprints(user.0, file.as_ptr()).is_ok());
        let text = std::fs::read_to_string(file.to_str().unwrap()).unwrap();
        let line = |user: &str, byte: &str| {
            format!("{user}\taccount\tprotocol\t{}\tverified\n", byte.repeat(20))
        };
        assert_eq!(
            text,
            [line("alice", "02"), line("bob", "03"), line("bob", "01")].concat()
        );
        unsafe extern "C" fn count(data: *mut c_void, context: *mut ConnContext) {
            // SAFETY: the test passes the address of a number.
            unsafe {
                *data.cast::<c_int>() += 1;
                assert_eq!((*context).their_instance, 0);
            }
        }
        let again = User::new();
        let mut made: c_int = 0;
        let data = (&raw mut made).cast();
        let read = otrl_privkey_read_fingerprints(again.0, file.as_ptr(), Some(count), data);
        assert!(read.is_ok());
        assert_eq!(made, 2);
        let bob = again.find(c"bob", 0, false);
        let first = (*bob).fingerprint_root.next;
        assert_eq!(*(*first).fingerprint, 1);
        assert_eq!(otrl_context_is_fingerprint_trusted(first), 1);

        let tags = folder.file("tags");
        let (name, null) = (c"a".as_ptr(), ptr::null());
        assert!(otrl_instag_generate(user.0, tags.as_ptr(), name, name).is_ok());
        let tag = (*otrl_instag_find(user.0, name, name)).instag;
        for _ in 0..2 {
            assert!(otrl_instag_read(again.0, tags.as_ptr()).is_ok());
        }
        let known = otrl_instag_find(again.0, name, name);
        assert_eq!(((*known).instag, (*known).next.is_null()), (tag, true));
        assert!(otrl_instag_find(again.0, name, null).is_null());
        let nowhere = c"/nonexistent/tags".as_ptr();
        assert_eq!(
            otrl_instag_generate(again.0, nowhere, name, name).0,
            0x0100_8051
        );
        assert_eq!((*(*again.0).instag_root).instag, tag);
    }
}
