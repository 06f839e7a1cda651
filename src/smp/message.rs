//! The four SMP messages as numbers on the wire: "Socialist Millionaires'
//! Protocol (SMP)", in the section on data messages, of the protocol text.
#![forbid(unsafe_code)]

use super::proof::{Coordinates, EqualLogs, Knowledge};
use crate::Error;
use crate::crypto::modp::{Challenge, ELEMENT_BYTES, Element, Scalar};
use crate::wire::Reader;

/// Message 1: the initiator's halves of g2 and g3.
pub(super) struct Message1 {
    pub(super) g2a: Element,
    pub(super) knows_a2: Knowledge,
    pub(super) g3a: Element,
    pub(super) knows_a3: Knowledge,
}

/// Message 2: the responder's halves, and its Pb and Qb.
pub(super) struct Message2 {
    pub(super) g2b: Element,
    pub(super) knows_b2: Knowledge,
    pub(super) g3b: Element,
    pub(super) knows_b3: Knowledge,
    pub(super) pb: Element,
    pub(super) qb: Element,
    pub(super) coordinates: Coordinates,
}

/// Message 3: the initiator's Pa, Qa and Ra.
pub(super) struct Message3 {
    pub(super) pa: Element,
    pub(super) qa: Element,
    pub(super) coordinates: Coordinates,
    pub(super) ra: Element,
    pub(super) equal_logs: EqualLogs,
}

/// Message 4: the responder's Rb.
pub(super) struct Message4 {
    pub(super) rb: Element,
    pub(super) equal_logs: EqualLogs,
}

impl Message1 {
    const NUMBERS: u32 = 6;
    /// Longest encoding: count, and six numbers of at most 192 bytes.
    pub(super) const MAX_LEN: usize = 4 + 6 * (4 + ELEMENT_BYTES);

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = start(Self::NUMBERS);
        self.g2a.write_mpi(&mut out);
        self.knows_a2.write(&mut out);
        self.g3a.write_mpi(&mut out);
        self.knows_a3.write(&mut out);
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = numbers(bytes, Self::NUMBERS)?;
        Ok(Self {
            g2a: element(&mut reader)?,
            knows_a2: Knowledge::read(&mut reader)?,
            g3a: element(&mut reader)?,
            knows_a3: Knowledge::read(&mut reader)?,
        })
    }
}

impl Message2 {
    const NUMBERS: u32 = 11;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = start(Self::NUMBERS);
        self.g2b.write_mpi(&mut out);
        self.knows_b2.write(&mut out);
        self.g3b.write_mpi(&mut out);
        self.knows_b3.write(&mut out);
        self.pb.write_mpi(&mut out);
        self.qb.write_mpi(&mut out);
        self.coordinates.write(&mut out);
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = numbers(bytes, Self::NUMBERS)?;
        Ok(Self {
            g2b: element(&mut reader)?,
            knows_b2: Knowledge::read(&mut reader)?,
            g3b: element(&mut reader)?,
            knows_b3: Knowledge::read(&mut reader)?,
            pb: element(&mut reader)?,
            qb: element(&mut reader)?,
            coordinates: Coordinates::read(&mut reader)?,
        })
    }
}

impl Message3 {
    const NUMBERS: u32 = 8;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = start(Self::NUMBERS);
        self.pa.write_mpi(&mut out);
        self.qa.write_mpi(&mut out);
        self.coordinates.write(&mut out);
        self.ra.write_mpi(&mut out);
        self.equal_logs.write(&mut out);
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = numbers(bytes, Self::NUMBERS)?;
        Ok(Self {
            pa: element(&mut reader)?,
            qa: element(&mut reader)?,
            coordinates: Coordinates::read(&mut reader)?,
            ra: element(&mut reader)?,
            equal_logs: EqualLogs::read(&mut reader)?,
        })
    }
}

impl Message4 {
    const NUMBERS: u32 = 3;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = start(Self::NUMBERS);
        self.rb.write_mpi(&mut out);
        self.equal_logs.write(&mut out);
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = numbers(bytes, Self::NUMBERS)?;
        Ok(Self {
            rb: element(&mut reader)?,
            equal_logs: EqualLogs::read(&mut reader)?,
        })
    }
}

/// A message that announces `count` numbers.
fn start(count: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    out.extend_from_slice(&count.to_be_bytes());
    out
}

/// The numbers of a message that must announce `count` of them.
///
/// Compatibility: whatever follows them is not looked at.
fn numbers(bytes: &[u8], count: u32) -> Result<Reader<'_>, Error> {
    let mut reader = Reader::new(bytes);
    if reader.int()? == count {
        Ok(reader)
    } else {
        Err(Error::InvalidValue)
    }
}

pub(super) fn element(reader: &mut Reader<'_>) -> Result<Element, Error> {
    Element::from_be_bytes(reader.mpi()?)
}

pub(super) fn challenge(reader: &mut Reader<'_>) -> Result<Challenge, Error> {
    Challenge::from_be_bytes(reader.mpi()?)
}

pub(super) fn scalar(reader: &mut Reader<'_>) -> Result<Scalar, Error> {
    Scalar::from_be_bytes(reader.mpi()?)
}
