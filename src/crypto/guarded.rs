//! A box for secrets that stay in memory for long: the secret of a private
//! key, D-H exponents, session keys.
//!
//! Its memory is kept out of core dumps and, as far as the system permits it,
//! locked, so that it is never written to a swap device: see [`pages`]. What
//! cannot be locked works all the same. Everything that was in the box is
//! wiped when it goes.
#![allow(unsafe_code, reason = "a box in memory of its own")]

mod pages;

use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// A value in guarded memory.
///
/// Making one costs some ten nanoseconds more than a [`Box`], using it
/// nothing.
pub(crate) struct Guarded<T> {
    value: NonNull<T>,
    owns: PhantomData<T>,
}

impl<T> Guarded<T> {
    /// Whether values of this type fit into the smallest pages there are.
    const FITS: () = assert!(
        mem::size_of::<T>() > 0
            && mem::size_of::<T>() <= pages::LONGEST
            && mem::align_of::<T>() <= pages::ALIGN
    );

    /// Moves a value into guarded memory. What moves may leave a copy on the
    /// stack, as with a [`Box`]: see [`scrubbed`](super::secret::scrubbed).
    pub(crate) fn new(value: T) -> Self {
        let () = Self::FITS;
        let memory = pages::take(mem::size_of::<T>()).cast::<T>();
        // SAFETY: the memory is the value's alone, and long and aligned enough
        // (`FITS`).
        unsafe { memory.write(value) };
        Self {
            value: memory,
            owns: PhantomData,
        }
    }
}

impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value was written by `new` and lives as long as the box.
        unsafe { self.value.as_ref() }
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above; who has the box alone has its value alone.
        unsafe { self.value.as_mut() }
    }
}

impl<T: Clone> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the value is there, and is not touched after this; its
        // memory is from `pages::take` with this length.
        unsafe {
            self.value.drop_in_place();
            pages::give_back(self.value.cast(), mem::size_of::<T>());
        }
    }
}

// SAFETY: a guarded value is owned by its box, as in a `Box`.
unsafe impl<T: Send> Send for Guarded<T> {}
// SAFETY: a shared box gives shared access to its value only.
unsafe impl<T: Sync> Sync for Guarded<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn a_value_is_kept_changed_copied_and_dropped() {
        let counted = Rc::new(());
        let mut first = Guarded::new((Rc::clone(&counted), [7_u64; 20]));
        first.1[3] = 9;
        let second = first.clone();
        first.1[3] = 1;
        assert_eq!((first.1[3], second.1[3], second.1[19]), (1, 9, 7));
        assert_eq!(Rc::strong_count(&counted), 3);
        drop(first);
        assert_eq!(Rc::strong_count(&counted), 2);
        assert_eq!(second.1[3], 9);
        drop(second);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn boxes_of_many_threads_do_not_overlap() {
        std::thread::scope(|scope| {
            for mark in 0..8_u8 {
                scope.spawn(move || {
                    let mut boxes = Vec::new();
                    for round in 0..200_usize {
                        boxes.push(Guarded::new([mark; 200]));
                        if round % 3 == 0 {
                            boxes.swap_remove(round % boxes.len());
                        }
                    }
                    assert!(boxes.iter().all(|kept| **kept == [mark; 200]));
                });
            }
        });
    }
}
