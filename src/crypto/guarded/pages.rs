//! Pages of memory for secrets: out of core dumps, locked if that is allowed.
//!
//! Both can only be had for whole pages of the system, and a page is far
//! longer than a key. So a page is shared: it has [`BLOCKS`] blocks of equal
//! size, the first of which says which others are in use.
//!
//! A program may lock only so much memory, on many systems 64 KiB. A quarter
//! of that is taken here at most, so that enough is left for the program
//! itself and for libgcrypt; pages beyond it are kept out of core dumps only.
#![allow(unsafe_code, reason = "asks the system for memory and divides it")]

use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

/// The blocks of a page; as many as `Page::used` has bits.
const BLOCKS: usize = 128;
/// The smallest page of any system, and so the smallest block.
const SMALLEST_PAGE: usize = 4096;
/// How every piece of memory is aligned.
pub(super) const ALIGN: usize = SMALLEST_PAGE / BLOCKS;
/// The longest piece of memory that there is on any system.
pub(super) const LONGEST: usize = SMALLEST_PAGE - ALIGN;

/// What a page begins with.
#[repr(C)]
struct Page {
    /// A bit for each block in use, this one's included.
    used: u128,
    /// Where the page stands in [`Pages::all`].
    place: usize,
    locked: bool,
}

const _: () = assert!(size_of::<Page>() <= ALIGN && align_of::<Page>() <= ALIGN);

/// `Page::used` of a page that holds nothing.
const EMPTY: u128 = 1;

/// A page, to which nobody has access who has not locked [`PAGES`].
#[derive(Clone, Copy)]
struct Mapped(NonNull<Page>);

// SAFETY: the memory belongs to the process, not to a thread.
unsafe impl Send for Mapped {}

/// All pages.
struct Pages {
    /// First those that are taken to be full, then the others.
    all: Vec<Mapped>,
    full: usize,
    /// How many pages hold nothing. One is kept, so that a lonely secret that
    /// comes and goes does not cost system calls.
    empty: usize,
    /// How many pages are locked.
    locked: usize,
    /// The process that has locked them: a child that was forked has not.
    process: u32,
}

static PAGES: Mutex<Pages> = Mutex::new(Pages {
    all: Vec::new(),
    full: 0,
    empty: 0,
    locked: 0,
    process: 0,
});

/// Nothing in here panics half way, so whoever did has left the pages whole.
fn pages() -> MutexGuard<'static, Pages> {
    PAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory for `len` bytes, at most [`LONGEST`], aligned to [`ALIGN`]. Ends the program if there is no memory, as Rust's
/// collections do.
pub(super) fn take(len: usize) -> NonNull<u8> {
    pages().take(len)
}

/// Wipes memory and takes it back.
///
/// # Safety
/// `memory` is from [`take`] with the same `len`, and not used any more.
pub(super) unsafe fn give_back(memory: NonNull<u8>, len: usize) {
    // SAFETY: the caller's promise: these bytes are the caller's alone, and
    // after this nobody's.
    unsafe {
        let bytes = memory.as_ptr().cast::<MaybeUninit<u8>>();
        core::slice::from_raw_parts_mut(bytes, len).zeroize();
        pages().give_back(memory, len);
    }
}

impl Pages {
    fn take(&mut self, len: usize) -> NonNull<u8> {
        let block = system::page_size() / BLOCKS;
        let count = len.div_ceil(block);
        self.lock_after_fork();
        loop {
            let page = match self.all.get(self.full..).and_then(<[_]>::last) {
                Some(page) => *page,
                None => self.map(),
            };
            // SAFETY: who calls has locked the pages, so the reference is the
            // only one to the page's head; values lie behind it.
            let head = unsafe { page.head() };
            if let Some(first) = run_of(!head.used, count) {
                if head.used == EMPTY {
                    self.empty = self.empty.wrapping_sub(1);
                }
                head.used |= run(first, count);
                // SAFETY: the block lies in the page.
                return unsafe { page.0.cast::<u8>().add(first.wrapping_mul(block)) };
            }
            self.swap(self.all.len().wrapping_sub(1), self.full);
            self.full = self.full.wrapping_add(1);
        }
    }

    /// # Safety
    /// As [`give_back`]; the memory is wiped.
    unsafe fn give_back(&mut self, memory: NonNull<u8>, len: usize) {
        let size = system::page_size();
        let block = size / BLOCKS;
        let offset = memory.addr().get() & size.wrapping_sub(1);
        // SAFETY: pages are aligned to their size, and memory lies in one.
        let page = Mapped(unsafe { memory.sub(offset) }.cast());
        // SAFETY: as in `take`.
        let head = unsafe { page.head() };
        head.used &= !run(offset.checked_div(block).unwrap_or(0), len.div_ceil(block));
        let mut place = head.place;
        let is_empty = head.used == EMPTY;
        if place < self.full {
            self.full = self.full.wrapping_sub(1);
            self.swap(place, self.full);
            place = self.full;
        }
        if !is_empty {
            return;
        }
        if self.empty == 0 {
            self.empty = 1;
            return;
        }
        self.swap(place, self.all.len().wrapping_sub(1));
        self.all.pop();
        // SAFETY: as above; no block of the page is in use, and it is in no
        // list any more.
        unsafe {
            if page.head().locked {
                self.locked = self.locked.wrapping_sub(1);
            }
            system::unmap(page.0.cast(), size);
        }
    }

    /// A new page with nothing in it.
    fn map(&mut self) -> Mapped {
        let size = system::page_size();
        let page = Mapped(system::map(size).cast());
        // SAFETY: the page is new and long enough for its head.
        unsafe {
            page.0.write(Page {
                used: EMPTY,
                place: self.all.len(),
                locked: false,
            });
        }
        self.all.push(page);
        self.empty = self.empty.wrapping_add(1);
        self.lock(page);
        page
    }

    /// Locks a page, if there is room for it within the limit.
    fn lock(&mut self, page: Mapped) {
        let size = system::page_size();
        let wanted = self.locked.wrapping_add(1).saturating_mul(size);
        if wanted > system::lockable() / 4 {
            return;
        }
        // SAFETY: the page is mapped; its head as in `take`.
        unsafe {
            if system::lock(page.0.cast(), size) {
                page.head().locked = true;
                self.locked = self.locked.wrapping_add(1);
            }
        }
    }

    /// A process that was forked inherits pages, but no locks.
    fn lock_after_fork(&mut self) {
        let process = std::process::id();
        if process == core::mem::replace(&mut self.process, process) {
            return;
        }
        self.locked = 0;
        for place in 0..self.all.len() {
            if let Some(page) = self.all.get(place).copied() {
                // SAFETY: as in `take`.
                unsafe { page.head() }.locked = false;
                self.lock(page);
            }
        }
    }

    /// Changes the places of two pages.
    fn swap(&mut self, one: usize, other: usize) {
        self.all.swap(one, other);
        for place in [one, other] {
            if let Some(page) = self.all.get(place) {
                // SAFETY: as in `take`.
                unsafe { page.head() }.place = place;
            }
        }
    }
}

impl Mapped {
    /// # Safety
    /// The page is mapped, the caller has locked [`PAGES`] and keeps no other
    /// reference from this function.
    #[allow(clippy::mut_from_ref, reason = "it is behind a pointer")]
    unsafe fn head(&self) -> &mut Page {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.as_ptr() }
    }
}

/// `count` bits from `first` on.
fn run(first: usize, count: usize) -> u128 {
    let ones = u128::MAX >> BLOCKS.wrapping_sub(count);
    ones << first
}

/// The first of `count` neighbouring ones in `free`. `count` is not zero.
fn run_of(free: u128, count: usize) -> Option<usize> {
    let (mut starts, mut have) = (free, 1_usize);
    while have < count {
        let step = have.min(count.wrapping_sub(have));
        starts &= starts >> step;
        have = have.wrapping_add(step);
    }
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

/// What is asked of the system.
#[cfg(unix)]
mod system {
    use super::{NonNull, SMALLEST_PAGE};
    use core::ptr;
    use std::alloc::{Layout, handle_alloc_error};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How long a page is.
    pub(super) fn page_size() -> usize {
        static SIZE: AtomicUsize = AtomicUsize::new(0);
        match SIZE.load(Ordering::Relaxed) {
            0 => {
                // SAFETY: asks for a number.
                let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
                let size = usize::try_from(size).unwrap_or(0).max(SMALLEST_PAGE);
                SIZE.store(size, Ordering::Relaxed);
                size
            }
            size => size,
        }
    }

    /// How many bytes the program may lock.
    pub(super) fn lockable() -> usize {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: writes to the structure.
        match unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } {
            0 => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    /// A new page, zero, aligned to its size and absent from core dumps.
    pub(super) fn map(size: usize) -> NonNull<u8> {
        // SAFETY: maps new memory, wherever the system likes.
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        let page = match NonNull::new(page) {
            Some(page) if page.as_ptr() != libc::MAP_FAILED => page.cast::<u8>(),
            _ => handle_alloc_error(Layout::new::<[u8; SMALLEST_PAGE]>()),
        };
        // SAFETY: gives advice about memory that was mapped above. A system
        // that does not take it goes on without.
        unsafe {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            libc::madvise(page.as_ptr().cast(), size, libc::MADV_DONTDUMP);
            #[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
            libc::madvise(page.as_ptr().cast(), size, libc::MADV_NOCORE);
        }
        page
    }

    /// # Safety
    /// `page` is from [`map`] with this size and not used any more.
    pub(super) unsafe fn unmap(page: NonNull<u8>, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { libc::munmap(page.as_ptr().cast(), size) };
    }

    /// Whether the system has locked the page.
    ///
    /// # Safety
    /// `page` is from [`map`] with this size.
    pub(super) unsafe fn lock(page: NonNull<u8>, size: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { libc::mlock(page.as_ptr().cast(), size) == 0 }
    }
}

/// Where nothing is known about locking, ordinary memory.
#[cfg(not(unix))]
mod system {
    use super::{NonNull, SMALLEST_PAGE};
    use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

    const LAYOUT: Layout = match Layout::from_size_align(SMALLEST_PAGE, SMALLEST_PAGE) {
        Ok(layout) => layout,
        Err(_) => panic!(),
    };

    pub(super) fn page_size() -> usize {
        SMALLEST_PAGE
    }

    pub(super) fn lockable() -> usize {
        0
    }

    pub(super) fn map(_size: usize) -> NonNull<u8> {
        // SAFETY: the length is not zero.
        let page = unsafe { alloc_zeroed(LAYOUT) };
        NonNull::new(page).unwrap_or_else(|| handle_alloc_error(LAYOUT))
    }

    pub(super) unsafe fn unmap(page: NonNull<u8>, _size: usize) {
        // SAFETY: the caller's promise: the page is from `map`.
        unsafe { dealloc(page.as_ptr(), LAYOUT) };
    }

    pub(super) unsafe fn lock(_page: NonNull<u8>, _size: usize) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_free_blocks_are_found() {
        assert_eq!(run_of(!EMPTY, 127), Some(1));
        assert_eq!(run_of(!EMPTY, 128), None);
        assert_eq!(run_of(0b0111_0110, 2), Some(1));
        assert_eq!(run_of(0b0111_0110, 3), Some(4));
        assert_eq!(run_of(0, 1), None);
        assert_eq!((run(1, 3), run(0, 128)), (0b1110, u128::MAX));
    }

    /// Pieces of all lengths, in an order that leaves holes everywhere.
    #[test]
    fn pieces_are_disjoint_and_everything_is_given_back() {
        let mut own = Pages {
            all: Vec::new(),
            full: 0,
            empty: 0,
            locked: 0,
            process: 0,
        };
        let mut kept: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
        let mut number = 1_usize;
        for round in 0..5000_usize {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let len = 1 + (number >> 40) % LONGEST;
            if kept.len() > 60 || (round > 4000 && !kept.is_empty()) {
                let (memory, len, mark) = kept.swap_remove((number >> 33) % kept.len());
                // SAFETY: the piece is this test's and has this length.
                unsafe {
                    let bytes = core::slice::from_raw_parts(memory.as_ptr(), len);
                    assert!(bytes.iter().all(|byte| *byte == mark));
                    own.give_back(memory, len);
                }
            } else {
                let (memory, mark) = (own.take(len), round as u8);
                assert_eq!(memory.addr().get() % ALIGN, 0);
                // SAFETY: as above.
                unsafe { memory.write_bytes(mark, len) };
                kept.push((memory, len, mark));
            }
            assert!(own.full <= own.all.len() && own.empty <= 1);
        }
        for (memory, len, _) in kept {
            // SAFETY: as above.
            unsafe { own.give_back(memory, len) };
        }
        assert_eq!((own.all.len(), own.full, own.empty), (1, 0, 1));
        assert!(own.locked <= 1);
    }
}
