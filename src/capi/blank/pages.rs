//! Which pages of a mapping the system has not provided yet.
//!
//! Such a page is all zero, and reading it to find that out would make the
//! system provide for it after all, at more cost than everything else that is
//! done for the contexts whose parts are there.

/// What is known about the pages of a mapping.
#[derive(Default)]
pub(super) struct Pages {
    /// The size of a page, 0 if nothing is known.
    size: usize,
    /// For each page whether it is there, in the lowest bit.
    there: Vec<u8>,
}

impl Pages {
    /// Whether none of the pages with these bytes was ever written to. False
    /// where that is not known.
    pub(super) fn are_untouched(&self, offset: usize, len: usize) -> bool {
        let page = |offset: usize| offset.checked_div(self.size);
        let last = offset.checked_add(len).and_then(|end| end.checked_sub(1));
        let (Some(first), Some(last)) = (page(offset), last.and_then(page)) else {
            return false;
        };
        let pages = self.there.get(first..=last);
        pages.is_some_and(|pages| pages.iter().all(|there| there & 1 == 0))
    }

    /// Asks the system about a mapping.
    ///
    /// It does not tell pages that are in the swap space from such that never
    /// were, so nothing is known while anything is there. Nor is it believed
    /// if it does not know of a page that is in use right now.
    #[cfg(target_os = "linux")]
    pub(super) fn of(mapping: *mut u8, len: usize) -> Self {
        // SAFETY: without pointers.
        let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
        let in_use = 0_u8;
        let stack = (&raw const in_use).wrapping_byte_sub(
            (&raw const in_use)
                .addr()
                .checked_rem(size)
                .unwrap_or_default(),
        );
        let mut there = vec![0; len.div_ceil(size.max(1))];
        let known = size > 0
            && nothing_is_swapped()
            && residency(mapping, len, &mut there)
            && nothing_is_swapped()
            && {
                let mut own = [0];
                residency(stack, size, &mut own) && own == [1]
            };
        if known {
            Self { size, there }
        } else {
            Self::default()
        }
    }

    /// Other systems are not asked.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_mapping: *mut u8, _len: usize) -> Self {
        Self::default()
    }
}

/// Whether the swap space is empty.
#[cfg(target_os = "linux")]
fn nothing_is_swapped() -> bool {
    let mut info = core::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: the structure has room for the answer; zero is a valid value of
    // all its fields.
    unsafe {
        libc::sysinfo(info.as_mut_ptr()) == 0 && {
            let info = info.assume_init();
            info.totalswap == info.freeswap
        }
    }
}

/// Asks for each page from `start` on whether it is there.
#[cfg(target_os = "linux")]
fn residency(start: *const u8, len: usize, there: &mut [u8]) -> bool {
    // SAFETY: nothing is read or written but the answer, which has a byte for
    // each page.
    unsafe { libc::mincore(start.cast_mut().cast(), len, there.as_mut_ptr()) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let unknown = Pages::default();
        assert!(!unknown.are_untouched(0, 1));
        let known = Pages {
            size: 100,
            there: vec![0, 1, 0, 0],
        };
        for (offset, len, expected) in [
            (0, 100, true),
            (0, 101, false),
            (99, 1, true),
            (100, 1, false),
            (199, 2, false),
            (200, 200, true),
            (200, 201, false),
            (400, 1, false),
            (usize::MAX, 2, false),
            (0, 0, false),
        ] {
            assert_eq!(known.are_untouched(offset, len), expected, "{offset} {len}");
        }
    }
}
