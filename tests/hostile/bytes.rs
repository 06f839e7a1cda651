//! The wire format, written a second time: the suite must not rest on the
//! code it tests.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Whether `text` contains `part`.
pub fn contains(text: &[u8], part: &[u8]) -> bool {
    find(text, part).is_some()
}

/// Where `part` begins in `text`.
pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|w| w == part)
}

/// The bytes inside `?OTR:` base64 `.`, or `None` if there is no `?OTR:`.
pub fn unwrap_armour(text: &[u8]) -> Option<Vec<u8>> {
    let body = &text[find(text, b"?OTR:")? + 5..];
    let (mut out, mut acc, mut bits) = (Vec::new(), 0u32, 0);
    for byte in body.iter().take_while(|b| !matches!(b, b'.' | b'=')) {
        let Some(value) = ALPHABET.iter().position(|a| a == byte) else {
            continue;
        };
        acc = (acc << 6 | value as u32) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
        }
    }
    Some(out)
}

/// `?OTR:` base64 `.`
pub fn armour(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"?OTR:".to_vec();
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let n = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for i in 0..4 {
            let used = i <= group.len();
            out.push(if used {
                ALPHABET[(n >> (18 - 6 * i) & 63) as usize]
            } else {
                b'='
            });
        }
    }
    out.push(b'.');
    out
}

/// The number at `at`.
pub fn int_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The counted bytes at `at`, and where they end.
pub fn data_at(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let end = (at + 4).checked_add(int_at(bytes, at)? as usize)?;
    Some((bytes.get(at + 4..end)?, end))
}

/// Builds a message field by field, right or wrong.
#[derive(Clone, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub fn short(mut self, value: u16) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn int(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// Length and bytes: DATA, and MPI if the bytes are minimal.
    pub fn data(self, bytes: &[u8]) -> Self {
        self.int(bytes.len() as u32).raw(bytes)
    }

    /// A TLV record.
    pub fn tlv(self, kind: u16, value: &[u8]) -> Self {
        self.short(kind).short(value.len() as u16).raw(value)
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The bytes of hexadecimal digits; other characters are skipped.
pub fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks_exact(2)
        .map(|d| (d[0] * 16 + d[1]) as u8)
        .collect()
}
