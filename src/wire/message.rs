//! Encoded messages: their kinds, their headers and the five of versions 2 and
//! 3, as in the section "Encoded messages" of the protocol text.
//!
//! Functions that take *text* look at a message as it arrived; `parse` takes
//! the bytes from inside the armour and insists on using all of them.
#![forbid(unsafe_code)]

mod ake;
mod data;

pub use ake::{DhCommit, DhKey, RevealSignature, Signature};
pub use data::{DataMessage, IGNORE_UNREADABLE};

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2};

use super::{Reader, Writer, base64, whitespace};
use crate::{Error, InstanceTag, Version};

/// What every message of the protocol contains somewhere.
pub const MARK: &[u8] = b"?OTR";

/// Message type bytes.
const DH_COMMIT: u8 = 0x02;
const DATA: u8 = 0x03;
const DH_KEY: u8 = 0x0a;
const REVEAL_SIGNATURE: u8 = 0x11;
const SIGNATURE: u8 = 0x12;

/// What kind of message a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Nothing of the protocol.
    NotOtr = 0,
    /// Plain text with a whitespace tag.
    TaggedPlaintext = 1,
    /// A query.
    Query = 2,
    /// A D-H Commit message.
    DhCommit = 3,
    /// A D-H Key message.
    DhKey = 4,
    /// A Reveal Signature message.
    RevealSignature = 5,
    /// A Signature message.
    Signature = 6,
    /// The Key Exchange message of version 1.
    V1KeyExchange = 7,
    /// A data message.
    Data = 8,
    /// An error message.
    Error = 9,
    /// Something of the protocol, but nothing known; fragments too.
    Unknown = 10,
}

/// The kind of message that this text is.
///
/// Compatibility: the first `?OTR` decides, wherever it stands; later ones and
/// the text in front of it are not looked at.
#[must_use]
pub fn message_type(text: &[u8]) -> MessageType {
    // Most texts begin with the mark or have neither its first byte nor a tab.
    if !text.starts_with(MARK) && memchr2(b'?', b'\t', text).is_none() {
        return MessageType::NotOtr;
    }
    let Some(marked) = from_mark(text) else {
        return if whitespace::find(text).is_some() {
            MessageType::TaggedPlaintext
        } else {
            MessageType::NotOtr
        };
    };
    match marked {
        [b':', b'A', b'A', b'M' | b'I', kind, ..] => match kind {
            b'C' => MessageType::DhCommit,
            b'K' => MessageType::DhKey,
            b'R' => MessageType::RevealSignature,
            b'S' => MessageType::Signature,
            b'D' => MessageType::Data,
            _ => MessageType::Unknown,
        },
        [b':', b'A', b'A', b'E', b'K', ..] => MessageType::V1KeyExchange,
        [b':', b'A', b'A', b'E', b'D', ..] => MessageType::Data,
        [b'?' | b'v', ..] => MessageType::Query,
        _ if marked.starts_with(b" Error:") => MessageType::Error,
        _ => MessageType::Unknown,
    }
}

/// Whether this text is a query: what [`message_type`] says, sooner.
#[must_use]
pub fn is_query(text: &[u8]) -> bool {
    // Most texts have not even a question mark.
    memchr(b'?', text).is_some() && matches!(from_mark(text), Some([b'?' | b'v', ..]))
}

/// The protocol version of an encoded message; `None` for every other text.
#[must_use]
pub fn message_version(text: &[u8]) -> Option<Version> {
    match from_mark(text)? {
        [b':', b'A', b'A', b'M', ..] => Some(Version::V3),
        [b':', b'A', b'A', b'I', ..] => Some(Version::V2),
        [b':', b'A', b'A', b'E', ..] => Some(Version::V1),
        _ => None,
    }
}

/// What follows the first `?OTR` of a text.
pub(crate) fn from_mark(text: &[u8]) -> Option<&[u8]> {
    behind(text, MARK)
}

/// What follows the first occurrence of something that begins with `?OTR`.
///
/// Most texts begin with it or have no question mark at all, so that this is
/// quicker than a general search.
pub(crate) fn behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    text.strip_prefix(mark)
        .or_else(|| memchr_iter(b'?', text).find_map(|at| text.get(at..)?.strip_prefix(mark)))
}

/// The instance tags, sender's and receiver's, of an encoded version 3 message.
///
/// # Errors
/// [`Error::WrongVersion`] unless the text *begins* with `?OTR:AAM`,
/// [`Error::Truncated`] if the tags are not whole.
pub fn instances(text: &[u8]) -> Result<(InstanceTag, InstanceTag), Error> {
    let mut room = [0; 9];
    let tags = encoded_tags(text, &mut room)?;
    let mut reader = Reader::new(&tags);
    let sender = InstanceTag::new(reader.int()?);
    let receiver = InstanceTag::new(reader.int()?);
    Ok((sender, receiver))
}

/// The sender's instance tag of an encoded version 3 message, also where the
/// receiver's is not whole.
///
/// # Errors
/// As for [`instances`].
pub fn sender(text: &[u8]) -> Result<InstanceTag, Error> {
    let mut room = [0; 9];
    let tags = encoded_tags(text, &mut room)?;
    Reader::new(&tags).int().map(InstanceTag::new)
}

/// The bytes of the two tags, or fewer if they are not whole.
fn encoded_tags<'a>(text: &[u8], room: &'a mut [u8; 9]) -> Result<Cow<'a, [u8]>, Error> {
    if !text.starts_with(b"?OTR:AAM") {
        return Err(Error::WrongVersion);
    }
    // "?OTR:" and the three bytes of version and type come before the tags.
    let tags = text.get(9..21).ok_or(Error::Truncated)?;
    Ok(base64::decode_into(tags, room))
}

/// What encoded messages begin with: version, type and, in version 3, tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The protocol version.
    pub version: Version,
    /// The sender's instance; [`InstanceTag::NONE`] before version 3.
    pub sender: InstanceTag,
    /// The receiver's instance; [`InstanceTag::NONE`] before version 3, and
    /// where it is not known yet.
    pub receiver: InstanceTag,
}

impl Header {
    /// How many bytes the header takes, the message type included.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        match self.version {
            Version::V1 | Version::V2 => 3,
            Version::V3 => 11,
        }
    }

    fn read(reader: &mut Reader<'_>, expected: u8) -> Result<Self, Error> {
        let version = reader.short()?;
        let kind = reader.byte()?;
        let version = u8::try_from(version)
            .ok()
            .and_then(Version::from_number)
            .ok_or(Error::WrongVersion)?;
        if kind != expected {
            return Err(Error::WrongType);
        }
        let mut tag = || match version {
            Version::V1 | Version::V2 => Ok(InstanceTag::NONE),
            Version::V3 => reader.int().map(InstanceTag::new),
        };
        Ok(Self {
            version,
            sender: tag()?,
            receiver: tag()?,
        })
    }

    fn write(self, kind: u8, writer: &mut Writer) {
        writer.short(u16::from(self.version.number())).byte(kind);
        if self.version == Version::V3 {
            writer.int(self.sender.get()).int(self.receiver.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_decides_the_kind() {
        use MessageType as T;
        let cases: [(&[u8], T); 34] = [
            (b"", T::NotOtr),
            (b"hello", T::NotOtr),
            (b"?OT", T::NotOtr),
            (
                b"\x20\x09\x20\x20\x09\x09\x09\x09\x20\x09\x20\x09\x20\x09\x20\x20",
                T::TaggedPlaintext,
            ),
            (
                b"a \x20\x09\x20\x20\x09\x09\x09\x09\x20\x09\x20\x09\x20\x09\x20\x20b",
                T::TaggedPlaintext,
            ),
            (b"?OTR?", T::Query),
            (b"?OTRv", T::Query),
            (b"?OTRv2?", T::Query),
            (b"<b>?OTR?v23?</b>", T::Query),
            (b"?OTR:AAMC", T::DhCommit),
            (b"?OTR:AAIC", T::DhCommit),
            (b"?OTR:AAMK", T::DhKey),
            (b"?OTR:AAIK", T::DhKey),
            (b"?OTR:AAMR", T::RevealSignature),
            (b"?OTR:AAIR", T::RevealSignature),
            (b"?OTR:AAMS", T::Signature),
            (b"?OTR:AAIS", T::Signature),
            (b"?OTR:AAMD", T::Data),
            (b"?OTR:AAID", T::Data),
            (b"?OTR:AAED", T::Data),
            (b"?OTR:AAEK", T::V1KeyExchange),
            (b"?OTR:AAEC", T::Unknown),
            (b"?OTR:AAMX", T::Unknown),
            (b"?OTR:AAM", T::Unknown),
            (b"?OTR:AAQC", T::Unknown),
            (b"?OTR Error:", T::Error),
            (b"x?OTR Error: y", T::Error),
            (b"?OTR Error", T::Unknown),
            (b"?OTR", T::Unknown),
            (b"?OTR!", T::Unknown),
            (b"?OTR,1,2,x,", T::Unknown),
            (b"?OTR|1|2,1,2,x,", T::Unknown),
            (b"?OTR! ?OTR?", T::Unknown),
            (b"?OTR?OTR:AAMC", T::Query),
        ];
        for (text, kind) in cases {
            assert_eq!(is_query(text), kind == T::Query);
            assert_eq!(message_type(text), kind, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_first_mark_decides_the_version() {
        assert_eq!(message_version(b"?OTR:AAM"), Some(Version::V3));
        assert_eq!(message_version(b"x?OTR:AAI"), Some(Version::V2));
        assert_eq!(message_version(b"?OTR:AAE"), Some(Version::V1));
        assert_eq!(message_version(b"?OTRv3? ?OTR:AAM"), None);
        assert_eq!(message_version(b"?OTR:AA"), None);
        assert_eq!(message_version(b"hello"), None);
    }

    #[test]
    fn instance_tags_are_read_from_the_text() {
        let message = DhKey {
            header: Header {
                version: Version::V3,
                sender: InstanceTag::new(0x1234_5678),
                receiver: InstanceTag::new(0x9abc_def0),
            },
            gy: vec![5],
        };
        let text = base64::armour(&message.encode().unwrap());
        let tags = (message.header.sender, message.header.receiver);
        assert_eq!(instances(&text), Ok(tags));
        assert_eq!(instances(&text[..21]), Ok(tags));
        assert_eq!(instances(&text[..20]), Err(Error::Truncated));
        assert_eq!(instances(b"?OTR:AAMKAAAA========"), Err(Error::Truncated));
        assert_eq!(sender(&text), Ok(tags.0));
        let half = b"?OTR:AAMDAAABAg======";
        assert_eq!(instances(half), Err(Error::Truncated));
        assert_eq!(sender(half), Ok(InstanceTag::new(0x102)));
        let behind = [b" ", &text[..]].concat();
        assert_eq!(instances(&behind), Err(Error::WrongVersion));
        assert_eq!(
            instances(b"?OTR:AAIKAAAAAAAAAAAA"),
            Err(Error::WrongVersion)
        );
    }
}
