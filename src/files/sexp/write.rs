//! Writing atoms as libgcrypt does in its advanced notation.
#![forbid(unsafe_code)]

use super::token::is_token_byte;

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends an atom: as a token if it can be one, quoted if it is text,
/// hexadecimal otherwise.
pub fn write_atom(bytes: &[u8], out: &mut Vec<u8>) {
    let binary = |byte: &u8| matches!(byte, 0..=7 | 0x0e..=0x1f | 0x7f..=0xa0);
    let begins_binary = bytes.first().is_some_and(|byte| *byte > 0x7e);
    let begins_as_token = bytes.first().is_some_and(|byte| !byte.is_ascii_digit());
    if begins_binary || bytes.iter().any(binary) {
        write_hexadecimal(bytes, out);
    } else if begins_as_token && bytes.iter().all(|byte| is_token_byte(*byte)) {
        out.extend_from_slice(bytes);
    } else {
        write_quoted(bytes, out);
    }
}

/// Appends a big-endian number in hexadecimal, with a zero byte in front of a
/// first bit that would make it look negative.
///
/// A number of `n` bytes without leading zeros takes at most `2 * n + 4`.
pub fn write_number(number: &[u8], out: &mut Vec<u8>) {
    out.push(b'#');
    if number.first().is_none_or(|byte| *byte > 0x7f) {
        out.extend_from_slice(b"00");
    }
    write_digits(number, out);
    out.push(b'#');
}

fn write_hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'#');
    write_digits(bytes, out);
    out.push(b'#');
}

fn write_digits(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        for half in [byte >> 4, byte & 0x0f] {
            out.extend(DIGITS.get(usize::from(half)));
        }
    }
}

fn write_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        let escape = match byte {
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            b'"' | b'\'' | b'\\' => *byte,
            _ => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_atom(bytes, &mut out);
        out
    }

    /// Compatibility: the choices are those of libgcrypt 1.10.
    #[test]
    fn atoms() {
        let cases: [(&[u8], &[u8]); 18] = [
            (b"", b"\"\""),
            (b"alice", b"alice"),
            (b"a1:/.-_*+=", b"a1:/.-_*+="),
            (b"prpl-jabber", b"prpl-jabber"),
            (b"*", b"*"),
            (b"1", b"\"1\""),
            (b"12345", b"\"12345\""),
            (b"alice@example.org", b"\"alice@example.org\""),
            (b"a b", b"\"a b\""),
            (b"\"'\\", b"\"\\\"\\'\\\\\""),
            (b"\x08\t\n\x0b\x0c\r", b"\"\\b\\t\\n\\v\\f\\r\""),
            (b"(#|)", b"\"(#|)\""),
            (b"a\xc3\xa1", b"\"a\xc3\xa1\""),
            (b"a\xc3\xa0", b"#61C3A0#"),
            (b"\xc3\xa1", b"#C3A1#"),
            (b"a\x7f", b"#617F#"),
            (b"a \x01", b"#612001#"),
            (b"\x00", b"#00#"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(atom(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn numbers() {
        let number = |bytes: &[u8]| {
            let mut out = Vec::new();
            write_number(bytes, &mut out);
            out
        };
        assert_eq!(number(&[0x7f, 0xab]), b"#7FAB#");
        assert_eq!(number(&[0x80]), b"#0080#");
        assert_eq!(number(&[]), b"#00#");
    }
}
