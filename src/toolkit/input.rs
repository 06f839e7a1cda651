//! Finding messages in a stream: a chat log, a packet dump, what somebody
//! pastes into a terminal. A message is handed on as soon as it is complete.
#![forbid(unsafe_code)]

use std::io::{self, BufRead, ErrorKind};

use crate::wire::message::MARK;
use crate::wire::{base64, whitespace};
use crate::{Policy, limits};

/// What a finder looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Encoded messages alone: `?OTR:` to the next `.` or the end.
    Encoded,
    /// Fragments, queries, error messages and whitespace tags too.
    Everything,
}

/// Something found, as it stands in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An encoded message.
    Encoded(Vec<u8>),
    /// One piece of a message, or what claims to be one.
    Piece(Vec<u8>),
    /// A query, without the words that may follow it.
    Query(Vec<u8>),
    /// An error message: to the end of its line.
    Error(Vec<u8>),
    /// A whitespace tag.
    Tag(Vec<u8>),
    /// Something else that begins like a message.
    Other(Vec<u8>),
    /// A message longer than [`limits::MAX_MESSAGE`], left out.
    TooLong,
}

/// Looks for messages in a stream.
pub struct Finder<R> {
    input: R,
    scope: Scope,
    /// The bytes last read, to see whether something begins.
    recent: [u8; TAG],
}

/// The length of what whitespace tags begin with.
const TAG: usize = 16;

/// The length of what stands for one version in a whitespace tag.
const GROUP: usize = 8;

impl<R: BufRead> Finder<R> {
    /// Starts at the beginning of a stream.
    pub const fn new(input: R, scope: Scope) -> Self {
        Self {
            input,
            scope,
            recent: [0; TAG],
        }
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Errors
    /// If the stream cannot be read.
    pub fn find(&mut self) -> io::Result<Option<Found>> {
        let tag = whitespace::tag(Policy::NEVER);
        while let Some(byte) = self.take()? {
            self.recent.rotate_left(1);
            if let Some(last) = self.recent.last_mut() {
                *last = byte;
            }
            let found = match self.scope {
                Scope::Encoded if self.recent.ends_with(base64::PREFIX) => {
                    Some(self.until(base64::PREFIX.to_vec(), b'.', Found::Encoded)?)
                }
                Scope::Everything if self.recent.ends_with(MARK) => Some(self.marked()?),
                Scope::Everything if self.recent == *tag => Some(self.tag(tag.clone())?),
                _ => None,
            };
            if found.is_some() {
                self.recent = [0; TAG];
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What follows a `?OTR`.
    fn marked(&mut self) -> io::Result<Found> {
        let mut text = MARK.to_vec();
        match self.peek()? {
            Some(b':') => self.until(text, b'.', Found::Encoded),
            Some(b'|') => self.piece(text, 4),
            Some(b',') => self.piece(text, 4),
            Some(b'?' | b'v') => self.query(text),
            Some(b' ') => {
                for expected in b" Error:" {
                    if self.peek()? != Some(*expected) {
                        return Ok(Found::Other(text));
                    }
                    text.push(*expected);
                    self.take()?;
                }
                self.until(text, b'\n', Found::Error)
            }
            _ => self.word(text),
        }
    }

    /// Reads to the end of a message, which belongs to it unless it is a line
    /// break. Where the stream ends, the message does.
    fn until(
        &mut self,
        mut text: Vec<u8>,
        end: u8,
        kind: fn(Vec<u8>) -> Found,
    ) -> io::Result<Found> {
        while let Some(byte) = self.take()? {
            if text.len() < limits::MAX_MESSAGE {
                text.push(byte);
            }
            if byte == end {
                break;
            }
        }
        if text.len() >= limits::MAX_MESSAGE {
            return Ok(Found::TooLong);
        }
        if end == b'\n' {
            let line = text.trim_ascii_end().len();
            text.truncate(line);
        }
        Ok(kind(text))
    }

    /// Reads one piece of a message: to the comma with this number.
    fn piece(&mut self, mut text: Vec<u8>, commas: usize) -> io::Result<Found> {
        let mut seen = 0_usize;
        while let Some(byte) = self.peek()? {
            if matches!(byte, b'\n' | b'\r') {
                break;
            }
            self.take()?;
            text.push(byte);
            if byte == b',' {
                seen = seen.saturating_add(1);
            }
            if seen == commas {
                break;
            }
            if text.len() > limits::MAX_MESSAGE {
                return Ok(Found::TooLong);
            }
        }
        Ok(Found::Piece(text))
    }

    /// Reads the versions that a query offers.
    fn query(&mut self, mut text: Vec<u8>) -> io::Result<Found> {
        if self.peek()? == Some(b'?') {
            self.take()?;
            text.push(b'?');
        }
        if self.peek()? == Some(b'v') {
            while let Some(byte) = self.peek()?.filter(u8::is_ascii_graphic) {
                self.take()?;
                text.push(byte);
                if byte == b'?' || text.len() >= WORD {
                    break;
                }
            }
        }
        Ok(Found::Query(text))
    }

    /// Reads to the next blank or question mark.
    fn word(&mut self, mut text: Vec<u8>) -> io::Result<Found> {
        while let Some(byte) = self.peek()?.filter(u8::is_ascii_graphic) {
            if byte == b'?' || text.len() >= WORD {
                break;
            }
            self.take()?;
            text.push(byte);
        }
        Ok(Found::Other(text))
    }

    /// Reads the groups of a whitespace tag.
    fn tag(&mut self, mut tag: Vec<u8>) -> io::Result<Found> {
        loop {
            let mut group = Vec::with_capacity(GROUP);
            while group.len() < GROUP {
                match self.peek()? {
                    Some(byte @ (b' ' | b'\t')) => group.push(byte),
                    _ => return Ok(Found::Tag(tag)),
                }
                self.take()?;
            }
            if tag.len() < WORD {
                tag.extend(group);
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.consume(1);
        }
        Ok(byte)
    }
}

/// Longest text without a blank that is kept of what has no end of its own.
const WORD: usize = 256;

#[cfg(test)]
mod tests {
    use super::Found::{Encoded, Error, Other, Piece, Query, Tag, TooLong};
    use super::*;

    fn all(text: &[u8], scope: Scope) -> Vec<Found> {
        let mut finder = Finder::new(text, scope);
        core::iter::from_fn(|| finder.find().unwrap()).collect()
    }

    #[test]
    fn encoded_messages_end_at_the_dot_or_with_the_stream() {
        let found = |text| all(text, Scope::Encoded);
        assert_eq!(found(b"hello ?OTRv2? ?OTR"), []);
        assert_eq!(
            found(b"x?OTR:AB.C?OTR?OTR:D\nE.?OTR:F"),
            [
                Encoded(b"?OTR:AB.".to_vec()),
                Encoded(b"?OTR:D\nE.".to_vec()),
                Encoded(b"?OTR:F".to_vec()),
            ]
        );
        assert_eq!(found(b"??OTR:?OTR:."), [Encoded(b"?OTR:?OTR:.".to_vec())]);
    }

    #[test]
    fn everything_is_found_when_asked_for() {
        let tag = whitespace::tag(Policy::MANUAL);
        let text = [
            b"1: ?OTRv23? words ?OTR?v2?x ?OTR? y\n",
            &b"2: ?OTR Error: sorry, no.\r\n?OTR Error ?OTR!x y\n"[..],
            b"3: ?OTR,1,2,abc,?OTR|1|2,1,2,abc, ?OTR,broken\n",
            b"4: hello",
            &tag,
            b" \t ?OTR:AA.",
        ]
        .concat();
        assert_eq!(
            all(&text, Scope::Everything),
            [
                Query(b"?OTRv23?".to_vec()),
                Query(b"?OTR?v2?".to_vec()),
                Query(b"?OTR?".to_vec()),
                Error(b"?OTR Error: sorry, no.".to_vec()),
                Other(b"?OTR Error".to_vec()),
                Other(b"?OTR!x".to_vec()),
                Piece(b"?OTR,1,2,abc,".to_vec()),
                Piece(b"?OTR|1|2,1,2,abc,".to_vec()),
                Piece(b"?OTR,broken".to_vec()),
                Tag(tag),
                Encoded(b"?OTR:AA.".to_vec()),
            ]
        );
    }

    #[test]
    fn a_message_without_end_takes_no_memory_without_end() {
        let text = [
            &b"?OTR:"[..],
            &vec![b'A'; limits::MAX_MESSAGE],
            b".?OTR:AA.",
        ]
        .concat();
        for scope in [Scope::Encoded, Scope::Everything] {
            assert_eq!(all(&text, scope), [TooLong, Encoded(b"?OTR:AA.".to_vec())]);
        }
    }
}
