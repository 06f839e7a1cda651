//! What travels between the two sides: the protocol's data types, messages and
//! the text forms they are wrapped in.
//!
//! This file has the section "Data types" of the protocol text: [`Reader`]
//! takes them off the front of a byte string, [`Writer`] puts them at the end
//! of one. All numbers are big-endian.
#![forbid(unsafe_code)]

pub mod base64;
pub mod error_message;
pub mod fragment;
pub mod message;
pub mod query;
pub mod tlv;
pub mod v1;
pub mod whitespace;

use crate::Error;
use crate::limits;

/// Reads data types one after the other from the front of a byte string.
///
/// Running out of bytes is an error, and what failed has taken nothing away.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether every byte was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (head, tail) = self.rest.split_at_checked(len).ok_or(Error::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes: a CTR (8), a MAC (20) and the like.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(Error::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    /// A BYTE.
    ///
    /// # Errors
    /// [`Error::Truncated`] at the end.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    /// A SHORT: two bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    #[inline]
    pub fn short(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// An INT: four bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    #[inline]
    pub fn int(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// A DATA: an INT with the length, then so many bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the length or the bytes are missing.
    pub fn data(&mut self) -> Result<&'a [u8], Error> {
        let mut ahead = self.clone();
        let len = usize::try_from(ahead.int()?).map_err(|_| Error::Truncated)?;
        let value = ahead.take(len)?;
        *self = ahead;
        Ok(value)
    }

    /// An MPI: an INT with the length, then an unsigned number of so many
    /// bytes, returned without its leading zeros (zero is empty).
    ///
    /// # Errors
    /// [`Error::Truncated`] if the length or the bytes are missing,
    /// [`Error::TooLong`] beyond [`limits::MAX_MPI`] significant bytes.
    pub fn mpi(&mut self) -> Result<&'a [u8], Error> {
        let mut ahead = self.clone();
        // Compatibility: the protocol demands the shortest form, yet leading
        // zeros have always been accepted.
        let value = significant(ahead.data()?);
        if value.len() > limits::MAX_MPI {
            return Err(Error::TooLong);
        }
        *self = ahead;
        Ok(value)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Error::TrailingBytes`] if not every byte was read.
    pub const fn finish(self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::TrailingBytes)
        }
    }
}

/// The shortest form of a big-endian number: no zero bytes in front.
#[must_use]
pub fn significant(number: &[u8]) -> &[u8] {
    if number.first().is_some_and(|first| *first != 0) {
        return number;
    }
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Appends data types one after the other to a byte string.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Writer {
    /// Starts with nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            too_long: false,
        }
    }

    /// Starts with nothing and has memory for `capacity` bytes.
    ///
    /// A writer that is given no more bytes than that never moves them, so
    /// that what is encrypted in place leaves no copy behind.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            too_long: false,
        }
    }

    /// Appends a BYTE.
    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Appends a SHORT.
    pub fn short(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Appends an INT.
    pub fn int(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Appends bytes as they are: a CTR, a MAC, something already encoded.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(value);
        self
    }

    /// Appends the length of a DATA whose bytes follow.
    pub fn length(&mut self, len: usize) -> &mut Self {
        match u32::try_from(len) {
            Ok(len) => self.int(len),
            Err(_) => {
                self.too_long = true;
                self
            }
        }
    }

    /// Appends a DATA.
    pub fn data(&mut self, value: &[u8]) -> &mut Self {
        self.length(value.len()).bytes(value)
    }

    /// Appends an MPI, given as a big-endian number with any leading zeros.
    pub fn mpi(&mut self, value: &[u8]) -> &mut Self {
        self.data(significant(value))
    }

    /// What was written so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written from offset `from` on, to be encrypted in place;
    /// empty if nothing lies there.
    #[must_use]
    pub fn tail_mut(&mut self, from: usize) -> &mut [u8] {
        self.bytes.get_mut(from..).unwrap_or_default()
    }

    /// How many bytes were written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Everything that was written.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a DATA or MPI did not fit its 32-bit length.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        if self.too_long {
            return Err(Error::TooLong);
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::with_capacity(64);
        writer
            .byte(7)
            .short(0x0102)
            .int(0x0304_0506)
            .data(b"data")
            .mpi(&[0, 0, 0x80])
            .mpi(&[])
            .bytes(&[9; 20]);
        let bytes = writer.finish().unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.byte(), Ok(7));
        assert_eq!(reader.short(), Ok(0x0102));
        assert_eq!(reader.int(), Ok(0x0304_0506));
        assert_eq!(reader.data(), Ok(&b"data"[..]));
        assert_eq!(reader.mpi(), Ok(&[0x80][..]));
        assert_eq!(reader.mpi(), Ok(&[][..]));
        assert_eq!(reader.array::<20>(), Ok([9; 20]));
        assert!(reader.is_empty());
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn numbers_are_big_endian_and_mpis_minimal() {
        let mut writer = Writer::new();
        writer.short(1).int(2).mpi(&[0, 0, 3]).mpi(&[0]);
        assert_eq!(
            writer.as_slice(),
            [0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 3, 0, 0, 0, 0]
        );
    }

    #[test]
    fn running_out_is_an_error_and_takes_nothing() {
        let bytes = [0, 0, 0, 5, 1, 2, 3, 4];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.data(), Err(Error::Truncated));
        assert_eq!(reader.mpi(), Err(Error::Truncated));
        assert_eq!(reader.take(9), Err(Error::Truncated));
        assert_eq!(reader.array::<9>(), Err(Error::Truncated));
        assert_eq!(reader.rest(), bytes);
        assert_eq!(reader.clone().finish(), Err(Error::TrailingBytes));
        let mut short = Reader::new(&[1, 2, 3]);
        assert_eq!(short.int(), Err(Error::Truncated));
        assert_eq!(short.data(), Err(Error::Truncated));
        assert_eq!(short.short(), Ok(0x0102));
        assert_eq!(short.short(), Err(Error::Truncated));
        assert_eq!(short.byte(), Ok(3));
        assert_eq!(short.byte(), Err(Error::Truncated));
    }

    #[test]
    fn a_length_beyond_everything_is_an_error() {
        let mut reader = Reader::new(&[0xff; 12]);
        assert_eq!(reader.data(), Err(Error::Truncated));
    }

    #[test]
    fn leading_zeros_of_an_mpi_are_accepted() {
        let mut reader = Reader::new(&[0, 0, 0, 3, 0, 0, 5]);
        assert_eq!(reader.mpi(), Ok(&[5][..]));
    }

    #[test]
    fn an_mpi_is_bounded_without_its_leading_zeros() {
        let at_limit = [&[0; 9][..], &[1; limits::MAX_MPI]].concat();
        let mut writer = Writer::new();
        writer.data(&at_limit).data(&[1; limits::MAX_MPI + 1]);
        let mut reader = Reader::new(writer.as_slice());
        assert_eq!(reader.mpi().map(<[u8]>::len), Ok(limits::MAX_MPI));
        assert_eq!(reader.mpi(), Err(Error::TooLong));
    }

    #[test]
    fn a_length_that_needs_more_than_32_bits_is_refused() {
        let mut writer = Writer::new();
        writer.length(0x1_0000_0000);
        assert_eq!(writer.finish(), Err(Error::TooLong));
    }
}
