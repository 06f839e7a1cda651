//! The order of the list of contexts.
//!
//! The list is sorted by correspondent, account, protocol and their instance
//! tag; names are compared byte by byte.

use core::cmp::Ordering;
use core::ffi::{CStr, c_char};
use core::ptr;

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

/// The address of a context.
struct Context(*mut ConnContext);

// SAFETY: an address alone does no harm. It is followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Context {}

/// The nodes of a list in order, in runs of limited length: finding a place is
/// two binary searches, and inserting moves a few kilobytes at most.
#[derive(Default)]
pub(crate) struct Sorted {
    /// None is empty.
    runs: Vec<Vec<Context>>,
}

/// A place in these runs; good until they change.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    run: usize,
    place: usize,
}

/// A run that gets longer than this is cut in two.
const LONGEST_RUN: usize = 256;

impl Sorted {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The first node, or NULL.
    pub(crate) fn first(&self) -> *mut ConnContext {
        self.runs
            .first()
            .and_then(|run| run.first())
            .map_or(ptr::null_mut(), |node| node.0)
    }

    /// Adds a node at the end.
    pub(crate) fn push(&mut self, node: *mut ConnContext) {
        match self.runs.last_mut() {
            Some(run) if run.len() < LONGEST_RUN => run.push(Context(node)),
            _ => self.runs.push(vec![Context(node)]),
        }
    }

    /// The position of the first node that is not before the key, or the end.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn search(&self, key: Key<'_>) -> Position {
        // SAFETY: the caller's promise.
        let before = |node: &Context| unsafe { compare(node.0, key) }.is_lt();
        let after = self
            .runs
            .partition_point(|run| run.first().is_some_and(before));
        let run = after.saturating_sub(1);
        let place = self
            .runs
            .get(run)
            .map_or(0, |run| run.partition_point(before));
        Position { run, place }
    }

    /// The node before a position, if there is one.
    pub(crate) fn before(&self, position: Position) -> Option<*mut ConnContext> {
        let run = self.runs.get(position.run)?;
        Some(run.get(position.place.checked_sub(1)?)?.0)
    }

    /// Adds a node at the position of its key.
    pub(crate) fn insert(&mut self, position: Position, node: *mut ConnContext) {
        let Some(run) = self.runs.get_mut(position.run) else {
            self.runs.push(vec![Context(node)]);
            return;
        };
        run.insert(position.place, Context(node));
        if run.len() > LONGEST_RUN {
            let rest = run.split_off(LONGEST_RUN / 2);
            self.runs.insert(position.run.saturating_add(1), rest);
        }
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
        run.remove(position.place);
        if run.is_empty() {
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
            run.and_then(|run| run.get(position.place))
                .map(|entry| entry.0)
                == Some(node)
        };
        expected.filter(is_there).or_else(|| {
            self.runs.iter().enumerate().find_map(|(number, run)| {
                let place = run.iter().position(|entry| entry.0 == node)?;
                Some(Position { run: number, place })
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
