//! Finding a context without walking the list.
//!
//! The list of contexts of a user state is public: it is sorted, and programs
//! walk it. Beside it this module keeps, for each user state, the same
//! contexts in a hash table and in a sorted array, so that looking up, adding
//! and forgetting do not depend on how many there are.
//!
//! The list remains the authority. What the index finds is checked against
//! the fields of the contexts and the links between them, and where they do
//! not agree, because a program has linked nodes of its own or has set
//! `context_root`, the list is walked. Only nodes that the library has made
//! are in the index; they stay valid until the library forgets them.

use core::cmp::Ordering;
use core::ffi::c_char;
use core::hash::{BuildHasher, Hasher};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::context::ConnContext;
use super::instag::otrl_instag_t;
use super::list;
pub(crate) use super::order::Key;
use super::order::{Position, Sorted, compare};
use super::userstate::OtrlUserState;
use super::vault::{AddressHasher, ByAddress, next_serial, serials_given, trim};

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
    /// Its position in the index and its hash, if they were looked up.
    known: Option<(Position, u64)>,
}

/// There is room for so many contexts from the beginning: growing in small
/// steps takes longer than all else that the index does for the first of them.
const FIRST_ROOM: usize = 100;

/// Lists of this length and shorter are walked: asking the index costs more.
const SHORT_LIST: usize = 3;

/// Looks for the names of user, account and protocol and an instance in a list
/// that is short; `None` if it is not, or they are not there.
///
/// # Safety
/// `us` points to a user state, the names are NUL-terminated.
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
        if list::iter(*root).nth(SHORT_LIST).is_none() {
            return walk(root, None, key);
        }
        let mut registry = lock();
        let Registry { users, members, .. } = &mut *registry;
        let Some(index) = users.get_mut(&us.addr()) else {
            return walk(root, None, key);
        };
        if index.sorted.first() != *root {
            index.rebuild(members, *root);
            return walk(root, None, key);
        }
        index.locate(members, root, key)
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
    let Registry { users, members } = &mut *registry;
    let index = users.entry(us.addr()).or_insert_with(Index::new);
    // SAFETY: the caller's promise; the index holds nodes made by the library
    // and not forgotten.
    let hash = unsafe {
        let (position, hash) = gap
            .known
            .unwrap_or_else(|| (index.sorted.search(key), index.hash(key)));
        index.sorted.insert(position, node, key.username);
        list::insert(gap.link, node);
        hash
    };
    let number = members.add(Member {
        context: node,
        user: us,
        serial: next_serial(),
        hash,
    });
    index
        .by_key
        .insert_unique(hash, number, |known| members.hash(*known));
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
    match members.get_mut(node) {
        Some((_, member)) if member.user.is_null() => return false,
        Some((number, member)) => {
            let (user, hash) = (member.user, member.hash);
            member.user = ptr::null_mut();
            if let Some(index) = users.get_mut(&user.addr()) {
                if let Ok(entry) = index.by_key.find_entry(hash, |known| *known == number) {
                    entry.remove();
                }
                // SAFETY: the index holds nodes made by the library and not
                // forgotten; this one is among them until here.
                unsafe { index.sorted.remove(node) };
                if index.sorted.is_empty() {
                    users.remove(&user.addr());
                    trim(users);
                }
            }
        }
        // A node of the program's own is noted as well, so that handles see it
        // go.
        None => {
            members.add(Member {
                context: node,
                user: ptr::null_mut(),
                serial: 0,
                hash: 0,
            });
        }
    }
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
    let Registry { users, members } = &mut *registry;
    let Some(index) = users.get(&us.addr()) else {
        return false;
    };
    // SAFETY: the caller's promise.
    if !unsafe { list::iter((*us).context_root) }.eq(index.sorted.nodes()) {
        return false;
    }
    let count = index.sorted.nodes().count();
    if count == members.count() {
        // There is nothing else to be remembered.
        *members = Members::NONE;
        users.clear();
    } else {
        let is_theirs = |node| members.get(node).is_some_and(|member| member.user == us);
        if !index.sorted.nodes().all(is_theirs) {
            return false;
        }
        for node in index.sorted.nodes() {
            members.remove(node);
        }
        users.remove(&us.addr());
    }
    trim(users);
    FORGOTTEN.fetch_add(count as u64, Relaxed);
    true
}

/// Ends what [`remove`] began, before the node's memory is released.
pub(crate) fn released(node: *mut ConnContext) {
    lock().members.remove(node);
}

/// Forgets a user state whose memory is about to be released.
pub(crate) fn user_released(us: OtrlUserState) {
    let mut registry = lock();
    registry.users.remove(&us.addr());
    trim(&mut registry.users);
}

/// The serial number of a context that the library has made and not
/// forgotten: no other context, at the same address later either, has it.
/// The address may be that of a context that does not exist any more.
pub(crate) fn serial(node: *mut ConnContext) -> Option<u64> {
    let registry = lock();
    let member = registry.members.get(node)?;
    (!member.user.is_null()).then_some(member.serial)
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
unsafe fn walk(
    mut link: *mut *mut ConnContext,
    known: Option<(Position, u64)>,
    key: Key<'_>,
) -> Place {
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

/// All user states with contexts, and all contexts that the library made.
struct Registry {
    users: HashMap<usize, Index, ByAddress>,
    members: Members,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    users: HashMap::with_hasher(ByAddress::new()),
    members: Members::NONE,
});

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known about a context that the library has made.
struct Member {
    context: *mut ConnContext,
    /// NULL while the context is being released.
    user: OtrlUserState,
    serial: u64,
    /// The hash of its key when it was made.
    hash: u64,
}

// SAFETY: addresses alone do no harm. They are followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Member {}

/// The contexts that the library has made, each with a number. There may be a
/// hundred thousand, so memory counts here.
struct Members {
    list: Vec<Member>,
    /// Numbers that are not in use.
    free: Vec<u32>,
    by_address: HashTable<u32>,
}

impl Members {
    const NONE: Self = Self {
        list: Vec::new(),
        free: Vec::new(),
        by_address: HashTable::new(),
    };

    /// How many there are.
    fn count(&self) -> usize {
        self.by_address.len()
    }

    /// Adds a context and gives it a number.
    fn add(&mut self, member: Member) -> u32 {
        let address = address_hash(member.context);
        if self.list.is_empty() {
            self.list.reserve(FIRST_ROOM);
            // The table is empty: there is nothing to be hashed again.
            self.by_address.reserve(FIRST_ROOM, |_| 0);
        }
        let number = if let Some(number) = self.free.pop() {
            if let Some(unused) = self.list.get_mut(number as usize) {
                *unused = member;
            }
            number
        } else {
            self.list.push(member);
            // Memory ends long before the numbers do.
            u32::try_from(self.list.len().saturating_sub(1)).unwrap_or(u32::MAX)
        };
        let list = &self.list;
        let hash = |number: &u32| {
            let member = list.get(*number as usize);
            member.map_or(0, |member| address_hash(member.context))
        };
        self.by_address.insert_unique(address, number, hash);
        number
    }

    /// Removes a context; its number may be given to another.
    fn remove(&mut self, node: *mut ConnContext) {
        let Some(number) = self.number(node) else {
            return;
        };
        let entry = self
            .by_address
            .find_entry(address_hash(node), |known| *known == number);
        if let Ok(entry) = entry {
            entry.remove();
        }
        if let Some(member) = self.list.get_mut(number as usize) {
            member.context = ptr::null_mut();
            member.user = ptr::null_mut();
        }
        self.free.push(number);
        if self.by_address.is_empty() {
            // A program that has released everything has nothing left.
            *self = Self::NONE;
        }
    }

    fn at(&self, number: u32) -> Option<&Member> {
        self.list.get(number as usize)
    }

    /// The hash of the key of the context with this number.
    fn hash(&self, number: u32) -> u64 {
        self.at(number).map_or(0, |member| member.hash)
    }

    fn number(&self, node: *mut ConnContext) -> Option<u32> {
        let is_it = |number: &u32| self.at(*number).is_some_and(|known| known.context == node);
        self.by_address.find(address_hash(node), is_it).copied()
    }

    fn get(&self, node: *mut ConnContext) -> Option<&Member> {
        self.at(self.number(node)?)
    }

    fn get_mut(&mut self, node: *mut ConnContext) -> Option<(u32, &mut Member)> {
        let number = self.number(node)?;
        Some((number, self.list.get_mut(number as usize)?))
    }
}

fn address_hash(node: *mut ConnContext) -> u64 {
    let mut hasher = AddressHasher::default();
    hasher.write_usize(node.addr());
    hasher.finish()
}

/// The index of one user state.
struct Index {
    /// Its keys are secret: names come from the network.
    hasher: DefaultHashBuilder,
    by_key: HashTable<u32>,
    sorted: Sorted,
}

impl Index {
    fn new() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            by_key: HashTable::with_capacity(FIRST_ROOM),
            sorted: Sorted::default(),
        }
    }

    fn hash(&self, key: Key<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.username.to_bytes_with_nul());
        hasher.write(key.accountname.to_bytes_with_nul());
        hasher.write(key.protocol.to_bytes_with_nul());
        hasher.write_u32(key.their_instance);
        hasher.finish()
    }

    /// Takes over what is reachable from `root`: the program has set it.
    ///
    /// # Safety
    /// `root` is NULL or the first node of a list.
    unsafe fn rebuild(&mut self, members: &Members, root: *mut ConnContext) {
        self.by_key.clear();
        self.sorted = Sorted::default();
        // SAFETY: the caller's promise.
        for node in unsafe { list::iter(root) } {
            let Some(number) = members.number(node) else {
                continue;
            };
            if let Some(member) = members.at(number)
                && !member.user.is_null()
            {
                // SAFETY: the caller's promise.
                unsafe { self.sorted.push(node) };
                let hash = |known: &u32| members.hash(*known);
                self.by_key.insert_unique(member.hash, number, hash);
            }
        }
    }

    /// # Safety
    /// The nodes of the index are valid, and `root` is the root of their list.
    unsafe fn locate(&self, members: &Members, root: *mut *mut ConnContext, key: Key<'_>) -> Place {
        let hash = self.hash(key);
        let is_it = |number: &u32| members.hash(*number) == hash;
        let known = self.by_key.find(hash, is_it);
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(member) = known.and_then(|number| members.at(*number))
                && is_linked(member.context)
                && compare(member.context, key).is_eq()
            {
                return Place::Found(member.context);
            }
            let position = self.sorted.search(key);
            let (before, behind) = (self.sorted.before(position), self.sorted.at(position));
            let link = match before {
                Some(node) if is_linked(node) => &raw mut (*node).next,
                Some(_) => return walk(root, None, key),
                None => root,
            };
            // The names that the neighbours have now are what counts.
            if before.is_some_and(|node| compare(node, key).is_ge()) {
                return walk(root, None, key);
            }
            let known = Some((position, hash));
            if *link == behind && (behind.is_null() || compare(behind, key).is_gt()) {
                return Place::Missing(Gap { link, known });
            }
            // There is a node of the program's own.
            walk(link, known, key)
        }
    }
}
