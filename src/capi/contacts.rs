//! Finding a context without walking the list.
//!
//! The list of contexts of a user state is public: it is sorted, and programs
//! walk it. Beside it this module keeps, for each user state, the same
//! contexts in sorted arrays and, as soon as one of them was looked for and
//! found, in a hash table, so that looking up, adding and forgetting hardly
//! depend on how many there are.
//!
//! The list remains the authority. What the index finds is checked against
//! the fields of the contexts and the links between them, and where they do
//! not agree, because a program has linked nodes of its own or has set
//! `context_root`, the list is walked. Only nodes that the library has made
//! are in the index; they stay valid until the library forgets them.

use core::cmp::Ordering;
use core::ffi::c_char;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::by_key::ByKey;
use super::context::ConnContext;
use super::instag::otrl_instag_t;
use super::list;
pub(crate) use super::order::Key;
use super::order::{Node, Position, Sorted, compare};
use super::userstate::OtrlUserState;
use super::vault::{ByAddress, trim};

/// Where a key is in the list.
pub(crate) enum Place {
    /// At this node.
    Found(*mut ConnContext),
    /// Nowhere; it would have to be inserted here.
    Missing(Gap),
}

/// Where a key would be.
pub(crate) struct Gap {
    /// The pointer that would point to its node.
    link: *mut *mut ConnContext,
    /// Its position in the index, if that was looked up.
    known: Option<Position>,
}

/// Lists of this length and shorter are walked: asking the index costs more.
const SHORT_LIST: usize = 3;

/// Looks for the names of user, account and protocol and an instance in a list
/// that is short; `None` if it is not, or they are not there.
///
/// # Safety
/// `us` points to a user state, the names are NUL-terminated.
#[inline(always)] // As the one function that calls it.
pub(crate) unsafe fn near(
    us: OtrlUserState,
    names: [*const c_char; 3],
    their_instance: otrl_instag_t,
) -> Option<*mut ConnContext> {
    let is = |ours: *const c_char, name: *const c_char| {
        // SAFETY: the caller's promise; names in the list are NULL or
        // NUL-terminated.
        !ours.is_null() && unsafe { libc::strcmp(ours, name) } == 0
    };
    let [user, account, protocol] = names;
    // SAFETY: the caller's promise.
    unsafe {
        let root = (*us).context_root;
        if list::iter(root).nth(SHORT_LIST).is_some() {
            return None;
        }
        list::iter(root).find(|&node| {
            (*node).their_instance == their_instance
                && is((*node).username, user)
                && is((*node).accountname, account)
                && is((*node).protocol, protocol)
        })
    }
}

/// Looks a key up.
///
/// # Safety
/// `us` points to a user state whose list is in order.
pub(crate) unsafe fn locate(us: OtrlUserState, key: Key<'_>) -> Place {
    // SAFETY: the caller's promise; the index holds nodes made by the library
    // and not forgotten.
    unsafe {
        let root = &raw mut (*us).context_root;
        let mut registry = lock();
        let Some(index) = registry.users.get_mut(&us.addr()) else {
            return walk(root, None, key);
        };
        if index.sorted.first() != *root {
            registry.rebuild(us, *root);
            return walk(root, None, key);
        }
        index.locate(root, key)
    }
}

/// Puts a new node where [`locate`] found its key missing.
///
/// # Safety
/// `node` was made by the library, has the key's names and is in no list;
/// `gap` is what [`locate`] returned for the same user state and key, which
/// has not been touched since.
pub(crate) unsafe fn insert(us: OtrlUserState, key: Key<'_>, gap: Gap, node: *mut ConnContext) {
    let mut registry = lock();
    let index = registry.users.entry(us.addr()).or_default();
    // SAFETY: the caller's promise; the index holds nodes made by the library
    // and not forgotten.
    unsafe {
        index.insert(gap.known, key, node);
        list::insert(gap.link, node);
    }
}

/// Takes a node out of the list and the index, and marks it as being
/// released: until [`released`], [`born`] does not know it and another call
/// of this function returns false.
///
/// # Safety
/// `node` points to a context; it was made by the library, or its links are
/// in order.
pub(crate) unsafe fn remove(node: *mut ConnContext) -> bool {
    let mut registry = lock();
    if registry.going.iter().any(|known| known.context == node) {
        return false;
    }
    // A node of the program's own is noted as well, so that handles see it go.
    registry.going.push(Node {
        context: node,
        born: 0,
    });
    // SAFETY: the caller's promise.
    unsafe { registry.remove(node) };
    FORGOTTEN.fetch_add(1, Relaxed);
    // SAFETY: the caller's promise.
    unsafe { list::unlink(node) };
    true
}

/// Takes all nodes of a user state out of the index at once, if they are just
/// those of its list; says whether. Until they are released, nobody may look for
/// them.
///
/// # Safety
/// `us` points to a user state.
pub(crate) unsafe fn remove_all(us: OtrlUserState) -> bool {
    let mut registry = lock();
    let Some(index) = registry.users.get(&us.addr()) else {
        return false;
    };
    // SAFETY: the caller's promise.
    if !unsafe { list::iter((*us).context_root) }.eq(index.sorted.nodes()) {
        return false;
    }
    let count = index.sorted.nodes().count();
    registry.users.remove(&us.addr());
    trim(&mut registry.users);
    FORGOTTEN.fetch_add(count as u64, Relaxed);
    true
}

/// Ends what [`remove`] began, before the node's memory is released.
pub(crate) fn released(node: *mut ConnContext) {
    lock().going.retain(|known| known.context != node);
}

/// Forgets a user state whose memory is about to be released.
pub(crate) fn user_released(us: OtrlUserState) {
    let mut registry = lock();
    registry.users.remove(&us.addr());
    trim(&mut registry.users);
}

/// The [`epoch`] in which a context was made that the library has made and not
/// forgotten: no other context, at the same address later either, has it. The
/// address may be that of a context that does not exist any more, so all are
/// looked at.
pub(crate) fn born(node: *mut ConnContext) -> Option<u64> {
    let registry = lock();
    let indices = registry.users.values();
    indices
        .flat_map(|index| index.sorted.entries())
        .chain(registry.elsewhere.iter().copied())
        .find(|known| known.context == node)
        .map(|known| known.born)
}

/// The same of a context that exists, without looking at all others.
///
/// # Safety
/// `node` points to a context.
pub(crate) unsafe fn born_of(node: *mut ConnContext) -> Option<u64> {
    let registry = lock();
    // SAFETY: the caller's promise.
    match unsafe { registry.position(node) } {
        Some((user, position)) => registry.users.get(&user)?.sorted.born(position),
        None => {
            let mut elsewhere = registry.elsewhere.iter();
            Some(elsewhere.find(|known| known.context == node)?.born)
        }
    }
}

/// Counts the contexts that were forgotten.
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// A number that changes whenever a context is forgotten. A pointer to a
/// context is good for as long as it stays the same.
pub(crate) fn epoch() -> u64 {
    FORGOTTEN.load(Relaxed)
}

/// A context that may vanish while the application has control.
#[derive(Clone, Copy)]
pub(crate) struct Handle {
    us: OtrlUserState,
    context: *mut ConnContext,
    epoch: u64,
}

impl Handle {
    /// A handle for a context that is valid now.
    pub(crate) fn new(us: OtrlUserState, context: *mut ConnContext) -> Self {
        Self {
            us,
            context,
            epoch: epoch(),
        }
    }

    /// Where the context was, whether or not it still is.
    pub(crate) fn address(self) -> *mut ConnContext {
        self.context
    }

    /// The context, if it is still the same one.
    ///
    /// # Safety
    /// The user state is valid.
    pub(crate) unsafe fn get(self) -> Option<*mut ConnContext> {
        if epoch() == self.epoch {
            return Some(self.context);
        }
        let alive = match born(self.context) {
            // Another one at its address was made after it was forgotten.
            Some(born) => born <= self.epoch,
            // A node of the program's own: it is valid while it is linked.
            // SAFETY: the caller's promise.
            None => unsafe { list::iter((*self.us).context_root) }.any(|node| node == self.context),
        };
        alive.then_some(self.context)
    }
}

/// Whether the pointer before a node points to it.
///
/// # Safety
/// `node` points to a context whose `tous` is NULL or valid.
unsafe fn is_linked(node: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { !(*node).tous.is_null() && *(*node).tous == node }
}

/// Finds a key by walking from `link` on.
///
/// # Safety
/// `link` is the root of a list of contexts or the `next` field of a node.
unsafe fn walk(mut link: *mut *mut ConnContext, known: Option<Position>, key: Key<'_>) -> Place {
    // SAFETY: the caller's promise; links in a list are valid.
    unsafe {
        loop {
            let node = *link;
            let order = if node.is_null() {
                Ordering::Greater
            } else {
                compare(node, key)
            };
            match order {
                Ordering::Less => link = &raw mut (*node).next,
                Ordering::Equal => return Place::Found(node),
                Ordering::Greater => return Place::Missing(Gap { link, known }),
            }
        }
    }
}

/// The contexts that the library has made and not forgotten.
struct Registry {
    /// Those in the list of each user state.
    users: HashMap<usize, Index, ByAddress>,
    /// Those that were in a list until the program set another root: it may put
    /// them back.
    elsewhere: Vec<Node>,
    /// Those that are being released; nodes of the program's own among them.
    going: Vec<Node>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    users: HashMap::with_hasher(ByAddress::new()),
    elsewhere: Vec::new(),
    going: Vec::new(),
});

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Where a node is: first it is looked for where it belongs.
    ///
    /// # Safety
    /// `node` points to a context.
    unsafe fn position(&self, node: *mut ConnContext) -> Option<(usize, Position)> {
        let by = |find: &dyn Fn(&Sorted) -> Option<Position>| {
            let mut users = self.users.iter();
            users.find_map(|(user, index)| Some((*user, find(&index.sorted)?)))
        };
        // SAFETY: the caller's promise; the index holds nodes made by the
        // library and not forgotten.
        by(&|index| unsafe { index.position(node) }).or_else(|| by(&|index| index.anywhere(node)))
    }

    /// Takes a node out, if it is one of the library's.
    ///
    /// # Safety
    /// `node` points to a context.
    unsafe fn remove(&mut self, node: *mut ConnContext) {
        // SAFETY: the caller's promise.
        let Some((user, position)) = (unsafe { self.position(node) }) else {
            self.elsewhere.retain(|known| known.context != node);
            return;
        };
        if let Some(index) = self.users.get_mut(&user) {
            // SAFETY: the caller's promise.
            unsafe { index.remove(position, node) };
            if index.sorted.is_empty() {
                self.users.remove(&user);
                trim(&mut self.users);
            }
        }
    }

    /// Takes over what is reachable from `root`: the program has set it.
    ///
    /// # Safety
    /// `root` is NULL or the first node of a list.
    unsafe fn rebuild(&mut self, us: OtrlUserState, root: *mut ConnContext) {
        let before = self.users.remove(&us.addr()).unwrap_or_default();
        let known = before.sorted.entries().chain(self.elsewhere.drain(..));
        let mut known: HashMap<usize, Node, ByAddress> =
            known.map(|node| (node.context.addr(), node)).collect();
        let mut index = Index::default();
        // SAFETY: the caller's promise.
        for context in unsafe { list::iter(root) } {
            if let Some(node) = known.remove(&context.addr()) {
                // SAFETY: the node is in the list.
                unsafe { index.sorted.push(node) };
            }
        }
        self.elsewhere.extend(known.into_values());
        self.users.insert(us.addr(), index);
    }
}

/// The index of one user state.
#[derive(Default)]
struct Index {
    sorted: Sorted,
    /// Made when a node was looked for and found: while contexts are only added,
    /// as at the start of a program, nobody would ask it.
    by_key: Option<ByKey>,
}

impl Index {
    /// # Safety
    /// The nodes of the index are valid, and `root` is the root of their list.
    unsafe fn locate(&mut self, root: *mut *mut ConnContext, key: Key<'_>) -> Place {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(node) = self.by_key.as_ref().and_then(|table| table.find(key))
                && is_linked(node)
            {
                return Place::Found(node);
            }
            let (position, is_it) = self.sorted.search(key);
            let behind = self.sorted.at(position);
            if is_it && is_linked(behind) {
                let nodes = self.sorted.nodes();
                self.by_key.get_or_insert_with(|| ByKey::new(nodes));
                return Place::Found(behind);
            }
            let before = self.sorted.before(position);
            let link = before.map_or(root, |node| &raw mut (*node).next);
            if before.is_some_and(|node| compare(node, key).is_ge()) {
                return walk(root, None, key);
            }
            let known = Some(position);
            // The names that the nodes have now are what counts.
            let adjacent = *link == behind
                && (behind.is_null() || compare(behind, key).is_gt())
                // At the end of the list there is only the last node to be asked.
                && match before {
                    Some(node) if behind.is_null() => is_linked(node),
                    _ => behind.is_null() || (*behind).tous == link,
                };
            if adjacent {
                return Place::Missing(Gap { link, known });
            }
            // There is a node of the program's own, or ours was taken out.
            match before {
                Some(node) if !is_linked(node) => walk(root, None, key),
                _ => walk(link, known, key),
            }
        }
    }

    /// Adds a node with this key, which belongs there.
    ///
    /// # Safety
    /// The nodes of the index are valid.
    unsafe fn insert(&mut self, known: Option<Position>, key: Key<'_>, node: *mut ConnContext) {
        let new = Node {
            context: node,
            born: epoch(),
        };
        // SAFETY: the caller's promise.
        unsafe {
            let position = known.unwrap_or_else(|| self.sorted.search(key).0);
            self.sorted.insert(position, new, key.username.to_bytes());
        }
        if let Some(table) = &mut self.by_key {
            table.insert(key, node);
        }
    }

    /// Takes out the node at this position.
    ///
    /// # Safety
    /// `node` points to a context.
    unsafe fn remove(&mut self, position: Position, node: *mut ConnContext) {
        self.sorted.remove(position);
        if let Some(table) = &mut self.by_key {
            // SAFETY: the caller's promise.
            unsafe { table.remove(node) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::{otrl_context_find, otrl_context_forget};
    use super::super::userstate::{otrl_userstate_create, otrl_userstate_free};
    use super::*;
    use core::ffi::CStr;
    use core::ptr;

    fn make(us: OtrlUserState, name: &CStr) -> *mut ConnContext {
        let (name, other) = (name.as_ptr(), c"other".as_ptr());
        let none = ptr::null_mut();
        // SAFETY: the user state is valid.
        unsafe { otrl_context_find(us, name, other, other, 0, 1, none, None, none.cast()) }
    }

    #[test]
    fn what_was_renamed_leaves_the_index() {
        let us = otrl_userstate_create();
        let names = [c"alice", c"bob", c"carol", c"dave", c"erin"];
        let all = names.map(|name| make(us, name));
        let indexed = || {
            lock().users.get(&us.addr()).and_then(|index| {
                let table = index.by_key.as_ref()?;
                Some((index.sorted.nodes().count(), table.count()))
            })
        };
        assert_eq!(indexed(), None);
        assert_eq!(make(us, c"carol"), all[2]);
        assert_eq!(indexed(), Some((5, 5)));
        // SAFETY: contexts are valid until they are forgotten; the program may
        // write into a name.
        unsafe {
            *(*all[1]).username = b'z'.cast_signed();
            assert_eq!(born_of(all[1]), born(all[1]));
            assert_eq!(otrl_context_forget(all[1]), 0);
            assert_eq!(indexed(), Some((4, 4)));
            otrl_userstate_free(us);
        }
        assert_eq!(indexed(), None);
    }

    #[test]
    fn a_handle_is_not_good_for_a_later_context_at_its_address() {
        let us = otrl_userstate_create();
        let (first, kept) = (make(us, c"first"), make(us, c"kept"));
        let handles = [first, kept].map(|context| Handle::new(us, context));
        // SAFETY: the user state and the contexts are valid.
        unsafe {
            assert_eq!(
                handles.map(|handle| handle.get()),
                [Some(first), Some(kept)]
            );
            assert_eq!(otrl_context_forget(first), 0);
            assert_eq!(handles.map(|handle| handle.get()), [None, Some(kept)]);
            // What `malloc` does itself, soon or late.
            let mut registry = lock();
            let index = registry.users.get_mut(&us.addr()).unwrap();
            let position = index.sorted.position(kept).unwrap();
            index.sorted.remove(position);
            let later = Node {
                context: kept,
                born: epoch(),
            };
            index.sorted.push(later);
            drop(registry);
            assert_eq!(handles[1].get(), None);
            otrl_userstate_free(us);
        }
    }

    #[test]
    fn a_list_may_move_to_another_user_state() {
        let (from, to) = (otrl_userstate_create(), otrl_userstate_create());
        let names = [c"alice", c"bob", c"carol", c"dave", c"erin"];
        let all = names.map(|name| make(from, name));
        // SAFETY: both are valid, and the links between the nodes are mended.
        unsafe {
            (*to).context_root = core::mem::replace(&mut (*from).context_root, ptr::null_mut());
            (*all[0]).tous = &raw mut (*to).context_root;
            assert_eq!(names.map(|name| make(to, name)), all);
            assert_eq!(otrl_context_forget(all[3]), 0);
            let other = make(from, c"alice");
            assert_ne!(other, all[0]);
            assert_eq!(make(from, c"alice"), other);
            assert_eq!(make(to, c"alice"), all[0]);
            assert!(
                all.iter()
                    .enumerate()
                    .all(|(n, node)| born(*node).is_some() == (n != 3))
            );
            otrl_userstate_free(to);
            assert!(all.iter().all(|node| born(*node).is_none()));
            otrl_userstate_free(from);
        }
        assert_eq!(born(all[0]), None);
    }
}
