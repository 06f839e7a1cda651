//! Putting pieces together, one unfinished message per peer.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicUsize, Ordering};

use super::scan::{Scanned, scan};
use crate::limits;

/// What came of a received text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accumulated {
    /// It is no piece; an unfinished message is dropped.
    Unfragmented,
    /// It is a piece or pretends to be one; nothing is to be done yet.
    Incomplete,
    /// It was the last piece: this is the message.
    Complete(Vec<u8>),
}

/// The unfinished message of one peer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Assembler {
    number: u16,
    total: u16,
    text: Vec<u8>,
    share: Share,
}

impl Assembler {
    /// No message yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            number: 0,
            total: 0,
            text: Vec::new(),
            share: Share(0),
        }
    }

    /// An unfinished message that was kept elsewhere: number of the last
    /// piece, total, and the text so far. It takes its share of
    /// [`limits::FRAGMENTED_IN_ALL`] with its next piece.
    pub(crate) const fn resume(number: u16, total: u16, text: Vec<u8>) -> Self {
        Self {
            number,
            total,
            text,
            share: Share(0),
        }
    }

    /// The text so far.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many bytes are kept.
    #[must_use]
    pub const fn stored(&self) -> usize {
        self.text.len()
    }

    /// Number of the last piece and total; zeros without unfinished message.
    #[must_use]
    pub const fn position(&self) -> (u16, u16) {
        (self.number, self.total)
    }

    /// Forgets the unfinished message.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Takes a received text: [`scan`] and [`Self::take_in`] in one.
    pub fn accumulate(&mut self, text: &[u8]) -> Accumulated {
        self.take_in(scan(text))
    }

    /// Takes what was found in a received text.
    ///
    /// Piece 1 begins a message, the piece after the last one of the same
    /// message continues it, and any other drops it; something that is a piece
    /// in name only changes nothing. A message that would exceed
    /// [`limits::MAX_FRAGMENTED`], or its share of
    /// [`limits::FRAGMENTED_IN_ALL`], is dropped.
    pub fn take_in(&mut self, found: Scanned<'_>) -> Accumulated {
        let (number, total, piece) = match found {
            Scanned::Other => {
                self.clear();
                return Accumulated::Unfragmented;
            }
            Scanned::Malformed => return Accumulated::Incomplete,
            Scanned::Piece {
                number,
                total,
                text,
            } => (number, total, text),
        };
        if number == 1 {
            self.text.clear();
        } else if total != self.total || number.checked_sub(1) != Some(self.number) {
            self.clear();
            return Accumulated::Incomplete;
        }
        let len = self.text.len().saturating_add(piece.len());
        // A message that comes in one piece keeps nothing.
        let room = len <= limits::MAX_FRAGMENTED && (total == 1 || self.share.cover(len));
        if !room {
            self.clear();
            return Accumulated::Incomplete;
        }
        self.text.extend_from_slice(piece);
        self.number = number;
        self.total = total;
        if number < total {
            return Accumulated::Incomplete;
        }
        Accumulated::Complete(core::mem::take(self).text)
    }
}

/// What one unfinished message has taken of [`limits::FRAGMENTED_IN_ALL`];
/// given back when it goes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Share(usize);

/// The sum of all shares: one for the process, as its memory is one.
static SHARED: AtomicUsize = AtomicUsize::new(0);

impl Share {
    /// Takes what a message of this length needs; whether there is enough.
    fn cover(&mut self, len: usize) -> bool {
        let needed = len
            .saturating_sub(limits::FRAGMENTED_FOR_EACH)
            .saturating_sub(self.0);
        if needed == 0 {
            return true;
        }
        let taken = SHARED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| {
            sum.checked_add(needed)
                .filter(|sum| *sum <= limits::FRAGMENTED_IN_ALL)
        });
        if taken.is_ok() {
            self.0 = self.0.saturating_add(needed);
        }
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.0 > 0 {
            SHARED.fetch_sub(self.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Accumulated::{Complete, Incomplete, Unfragmented};
    use super::*;

    #[test]
    fn the_example_of_the_protocol_text() {
        let mut store = Assembler::new();
        for (piece, expected) in [
            (
                &b"?OTR|5a73a599|27e31597,00001,00003,?OTR:AAMD,"[..],
                Incomplete,
            ),
            (b"?OTR|5a73a599|27e31597,00002,00003,jPEWAJ6g,", Incomplete),
            (
                b"?OTR|5a73a599|27e31597,00003,00003,pkTt==.,",
                Complete(b"?OTR:AAMDjPEWAJ6gpkTt==.".to_vec()),
            ),
        ] {
            assert_eq!(store.accumulate(piece), expected);
        }
        assert_eq!(store, Assembler::new());
    }

    #[test]
    fn a_single_piece_is_a_message() {
        let mut store = Assembler::new();
        assert_eq!(store.accumulate(b"?OTR,1,1,x,"), Complete(b"x".to_vec()));
    }

    #[test]
    fn pieces_out_of_order_drop_the_message() {
        for wrong in [
            &b"?OTR,3,3,c,"[..],
            b"?OTR,2,4,c,",
            b"?OTR,3,4,c,",
            b"?OTR,2,2,c,",
        ] {
            let mut store = Assembler::new();
            assert_eq!(store.accumulate(b"?OTR,1,3,a,"), Incomplete);
            assert_eq!(store.accumulate(wrong), Incomplete);
            assert_eq!(store, Assembler::new(), "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn piece_one_begins_anew() {
        let mut store = Assembler::new();
        assert_eq!(store.accumulate(b"?OTR,1,3,a,"), Incomplete);
        assert_eq!(store.accumulate(b"?OTR,1,2,b,"), Incomplete);
        assert_eq!(store.accumulate(b"?OTR,2,2,c,"), Complete(b"bc".to_vec()));
    }

    #[test]
    fn nonsense_changes_nothing_and_other_texts_drop_the_message() {
        let mut store = Assembler::new();
        assert_eq!(store.accumulate(b"?OTR,1,2,a,"), Incomplete);
        assert_eq!(store.accumulate(b"?OTR,2,2,,"), Incomplete);
        assert_eq!(store.accumulate(b"?OTR,0,2,x,"), Incomplete);
        assert_eq!((store.stored(), store.position()), (1, (1, 2)));
        assert_eq!(store.accumulate(b"hello"), Unfragmented);
        assert_eq!(store, Assembler::new());
    }

    #[test]
    fn memory_is_bounded() {
        let mut store = Assembler::new();
        let piece = vec![b'A'; limits::MAX_FRAGMENTED / 2];
        let mut largest = 0;
        for number in 1..100 {
            let text = [format!("?OTR,{number},65535,").as_bytes(), &piece, b","].concat();
            assert_eq!(store.accumulate(&text), Incomplete);
            largest = largest.max(store.stored());
        }
        assert_eq!(largest, limits::MAX_FRAGMENTED);
        assert_eq!(store, Assembler::new());
    }
}
