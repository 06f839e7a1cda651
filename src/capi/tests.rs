//! The C interface as a program uses it, from Rust.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use super::context::*;
use super::instag::*;
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
        assert_eq!(
            unsafe { otrl_context_forget(user.find(&name, 0, false)) },
            0
        );
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
