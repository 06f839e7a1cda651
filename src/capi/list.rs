//! The linked lists of the public structures, written once.
//!
//! A node has the address of the next node and the address of the pointer
//! that points to it, so that it can be taken out without knowing the list.

/// A node of a public list.
pub(crate) trait Node: Sized {
    /// The address of the node's `next` field.
    ///
    /// # Safety
    /// `node` points to a node.
    unsafe fn next(node: *mut Self) -> *mut *mut Self;
    /// The address of the node's `tous` field.
    ///
    /// # Safety
    /// `node` points to a node.
    unsafe fn tous(node: *mut Self) -> *mut *mut *mut Self;
}

/// Implements [`Node`] for structures with fields `next` and `tous`.
macro_rules! node {
    ($($name:ty),+ $(,)?) => {$(
        impl Node for $name {
            unsafe fn next(node: *mut Self) -> *mut *mut Self {
                // SAFETY: the caller's promise.
                unsafe { &raw mut (*node).next }
            }
            unsafe fn tous(node: *mut Self) -> *mut *mut *mut Self {
                // SAFETY: the caller's promise.
                unsafe { &raw mut (*node).tous }
            }
        }
    )+};
}

node!(
    super::context::ConnContext,
    super::context::Fingerprint,
    super::instag::OtrlInsTag,
    super::privkey_t::OtrlPrivKey,
    super::privkey_t::OtrlPendingPrivKey,
);

/// Puts `node` where `place` points: `place` is the root of a list or the
/// `next` field of a node.
///
/// # Safety
/// `node` points to a node outside of any list; `place` is as described.
pub(crate) unsafe fn insert<N: Node>(place: *mut *mut N, node: *mut N) {
    // SAFETY: the caller's promise; nodes in a list are valid.
    unsafe {
        let after = *place;
        *N::next(node) = after;
        if !after.is_null() {
            *N::tous(after) = N::next(node);
        }
        *N::tous(node) = place;
        *place = node;
    }
}

/// Takes `node` out of its list. A node without a list is left alone.
///
/// # Safety
/// `node` points to a node.
pub(crate) unsafe fn unlink<N: Node>(node: *mut N) {
    // SAFETY: the caller's promise; neighbours in a list are valid.
    unsafe {
        let (place, after) = (*N::tous(node), *N::next(node));
        if !place.is_null() {
            *place = after;
        }
        if !after.is_null() {
            *N::tous(after) = place;
        }
        *N::next(node) = core::ptr::null_mut();
        *N::tous(node) = core::ptr::null_mut();
    }
}

/// The nodes from `first` on.
///
/// The address of the next node is fetched before a node is handed out, so
/// that it may be taken out of the list and released meanwhile.
///
/// # Safety
/// `first` is NULL or points to a node, and so do all `next` fields; nodes
/// other than the one handed out last stay where they are while iterating.
pub(crate) unsafe fn iter<N: Node>(first: *mut N) -> impl Iterator<Item = *mut N> {
    let mut at = first;
    core::iter::from_fn(move || {
        let node = at;
        if node.is_null() {
            return None;
        }
        // SAFETY: the caller's promise.
        at = unsafe { *N::next(node) };
        Some(node)
    })
}
