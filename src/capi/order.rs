//! The order of the list of contexts.
//!
//! The list is sorted by correspondent, account, protocol and their instance
//! tag; names are compared byte by byte.

use core::cmp::Ordering;
use core::ffi::{CStr, c_char};
use core::ptr;

use super::alloc;
use super::context::ConnContext;
use super::instag::otrl_instag_t;

/// What the list is sorted by. All names are NUL-terminated and stay valid; of
/// two of them nobody needs the length.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) username: &'a CStr,
    pub(crate) accountname: *const c_char,
    pub(crate) protocol: *const c_char,
    pub(crate) their_instance: otrl_instag_t,
}

/// Compares a node with a key in the order of the list.
///
/// # Safety
/// `node` points to a context.
pub(crate) unsafe fn compare(node: *mut ConnContext, key: Key<'_>) -> Ordering {
    // SAFETY: the caller's promise; names are NULL or NUL-terminated.
    unsafe {
        compare_text((*node).username, key.username.as_ptr())
            .then_with(|| compare_text((*node).accountname, key.accountname))
            .then_with(|| compare_text((*node).protocol, key.protocol))
            .then_with(|| (*node).their_instance.cmp(&key.their_instance))
    }
}

/// `strcmp`, with NULL before everything else.
///
/// # Safety
/// `ours` is NULL or NUL-terminated, `other` is NUL-terminated.
unsafe fn compare_text(ours: *const c_char, other: *const c_char) -> Ordering {
    if ours.is_null() {
        return Ordering::Less;
    }
    // SAFETY: the caller's promise.
    unsafe { libc::strcmp(ours, other) }.cmp(&0)
}

/// A node, and how many had been forgotten when it was made.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) context: *mut ConnContext,
    pub(crate) born: u64,
}

// SAFETY: an address alone does no harm. It is followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Node {}

/// The nodes of a list in order, in runs of limited length: finding a place is
/// two binary searches, and inserting moves a few kilobytes at most.
///
/// The searches look at hints first and follow hardly any pointer. A hint is
/// made of the name that a node had when it came: if the program changes
/// names, places are no longer found where they should be, as the list is no
/// longer sorted either.
#[derive(Default)]
pub(crate) struct Sorted {
    /// None is empty.
    runs: Vec<Run>,
    /// What the names of all users begin with, up to [`LONGEST_SHARED`] bytes.
    shared: Vec<u8>,
}

/// Some nodes in order.
struct Run {
    /// The first of the hints: looking for a run would otherwise visit the
    /// memory of one after the other.
    first: u64,
    /// For each node the eight bytes of the user's name that follow the
    /// beginning which all names share, as a number. Apart from the nodes, so
    /// that a search reads little memory.
    hints: Vec<u64>,
    nodes: Vec<Node>,
}

impl Run {
    /// Has room from the beginning: growing in small steps takes longer than
    /// all else for the first nodes.
    fn new() -> Self {
        Self {
            first: 0,
            hints: Vec::with_capacity(LONGEST_RUN),
            nodes: Vec::with_capacity(LONGEST_RUN),
        }
    }

    fn of_one(hint: u64, node: Node) -> Self {
        let mut run = Self::new();
        run.insert(0, hint, node);
        run
    }

    fn insert(&mut self, place: usize, hint: u64, node: Node) {
        let place = place.min(self.nodes.len());
        self.hints.insert(place, hint);
        self.nodes.insert(place, node);
        self.note_first();
    }

    fn remove(&mut self, place: usize) {
        if place < self.nodes.len() {
            self.hints.remove(place);
            self.nodes.remove(place);
            self.note_first();
        }
    }

    /// Cuts off the second half.
    fn split(&mut self) -> Self {
        let half = self.nodes.len() / 2;
        let mut rest = Self::new();
        rest.hints.extend(self.hints.drain(half..));
        rest.nodes.extend(self.nodes.drain(half..));
        rest.note_first();
        rest
    }

    /// Has to be called when there is another first node.
    fn note_first(&mut self) {
        self.first = self.hints.first().copied().unwrap_or_default();
    }

    /// Where the first node is that is not before a key, and whether it is the
    /// key's.
    ///
    /// # Safety
    /// The nodes are valid.
    unsafe fn place(&self, rank: Rank, key: Key<'_>) -> (usize, bool) {
        let wanted = match rank {
            Rank::BeforeAll => return (0, false),
            Rank::At(hint) => hint,
            Rank::BehindAll => return (self.nodes.len(), false),
        };
        let (mut place, mut end) = (0_usize, self.hints.len());
        while place < end {
            let middle = place.midpoint(end);
            match self.hints.get(middle) {
                Some(hint) if *hint < wanted => place = middle.saturating_add(1),
                _ => end = middle,
            }
        }
        if self.hints.get(place) != Some(&wanted) {
            return (place, false);
        }
        // Only nodes that the hint does not tell apart are looked at.
        let alike = self.hints.iter().skip(place);
        let alike = alike.take_while(|hint| **hint == wanted).count();
        let behind = place.saturating_add(alike);
        let alike = self.nodes.get(place..behind).unwrap_or_default();
        // SAFETY: the caller's promise.
        let order = |node: &Node| unsafe { compare(node.context, key) };
        match alike.binary_search_by(order) {
            Ok(further) => (place.saturating_add(further), true),
            Err(further) => (place.saturating_add(further), false),
        }
    }
}

/// A place in these runs; good until they change.
///
/// One number, the run in its upper half: it is handed through several calls,
/// and a pair would be written to memory in two parts and read back as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position(u64);

impl Position {
    const fn new(run: usize, place: usize) -> Self {
        Self((run as u64) << 32 | place as u64)
    }

    /// The number of the run, and the place in it.
    const fn parts(self) -> (usize, usize) {
        // Memory ends long before these numbers do.
        ((self.0 >> 32) as usize, self.0 as u32 as usize)
    }
}

/// A run of this length is cut in two before it gets longer.
const LONGEST_RUN: usize = 128;

/// Each name that shares less than those before has all hints made anew; this
/// is how often that can happen.
const LONGEST_SHARED: usize = 64;

/// Where a name is in the order, as far as shared beginning and hints tell.
#[derive(Clone, Copy)]
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
        self.at(Position::default())
    }

    /// The nodes in their order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = *mut ConnContext> {
        let nodes = self.runs.iter().flat_map(|run| &run.nodes);
        nodes.map(|node| node.context)
    }

    /// The same with what is known of them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Node> {
        self.runs.iter().flat_map(|run| &run.nodes).copied()
    }

    /// Adds a node at the end.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    pub(crate) unsafe fn push(&mut self, node: Node) {
        // SAFETY: the caller's promise; names are NULL or NUL-terminated.
        unsafe {
            let name = alloc::bytes((*node.context).username).unwrap_or_default();
            self.insert(self.end(), node, name);
        }
    }

    /// The position of the first node that is not before the key, or the end,
    /// and whether the names of that node are now the key's.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn search(&self, key: Key<'_>) -> (Position, bool) {
        let rank = self.rank(key.username.to_bytes());
        // Files have their entries in order, so each of them comes last.
        let last = self.runs.last().and_then(|run| run.hints.last());
        if let (Rank::At(hint), Some(last)) = (rank, last)
            && *last < hint
        {
            return (self.end(), false);
        }
        // The last run that does not begin behind the key.
        let behind = self.runs.partition_point(|run| match rank {
            Rank::At(hint) if run.first != hint => run.first < hint,
            Rank::At(_) => {
                let first = run.nodes.first();
                // SAFETY: the caller's promise.
                first.is_some_and(|node| unsafe { compare(node.context, key) }.is_le())
            }
            Rank::BeforeAll => false,
            Rank::BehindAll => true,
        });
        let run = behind.saturating_sub(1);
        let found = self.runs.get(run);
        // SAFETY: the caller's promise.
        let found = found.map(|run| unsafe { run.place(rank, key) });
        let (place, is_it) = found.unwrap_or_default();
        (Position::new(run, place), is_it)
    }

    /// The position behind all nodes.
    fn end(&self) -> Position {
        let place = self.runs.last().map_or(0, |run| run.nodes.len());
        Position::new(self.runs.len().saturating_sub(1), place)
    }

    /// The node before a position, if there is one.
    pub(crate) fn before(&self, position: Position) -> Option<*mut ConnContext> {
        let (run, place) = position.parts();
        let node = match place.checked_sub(1) {
            Some(place) => self.runs.get(run)?.nodes.get(place)?,
            None => self.runs.get(run.checked_sub(1)?)?.nodes.last()?,
        };
        Some(node.context)
    }

    /// The node at a position from [`Self::search`]; NULL at the end.
    pub(crate) fn at(&self, position: Position) -> *mut ConnContext {
        let (run, place) = position.parts();
        let node = self.runs.get(run).and_then(|found| {
            found.nodes.get(place).or_else(|| {
                let behind = self.runs.get(run.saturating_add(1))?;
                behind.nodes.first()
            })
        });
        node.map_or(ptr::null_mut(), |node| node.context)
    }

    /// Adds a node of this user at the position of its key.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn insert(&mut self, at: Position, node: Node, username: &[u8]) {
        // SAFETY: the caller's promise.
        let hint = unsafe { self.admit(username) };
        let (run, mut place) = at.parts();
        let is_last = run.saturating_add(1) == self.runs.len();
        let Some(mut target) = self.runs.get_mut(run) else {
            self.runs.push(Run::of_one(hint, node));
            return;
        };
        let len = target.nodes.len();
        if len >= LONGEST_RUN {
            let behind = run.saturating_add(1);
            if is_last && place >= len {
                // Where each comes last, halves would never be filled.
                self.runs.push(Run::of_one(hint, node));
                return;
            }
            let rest = target.split();
            let half = target.nodes.len();
            self.runs.insert(behind, rest);
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
        target.insert(place, hint, node);
    }

    /// Takes out what is at a position from [`Self::position`] or
    /// [`Self::anywhere`].
    pub(crate) fn remove(&mut self, position: Position) {
        let (number, place) = position.parts();
        if let Some(run) = self.runs.get_mut(number) {
            run.remove(place);
            if run.nodes.is_empty() {
                self.runs.remove(number);
            }
        }
    }

    /// When the node at such a position was made.
    pub(crate) fn born(&self, position: Position) -> Option<u64> {
        Some(self.node(position)?.born)
    }

    /// Where a node is, if it is where its key belongs.
    ///
    /// # Safety
    /// The nodes are valid, this one included.
    pub(crate) unsafe fn position(&self, node: *mut ConnContext) -> Option<Position> {
        let position = if self.first() == node {
            Position::default()
        } else {
            // SAFETY: the caller's promise; names are NULL or NUL-terminated.
            unsafe { self.search(key_of(node)?) }.0
        };
        (self.node(position)?.context == node).then_some(position)
    }

    fn node(&self, position: Position) -> Option<&Node> {
        let (run, place) = position.parts();
        self.runs.get(run)?.nodes.get(place)
    }

    /// Where a node is, even if the program has changed its fields since it
    /// came.
    pub(crate) fn anywhere(&self, node: *mut ConnContext) -> Option<Position> {
        self.runs.iter().enumerate().find_map(|(number, run)| {
            let place = run.nodes.iter().position(|known| known.context == node)?;
            Some(Position::new(number, place))
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
            for (known, node) in run.hints.iter_mut().zip(&run.nodes) {
                // SAFETY: the caller's promise; names are NULL or
                // NUL-terminated.
                let name = unsafe { alloc::bytes((*node.context).username) };
                *known = hint(name.and_then(|name| name.get(shared..)).unwrap_or_default());
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
pub(crate) unsafe fn key_of<'a>(node: *mut ConnContext) -> Option<Key<'a>> {
    // SAFETY: the caller's promise.
    unsafe {
        let names = [(*node).username, (*node).accountname, (*node).protocol];
        let [username, accountname, protocol] = names.map(<*mut c_char>::cast_const);
        if username.is_null() || accountname.is_null() || protocol.is_null() {
            return None;
        }
        Some(Key {
            username: CStr::from_ptr(username),
            accountname,
            protocol,
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

    fn new(context: *mut ConnContext) -> Node {
        Node { context, born: 0 }
    }

    fn key(name: &CStr) -> Key<'_> {
        Key {
            username: name,
            accountname: c"account".as_ptr(),
            protocol: c"protocol".as_ptr(),
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
                let (position, _) = sorted.search(key(&name));
                sorted.insert(position, new(node), name.to_bytes());
            }
            expected.insert(
                expected.partition_point(|known| *known < text.as_str()),
                text,
            );
            made.push(node);
        }
        assert_eq!(names(&sorted), expected);
        assert!(sorted.runs.iter().all(|run| run.nodes.len() <= LONGEST_RUN));
        for (node, text) in made.iter().zip(texts).step_by(2) {
            // SAFETY: as above.
            let position = unsafe { sorted.position(*node) }.unwrap();
            assert_eq!(sorted.anywhere(*node).unwrap(), position);
            sorted.remove(position);
            expected.retain(|known| known != text);
        }
        assert_eq!(names(&sorted), expected);
        let mut again = Sorted::default();
        for node in sorted.nodes() {
            // SAFETY: as above.
            unsafe { again.push(new(node)) };
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
