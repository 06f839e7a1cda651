//! TLV records: what travels behind the text of a data message, in the section
//! "Data Message" of the protocol text.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Reader, Writer};
use crate::Error;
use crate::limits;

/// Filling that hides a text's length.
pub const PADDING: u16 = 0;
/// The sender has ended the conversation.
pub const DISCONNECTED: u16 = 1;
/// SMP message 1.
pub const SMP1: u16 = 2;
/// SMP message 2.
pub const SMP2: u16 = 3;
/// SMP message 3.
pub const SMP3: u16 = 4;
/// SMP message 4.
pub const SMP4: u16 = 5;
/// The sender gives up the running SMP.
pub const SMP_ABORT: u16 = 6;
/// SMP message 1 behind a question and its NUL.
pub const SMP1Q: u16 = 7;
/// What the extra symmetric key is to be used for.
pub const SYMMETRIC_KEY: u16 = 8;

/// One record; its value is wiped when it goes.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Tlv {
    /// What the record is about, for instance [`SMP1`].
    pub kind: u16,
    /// What it says; at most [`limits::MAX_TLV_VALUE`] bytes can be sent.
    pub value: Vec<u8>,
}

impl Tlv {
    /// A record of this kind with this value.
    #[must_use]
    pub const fn new(kind: u16, value: Vec<u8>) -> Self {
        Self { kind, value }
    }

    /// How many bytes the record takes on the wire.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.value.len().saturating_add(4)
    }
}

impl fmt::Debug for Tlv {
    /// Without the value, which is part of a private message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tlv")
            .field("kind", &self.kind)
            .field("len", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// The records in these bytes, without a NUL in front of them.
///
/// Compatibility: a record that is cut off ends the list quietly, the ones
/// before it count. So does the record after [`limits::MAX_TLVS`].
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Tlv> {
    let mut reader = Reader::new(bytes);
    core::iter::from_fn(|| read(&mut reader).ok())
        .take(limits::MAX_TLVS)
        .collect()
}

fn read(reader: &mut Reader<'_>) -> Result<Tlv, Error> {
    let kind = reader.short()?;
    let len = reader.short()?;
    let value = reader.take(usize::from(len))?;
    Ok(Tlv::new(kind, value.to_vec()))
}

/// How many bytes these records take on the wire.
#[must_use]
pub fn encoded_len(tlvs: &[Tlv]) -> usize {
    tlvs.iter()
        .map(Tlv::encoded_len)
        .fold(0, usize::saturating_add)
}

/// Appends these records to a message.
///
/// # Errors
/// [`Error::TooLong`] if a value exceeds [`limits::MAX_TLV_VALUE`]; nothing is
/// appended then.
pub fn write(tlvs: &[Tlv], out: &mut Writer) -> Result<(), Error> {
    if tlvs
        .iter()
        .any(|tlv| tlv.value.len() > limits::MAX_TLV_VALUE)
    {
        return Err(Error::TooLong);
    }
    for tlv in tlvs {
        let len = u16::try_from(tlv.value.len()).map_err(|_| Error::TooLong)?;
        out.short(tlv.kind).short(len).bytes(&tlv.value);
    }
    Ok(())
}

/// The wire form of these records, one after the other.
///
/// # Errors
/// [`Error::TooLong`] if a value exceeds [`limits::MAX_TLV_VALUE`].
pub fn serialize(tlvs: &[Tlv]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut out = Writer::with_capacity(encoded_len(tlvs));
    write(tlvs, &mut out)?;
    out.finish().map(Zeroizing::new)
}

/// The first record of this kind.
#[must_use]
pub fn find(tlvs: &[Tlv], kind: u16) -> Option<&Tlv> {
    tlvs.iter().find(|tlv| tlv.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_protocol_text() {
        assert_eq!(parse(&[0, 1, 0, 0]), [Tlv::new(DISCONNECTED, vec![])]);
        assert_eq!(
            parse(b"\x00\x00\x00\x05hello"),
            [Tlv::new(PADDING, b"hello".to_vec())]
        );
    }

    #[test]
    fn records_come_back_in_their_order() {
        let tlvs = [
            Tlv::new(SMP1, vec![1; 300]),
            Tlv::new(0xffff, vec![]),
            Tlv::new(SMP1, vec![2]),
        ];
        let bytes = serialize(&tlvs).unwrap();
        assert_eq!(bytes.len(), encoded_len(&tlvs));
        assert_eq!(parse(&bytes), tlvs);
        assert_eq!(find(&tlvs, SMP1), tlvs.first());
        assert_eq!(find(&tlvs, SMP2), None);
    }

    /// Compatibility: what stands before a truncated record counts.
    #[test]
    fn a_truncated_record_ends_the_list() {
        let whole = [Tlv::new(8, vec![1, 2]), Tlv::new(9, vec![3])];
        let bytes = serialize(&whole).unwrap();
        for len in 0..bytes.len() {
            let expected = usize::from(len >= 6);
            assert_eq!(parse(&bytes[..len]), whole[..expected], "{len}");
        }
    }

    #[test]
    fn values_beyond_sixteen_bits_are_refused() {
        let fits = Tlv::new(0, vec![0; limits::MAX_TLV_VALUE]);
        let bytes = serialize(core::slice::from_ref(&fits)).unwrap();
        assert_eq!(parse(&bytes), [fits]);
        let mut out = Writer::new();
        let long = [
            Tlv::new(1, vec![]),
            Tlv::new(0, vec![0; limits::MAX_TLV_VALUE + 1]),
        ];
        assert_eq!(write(&long, &mut out), Err(Error::TooLong));
        assert!(out.is_empty());
    }

    #[test]
    fn the_number_of_records_is_bounded() {
        let bytes = vec![0; 4 * (limits::MAX_TLVS + 5)];
        assert_eq!(parse(&bytes).len(), limits::MAX_TLVS);
    }

    #[test]
    fn values_do_not_show_in_debug_output() {
        let shown = format!("{:?}", Tlv::new(7, b"secret".to_vec()));
        assert_eq!(shown, "Tlv { kind: 7, len: 6, .. }");
    }
}
