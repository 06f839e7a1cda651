//! Error messages: the section "OTR Error Messages" of the protocol text.
#![forbid(unsafe_code)]

use memchr::memmem;

/// What an error message that we send begins with.
pub const PREFIX: &[u8] = b"?OTR Error: ";

/// What one that we receive contains.
const MARK: &[u8] = b"?OTR Error:";

/// The words of an error message, without the blanks (up to two) in front.
#[must_use]
pub fn words(text: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(text, MARK)?.checked_add(MARK.len())?;
    let mut words = text.get(start..)?;
    for _ in 0..2 {
        words = words.strip_prefix(b" ").unwrap_or(words);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_follow_the_mark_with_or_without_blanks() {
        assert_eq!(words(b"?OTR Error: no"), Some(&b"no"[..]));
        assert_eq!(words(b"?OTR Error:no"), Some(&b"no"[..]));
        assert_eq!(words(b"x ?OTR Error:  no"), Some(&b"no"[..]));
        assert_eq!(words(b"?OTR Error:   no"), Some(&b" no"[..]));
        assert_eq!(words(b"?OTR Error:"), Some(&b""[..]));
        assert_eq!(words(b"?OTR error: no"), None);
    }
}
