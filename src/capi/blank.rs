//! Memory for the parts of a context that most contexts never use.
//!
//! A context points to a private part and to the state of a comparison of
//! secrets, 832 bytes that are all zero until the conversation becomes
//! private. They come from pages that the operating system provides when they
//! are first written, so that a contact one never talks to costs address
//! space only. Contexts are often kept by the thousand.

use core::mem::offset_of;
use core::ptr;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

use super::alloc::free;
use super::context::ConnContext;
use super::context_priv::ConnContextPriv;
use super::sm::OtrlSMState;

/// The parts of one context.
#[repr(C)]
pub(crate) struct Parts {
    pub(crate) private: ConnContextPriv,
    pub(crate) smp: OtrlSMState,
}

/// How many contexts share one mapping.
const SLOTS: usize = 256;
const MAPPING: usize = SLOTS * size_of::<Parts>();

/// Parts that are all zero, or NULL without memory.
pub(crate) fn take(owner: *mut ConnContext) -> *mut Parts {
    lock().take(owner)
}

/// The context for which the state of a comparison was made, if it came from
/// [`take`].
pub(crate) fn owner_of_comparison(smp: *mut OtrlSMState) -> Option<*mut ConnContext> {
    let pool = lock();
    let slot = pool.slot(smp.addr().wrapping_sub(offset_of!(Parts, smp)))?;
    let mapping = pool.mappings.get(&slot.mapping)?;
    mapping
        .owners
        .get(usize::from(slot.number))
        .map(|owner| owner.0)
}

/// Whether `part` points to a part from [`take`] with nothing but zero bytes in
/// it. Looking costs no page, and saves writing to one.
///
/// # Safety
/// `part` is valid.
pub(crate) unsafe fn is_blank<T>(part: *const T) -> bool {
    let pool = lock();
    // SAFETY: within a mapping every byte is initialised.
    pool.contains(part.addr())
        && is_zero(unsafe { core::slice::from_raw_parts(part.cast::<u8>(), size_of::<T>()) })
}

/// Whether all bytes are zero, without a branch for each.
fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_ne_bytes(*word));
    words.fold(0, |sum, word| sum | word) == 0 && rest.iter().all(|byte| *byte == 0)
}

/// Releases the parts of a context if both are from [`take`] and there is
/// nothing but zero bytes in them; says whether.
///
/// # Safety
/// As for [`release`], if they are released.
pub(crate) unsafe fn release_blank(private: *mut ConnContextPriv, smp: *mut OtrlSMState) -> bool {
    let mut pool = lock();
    let Some(slot) = pool.slot(private.addr()) else {
        return false;
    };
    let together = slot.parts.addr().wrapping_add(offset_of!(Parts, smp)) == smp.addr();
    // SAFETY: within a mapping every byte is initialised.
    if !together || !is_zero(unsafe { slot.bytes() }) {
        return false;
    }
    pool.put_back(slot);
    true
}

/// Wipes and releases the parts of a context, wherever each came from: from
/// [`take`], or from `malloc` if the program has put in one of its own.
///
/// # Safety
/// Both are NULL, from [`take`] or from `malloc`, hold nothing that would
/// have to be released, and are not used any more.
pub(crate) unsafe fn release(private: *mut ConnContextPriv, smp: *mut OtrlSMState) {
    let mut pool = lock();
    let slot = pool.slot(private.addr());
    let smp_slot = pool.slot(smp.addr().wrapping_sub(offset_of!(Parts, smp)));
    // SAFETY: the caller's promise.
    unsafe {
        match slot {
            Some(slot) => pool.give_back(slot),
            None => free(private),
        }
        match smp_slot {
            Some(other) if slot.is_none_or(|slot| slot.parts != other.parts) => {
                pool.give_back(other);
            }
            Some(_) => {}
            None => free(smp),
        }
    }
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    mappings: BTreeMap::new(),
    with_room: Vec::new(),
});

fn lock() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Pool {
    /// By address.
    mappings: BTreeMap<usize, Mapping>,
    /// Addresses of mappings with free slots.
    with_room: Vec<usize>,
}

struct Mapping {
    memory: Memory,
    /// The free slots.
    free: Vec<u16>,
    /// The context of each slot; of free ones, the one before.
    owners: Vec<Owner>,
}

/// The context to which parts belong.
struct Owner(*mut ConnContext);

// SAFETY: an address alone does no harm.
unsafe impl Send for Owner {}

/// Pages from the operating system.
struct Memory(*mut Parts);

// SAFETY: the pages belong to the process, not to a thread.
unsafe impl Send for Memory {}

impl Memory {
    fn map() -> Option<Self> {
        // SAFETY: a mapping at an address of the system's choice harms nothing.
        let pages = unsafe {
            libc::mmap(
                ptr::null_mut(),
                MAPPING,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        (pages != libc::MAP_FAILED).then_some(Self(pages.cast()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped with this size; no slot is in use.
        unsafe { libc::munmap(self.0.cast(), MAPPING) };
    }
}

impl Pool {
    fn take(&mut self, owner: *mut ConnContext) -> *mut Parts {
        if self.with_room.is_empty() {
            let Some(memory) = Memory::map() else {
                return ptr::null_mut();
            };
            let address = memory.0.addr();
            #[allow(clippy::cast_possible_truncation)] // SLOTS fits.
            let free = (0..SLOTS as u16).rev().collect();
            self.mappings.insert(
                address,
                Mapping {
                    memory,
                    free,
                    owners: Vec::new(),
                },
            );
            self.with_room.push(address);
        }
        let Some(mapping) = self
            .with_room
            .last()
            .and_then(|address| self.mappings.get_mut(address))
        else {
            return ptr::null_mut();
        };
        let Some(slot) = mapping.free.pop() else {
            return ptr::null_mut();
        };
        if mapping.free.is_empty() {
            self.with_room.pop();
        }
        let number = usize::from(slot);
        if mapping.owners.len() <= number {
            mapping
                .owners
                .resize_with(number.saturating_add(1), || Owner(ptr::null_mut()));
        }
        if let Some(known) = mapping.owners.get_mut(number) {
            *known = Owner(owner);
        }
        mapping.memory.0.wrapping_add(usize::from(slot))
    }

    /// Whether an address is in one of the mappings.
    fn contains(&self, address: usize) -> bool {
        self.mappings
            .range(..=address)
            .next_back()
            .is_some_and(|(start, _)| address.saturating_sub(*start) < MAPPING)
    }

    /// The slot at this address, if there is one.
    fn slot(&self, address: usize) -> Option<Slot> {
        let (&mapping, found) = self.mappings.range(..=address).next_back()?;
        let offset = address.checked_sub(mapping)?;
        if offset >= MAPPING || !offset.is_multiple_of(size_of::<Parts>()) {
            return None;
        }
        let number = u16::try_from(offset.checked_div(size_of::<Parts>())?).ok()?;
        Some(Slot {
            mapping,
            number,
            parts: found.memory.0.wrapping_add(usize::from(number)),
        })
    }

    /// # Safety
    /// The slot is in use, and not used any more.
    unsafe fn give_back(&mut self, slot: Slot) {
        // SAFETY: the caller's promise.
        let bytes = unsafe { slot.bytes() };
        // Looking costs no page; wiping what is blank would.
        if !is_zero(bytes) {
            bytes.zeroize();
        }
        self.put_back(slot);
    }

    fn put_back(&mut self, slot: Slot) {
        let Some(mapping) = self.mappings.get_mut(&slot.mapping) else {
            return;
        };
        if mapping.free.is_empty() {
            self.with_room.push(slot.mapping);
        }
        mapping.free.push(slot.number);
        if mapping.free.len() == SLOTS && self.with_room.len() > 1 {
            self.with_room.retain(|other| *other != slot.mapping);
            self.mappings.remove(&slot.mapping);
        }
    }
}

/// One slot of a mapping.
#[derive(Clone, Copy)]
struct Slot {
    mapping: usize,
    number: u16,
    parts: *mut Parts,
}

impl Slot {
    /// # Safety
    /// The slot is in use, and nothing else refers to it meanwhile.
    unsafe fn bytes<'a>(self) -> &'a mut [u8] {
        // SAFETY: the caller's promise; within a mapping every byte is
        // initialised.
        unsafe { core::slice::from_raw_parts_mut(self.parts.cast::<u8>(), size_of::<Parts>()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_blank_and_come_back_blank() {
        let all: Vec<_> = (0..3 * SLOTS).map(|_| take(ptr::null_mut())).collect();
        for parts in &all {
            // SAFETY: taken above; all-zero structures are valid.
            unsafe {
                assert_eq!((**parts).private.lastrecv, 0);
                (**parts).private.lastrecv = 1;
            }
        }
        for parts in all {
            // SAFETY: taken above, given back once.
            unsafe { release(&raw mut (*parts).private, &raw mut (*parts).smp) };
        }
        let again = take(ptr::null_mut());
        // SAFETY: taken above, given back once.
        unsafe {
            assert_eq!((*again).private.lastrecv, 0);
            release(&raw mut (*again).private, &raw mut (*again).smp);
        }
    }

    #[test]
    fn only_blank_parts_go_as_blank() {
        let (parts, other) = (take(ptr::null_mut()), take(ptr::null_mut()));
        // SAFETY: taken above, given back once.
        unsafe {
            let (private, smp) = (&raw mut (*parts).private, &raw mut (*parts).smp);
            assert!(!release_blank(private, &raw mut (*other).smp));
            assert!(!release_blank(ptr::null_mut(), smp));
            (*private).lastsent = 1;
            assert!(!release_blank(private, smp));
            (*private).lastsent = 0;
            assert!(release_blank(private, smp));
            release(&raw mut (*other).private, &raw mut (*other).smp);
        }
    }

    #[test]
    fn parts_from_malloc_are_freed() {
        let parts = take(ptr::null_mut());
        let own = super::super::alloc::zeroed();
        // SAFETY: as documented; the tools that watch memory see to the rest.
        unsafe {
            release(&raw mut (*parts).private, own);
            release(ptr::null_mut(), ptr::null_mut());
        }
    }
}
