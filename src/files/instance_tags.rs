//! The instance tag file: which tag each account uses on this machine.
//!
//! One line for each: `account`, `protocol` and eight hexadecimal digits, with
//! tabs between them.
#![forbid(unsafe_code)]

use super::lines::{self, Line, Written, field, fits_field, last_field};
use crate::{Error, InstanceTag};

/// The first line of the file, for the user who copies it.
///
/// Compatibility: the words are part of the format.
const WARNING: &[u8] = b"# WARNING! You shouldn't copy this file to another computer. \
                         It is unnecessary and can cause problems.\n";

/// An account's tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The account's name.
    pub account: &'a [u8],
    /// The network's name.
    pub protocol: &'a [u8],
    /// The tag.
    pub tag: InstanceTag,
}

/// The entries in the text of an instance tag file, in the file's order.
///
/// A line that is no entry is passed over: one without exactly two tabs or
/// with a NUL, or whose third field is anything but eight hexadecimal digits
/// that make a valid tag. The last line may lack its line break.
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
    let (account, rest) = field(line.text)?;
    let (protocol, rest) = field(rest)?;
    // Compatibility: a carriage return ends the line.
    let (digits, _) = last_field(rest);
    let tag = InstanceTag::new(u32::from_be_bytes(lines::hexadecimal(digits)?));
    tag.is_valid().then_some(Entry {
        account,
        protocol,
        tag,
    })
}

/// The text of an instance tag file with these entries.
///
/// An entry in which a name contains a tab, a line break or a NUL is left out
/// and counted.
#[must_use]
pub fn write<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Written {
    let mut written = Written {
        text: WARNING.to_vec(),
        skipped: 0,
    };
    for entry in entries {
        let names = [entry.account, entry.protocol];
        if !names.into_iter().all(fits_field) {
            written.skipped = written.skipped.saturating_add(1);
            continue;
        }
        let out = &mut written.text;
        for name in names {
            out.extend_from_slice(name);
            out.push(b'\t');
        }
        lines::write_hexadecimal(&entry.tag.get().to_be_bytes(), out);
        out.push(b'\n');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<(String, u32)> {
        read(text.as_bytes())
            .unwrap()
            .map(|entry| {
                let names = [entry.account, entry.protocol];
                let names = names.map(|name| name.escape_ascii().to_string());
                (names.join("|"), entry.tag.get())
            })
            .collect()
    }

    /// Compatibility: the answers are those of libotr 4.1.1, except that it
    /// skips a last line without line break.
    #[test]
    fn lines_that_are_entries() {
        for (line, names, tag) in [
            ("a\tp\t12345678\n", "a|p", 0x1234_5678),
            ("a\tp\t12345678\r\n", "a|p", 0x1234_5678),
            ("a\tp\t12345678\rx\n", "a|p", 0x1234_5678),
            ("a\tp\t12345678\r", "a|p", 0x1234_5678),
            ("a\tp\t12345678", "a|p", 0x1234_5678),
            ("a\tp\tABCDEF01\n", "a|p", 0xabcd_ef01),
            ("a\tp\t00000100\n", "a|p", 0x100),
            ("\t\t12345678\n", "|", 0x1234_5678),
            ("a b\tp q\t12345678\n", "a b|p q", 0x1234_5678),
            ("# a\tp\t12345678\n", "# a|p", 0x1234_5678),
            ("a\rb\tp\t12345678\n", "a\\rb|p", 0x1234_5678),
        ] {
            assert_eq!(parse(line), [(names.to_owned(), tag)], "{line:?}");
        }
        let two = parse("a\tp\t12345678\na\tp\t22345678\n");
        assert_eq!(
            two.iter().map(|(_, tag)| *tag).collect::<Vec<_>>(),
            [0x1234_5678, 0x2234_5678]
        );
    }

    /// libotr 4.1.1 takes blanks, a sign, `0x` and digits with letters behind
    /// them for a number; a file that it has written contains none of these.
    #[test]
    fn lines_that_are_none() {
        for line in [
            "",
            "# hello\n",
            "a\t12345678\n",
            "a\tp\tb\t12345678\n",
            "a\tp\t12345678\tx\n",
            "a\tp\t123456789\n",
            "a\tp\t1234567\n",
            "a\tp\t000000ff\n",
            "a\tp\tzzzzzzzz\n",
            "a\tp\t-1234567\n",
            "a\tp\t123zzzzz\n",
            "a\tp\t0x123456\n",
            "a\tp\t    1234\n",
            "a\0\tp\t12345678\n",
        ] {
            assert_eq!(parse(line), [], "{line:?}");
        }
    }

    #[test]
    fn what_is_written() {
        let entry = |account, tag| Entry {
            account,
            protocol: &b"irc"[..],
            tag: InstanceTag::new(tag),
        };
        let written = write([
            entry(&b"alice"[..], 0x100),
            entry(b"ev\nil", 0x101),
            entry(b"t\tab", 0x102),
            entry(b"carol", 0x9abc_def0),
        ]);
        assert_eq!(written.skipped, 2);
        assert_eq!(
            written.text,
            b"# WARNING! You shouldn't copy this file to another computer. It is unnecessary and \
              can cause problems.\nalice\tirc\t00000100\ncarol\tirc\t9abcdef0\n"
        );
    }
}
