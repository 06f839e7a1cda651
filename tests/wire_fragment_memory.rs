//! What all unfinished messages together may keep. The sum is the process's,
//! so this test has a process of its own.
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use otr::limits::{FRAGMENTED_FOR_EACH, FRAGMENTED_IN_ALL, MAX_FRAGMENTED};
use otr::wire::fragment::{Accumulated, Assembler};

/// Sends the two pieces of a message of this length; whether it arrives.
fn arrives(store: &mut Assembler, len: usize) -> bool {
    let first = begin(store, len - 1);
    let last = store.accumulate(b"?OTR,2,2,x,");
    first == Accumulated::Incomplete && last != Accumulated::Incomplete
}

/// Sends the first of two pieces.
fn begin(store: &mut Assembler, len: usize) -> Accumulated {
    store.accumulate(&[b"?OTR,1,2,", &vec![b'A'; len][..], b","].concat())
}

#[test]
fn long_messages_without_end_leave_room_for_short_ones() {
    let mut others: Vec<_> = (0..100).map(|_| Assembler::new()).collect();
    for store in &mut others {
        begin(store, MAX_FRAGMENTED);
    }
    let kept: usize = others.iter().map(Assembler::stored).sum();
    assert!(kept >= FRAGMENTED_IN_ALL - MAX_FRAGMENTED);
    assert!(kept <= FRAGMENTED_IN_ALL + others.len() * FRAGMENTED_FOR_EACH);

    let mut store = Assembler::new();
    assert!(!arrives(&mut store, MAX_FRAGMENTED));
    assert!(arrives(&mut store, FRAGMENTED_FOR_EACH));

    // A message that is dropped, finished or begun anew gives back its share.
    for store in &mut others {
        store.clear();
    }
    for _ in 0..10 {
        assert!(arrives(&mut store, MAX_FRAGMENTED));
        begin(&mut store, MAX_FRAGMENTED);
        drop(core::mem::take(&mut store));
    }
}
