//! Encoded messages as lists of named fields.
#![forbid(unsafe_code)]

use super::forge;
use crate::wire::message::{DataMessage, Header, MessageType};
use crate::wire::{Reader, significant};
use crate::{Error, InstanceTag, Version};

/// The length of a MAC key in bytes.
const MAC_KEY_LEN: usize = 20;

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name for people.
    pub label: &'static str,
    /// Its name for programs.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A protocol version.
    Version(Version),
    /// A number that people read in decimal digits.
    Number(u32),
    /// Bytes, or a large number in its shortest form.
    Bytes(Vec<u8>),
    /// MAC keys, revealed.
    Keys {
        /// The whole ones.
        keys: Vec<[u8; MAC_KEY_LEN]>,
        /// Whether there are bytes at all, be they a whole key or not.
        present: bool,
    },
}

/// How a kind of message is called by people and by programs; `None` for texts
/// that have no fields.
#[must_use]
pub const fn title(kind: MessageType) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        MessageType::DhCommit => ("D-H Commit Message", "dh_commit"),
        MessageType::DhKey => ("D-H Key Message", "dh_key"),
        MessageType::RevealSignature => ("Reveal Signature Message", "reveal_signature"),
        MessageType::Signature => ("Signature Message", "signature"),
        MessageType::V1KeyExchange => ("Key Exchange Message", "v1_key_exchange"),
        MessageType::Data => ("Data Message", "data"),
        MessageType::NotOtr
        | MessageType::TaggedPlaintext
        | MessageType::Query
        | MessageType::Error
        | MessageType::Unknown => return None,
    })
}

/// The fields of a decoded message of this kind, in the order in which they
/// are shown.
///
/// Compatibility: hashes, keys and numbers may have any length, and any key id
/// will do; only the structure has to be sound.
///
/// # Errors
/// [`Error::WrongVersion`], [`Error::Truncated`], [`Error::TrailingBytes`];
/// [`Error::WrongType`] for a kind without fields.
pub fn fields(kind: MessageType, decoded: &[u8]) -> Result<Vec<Field>, Error> {
    let reader = &mut Reader::new(decoded);
    let fields = match kind {
        MessageType::DhCommit => {
            let mut fields = head(reader)?;
            fields.push(bytes("Encrypted Key", "encrypted_gx", reader.data()?));
            fields.push(bytes("Hashed Key", "hashed_gx", reader.data()?));
            fields
        }
        MessageType::DhKey => {
            let mut fields = head(reader)?;
            fields.push(number("D-H Key", "gy", reader)?);
            fields
        }
        MessageType::RevealSignature => {
            let mut fields = head(reader)?;
            fields.push(bytes("Key", "revealed_key", reader.data()?));
            fields.extend(signature(reader)?);
            fields
        }
        MessageType::Signature => {
            let mut fields = head(reader)?;
            fields.extend(signature(reader)?);
            fields
        }
        MessageType::V1KeyExchange => v1_key_exchange(reader)?,
        MessageType::Data => return forge::parse(decoded).map(|message| data(&message)),
        MessageType::NotOtr
        | MessageType::TaggedPlaintext
        | MessageType::Query
        | MessageType::Error
        | MessageType::Unknown => return Err(Error::WrongType),
    };
    if !reader.is_empty() {
        return Err(Error::TrailingBytes);
    }
    Ok(fields)
}

/// Reads version, type and, in version 3, the instance tags. The type is not
/// looked at: the text's first letters have told it.
pub(super) fn header(reader: &mut Reader<'_>) -> Result<Header, Error> {
    let version = u8::try_from(reader.short()?)
        .ok()
        .and_then(Version::from_number)
        .ok_or(Error::WrongVersion)?;
    let _ = reader.byte()?;
    let mut tag = || match version {
        Version::V1 | Version::V2 => Ok(InstanceTag::NONE),
        Version::V3 => reader.int().map(InstanceTag::new),
    };
    Ok(Header {
        version,
        sender: tag()?,
        receiver: tag()?,
    })
}

fn head(reader: &mut Reader<'_>) -> Result<Vec<Field>, Error> {
    let header = header(reader)?;
    let mut fields = vec![version(&header)];
    fields.extend(tags(&header));
    Ok(fields)
}

fn version(header: &Header) -> Field {
    Field {
        label: "Version",
        name: "version",
        value: Value::Version(header.version),
    }
}

fn tags(header: &Header) -> Vec<Field> {
    if header.version != Version::V3 {
        return Vec::new();
    }
    vec![
        int("Sender instance", "sender_instance", header.sender.get()),
        int(
            "Receiver instance",
            "receiver_instance",
            header.receiver.get(),
        ),
    ]
}

fn signature(reader: &mut Reader<'_>) -> Result<[Field; 2], Error> {
    let encrypted = reader.data()?;
    let mac = reader.take(20)?;
    Ok([
        bytes("Encrypted Signature", "encrypted_signature", encrypted),
        bytes("MAC", "mac", mac),
    ])
}

/// Compatibility: the version is not shown, there being only one, and y is
/// called e.
fn v1_key_exchange(reader: &mut Reader<'_>) -> Result<Vec<Field>, Error> {
    header(reader)?;
    Ok(vec![
        int("Reply", "reply", u32::from(reader.byte()?)),
        number("DSA p", "dsa_p", reader)?,
        number("DSA q", "dsa_q", reader)?,
        number("DSA g", "dsa_g", reader)?,
        number("DSA e", "dsa_y", reader)?,
        int("KeyID", "keyid", reader.int()?),
        number("DH y", "gy", reader)?,
        bytes("SIG r", "signature_r", significant(reader.take(20)?)),
        bytes("SIG s", "signature_s", significant(reader.take(20)?)),
    ])
}

fn data(message: &DataMessage<'_>) -> Vec<Field> {
    let mut fields = vec![version(&message.header)];
    if message.header.version != Version::V1 {
        fields.push(int("Flags", "flags", u32::from(message.flags)));
    }
    fields.extend(tags(&message.header));
    let (keys, _) = message.old_mac_keys.as_chunks();
    fields.extend([
        int("Sender keyid", "sender_keyid", message.sender_keyid),
        int("Rcpt keyid", "recipient_keyid", message.recipient_keyid),
        bytes("DH y", "next_dh", message.next_dh),
        bytes("Counter", "counter", &message.counter),
        bytes("Encrypted message", "encrypted", message.encrypted),
        bytes("MAC", "mac", &message.mac),
        Field {
            label: "Revealed MAC keys",
            name: "revealed_mac_keys",
            value: Value::Keys {
                keys: keys.to_vec(),
                present: !message.old_mac_keys.is_empty(),
            },
        },
    ]);
    fields
}

fn int(label: &'static str, name: &'static str, value: u32) -> Field {
    let value = Value::Number(value);
    Field { label, name, value }
}

fn bytes(label: &'static str, name: &'static str, value: &[u8]) -> Field {
    let value = Value::Bytes(value.to_vec());
    Field { label, name, value }
}

/// Reads an MPI of any length.
fn number(
    label: &'static str,
    name: &'static str,
    reader: &mut Reader<'_>,
) -> Result<Field, Error> {
    Ok(bytes(label, name, significant(reader.data()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|field| field.name).collect()
    }

    #[test]
    fn every_kind_with_a_title_has_fields_and_no_other() {
        for number in [
            MessageType::NotOtr,
            MessageType::TaggedPlaintext,
            MessageType::Query,
            MessageType::DhCommit,
            MessageType::DhKey,
            MessageType::RevealSignature,
            MessageType::Signature,
            MessageType::V1KeyExchange,
            MessageType::Data,
            MessageType::Error,
            MessageType::Unknown,
        ] {
            let empty = fields(number, &[]);
            match title(number) {
                Some(_) => assert_eq!(empty, Err(Error::Truncated)),
                None => assert_eq!(empty, Err(Error::WrongType)),
            }
        }
    }

    /// Compatibility: the hash of a commit may have any length.
    #[test]
    fn structure_matters_and_lengths_do_not() {
        let commit = b"\0\x02\x02\0\0\0\x01e\0\0\0\x02hh";
        let read = fields(MessageType::DhCommit, commit).unwrap();
        assert_eq!(names(&read), ["version", "encrypted_gx", "hashed_gx"]);
        assert_eq!(read[2].value, Value::Bytes(b"hh".to_vec()));
        for len in 0..commit.len() {
            let part = fields(MessageType::DhCommit, &commit[..len]);
            assert_eq!(part, Err(Error::Truncated));
        }
        let longer = [&commit[..], b"x"].concat();
        assert_eq!(
            fields(MessageType::DhCommit, &longer),
            Err(Error::TrailingBytes)
        );
        let mut other = *commit;
        other[1] = 4;
        assert_eq!(
            fields(MessageType::DhCommit, &other),
            Err(Error::WrongVersion)
        );
    }

    #[test]
    fn half_a_revealed_key_is_noticed_but_not_shown() {
        let mut message = b"\0\x01\x03\0\0\0\x01\0\0\0\x02\0\0\0\x01\x05".to_vec();
        message.extend([0; 8 + 4 + 20]);
        message.extend(b"\0\0\0\x05xxxxx");
        let read = fields(MessageType::Data, &message).unwrap();
        let keys = Value::Keys {
            keys: Vec::new(),
            present: true,
        };
        assert_eq!(read.last().map(|field| &field.value), Some(&keys));
    }
}
