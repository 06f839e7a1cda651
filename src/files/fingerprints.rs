//! The fingerprint file: whose keys were seen, and which of them are trusted.
//!
//! One line for each: `user`, `account`, `protocol`, 40 hexadecimal digits and
//! optionally the trust, with tabs between them.
#![forbid(unsafe_code)]

use super::lines::{self, Line, Written, field, fits_field, last_field};
use crate::Error;
use crate::crypto::dsa::Fingerprint;

/// What programs write into the trust column.
///
/// None is the beginning of another, so a last line that ends with one of them
/// was not cut off there.
const WHOLE_WORDS: [&[u8]; 5] = [b"verified", b"smp", b"manual", b"affirmed", b"trusted"];

/// A key of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The peer's name.
    pub user: &'a [u8],
    /// The name of the account that talks with it.
    pub account: &'a [u8],
    /// The network's name.
    pub protocol: &'a [u8],
    /// The key's fingerprint.
    pub fingerprint: Fingerprint,
    /// How the key came to be trusted; empty for not at all, `None` if the
    /// line has no such column.
    pub trust: Option<&'a [u8]>,
}

/// The entries in the text of a fingerprint file, in the file's order.
///
/// A line that is no entry is passed over: one with too few tabs, with
/// anything but 40 hexadecimal digits or with a NUL. So is a last line without
/// its line break, as it may have been cut off, unless it ends with a word
/// that programs write as trust.
///
/// # Errors
/// [`Error::TooLong`] beyond [`crate::limits::MAX_LINES_FILE`] bytes.
pub fn read(text: &[u8]) -> Result<impl Iterator<Item = Entry<'_>>, Error> {
    Ok(lines::lines(text)?.filter_map(entry))
}

fn entry(line: Line<'_>) -> Option<Entry<'_>> {
    if lines::has_nul(line.text) {
        return None;
    }
    let (user, rest) = field(line.text)?;
    let (account, rest) = field(rest)?;
    let (protocol, rest) = field(rest)?;
    // Compatibility: a carriage return ends the line's last column, while it is
    // an ordinary character in those before. Trust may contain tabs.
    let (digits, trust, returned) = match field(rest) {
        Some((digits, trust)) => {
            let (trust, returned) = last_field(trust);
            (digits, Some(trust), returned)
        }
        None => {
            let (digits, returned) = last_field(rest);
            (digits, None, returned)
        }
    };
    let whole = line.ended || returned || trust.is_some_and(|trust| WHOLE_WORDS.contains(&trust));
    let fingerprint = Fingerprint(lines::hexadecimal(digits)?);
    whole.then_some(Entry {
        user,
        account,
        protocol,
        fingerprint,
        trust,
    })
}

/// The text of a fingerprint file with these entries.
///
/// An entry in which a name contains a tab, or anything a line break or a NUL,
/// is left out and counted: it could pass for somebody else's.
#[must_use]
pub fn write<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Written {
    let mut written = Written::default();
    for entry in entries {
        let trust = entry.trust.unwrap_or_default();
        let names = [entry.user, entry.account, entry.protocol];
        let trust_fits = trust.split(|byte| *byte == b'\t').all(fits_field);
        if !trust_fits || !names.into_iter().all(fits_field) {
            written.skipped = written.skipped.saturating_add(1);
            continue;
        }
        let out = &mut written.text;
        for name in names {
            out.extend_from_slice(name);
            out.push(b'\t');
        }
        lines::write_hexadecimal(&entry.fingerprint.0, out);
        out.push(b'\t');
        out.extend_from_slice(trust);
        out.push(b'\n');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233";
    const KEY: Fingerprint = Fingerprint([
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
        0xff, 0x00, 0x11, 0x22, 0x33,
    ]);

    const fn bob(trust: Option<&[u8]>) -> Entry<'_> {
        Entry {
            user: b"bob",
            account: b"alice",
            protocol: b"irc",
            fingerprint: KEY,
            trust,
        }
    }

    fn parse(text: &str) -> Vec<(String, Option<String>)> {
        let string = |bytes: &[u8]| bytes.escape_ascii().to_string();
        read(text.replace("KEY", DIGITS).as_bytes())
            .unwrap()
            .map(|entry| {
                assert_eq!(entry.fingerprint, KEY);
                let names = [entry.user, entry.account, entry.protocol].map(string);
                (names.join("|"), entry.trust.map(string))
            })
            .collect()
    }

    /// Compatibility: the answers are those of libotr 4.1.1.
    #[test]
    fn lines_that_are_entries() {
        let trust = |trust: &str| Some(trust.to_owned());
        for (line, names, expected) in [
            ("u\ta\tp\tKEY\tx\n", "u|a|p", trust("x")),
            ("u\ta\tp\tKEY\tx\r\n", "u|a|p", trust("x")),
            ("u\ta\tp\tKEY\t\n", "u|a|p", trust("")),
            ("u\ta\tp\tKEY\n", "u|a|p", None),
            ("u\ta\tp\tKEY\r\n", "u|a|p", None),
            ("u\ta\tp\tKEY\r", "u|a|p", None),
            ("u\ta\tp\tKEY\tx\ry\n", "u|a|p", trust("x")),
            ("u\ta\tp\tKEY\rx\n", "u|a|p", None),
            ("u\ta\tp\tKEY\tx\ty\n", "u|a|p", trust("x\\ty")),
            ("u\ta\tp\tKEY\t x \n", "u|a|p", trust(" x ")),
            ("\t\t\tKEY\n", "||", None),
            ("#u\ta b\tp\tKEY\n", "#u|a b|p", None),
            ("u\rv\ta\tp\r\tKEY\tx\n", "u\\rv|a|p\\r", trust("x")),
        ] {
            assert_eq!(parse(line), [(names.to_owned(), expected)], "{line:?}");
        }
        let upper = format!("u\ta\tp\t{}\n", DIGITS.to_uppercase());
        assert_eq!(parse(&upper).len(), 1);
    }

    #[test]
    fn lines_that_are_none() {
        for line in [
            "",
            "\n\n\n",
            "u\ta\tp\n",
            "u\ta\tKEY\tx\n",
            "u\ta\tp\tq\tKEY\tx\n",
            "u\ta\tp\tKEY \tx\n",
            "u\ta\tp\tKEY0\tx\n",
            "u\ta\tp\tKEY00\tx\n",
            "u\ta\tp\tKEY\r\tx\n",
            "u\ta\tp\tKEY\rx\ty\n",
            "u\ta\tp\t0011\tx\n",
            "u\ta\tp\tzz112233445566778899aabbccddeeff00112233\tx\n",
            "u\0\ta\tp\tKEY\tx\n",
        ] {
            assert_eq!(parse(line), [], "{line:?}");
        }
    }

    #[test]
    fn a_last_line_that_may_be_cut_off_does_not_count() {
        for line in ["u\ta\tp\tKEY", "u\ta\tp\tKEY\t", "u\ta\tp\tKEY\tverif"] {
            assert_eq!(parse(line), [], "{line:?}");
        }
        for word in WHOLE_WORDS {
            let word = str::from_utf8(word).unwrap();
            assert_eq!(parse(&format!("u\ta\tp\tKEY\t{word}")).len(), 1);
        }
    }

    /// However long a line is, it is one line.
    #[test]
    fn a_long_line_stays_one_line() {
        let user = "x".repeat(999);
        let entries = parse(&format!("{user}mallory\tme\tirc\tKEY\tverified\n"));
        assert_eq!(
            entries,
            [(format!("{user}mallory|me|irc"), Some("verified".to_owned()))]
        );
    }

    #[test]
    fn what_is_written() {
        let other = Entry {
            user: b"",
            ..bob(None)
        };
        let written = write([bob(Some(b"smp")), bob(Some(b"")), other]);
        assert_eq!(written.skipped, 0);
        let expected = format!(
            "bob\talice\tirc\t{DIGITS}\tsmp\nbob\talice\tirc\t{DIGITS}\t\n\talice\tirc\t{DIGITS}\t\n"
        );
        assert_eq!(written.text, expected.as_bytes());
    }

    #[test]
    fn a_name_cannot_make_lines_of_its_own() {
        for bad in [
            &b"eve\nbob\talice\tirc\t00112233445566778899aabbccddeeff00112233\tverified\nx"[..],
            b"eve\tx",
            b"eve\rx",
            b"eve\0x",
        ] {
            let entries = [
                Entry {
                    user: bad,
                    ..bob(None)
                },
                Entry {
                    account: bad,
                    ..bob(None)
                },
                Entry {
                    protocol: bad,
                    ..bob(None)
                },
                bob(Some(b"smp")),
            ];
            let written = write(entries);
            assert_eq!(written.skipped, 3, "{}", bad.escape_ascii());
            assert_eq!(read(&written.text).unwrap().count(), 1);
        }
        for (trust, skipped) in [(&b"x\ny"[..], 1), (b"x\ry", 1), (b"x\0y", 1), (b"x\ty", 0)] {
            assert_eq!(write([bob(Some(trust))]).skipped, skipped);
        }
    }
}
