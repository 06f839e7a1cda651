//! Cutting a message into pieces that fit a network's limit.
#![forbid(unsafe_code)]

use core::iter::FusedIterator;
use core::slice::Chunks;

use crate::limits;
use crate::{Error, InstanceTag};

/// How pieces are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `?OTR,number,total,text,` as in version 2.
    V2,
    /// `?OTR|sender|receiver,number,total,text,` as in version 3.
    V3 {
        /// The sender's instance.
        sender: InstanceTag,
        /// The receiver's instance.
        receiver: InstanceTag,
    },
}

impl Format {
    /// How many bytes of the limit are set aside for what is not text.
    ///
    /// Compatibility: one more than is used, so that full pieces are one byte
    /// shorter than the limit; other programs count on equal cuts.
    #[must_use]
    pub const fn reserved(self) -> usize {
        match self {
            Self::V2 => 19,
            Self::V3 { .. } => 37,
        }
    }

    /// What a piece begins with, up to its text.
    fn head(self, number: u16, total: u16) -> Vec<u8> {
        match self {
            Self::V2 => format!("?OTR,{number:05},{total:05},"),
            Self::V3 { sender, receiver } => format!(
                "?OTR|{:08x}|{:08x},{number:05},{total:05},",
                sender.get(),
                receiver.get()
            ),
        }
        .into_bytes()
    }
}

/// Cuts a message into pieces of less than `limit` bytes each.
///
/// # Errors
/// [`Error::InvalidValue`] if `limit` leaves no room for text,
/// [`Error::TooLong`] if there would be more than [`limits::MAX_PIECES`].
pub fn cut(text: &[u8], limit: usize, format: Format) -> Result<Vec<Vec<u8>>, Error> {
    Ok(Cut::new(text, limit, format)?
        .map(|piece| piece.to_vec())
        .collect())
}

/// The pieces of a message, one after the other.
#[derive(Clone, Debug)]
pub struct Cut<'a> {
    texts: Chunks<'a, u8>,
    number: u16,
    total: u16,
    format: Format,
}

/// One piece, ready to be copied to where it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    head: Vec<u8>,
    text: &'a [u8],
}

impl<'a> Cut<'a> {
    /// Prepares to cut a message into pieces of less than `limit` bytes each.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if `limit` leaves no room for text,
    /// [`Error::TooLong`] if there would be more than [`limits::MAX_PIECES`].
    pub fn new(text: &'a [u8], limit: usize, format: Format) -> Result<Self, Error> {
        let room = limit
            .checked_sub(format.reserved())
            .filter(|room| *room > 0)
            .ok_or(Error::InvalidValue)?;
        let texts = text.chunks(room);
        let total = u16::try_from(texts.len()).map_err(|_| Error::TooLong)?;
        debug_assert!(usize::from(total) <= limits::MAX_PIECES);
        Ok(Self {
            texts,
            number: 0,
            total,
            format,
        })
    }
}

impl<'a> Iterator for Cut<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let text = self.texts.next()?;
        self.number = self.number.checked_add(1)?;
        Some(Piece {
            head: self.format.head(self.number, self.total),
            text,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.texts.size_hint()
    }
}

impl ExactSizeIterator for Cut<'_> {}
impl FusedIterator for Cut<'_> {}

impl Piece<'_> {
    /// The piece's parts; the piece is what they make together.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 3] {
        [&self.head, self.text, b","]
    }

    /// The piece as one byte string.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.parts().concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fragment::{Accumulated, Assembler};

    const V3: Format = Format::V3 {
        sender: InstanceTag::new(0x5a73_a599),
        receiver: InstanceTag::new(0x0000_0100),
    };

    #[test]
    fn pieces_look_as_the_protocol_says() {
        assert_eq!(
            cut(b"abcde", 19 + 3, Format::V2).unwrap(),
            [&b"?OTR,00001,00002,abc,"[..], b"?OTR,00002,00002,de,"]
        );
        assert_eq!(
            cut(b"abcde", 37 + 4, V3).unwrap(),
            [
                &b"?OTR|5a73a599|00000100,00001,00002,abcd,"[..],
                b"?OTR|5a73a599|00000100,00002,00002,e,"
            ]
        );
    }

    /// Compatibility: full pieces are one byte shorter than the limit.
    #[test]
    fn full_pieces_have_limit_minus_one() {
        let text = vec![b'x'; 1000];
        for format in [Format::V2, V3] {
            for limit in [format.reserved() + 1, 60, 400] {
                let pieces = cut(&text, limit, format).unwrap();
                let (last, full) = pieces.split_last().unwrap();
                assert!(full.iter().all(|piece| piece.len() == limit - 1));
                assert!(last.len() < limit);
            }
        }
    }

    #[test]
    fn what_is_cut_is_put_together_again() {
        let text: Vec<u8> = (0..2000_u32).map(|i| b'a' + (i % 26) as u8).collect();
        for format in [Format::V2, V3] {
            for limit in [format.reserved() + 1, 50, 400, 5000] {
                let mut store = Assembler::new();
                let mut result = Accumulated::Incomplete;
                for piece in cut(&text, limit, format).unwrap() {
                    assert_eq!(result, Accumulated::Incomplete);
                    result = store.accumulate(&piece);
                }
                assert_eq!(result, Accumulated::Complete(text.clone()));
            }
        }
    }

    #[test]
    fn a_limit_without_room_for_text_is_refused() {
        for format in [Format::V2, V3] {
            for limit in [0, 1, format.reserved() - 1, format.reserved()] {
                assert_eq!(cut(b"abc", limit, format), Err(Error::InvalidValue));
            }
        }
    }

    #[test]
    fn too_many_pieces_are_refused() {
        let most = vec![b'x'; limits::MAX_PIECES];
        assert_eq!(cut(&most, 20, Format::V2).unwrap().len(), most.len());
        let more = vec![b'x'; limits::MAX_PIECES + 1];
        assert_eq!(cut(&more, 20, Format::V2), Err(Error::TooLong));
    }
}
