//! Numbers in fields of enumerated types, which C may set to anything.
//!
//! Such fields and parameters are `MaybeUninit<E>`: in C they are the plain
//! enumerated type, and in Rust their value counts only after a look.

use core::ffi::c_int;
use core::mem::MaybeUninit;

/// An enumerated type of the C interface.
pub(crate) trait OpenEnum: Copy {
    /// The enumerator with this number.
    fn from_number(number: c_int) -> Option<Self>;
}

/// The enumerator in a field or parameter, if it is one.
pub(crate) fn read<E: OpenEnum>(raw: MaybeUninit<E>) -> Option<E> {
    const { assert!(size_of::<E>() == size_of::<c_int>()) };
    // SAFETY: the sizes are equal, every bit pattern is a `c_int`, and memory
    // that came from C is initialised.
    let number = unsafe { core::mem::transmute_copy::<MaybeUninit<E>, c_int>(&raw) };
    E::from_number(number)
}

/// The number in a field or parameter.
pub(crate) fn number<E: OpenEnum>(raw: MaybeUninit<E>) -> c_int {
    const { assert!(size_of::<E>() == size_of::<c_int>()) };
    // SAFETY: the sizes are equal, every bit pattern is a `c_int`, and memory
    // that came from C is initialised.
    unsafe { core::mem::transmute_copy::<MaybeUninit<E>, c_int>(&raw) }
}

/// The same, with a value for numbers that are no enumerator.
pub(crate) fn read_or<E: OpenEnum>(raw: MaybeUninit<E>, other: E) -> E {
    read(raw).unwrap_or(other)
}

/// Implements [`OpenEnum`] for a type from the list of its enumerators.
macro_rules! open_enum {
    ($name:ident: $($variant:ident),+ $(,)?) => {
        impl $crate::capi::open_enum::OpenEnum for $name {
            fn from_number(number: core::ffi::c_int) -> Option<Self> {
                [$(Self::$variant),+]
                    .into_iter()
                    .find(|known| *known as core::ffi::c_int == number)
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::sm::OtrlSMProgState;

    #[test]
    fn only_enumerators_are_read() {
        // SAFETY: the test plays the part of C, which writes any number.
        let raw = |number: c_int| unsafe {
            core::mem::transmute::<c_int, MaybeUninit<OtrlSMProgState>>(number)
        };
        let cheated = OtrlSMProgState::OTRL_SMP_PROG_CHEATED;
        assert_eq!(read(raw(-2)), Some(cheated));
        assert_eq!(read(raw(2)), None);
        assert_eq!(read_or(raw(99), cheated), cheated);
    }
}
