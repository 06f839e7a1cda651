//! The order of the list of contexts.
//!
//! The list is sorted by correspondent, account, protocol and their instance
//! tag; names are compared byte by byte.

use core::cmp::Ordering;
use core::ffi::{CStr, c_char};
use core::ptr;
use std::collections::VecDeque;

use super::alloc;
use super::context::ConnContext;
use super::instag::otrl_instag_t;

/// What the list is sorted by.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) username: &'a CStr,
    pub(crate) accountname: &'a CStr,
    pub(crate) protocol: &'a CStr,
    pub(crate) their_instance: otrl_instag_t,
}

/// Compares a node with a key in the order of the list.
///
/// # Safety
/// `node` points to a context.
pub(crate) unsafe fn compare(node: *mut ConnContext, key: Key<'_>) -> Ordering {
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

/// A node and a hint at its place in the order: the eight bytes of the user's
/// name that follow the beginning which all names share, as a number.
struct Entry {
    node: *mut ConnContext,
    hint: u64,
}

// SAFETY: an address alone does no harm. It is followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Entry {}

/// The nodes of a list in order, in runs of limited length: finding a place is
/// two binary searches, and inserting moves a few kilobytes at most.
///
/// The searches look at the hints first and follow hardly any pointer. A hint
/// is made of the name that a node had when it came: if the program changes
/// names, places are no longer found where they should be, as the list is no
/// longer sorted either.
#[derive(Default)]
pub(crate) struct Sorted {
    /// None is empty.
    runs: Vec<Run>,
    /// What the names of all users begin with, up to [`LONGEST_SHARED`] bytes.
    shared: Vec<u8>,
}

/// Some entries in order.
struct Run {
    /// The hint of the first one: looking for a run would otherwise visit the
    /// memory of one after the other.
    first: u64,
    entries: VecDeque<Entry>,
}

impl Run {
    fn new(entries: VecDeque<Entry>) -> Self {
        let mut run = Self { first: 0, entries };
        run.note_first();
        run
    }

    /// Has to be called when there is another first entry.
    fn note_first(&mut self) {
        self.first = self.entries.front().map_or(0, |entry| entry.hint);
    }
}

/// A place in these runs; good until they change.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    run: usize,
    place: usize,
}

/// A run of this length is cut in two before it gets longer.
const LONGEST_RUN: usize = 256;

/// Each name that shares less than those before has all hints made anew; this
/// is how often that can happen.
const LONGEST_SHARED: usize = 64;

/// Where a name is in the order, as far as shared beginning and hints tell.
enum Rank {
    BeforeAll,
    At(u64),
    BehindAll,
}

impl Sorted {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The first node, or NULL.
    pub(crate) fn first(&self) -> *mut ConnContext {
        self.runs
            .first()
            .and_then(|run| run.entries.front())
            .map_or(ptr::null_mut(), |entry| entry.node)
    }

    /// The nodes in their order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = *mut ConnContext> {
        let entries = self.runs.iter().flat_map(|run| &run.entries);
        entries.map(|entry| entry.node)
    }

    /// Adds a node at the end.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    pub(crate) unsafe fn push(&mut self, node: *mut ConnContext) {
        // SAFETY: the caller's promise; names are NULL or NUL-terminated.
        let hint = unsafe { self.admit(alloc::bytes((*node).username).unwrap_or_default()) };
        let entry = Entry { node, hint };
        match self.runs.last_mut() {
            Some(run) if run.entries.len() < LONGEST_RUN => run.entries.push_back(entry),
            _ => self.runs.push(Run::new(VecDeque::from([entry]))),
        }
    }

    /// The position of the first node that is not before the key, or the end.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn search(&self, key: Key<'_>) -> Position {
        let rank = self.rank(key.username.to_bytes());
        let before = |entry: &Entry| match rank {
            Rank::BeforeAll => false,
            // SAFETY: the caller's promise.
            Rank::At(hint) if entry.hint == hint => unsafe { compare(entry.node, key) }.is_lt(),
            Rank::At(hint) => entry.hint < hint,
            Rank::BehindAll => true,
        };
        // Files have their entries in order, so each of them comes last.
        let last = self.runs.last().and_then(|run| run.entries.back());
        if last.is_some_and(before) {
            return self.end();
        }
        let after = self.runs.partition_point(|run| match rank {
            Rank::At(hint) if run.first != hint => run.first < hint,
            _ => run.entries.front().is_some_and(before),
        });
        let run = after.saturating_sub(1);
        let place = self
            .runs
            .get(run)
            .map_or(0, |run| run.entries.partition_point(before));
        Position { run, place }
    }

    /// The position behind all entries.
    fn end(&self) -> Position {
        Position {
            run: self.runs.len().saturating_sub(1),
            place: self.runs.last().map_or(0, |run| run.entries.len()),
        }
    }

    /// The entry at a position from [`Self::search`]; none at the end.
    fn entry(&self, position: Position) -> Option<&Entry> {
        let run = self.runs.get(position.run)?;
        run.entries.get(position.place).or_else(|| {
            let behind = self.runs.get(position.run.saturating_add(1))?;
            behind.entries.front()
        })
    }

    /// The node before a position, if there is one.
    pub(crate) fn before(&self, position: Position) -> Option<*mut ConnContext> {
        let run = self.runs.get(position.run)?;
        Some(run.entries.get(position.place.checked_sub(1)?)?.node)
    }

    /// The node at a position from [`Self::search`]; NULL at the end.
    pub(crate) fn at(&self, position: Position) -> *mut ConnContext {
        self.entry(position)
            .map_or(ptr::null_mut(), |entry| entry.node)
    }

    /// Adds a node of this user at the position of its key.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn insert(
        &mut self,
        position: Position,
        node: *mut ConnContext,
        username: &CStr,
    ) {
        let Position { run, mut place } = position;
        // SAFETY: the caller's promise.
        let hint = unsafe { self.admit(username.to_bytes()) };
        let entry = Entry { node, hint };
        let Some(mut target) = self.runs.get_mut(run) else {
            self.runs.push(Run::new(VecDeque::from([entry])));
            return;
        };
        if target.entries.len() >= LONGEST_RUN {
            let half = LONGEST_RUN / 2;
            let rest = target.entries.split_off(half);
            let behind = run.saturating_add(1);
            self.runs.insert(behind, Run::new(rest));
            let number = if place > half {
                place = place.saturating_sub(half);
                behind
            } else {
                run
            };
            match self.runs.get_mut(number) {
                Some(found) => target = found,
                None => return,
            }
        }
        let entries = &mut target.entries;
        entries.insert(place.min(entries.len()), entry);
        target.note_first();
    }

    /// Takes a node out.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    pub(crate) unsafe fn remove(&mut self, node: *mut ConnContext) {
        // SAFETY: the caller's promise.
        let Some(position) = (unsafe { self.position(node) }) else {
            return;
        };
        let Some(run) = self.runs.get_mut(position.run) else {
            return;
        };
        run.entries.remove(position.place);
        run.note_first();
        if run.entries.is_empty() {
            self.runs.remove(position.run);
        }
    }

    /// Where a node is: where its key belongs, or anywhere if the program has
    /// changed the fields since.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    unsafe fn position(&self, node: *mut ConnContext) -> Option<Position> {
        if self.first() == node {
            return Some(Position::default());
        }
        // SAFETY: the caller's promise; names are NULL or NUL-terminated.
        let expected = unsafe { key_of(node).map(|key| self.search(key)) };
        let is_there = |position: &Position| {
            let run = self.runs.get(position.run);
            run.and_then(|run| run.entries.get(position.place))
                .map(|entry| entry.node)
                == Some(node)
        };
        expected.filter(is_there).or_else(|| {
            self.runs.iter().enumerate().find_map(|(number, run)| {
                let place = run.entries.iter().position(|entry| entry.node == node)?;
                Some(Position { run: number, place })
            })
        })
    }

    fn rank(&self, name: &[u8]) -> Rank {
        match name.strip_prefix(self.shared.as_slice()) {
            Some(rest) => Rank::At(hint(rest)),
            None if *name < *self.shared => Rank::BeforeAll,
            None => Rank::BehindAll,
        }
    }

    /// Sees to it that a name begins with what all names share, and gives its
    /// hint.
    ///
    /// # Safety
    /// The nodes are valid.
    unsafe fn admit(&mut self, name: &[u8]) -> u64 {
        if self.is_empty() {
            self.shared = name.iter().take(LONGEST_SHARED).copied().collect();
        }
        if let Some(rest) = name.strip_prefix(self.shared.as_slice()) {
            return hint(rest);
        }
        let both = name.iter().zip(&self.shared);
        let shared = both.take_while(|(name, shared)| name == shared).count();
        self.shared.truncate(shared);
        for run in &mut self.runs {
            for entry in &mut run.entries {
                // SAFETY: the caller's promise; names are NULL or
                // NUL-terminated.
                let name = unsafe { alloc::bytes((*entry.node).username) };
                entry.hint = hint(name.and_then(|name| name.get(shared..)).unwrap_or_default());
            }
            run.note_first();
        }
        hint(name.get(shared..).unwrap_or_default())
    }
}

/// The first eight bytes as a number, zeros in place of those that are not
/// there: numbers are in the order of the texts, unless they are equal.
fn hint(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(text) {
        *to = *from;
    }
    u64::from_be_bytes(first)
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

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::MaybeUninit;
    use std::ffi::CString;

    /// Contexts of which only the names and the instance count.
    struct Nodes(Vec<(CString, Box<MaybeUninit<ConnContext>>)>);

    impl Nodes {
        fn make(&mut self, name: &str) -> (*mut ConnContext, CString) {
            let (name, kept) = (CString::new(name).unwrap(), CString::new(name).unwrap());
            let mut node = Box::new(MaybeUninit::<ConnContext>::zeroed());
            let pointer = node.as_mut_ptr();
            // SAFETY: zero is a valid value of every field.
            unsafe {
                (*pointer).username = kept.as_ptr().cast_mut();
                (*pointer).accountname = c"account".as_ptr().cast_mut();
                (*pointer).protocol = c"protocol".as_ptr().cast_mut();
            }
            self.0.push((kept, node));
            (pointer, name)
        }
    }

    fn key(name: &CStr) -> Key<'_> {
        Key {
            username: name,
            accountname: c"account",
            protocol: c"protocol",
            their_instance: 0,
        }
    }

    fn names(sorted: &Sorted) -> Vec<&str> {
        let nodes = sorted.nodes();
        nodes
            .map(|node| {
                // SAFETY: the nodes outlive the test's calls.
                let name = unsafe { CStr::from_ptr((*node).username) };
                name.to_str().unwrap()
            })
            .collect()
    }

    /// Inserts the names and looks at the order after each, then takes half of
    /// them out.
    fn check(texts: &[String]) {
        let mut nodes = Nodes(Vec::new());
        let mut sorted = Sorted::default();
        let mut expected: Vec<&str> = Vec::new();
        let mut made = Vec::new();
        for text in texts {
            let (node, name) = nodes.make(text);
            // SAFETY: the nodes live as long as `nodes`.
            unsafe {
                let position = sorted.search(key(&name));
                sorted.insert(position, node, &name);
            }
            expected.insert(
                expected.partition_point(|known| *known < text.as_str()),
                text,
            );
            made.push(node);
        }
        assert_eq!(names(&sorted), expected);
        assert!(
            sorted
                .runs
                .iter()
                .all(|run| run.entries.len() <= LONGEST_RUN)
        );
        for (node, text) in made.iter().zip(texts).step_by(2) {
            // SAFETY: as above.
            unsafe { sorted.remove(*node) };
            expected.retain(|known| known != text);
        }
        assert_eq!(names(&sorted), expected);
        let mut again = Sorted::default();
        for node in sorted.nodes() {
            // SAFETY: as above.
            unsafe { again.push(node) };
        }
        assert_eq!(names(&again), expected);
    }

    /// Spreads the numbers below `count`, a power of two.
    fn shuffled(count: usize) -> impl Iterator<Item = usize> {
        (0..count).map(move |number| {
            number
                .wrapping_mul(2_654_435_761)
                .checked_rem(count)
                .unwrap()
        })
    }

    #[test]
    fn any_names_come_in_order() {
        check(
            &shuffled(2048)
                .map(|n| format!("user{n:07}@example.org"))
                .collect::<Vec<_>>(),
        );
        // Names that end where others go on, and that hints cannot tell apart.
        check(&shuffled(512).map(|n| "ab".repeat(n)).collect::<Vec<_>>());
        check(
            &shuffled(512)
                .map(|n| format!("{}{n}", "x".repeat(n % 100)))
                .collect::<Vec<_>>(),
        );
        // Each shares less with the first than those before.
        let long = "z".repeat(300);
        check(
            &(0..300)
                .map(|n| long[n..].to_owned() + "a")
                .collect::<Vec<_>>(),
        );
        check(&["", "\u{ff}", "a", "\u{7f}", "a\u{1}", "\u{80}"].map(str::to_owned));
    }
}
