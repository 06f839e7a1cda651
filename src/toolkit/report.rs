//! Writing down what a transcript consists of, for people or for programs.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Write};

use super::dissect::{self, Field, Value};
use super::hex;
use super::json::{self, Object};
use super::transcript::{Opened, Record};
use crate::Version;

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text {
        /// Whether to use colours.
        colour: bool,
        /// Whether a terminal may obey what is written, so that control
        /// characters from a message must not get there.
        terminal: bool,
    },
    /// For programs: one JSON object a line.
    Json,
}

/// Writes one record; `pieces` is the number of pieces it was joined from.
///
/// # Errors
/// If writing fails.
pub fn write(
    out: &mut dyn Write,
    format: Format,
    record: &Record,
    pieces: Option<u16>,
) -> io::Result<()> {
    match format {
        Format::Json => writeln!(out, "{}", object(record, pieces)),
        Format::Text { colour, terminal } => {
            let mut page = Page {
                text: Vec::new(),
                colour,
                terminal,
            };
            page.record(record, pieces);
            out.write_all(&page.text)
        }
    }
}

/// What is written about one record.
struct Page {
    text: Vec<u8>,
    colour: bool,
    terminal: bool,
}

/// Terminal colours.
const TITLE: &str = "1";
const LABEL: &str = "36";
const WRONG: &str = "31";

impl Page {
    fn record(&mut self, record: &Record, pieces: Option<u16>) {
        match record {
            Record::Message {
                kind,
                fields,
                opened,
            } => {
                let (title, _) = dissect::title(*kind).unwrap_or_default();
                self.title(TITLE, &format!("{title}:"), pieces);
                for field in fields {
                    self.field(field);
                }
                if let Some(opened) = opened {
                    self.opened(opened);
                }
            }
            Record::Invalid(kind, _) => {
                let (title, _) = dissect::title(*kind).unwrap_or_default();
                self.title(WRONG, &format!("Invalid {title}"), pieces);
            }
            Record::Query(versions) => {
                self.title(TITLE, "OTR Query:", pieces);
                self.versions(versions);
            }
            Record::Tag(versions) => {
                self.title(TITLE, "Tagged plaintext message:", pieces);
                self.versions(versions);
            }
            Record::Error(words) => {
                self.title(TITLE, "OTR Error:", pieces);
                self.line("\t", "Message", words);
            }
            Record::Incomplete { pieces, total } => {
                self.title(WRONG, "Incomplete message:", None);
                self.line("\t", "Fragments", format!("{pieces} of {total}").as_bytes());
            }
            Record::Unrecognized(text) => {
                self.title(WRONG, "Unrecognized OTR message:", pieces);
                self.text.push(b'\t');
                self.foreign(text);
                self.text.push(b'\n');
            }
            Record::TooLong => self.title(WRONG, "Message too long to be shown", pieces),
        }
        self.text.push(b'\n');
    }

    fn title(&mut self, colour: &str, title: &str, pieces: Option<u16>) {
        self.coloured(colour, title);
        self.text.push(b'\n');
        if let Some(pieces) = pieces {
            self.line("\t", "Fragments", pieces.to_string().as_bytes());
        }
    }

    fn field(&mut self, field: &Field) {
        match &field.value {
            Value::Version(version) => {
                let version = format!("{:02x}", version.number());
                self.line("\t", field.label, version.as_bytes());
            }
            Value::Number(number) => {
                self.line("\t", field.label, number.to_string().as_bytes());
            }
            Value::Bytes(bytes) => self.line("\t", field.label, hex::encode(bytes).as_bytes()),
            Value::Keys { present: false, .. } => {}
            Value::Keys { keys, .. } => {
                self.text.push(b'\t');
                self.coloured(LABEL, &format!("{}:", field.label));
                self.text.push(b'\n');
                for (number, key) in (1_u32..).zip(keys) {
                    let key = hex::encode(key);
                    self.line("\t\t", &format!("Key {number}"), key.as_bytes());
                }
            }
        }
    }

    fn opened(&mut self, opened: &Opened) {
        match opened.verified_by {
            Some(number) => {
                let words = format!("yes, by key {number}");
                self.line("\t", "Verified", words.as_bytes());
            }
            None => self.line("\t", "Verified", b"no"),
        }
        if let Some(text) = &opened.text {
            self.line("\t", "Plaintext", text);
        }
        for record in &opened.tlvs {
            let value = hex::encode(&record.value);
            let label = format!("TLV of type {}", record.kind);
            self.line("\t", &label, value.as_bytes());
        }
    }

    fn versions(&mut self, versions: &[Version]) {
        let versions: Vec<_> = versions
            .iter()
            .map(|version| version.number().to_string())
            .collect();
        self.line("\t", "Versions", versions.join(", ").as_bytes());
    }

    fn line(&mut self, indent: &str, label: &str, value: &[u8]) {
        self.text.extend_from_slice(indent.as_bytes());
        self.coloured(LABEL, &format!("{label}:"));
        self.text.push(b' ');
        self.foreign(value);
        self.text.push(b'\n');
    }

    fn coloured(&mut self, colour: &str, words: &str) {
        let words = if self.colour {
            format!("\x1b[{colour}m{words}\x1b[m")
        } else {
            words.to_owned()
        };
        self.text.extend_from_slice(words.as_bytes());
    }

    /// Appends words that somebody else has chosen.
    fn foreign(&mut self, words: &[u8]) {
        if !self.terminal {
            self.text.extend_from_slice(words);
            return;
        }
        let mut shown = String::with_capacity(words.len());
        for chunk in words.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    let _ = write!(shown, "{}", character.escape_unicode());
                } else {
                    shown.push(character);
                }
            }
            for byte in chunk.invalid() {
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
        self.text.extend_from_slice(shown.as_bytes());
    }
}

/// The record as JSON.
fn object(record: &Record, pieces: Option<u16>) -> String {
    let mut object = Object::new();
    match record {
        Record::Message {
            kind,
            fields,
            opened,
        } => {
            let (_, name) = dissect::title(*kind).unwrap_or_default();
            object.string("type", name);
            for field in fields {
                member(&mut object, field);
            }
            if let Some(opened) = opened {
                members_of_opened(&mut object, opened);
            }
        }
        Record::Invalid(kind, error) => {
            let (_, name) = dissect::title(*kind).unwrap_or_default();
            object.string("type", "invalid").string("of", name);
            object.string("reason", error.as_str());
        }
        Record::Query(versions) => {
            object.string("type", "query");
            object.list("versions", numbers(versions));
        }
        Record::Tag(versions) => {
            object.string("type", "whitespace_tag");
            object.list("versions", numbers(versions));
        }
        Record::Error(words) => {
            object.string("type", "error");
            text(&mut object, "message", words);
        }
        Record::Incomplete { pieces, total } => {
            object.string("type", "incomplete");
            object.number("received", *pieces).number("total", *total);
        }
        Record::Unrecognized(words) => {
            object.string("type", "unrecognized");
            text(&mut object, "text", words);
        }
        Record::TooLong => {
            object.string("type", "too_long");
        }
    }
    if let Some(pieces) = pieces {
        object.number("fragments", pieces);
    }
    object.finish()
}

fn member(object: &mut Object, field: &Field) {
    match &field.value {
        Value::Version(version) => object.number(field.name, version.number()),
        Value::Number(number) => object.number(field.name, *number),
        Value::Bytes(bytes) => object.hex(field.name, bytes),
        Value::Keys { keys, .. } => {
            let keys = keys.iter().map(|key| json::string(&hex::encode(key)));
            object.list(field.name, keys)
        }
    };
}

fn members_of_opened(object: &mut Object, opened: &Opened) {
    match opened.verified_by {
        Some(number) => object.raw("verified_by", &number.to_string()),
        None => object.raw("verified_by", "null"),
    };
    if let Some(plain) = &opened.text {
        text(object, "plaintext", plain);
        let records = opened.tlvs.iter().map(|record| {
            let mut object = Object::new();
            object.number("type", record.kind);
            object.hex("value", &record.value).finish()
        });
        object.list("tlvs", records);
    }
}

/// Adds words that may be anything: as text, which is null unless they are
/// UTF-8, and in hexadecimal digits.
fn text(object: &mut Object, name: &str, words: &[u8]) {
    match core::str::from_utf8(words) {
        Ok(words) => object.string(name, words),
        Err(_) => object.raw(name, "null"),
    };
    object.hex(&format!("{name}_hex"), words);
}

fn numbers(versions: &[Version]) -> impl Iterator<Item = String> {
    versions.iter().map(|version| version.number().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::wire::message::MessageType;

    fn written(format: Format, record: &Record, pieces: Option<u16>) -> String {
        let mut out = Vec::new();
        write(&mut out, format, record, pieces).unwrap();
        String::from_utf8(out).unwrap()
    }

    const PLAIN: Format = Format::Text {
        colour: false,
        terminal: false,
    };
    const TERMINAL: Format = Format::Text {
        colour: true,
        terminal: true,
    };

    #[test]
    fn a_terminal_is_not_given_what_a_message_wants_it_to_do() {
        let record = Record::Unrecognized(b"?OTR:\x1b[2J\xff\xc3\xa9".to_vec());
        assert_eq!(
            written(TERMINAL, &record, None),
            "\x1b[31mUnrecognized OTR message:\x1b[m\n\t?OTR:\\u{1b}[2J\\xffé\n\n"
        );
        let json = r#"{"type":"unrecognized","text":null,"text_hex":"3f4f54523a1b5b324affc3a9"}"#;
        assert_eq!(written(Format::Json, &record, None).trim_end(), json);
    }

    #[test]
    fn records_other_than_messages() {
        for (record, pieces, text, json) in [
            (
                Record::Query(vec![Version::V2, Version::V3]),
                None,
                "OTR Query:\n\tVersions: 2, 3\n\n",
                r#"{"type":"query","versions":[2,3]}"#,
            ),
            (
                Record::Tag(vec![]),
                None,
                "Tagged plaintext message:\n\tVersions: \n\n",
                r#"{"type":"whitespace_tag","versions":[]}"#,
            ),
            (
                Record::Error(b"no".to_vec()),
                Some(2),
                "OTR Error:\n\tFragments: 2\n\tMessage: no\n\n",
                r#"{"type":"error","message":"no","message_hex":"6e6f","fragments":2}"#,
            ),
            (
                Record::Incomplete {
                    pieces: 1,
                    total: 3,
                },
                None,
                "Incomplete message:\n\tFragments: 1 of 3\n\n",
                r#"{"type":"incomplete","received":1,"total":3}"#,
            ),
            (
                Record::Invalid(MessageType::Data, Error::Truncated),
                None,
                "Invalid Data Message\n\n",
                r#"{"type":"invalid","of":"data","reason":"input ends too early"}"#,
            ),
            (
                Record::TooLong,
                None,
                "Message too long to be shown\n\n",
                r#"{"type":"too_long"}"#,
            ),
        ] {
            assert_eq!(written(PLAIN, &record, pieces), text);
            assert_eq!(written(Format::Json, &record, pieces).trim_end(), json);
        }
    }
}
