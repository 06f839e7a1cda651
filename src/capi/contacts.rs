//! Finding a context without walking the list.
//!
//! The list of contexts of a user state is public: it is sorted by
//! correspondent, account, protocol and their instance tag, and programs walk
//! it. Beside it this module keeps, for each user state, the same contexts in
//! a hash table and in a sorted array, so that looking up, adding and
//! forgetting do not depend on how many there are.
//!
//! The list remains the authority. What the index finds is checked against
//! the fields of the contexts and the links between them, and where they do
//! not agree, because a program has linked nodes of its own or has set
//! `context_root`, the list is walked. Only nodes that the library has made
//! are in the index; they stay valid until the library forgets them.

use core::cmp::Ordering;
use core::ffi::{CStr, c_char};
use core::hash::{BuildHasher, BuildHasherDefault, Hasher};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::context::ConnContext;
use super::instag::otrl_instag_t;
use super::list;
use super::userstate::OtrlUserState;
use super::vault::{AddressHasher, ByAddress, next_serial, serials_given, trim};

/// What the list is sorted by.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) username: &'a CStr,
    pub(crate) accountname: &'a CStr,
    pub(crate) protocol: &'a CStr,
    pub(crate) their_instance: otrl_instag_t,
}

/// Where a key is in the list.
pub(crate) enum Place {
    /// At this node.
    Found(*mut ConnContext),
    /// Nowhere; it would have to be inserted at this pointer.
    Missing(*mut *mut ConnContext),
}

/// How many nodes at the head of a list are compared before the index is
/// asked: with few contacts that is all there is to do.
const NODES_AT_HAND: usize = 3;

/// Looks a key up.
///
/// # Safety
/// `us` points to a user state whose list is in order.
pub(crate) unsafe fn locate(us: OtrlUserState, key: Key<'_>) -> Place {
    // SAFETY: the caller's promise; links in a list are valid.
    unsafe {
        let mut place = &raw mut (*us).context_root;
        for _ in 0..NODES_AT_HAND {
            let node = *place;
            if node.is_null() {
                return Place::Missing(place);
            }
            match compare(node, key) {
                Ordering::Less => place = &raw mut (*node).next,
                Ordering::Equal => return Place::Found(node),
                Ordering::Greater => return Place::Missing(place),
            }
        }
    }
    let mut registry = lock();
    // SAFETY: the caller's promise; the index holds nodes made by the library
    // and not forgotten.
    unsafe {
        let root = &raw mut (*us).context_root;
        let Some(index) = registry.users.get(&us.addr()) else {
            return walk(root, key);
        };
        if index.sorted.first() != *root {
            // The program has set the root: take over what is reachable now.
            registry.rebuild(us);
            return walk(root, key);
        }
        index.locate(root, key)
    }
}

/// Puts a new node where [`locate`] found its key missing.
///
/// # Safety
/// `node` was made by the library, has the key's names and is in no list;
/// `place` is what [`locate`] returned for the same user state and key, which
/// has not been touched since.
pub(crate) unsafe fn insert(
    us: OtrlUserState,
    key: Key<'_>,
    place: *mut *mut ConnContext,
    node: *mut ConnContext,
) {
    let mut registry = lock();
    let Registry { users, members } = &mut *registry;
    let index = users.entry(us.addr()).or_default();
    let hash = index.hash(key);
    // SAFETY: the caller's promise.
    unsafe {
        index.sorted.insert(key, node);
        list::insert(place, node);
    }
    index.by_key.insert(hash, Context(node));
    members.insert(
        node.addr(),
        Member {
            user: us.addr(),
            serial: next_serial(),
            hash,
            dying: false,
        },
    );
}

/// Takes a node out of the list and the index, and marks it as being
/// released: until [`released`], [`serial`] does not know it and another call
/// of this function returns false.
///
/// # Safety
/// `node` points to a context; it was made by the library, or its links are
/// in order.
pub(crate) unsafe fn remove(node: *mut ConnContext) -> bool {
    let mut registry = lock();
    let Registry { users, members } = &mut *registry;
    // A node of the program's own is noted as well, so that handles see it go.
    let member = members.entry(node.addr()).or_insert_with(|| Member {
        user: 0,
        serial: 0,
        hash: 0,
        dying: false,
    });
    if core::mem::replace(&mut member.dying, true) {
        return false;
    }
    FORGOTTEN.fetch_add(1, Relaxed);
    if let Some(index) = users.get_mut(&member.user) {
        if index.by_key.get(&member.hash).map(|entry| entry.0) == Some(node) {
            index.by_key.remove(&member.hash);
        }
        // SAFETY: the index holds nodes made by the library and not forgotten;
        // this one is among them until here.
        unsafe { index.sorted.remove(node) };
        if index.sorted.is_empty() {
            users.remove(&member.user);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { list::unlink(node) };
    true
}

/// Ends what [`remove`] began, right before the node's memory is released.
pub(crate) fn released(node: *mut ConnContext) {
    let mut registry = lock();
    registry.members.remove(&node.addr());
    trim(&mut registry.members);
}

/// Forgets a user state whose memory is about to be released.
pub(crate) fn user_released(us: OtrlUserState) {
    let mut registry = lock();
    registry.users.remove(&us.addr());
    trim(&mut registry.users);
}

/// The serial number of a context that the library has made and not
/// forgotten: no other context, at the same address later either, has it.
pub(crate) fn serial(node: *mut ConnContext) -> Option<u64> {
    let registry = lock();
    let member = registry.members.get(&node.addr())?;
    (!member.dying).then_some(member.serial)
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
    /// Contexts that were made later have this serial number or a larger one.
    born: u64,
}

impl Handle {
    /// A handle for a context that is valid now.
    pub(crate) fn new(us: OtrlUserState, context: *mut ConnContext) -> Self {
        Self {
            us,
            context,
            epoch: epoch(),
            born: serials_given(),
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
        let alive = match serial(self.context) {
            Some(number) => number < self.born,
            // A node of the program's own: it is valid while it is linked.
            // SAFETY: the caller's promise.
            None => unsafe { list::iter((*self.us).context_root) }.any(|node| node == self.context),
        };
        alive.then_some(self.context)
    }
}

/// Compares a node with a key in the order of the list.
///
/// # Safety
/// `node` points to a context.
unsafe fn compare(node: *mut ConnContext, key: Key<'_>) -> Ordering {
    // SAFETY: the caller's promise; names are NULL or NUL-terminated.
    unsafe {
        compare_text((*node).username, key.username)
            .then_with(|| compare_text((*node).accountname, key.accountname))
            .then_with(|| compare_text((*node).protocol, key.protocol))
            .then_with(|| (*node).their_instance.cmp(&key.their_instance))
    }
}

/// `strcmp`, with NULL before everything else.
///
/// # Safety
/// `ours` is NULL or NUL-terminated.
unsafe fn compare_text(ours: *const c_char, other: &CStr) -> Ordering {
    if ours.is_null() {
        return Ordering::Less;
    }
    // SAFETY: the caller's promise.
    unsafe { libc::strcmp(ours, other.as_ptr()) }.cmp(&0)
}

/// Whether the pointer before a node points to it.
///
/// # Safety
/// `node` points to a context whose `tous` is NULL or valid.
unsafe fn is_linked(node: *mut ConnContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { !(*node).tous.is_null() && *(*node).tous == node }
}

/// Finds a key by walking from `place` on.
///
/// # Safety
/// `place` is the root of a list of contexts or the `next` field of a node.
unsafe fn walk(mut place: *mut *mut ConnContext, key: Key<'_>) -> Place {
    // SAFETY: the caller's promise; links in a list are valid.
    unsafe {
        loop {
            let node = *place;
            if node.is_null() {
                return Place::Missing(place);
            }
            match compare(node, key) {
                Ordering::Less => place = &raw mut (*node).next,
                Ordering::Equal => return Place::Found(node),
                Ordering::Greater => return Place::Missing(place),
            }
        }
    }
}

/// All user states with contexts, and all contexts that the library made.
#[derive(Default)]
struct Registry {
    users: HashMap<usize, Index, ByAddress>,
    members: HashMap<usize, Member, ByAddress>,
}

/// What is known about a context that the library has made.
struct Member {
    user: usize,
    serial: u64,
    hash: u64,
    dying: bool,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Makes the index of a user state from its list.
    ///
    /// # Safety
    /// As for [`locate`].
    unsafe fn rebuild(&mut self, us: OtrlUserState) {
        let mut sorted = Sorted::default();
        // SAFETY: the caller's promise.
        for node in unsafe { list::iter((*us).context_root) } {
            let member = self.members.get(&node.addr());
            if member.is_some_and(|member| !member.dying) {
                sorted.push(node);
            }
        }
        if let Some(index) = self.users.get_mut(&us.addr()) {
            index.by_key.retain(|_, node| sorted.contains(node.0));
            index.sorted = sorted;
        }
    }
}

/// The index of one user state.
#[derive(Default)]
struct Index {
    hasher: RandomState,
    /// By the hash of the key, which is secret: names come from the network.
    by_key: HashMap<u64, Context, BuildHasherDefault<AddressHasher>>,
    sorted: Sorted,
}

/// The address of a context.
struct Context(*mut ConnContext);

// SAFETY: an address alone does no harm. It is followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Context {}

impl Index {
    fn hash(&self, key: Key<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.username.to_bytes_with_nul());
        hasher.write(key.accountname.to_bytes_with_nul());
        hasher.write(key.protocol.to_bytes_with_nul());
        hasher.write_u32(key.their_instance);
        hasher.finish()
    }

    /// # Safety
    /// The nodes of the index are valid, and `root` is the root of their list.
    unsafe fn locate(&self, root: *mut *mut ConnContext, key: Key<'_>) -> Place {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(&Context(node)) = self.by_key.get(&self.hash(key))
                && is_linked(node)
                && compare(node, key).is_eq()
            {
                return Place::Found(node);
            }
            match self.sorted.before(key) {
                None => walk(root, key),
                Some(node) if is_linked(node) => walk(&raw mut (*node).next, key),
                Some(_) => walk(root, key),
            }
        }
    }
}

/// The nodes of a list in order, in runs of limited length: finding a place is
/// two binary searches, and inserting moves a few kilobytes at most.
#[derive(Default)]
struct Sorted {
    /// None is empty.
    runs: Vec<Vec<Context>>,
}

/// A run that gets longer than this is cut in two.
const LONGEST_RUN: usize = 256;

impl Sorted {
    fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The first node, or NULL.
    fn first(&self) -> *mut ConnContext {
        self.runs
            .first()
            .and_then(|run| run.first())
            .map_or(ptr::null_mut(), |node| node.0)
    }

    fn contains(&self, node: *mut ConnContext) -> bool {
        self.runs.iter().flatten().any(|entry| entry.0 == node)
    }

    /// Adds a node at the end.
    fn push(&mut self, node: *mut ConnContext) {
        match self.runs.last_mut() {
            Some(run) if run.len() < LONGEST_RUN => run.push(Context(node)),
            _ => self.runs.push(vec![Context(node)]),
        }
    }

    /// The run and the place in it of the first node that is not before the
    /// key; the end of the last run if all are before it.
    ///
    /// # Safety
    /// The nodes are valid.
    unsafe fn search(&self, key: Key<'_>) -> (usize, usize) {
        // SAFETY: the caller's promise.
        let before = |node: &Context| unsafe { compare(node.0, key) }.is_lt();
        let after = self
            .runs
            .partition_point(|run| run.first().is_some_and(before));
        let at = after.saturating_sub(1);
        let place = self
            .runs
            .get(at)
            .map_or(0, |run| run.partition_point(before));
        (at, place)
    }

    /// The last node before the key.
    ///
    /// # Safety
    /// The nodes are valid.
    unsafe fn before(&self, key: Key<'_>) -> Option<*mut ConnContext> {
        // SAFETY: the caller's promise.
        let (run, place) = unsafe { self.search(key) };
        let node = self.runs.get(run)?.get(place.checked_sub(1)?)?;
        Some(node.0)
    }

    /// Adds a node where its key belongs.
    ///
    /// # Safety
    /// The nodes are valid.
    unsafe fn insert(&mut self, key: Key<'_>, node: *mut ConnContext) {
        // SAFETY: the caller's promise.
        let (at, place) = unsafe { self.search(key) };
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(vec![Context(node)]);
            return;
        };
        run.insert(place, Context(node));
        if run.len() > LONGEST_RUN {
            let rest = run.split_off(LONGEST_RUN / 2);
            self.runs.insert(at.saturating_add(1), rest);
        }
    }

    /// Takes a node out.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    unsafe fn remove(&mut self, node: *mut ConnContext) {
        // SAFETY: the caller's promise.
        let Some((at, place)) = (unsafe { self.position(node) }) else {
            return;
        };
        let Some(run) = self.runs.get_mut(at) else {
            return;
        };
        run.remove(place);
        if run.is_empty() {
            self.runs.remove(at);
        }
    }

    /// Where a node is: where its key belongs, or anywhere if the program has
    /// changed the fields since.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    unsafe fn position(&self, node: *mut ConnContext) -> Option<(usize, usize)> {
        // SAFETY: the caller's promise; names are NULL or NUL-terminated.
        let expected = unsafe {
            key_of(node).and_then(|key| {
                let (at, place) = self.search(key);
                let entry = self.runs.get(at)?.get(place)?;
                (entry.0 == node).then_some((at, place))
            })
        };
        expected.or_else(|| {
            self.runs.iter().enumerate().find_map(|(at, run)| {
                let place = run.iter().position(|entry| entry.0 == node)?;
                Some((at, place))
            })
        })
    }
}

/// The key in a node's fields, unless a name is missing.
///
/// # Safety
/// `node` points to a context that stays as it is while the key is used.
unsafe fn key_of<'a>(node: *mut ConnContext) -> Option<Key<'a>> {
    // SAFETY: the caller's promise.
    unsafe {
        let name = |text: *mut c_char| (!text.is_null()).then(|| CStr::from_ptr(text));
        Some(Key {
            username: name((*node).username)?,
            accountname: name((*node).accountname)?,
            protocol: name((*node).protocol)?,
            their_instance: (*node).their_instance,
        })
    }
}
