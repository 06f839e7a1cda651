//! Cutting a message into pieces that fit a network's limit.
#![forbid(unsafe_code)]

#[cfg(doc)]
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

    /// What a piece begins with, up to its text, with piece number zero.
    fn head(self, total: u16) -> Vec<u8> {
        match self {
            Self::V2 => format!("?OTR,00000,{total:05},"),
            Self::V3 { sender, receiver } => format!(
                "?OTR|{:08x}|{:08x},00000,{total:05},",
                sender.get(),
                receiver.get()
            ),
        }
        .into_bytes()
    }
}

/// How many bytes from the end of a head the piece number ends: `,00003,`.
const BEHIND_NUMBER: usize = 7;

/// Adds one to a decimal number with leading zeros.
fn count_up(digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit = digit.wrapping_add(1);
            return;
        }
        *digit = b'0';
    }
}

/// Cuts a message into pieces of less than `limit` bytes each.
///
/// # Errors
/// [`Error::InvalidValue`] if `limit` leaves no room for text,
/// [`Error::TooLong`] if there would be more than [`limits::MAX_PIECES`].
pub fn cut(text: &[u8], limit: usize, format: Format) -> Result<Vec<Vec<u8>>, Error> {
    let mut cut = Cut::new(text, limit, format)?;
    let mut pieces = Vec::with_capacity(usize::from(cut.left()));
    while let Some(parts) = cut.next_piece() {
        pieces.push(parts.concat());
    }
    Ok(pieces)
}

/// The pieces of a message, one after the other.
///
/// Each is lent in its parts until the next is asked for, so that it can be
/// copied straight to where it is needed.
#[derive(Clone, Debug)]
pub struct Cut<'a> {
    head: Vec<u8>,
    rest: &'a [u8],
    room: usize,
    left: u16,
}

impl<'a> Cut<'a> {
    /// Prepares to cut a message into pieces of less than `limit` bytes each.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if `limit` leaves no room for text,
    /// [`Error::TooLong`] if there would be more than [`limits::MAX_PIECES`].
    pub fn new(text: &'a [u8], limit: usize, format: Format) -> Result<Self, Error> {
        let room = room(limit, format)?;
        let total = u16::try_from(text.len().div_ceil(room)).map_err(|_| Error::TooLong)?;
        Ok(Self::prepare(text, room, total, format))
    }

    /// The same for a number of pieces that was settled beforehand.
    ///
    /// Too few pieces leave off the end of the message, surplus ones are
    /// empty.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if `limit` leaves no room for text.
    pub fn into_exactly(
        total: u16,
        text: &'a [u8],
        limit: usize,
        format: Format,
    ) -> Result<Self, Error> {
        Ok(Self::prepare(text, room(limit, format)?, total, format))
    }

    fn prepare(text: &'a [u8], room: usize, total: u16, format: Format) -> Self {
        Self {
            head: format.head(total),
            rest: text,
            room,
            left: total,
        }
    }

    /// How many pieces are still to come.
    #[must_use]
    pub const fn left(&self) -> u16 {
        self.left
    }

    /// The next piece; it is what its three parts make together.
    pub fn next_piece(&mut self) -> Option<[&[u8]; 3]> {
        self.left = self.left.checked_sub(1)?;
        let end = self.head.len().saturating_sub(BEHIND_NUMBER);
        count_up(self.head.get_mut(end.saturating_sub(5)..end)?);
        let (text, rest) = self
            .rest
            .split_at_checked(self.room)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        Some([&self.head, text, b","])
    }
}

/// How much text fits into one piece.
fn room(limit: usize, format: Format) -> Result<usize, Error> {
    limit
        .checked_sub(format.reserved())
        .filter(|room| *room > 0)
        .ok_or(Error::InvalidValue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
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

    /// Compatibility: the number of pieces may be settled beforehand.
    #[test]
    fn a_settled_number_of_pieces_is_kept() {
        let all = |total| {
            let mut cut = Cut::into_exactly(total, b"abcde", 22, Format::V2).unwrap();
            core::iter::from_fn(|| cut.next_piece().map(|parts| parts.concat())).collect()
        };
        let one: Vec<Vec<u8>> = all(1);
        assert_eq!(one, [b"?OTR,00001,00001,abc,"]);
        let three: Vec<Vec<u8>> = all(3);
        assert_eq!(
            three,
            [
                &b"?OTR,00001,00003,abc,"[..],
                b"?OTR,00002,00003,de,",
                b"?OTR,00003,00003,,"
            ]
        );
    }

    #[test]
    fn pieces_are_numbered_in_decimal() {
        let text = vec![b'x'; 12_345];
        for (index, piece) in cut(&text, 20, Format::V2).unwrap().iter().enumerate() {
            assert_eq!(piece, format!("?OTR,{:05},12345,x,", index + 1).as_bytes());
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
