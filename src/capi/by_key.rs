//! A hash table of contexts: finds one faster than the sorted arrays of `order`,
//! which tell where one that is missing belongs.

use core::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::context::ConnContext;
use super::order::{Key, compare, key_of};

/// Contexts by the keys that they had when they came.
pub(crate) struct ByKey {
    /// Its keys are secret: names come from the network.
    hasher: DefaultHashBuilder,
    table: HashTable<(u64, Address)>,
}

/// The address of a context.
struct Address(*mut ConnContext);

// SAFETY: an address alone does no harm. It is followed only in calls for the
// user state that owns the context, and C promises not to make two of these
// at a time.
unsafe impl Send for Address {}

impl ByKey {
    /// A table of these nodes.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn new(nodes: impl Iterator<Item = *mut ConnContext>) -> Self {
        let mut new = Self {
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
        };
        for node in nodes {
            // SAFETY: the caller's promise.
            if let Some(key) = unsafe { key_of(node) } {
                new.insert(key, node);
            }
        }
        new
    }

    /// Of what differs most: hardly anybody has the same correspondent in
    /// several accounts.
    fn hash(&self, key: Key<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.username.to_bytes());
        hasher.write_u32(key.their_instance);
        hasher.finish()
    }

    /// Adds a node with this key.
    pub(crate) fn insert(&mut self, key: Key<'_>, node: *mut ConnContext) {
        let hash = self.hash(key);
        let entry = (hash, Address(node));
        self.table.insert_unique(hash, entry, |(hash, _)| *hash);
    }

    /// A node with this key, whose names are still these.
    ///
    /// # Safety
    /// The nodes are valid.
    pub(crate) unsafe fn find(&self, key: Key<'_>) -> Option<*mut ConnContext> {
        let hash = self.hash(key);
        let is_it = |(known, node): &(u64, Address)| {
            // SAFETY: the caller's promise.
            *known == hash && unsafe { compare(node.0, key) }.is_eq()
        };
        self.table.find(hash, is_it).map(|(_, node)| node.0)
    }

    /// Takes a node out, whatever its names are by now.
    ///
    /// # Safety
    /// `node` points to a context.
    pub(crate) unsafe fn remove(&mut self, node: *mut ConnContext) {
        // SAFETY: the caller's promise.
        let hash = unsafe { key_of(node) }.map(|key| self.hash(key));
        let entry = hash.and_then(|hash| {
            let entry = self.table.find_entry(hash, |(_, known)| known.0 == node);
            entry.ok()
        });
        match entry {
            Some(entry) => drop(entry.remove()),
            // The program has changed its names since.
            None => self.table.retain(|(_, known)| known.0 != node),
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.table.len()
    }
}
