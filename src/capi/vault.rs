//! Rust state that belongs to a C object.
//!
//! A [`Vault`] is a table from the address of a C object to a value. There is
//! one for each kind of object, so an address of one kind never finds the
//! state of another. Whoever makes or blanks an object overwrites or removes
//! the entry, so an address that `malloc` hands out again finds nothing old.
//!
//! A step takes its value out, works on it, puts it back, and only then may
//! the application run: see [`Vault::step`]. The lock is held for the moments
//! of taking and putting, never while anything else runs. If a step panics,
//! its value is dropped: the conversation loses its keys rather than going on
//! with half of an update.

use core::hash::{BuildHasherDefault, Hasher};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values of type `T` that belong to C objects of type `K`.
pub(crate) struct Vault<K, T> {
    table: Mutex<HashMap<usize, Entry<T>, ByAddress>>,
    kind: PhantomData<fn(*mut K)>,
}

struct Entry<T> {
    serial: u64,
    /// `None` while a step has it.
    value: Option<Box<Labelled<T>>>,
}

/// A value, and where it belongs.
struct Labelled<T> {
    address: usize,
    serial: u64,
    value: T,
}

impl<K, T> Vault<K, T> {
    /// An empty table.
    pub(crate) const fn new() -> Self {
        Self {
            table: Mutex::new(HashMap::with_hasher(BuildHasherDefault::new())),
            kind: PhantomData,
        }
    }

    /// Gives `object` a value, in place of any it had. Returns the serial
    /// number of the entry, which no other entry will ever have.
    pub(crate) fn set(&self, object: *mut K, value: T) -> u64 {
        let (serial, address) = (next_serial(), object.addr());
        let labelled = Labelled {
            address,
            serial,
            value,
        };
        let entry = Entry {
            serial,
            value: Some(Box::new(labelled)),
        };
        let old = self.lock().insert(address, entry);
        drop(old);
        serial
    }

    /// Drops the value of `object`, if it has one.
    pub(crate) fn remove(&self, object: *mut K) {
        let mut table = self.lock();
        let old = table.remove(&object.addr());
        trim(&mut table);
        drop(table);
        drop(old);
    }

    /// The serial number of the entry of `object`, if it has one.
    pub(crate) fn serial(&self, object: *mut K) -> Option<u64> {
        self.lock().get(&object.addr()).map(|entry| entry.serial)
    }

    /// Whether `object` has a value.
    #[cfg(test)]
    fn contains(&self, object: *mut K) -> bool {
        self.lock()
            .get(&object.addr())
            .is_some_and(|entry| entry.value.is_some())
    }

    /// Lends the value of `object` to `work` and puts it back. `None` if
    /// there is none, or if another step has it.
    pub(crate) fn step<R>(&self, object: *mut K, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut loan = self.take(object)?;
        let result = work(loan.value());
        loan.put_back();
        Some(result)
    }

    /// Takes the value of `object` out as [`Self::take`] does, and makes it if
    /// there is none. `None` if another step has it.
    pub(crate) fn take_or_make(
        &self,
        object: *mut K,
        make: impl FnOnce() -> T,
    ) -> Option<Loan<'_, K, T>> {
        if let Some(entry) = self.lock().get_mut(&object.addr()) {
            return Some(Loan {
                vault: self,
                labelled: entry.value.take()?,
            });
        }
        self.set(object, make());
        self.take(object)
    }

    /// Takes the value of `object` out until the loan is put back; a loan
    /// that is dropped takes the value with it.
    pub(crate) fn take(&self, object: *mut K) -> Option<Loan<'_, K, T>> {
        let mut table = self.lock();
        let entry = table.get_mut(&object.addr())?;
        Some(Loan {
            vault: self,
            labelled: entry.value.take()?,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Entry<T>, ByAddress>> {
        // Nothing panics while the lock is held; if something did, the table
        // itself would still be in order.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that was taken out of its vault; two words, so that passing it on
/// costs nothing.
pub(crate) struct Loan<'a, K, T> {
    vault: &'a Vault<K, T>,
    labelled: Box<Labelled<T>>,
}

impl<K, T> Loan<'_, K, T> {
    /// The value.
    pub(crate) fn value(&mut self) -> &mut T {
        &mut self.labelled.value
    }

    /// Gives the value back to its object, unless the entry was removed or
    /// replaced meanwhile: then the value is dropped.
    pub(crate) fn put_back(self) {
        let mut table = self.vault.lock();
        match table.get_mut(&self.labelled.address) {
            Some(entry) if entry.serial == self.labelled.serial => {
                entry.value = Some(self.labelled);
            }
            _ => {
                drop(table);
                drop(self.labelled);
            }
        }
    }
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

/// Releases the memory of a table that has become empty, so that a program
/// that has released everything has nothing left.
pub(crate) fn trim<K, V, S: Default>(table: &mut HashMap<K, V, S>) {
    if table.is_empty() && table.capacity() > 0 {
        *table = HashMap::default();
    }
}

/// A number that was not used before in this process.
fn next_serial() -> u64 {
    NEXT_SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// Hashing for addresses, which nobody outside the process chooses.
pub(crate) type ByAddress = BuildHasherDefault<AddressHasher>;

/// See [`ByAddress`].
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing; the table takes its bits from both ends.
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    struct Object;

    fn object(number: usize) -> *mut Object {
        core::ptr::without_provenance_mut(number)
    }

    #[test]
    fn values_are_lent_and_kept() {
        let vault = Vault::new();
        let serial = vault.set(object(8), 1);
        assert_eq!(vault.step(object(8), |n| core::mem::replace(n, 2)), Some(1));
        assert_eq!(vault.step(object(8), |n| *n), Some(2));
        assert_eq!(vault.serial(object(8)), Some(serial));
        assert_eq!(vault.step(object(16), |n| *n), None);
        vault.remove(object(8));
        assert!(!vault.contains(object(8)));
    }

    #[test]
    fn a_value_cannot_be_lent_twice() {
        let vault = Vault::new();
        vault.set(object(8), 1);
        let inner = vault.step(object(8), |_| vault.step(object(8), |n| *n));
        assert_eq!(inner, Some(None));
    }

    #[test]
    fn a_replaced_object_keeps_its_new_value() {
        let vault = Vault::new();
        vault.set(object(8), 1);
        let loan = vault.take(object(8)).unwrap();
        vault.set(object(8), 2);
        loan.put_back();
        assert_eq!(vault.step(object(8), |n| *n), Some(2));
        let loan = vault.take(object(8)).unwrap();
        vault.remove(object(8));
        loan.put_back();
        assert!(!vault.contains(object(8)));
    }

    #[test]
    fn a_step_that_panics_loses_its_value() {
        let (vault, value) = (Vault::new(), Rc::new(()));
        vault.set(object(8), Rc::clone(&value));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            vault.step(object(8), |_| panic!("expected by the test"));
        }));
        assert!(outcome.is_err());
        assert!(!vault.contains(object(8)));
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
