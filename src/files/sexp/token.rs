//! Taking an S-expression's text apart.
#![forbid(unsafe_code)]

use memchr::memchr;

use super::atom::Atom;
use crate::Error;

/// The smallest parts of the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Token<'a> {
    Open,
    Close,
    /// `[`: what follows says how the next atom is to be shown.
    HintOpen,
    HintClose,
    Atom(Atom<'a>),
}

/// The tokens of a text; ends after the first error.
#[derive(Clone)]
pub(in crate::files) struct Tokens<'a> {
    rest: &'a [u8],
    /// Whether the text was gone through before without an error.
    checked: bool,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            checked: false,
        }
    }

    /// The tokens of a text that was gone through before without an error, or
    /// of a list in it. The inside of its atoms is not looked at again.
    pub(super) const fn of_checked(text: &'a [u8]) -> Self {
        Self::unchecked(text)
    }

    /// The tokens of any text, without a look at the inside of its atoms.
    pub(in crate::files) const fn unchecked(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            checked: true,
        }
    }

    /// Takes everything up to the parenthesis that closes an opened list, in a
    /// text that was gone through before; returns what is in the list.
    pub(super) fn skip_list(&mut self) -> &'a [u8] {
        let inside = self.rest;
        let mut depth = 1_usize;
        while let Some((first, behind)) = self.rest.split_first() {
            let whole = self.rest;
            let end = inside.len().saturating_sub(whole.len());
            self.rest = behind;
            match first {
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                b'#' | b'|' => {
                    let len = memchr(*first, behind).unwrap_or(behind.len());
                    self.rest = behind.get(len.saturating_add(1)..).unwrap_or_default();
                }
                b'"' | b'0'..=b'9' => {
                    self.rest = whole;
                    if self.token(*first, behind).is_err() {
                        break;
                    }
                }
                // Digits inside a token are no length.
                _ if is_token_byte(*first) => {
                    let len = behind.iter().position(|byte| !is_token_byte(*byte));
                    self.rest = behind
                        .get(len.unwrap_or(behind.len())..)
                        .unwrap_or_default();
                }
                // Blanks and the signs of a hint.
                _ => {}
            }
            if depth == 0 {
                return inside.get(..end).unwrap_or(inside);
            }
        }
        self.rest = &[];
        inside
    }

    /// Takes what follows `first`, the first byte of a token.
    fn token(&mut self, first: u8, behind: &'a [u8]) -> Result<Token<'a>, Error> {
        let whole = self.rest;
        self.rest = behind;
        let atom = match first {
            b'(' => return Ok(Token::Open),
            b')' => return Ok(Token::Close),
            b'[' => return Ok(Token::HintOpen),
            b']' => return Ok(Token::HintClose),
            // Compatibility: a length does not begin with a zero.
            b'0' => return Err(Error::Syntax),
            b'1'..=b'9' => self.counted(whole)?,
            _ if is_token_byte(first) => {
                let end = whole.iter().position(|byte| !is_token_byte(*byte));
                let (token, rest) = whole
                    .split_at_checked(end.unwrap_or(whole.len()))
                    .ok_or(Error::Syntax)?;
                self.rest = rest;
                Atom::Verbatim(token)
            }
            _ => self.delimited(first)?,
        };
        Ok(Token::Atom(atom))
    }

    /// Takes digits, then a colon and so many bytes, or a delimited atom.
    fn counted(&mut self, whole: &'a [u8]) -> Result<Atom<'a>, Error> {
        let mut len = 0_usize;
        let mut rest = whole;
        while let [digit @ b'0'..=b'9', tail @ ..] = rest {
            len = len
                .checked_mul(10)
                .and_then(|len| len.checked_add(usize::from(digit.wrapping_sub(b'0'))))
                .ok_or(Error::Syntax)?;
            rest = tail;
        }
        let (first, behind) = rest.split_first().ok_or(Error::Syntax)?;
        if *first == b':' {
            let (bytes, rest) = behind.split_at_checked(len).ok_or(Error::Syntax)?;
            self.rest = rest;
            return Ok(Atom::Verbatim(bytes));
        }
        // Compatibility: in front of these the length is not compared.
        self.rest = behind;
        self.delimited(*first)
    }

    /// Takes the rest of a quoted, hexadecimal or base64 atom.
    fn delimited(&mut self, delimiter: u8) -> Result<Atom<'a>, Error> {
        let end = match delimiter {
            b'"' => closing_quote(self.rest),
            b'#' | b'|' => memchr(delimiter, self.rest),
            _ => None,
        };
        let (body, rest) = self
            .rest
            .split_at_checked(end.ok_or(Error::Syntax)?)
            .ok_or(Error::Syntax)?;
        self.rest = rest.get(1..).unwrap_or_default();
        let atom = match delimiter {
            b'"' => Atom::Quoted(body),
            b'#' => Atom::Hexadecimal(body),
            _ => Atom::Base64(body),
        };
        if self.checked || atom.is_well_formed() {
            Ok(atom)
        } else {
            Err(Error::Syntax)
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let blanks = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
        self.rest = self.rest.get(blanks..).unwrap_or_default();
        let (first, behind) = self.rest.split_first()?;
        let token = self.token(*first, behind);
        if token.is_err() {
            self.rest = &[];
        }
        Some(token)
    }
}

/// Where a quoted string ends.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => {
                bytes.next()?;
            }
            _ => {}
        }
    }
    None
}

/// Whether a byte separates tokens and has no other meaning.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether a byte may stand in a token.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'/' | b'_' | b':' | b'*' | b'+' | b'=')
}
