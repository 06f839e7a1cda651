//! Where the result of a secret computation becomes public.
//!
//! What is sent to the peer, the length of a number that is hashed, whether
//! two secrets were equal: up to these places no branch and no address may
//! depend on the value, from there on they may. In the library the calls do
//! nothing. With the feature `test-hooks` they tell the test that watches for
//! secret-dependent branches and addresses.
#![forbid(unsafe_code)]

/// The value may be known from now on.
#[cfg(not(feature = "test-hooks"))]
#[inline(always)]
pub(crate) const fn disclose<T: Copy>(_: &mut T) {}

/// The value may be known from now on.
#[cfg(feature = "test-hooks")]
pub(crate) fn disclose<T: Copy>(value: &mut T) {
    crate::capi::test_hooks::disclosed(core::slice::from_mut(value));
}
