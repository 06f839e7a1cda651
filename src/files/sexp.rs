//! S-expressions, as the key file uses them.
//!
//! The reader takes every notation that libgcrypt writes or accepts: tokens,
//! quoted strings with escapes, `#hexadecimal#`, `|base64|` and `3:counted`
//! bytes. It builds no tree: a [`List`] is a part of the text, looked through
//! again when something is wanted from it, so that nesting and number of
//! elements cost no memory and secrets exist only where they are asked for.
#![forbid(unsafe_code)]

mod atom;
mod token;
mod write;

pub use atom::Atom;
pub use write::{write_atom, write_number};

pub(super) use token::{Token, Tokens};

use crate::Error;
use crate::crypto::secret::SecretBytes;
use crate::limits;

/// The inside of a pair of parentheses, or a whole text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct List<'a> {
    body: &'a [u8],
}

/// One part of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// Bytes in one of the notations.
    Atom(Atom<'a>),
    /// A list inside the list.
    List(List<'a>),
}

/// Checks a whole text and gives its outermost elements as a list.
///
/// # Errors
/// [`Error::Syntax`] if the text is empty or anything in it is not an
/// S-expression, [`Error::TooLong`] if lists are nested deeper than
/// [`limits::MAX_SEXP_DEPTH`].
pub fn parse(text: &[u8]) -> Result<List<'_>, Error> {
    if text.is_empty() {
        return Err(Error::Syntax);
    }
    let mut depth = 0_usize;
    let mut in_hint = false;
    for token in Tokens::new(text) {
        match token? {
            Token::Open if !in_hint => depth = depth.saturating_add(1),
            Token::Close if !in_hint => depth = depth.checked_sub(1).ok_or(Error::Syntax)?,
            Token::HintOpen if !in_hint => in_hint = true,
            Token::HintClose if in_hint => in_hint = false,
            Token::Atom(_) => {}
            Token::Open | Token::Close | Token::HintOpen | Token::HintClose => {
                return Err(Error::Syntax);
            }
        }
        if depth > limits::MAX_SEXP_DEPTH {
            return Err(Error::TooLong);
        }
    }
    if depth > 0 || in_hint {
        return Err(Error::Syntax);
    }
    Ok(List { body: text })
}

impl<'a> List<'a> {
    /// The list's elements in their order.
    ///
    /// A display hint counts as an element of its own.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        let mut tokens = Tokens::of_checked(self.body);
        core::iter::from_fn(move || {
            loop {
                match tokens.next()?.ok()? {
                    Token::Atom(atom) => return Some(Element::Atom(atom)),
                    Token::Open => return Some(Element::List(skip_list(&mut tokens))),
                    Token::Close => return None,
                    Token::HintOpen | Token::HintClose => {}
                }
            }
        })
    }

    /// Whether the list begins with this atom.
    #[must_use]
    pub fn is_named(self, name: &[u8]) -> bool {
        match self.elements().next() {
            Some(Element::Atom(atom)) => atom.is(name),
            _ => false,
        }
    }

    /// The bytes of the second element, if that is an atom.
    #[must_use]
    pub fn value(self) -> Option<SecretBytes> {
        match self.elements().nth(1) {
            Some(Element::Atom(atom)) => Some(atom.decode()),
            _ => None,
        }
    }

    /// The first list of this name: this one, or one at any depth inside.
    #[must_use]
    pub fn find(self, name: &[u8]) -> Option<Self> {
        let [found] = self.find_each([name]);
        found
    }

    /// The same for several names at once.
    #[must_use]
    pub fn find_each<const N: usize>(self, names: [&[u8]; N]) -> [Option<Self>; N] {
        let mut found = names.map(|name| self.is_named(name).then_some(self));
        let mut tokens = Tokens::of_checked(self.body);
        while found.contains(&None) {
            match tokens.next() {
                Some(Ok(Token::Open)) => {}
                Some(Ok(_)) => continue,
                _ => break,
            }
            let Some(Ok(Token::Atom(atom))) = tokens.clone().next() else {
                continue;
            };
            for (name, found) in names.iter().zip(&mut found) {
                if found.is_none() && atom.is(name) {
                    // What is inside may be wanted as well.
                    *found = Some(skip_list(&mut tokens.clone()));
                }
            }
        }
        found
    }
}

/// Takes tokens up to the parenthesis that closes an opened list.
fn skip_list<'a>(tokens: &mut Tokens<'a>) -> List<'a> {
    List {
        body: tokens.skip_list(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text in canonical notation.
    fn canonical(list: List<'_>, out: &mut Vec<u8>) {
        for element in list.elements() {
            match element {
                Element::Atom(atom) => {
                    let bytes = atom.decode();
                    out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
                    out.extend_from_slice(&bytes);
                }
                Element::List(list) => {
                    out.push(b'(');
                    canonical(list, out);
                    out.push(b')');
                }
            }
        }
    }

    fn read(text: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        canonical(parse(text)?, &mut out);
        Ok(out)
    }

    /// Compatibility: the answers are those of libgcrypt 1.10.
    #[test]
    fn every_notation() {
        let cases: [(&[u8], &[u8]); 31] = [
            (b"(a b)", b"(1:a1:b)"),
            (b"3:abc", b"3:abc"),
            (b"(3:a)(4:b c )", b"(3:a)(4:b c )"),
            (b"(3\"abc\")", b"(3:abc)"),
            (b"(3#616263#)", b"(3:abc)"),
            (b"(4|YWJj|)", b"(3:abc)"),
            (b"(2\"abc\"1#6162#)", b"(3:abc2:ab)"),
            (b"(|YWJj|)", b"(3:abc)"),
            (b"(|YWJ|)", b"(2:ab)"),
            (b"(|YWJjYQ==|)", b"(4:abca)"),
            (b"(|YWJjYQ|)", b"(4:abca)"),
            (b"(#61 62\n63#)", b"(3:abc)"),
            (b"(#6 1#)", b"(1:a)"),
            (b"(##\"\"||)", b"(0:0:0:)"),
            (b"(\"a\\x41\\101\\n\\\"\\\\\\'\")", b"(7:aAA\n\"\\')"),
            (b"(\"\\b\\t\\v\\n\\f\\r\")", b"(6:\x08\t\x0b\n\x0c\r)"),
            (b"(\"a\\\nb\\\r\nc\\\rd\")", b"(4:abcd)"),
            (b"(\"\xc3\xa9 ()\")", b"(5:\xc3\xa9 ())"),
            (b"([text]a)", b"(4:text1:a)"),
            (b"(a[b]c)", b"(1:a1:b1:c)"),
            (b"(())", b"(())"),
            (b"()", b"()"),
            (b" ", b""),
            (b"(a\"b\"c)", b"(1:a1:b1:c)"),
            (b"(a#61#)", b"(1:a1:a)"),
            (b"( a\x0b\x0c\tb\r\n)", b"(1:a1:b)"),
            (b"(-5)", b"(2:-5)"),
            (b"(a-./_:*+=1)", b"(10:a-./_:*+=1)"),
            (b"(*a =b)", b"(2:*a2:=b)"),
            (b"(a) junk", b"(1:a)4:junk"),
            (b"(a(b(c)d)e)", b"(1:a(1:b(1:c)1:d)1:e)"),
        ];
        for (text, expected) in cases {
            let shown = text.escape_ascii();
            assert_eq!(read(text).as_deref(), Ok(expected), "{shown}");
        }
    }

    #[test]
    fn bad_syntax() {
        for text in [
            &b""[..],
            b"(a",
            b"(a))",
            b"(a) junk ((",
            b"(a)\x01",
            b"(#6#)",
            b"(#6 1 6#)",
            b"(#6g#)",
            b"(#61",
            b"(\"a",
            b"(\"a\\",
            b"(\"\\q\")",
            b"(\"\\8\")",
            b"(\"\\18\")",
            b"(\"\\x4\")",
            b"(12)",
            b"(0:)",
            b"(03:abc)",
            b"(1a)",
            b"(3 :abc)",
            b"(4:abc)",
            b"(99999999999999999999999:a)",
            b"(|YW Jj|)",
            b"(|YW",
            b"{a}",
            b"(a&b)",
            b"(a\\b)",
            b"(@)",
            b"(a;b)",
            b"(\xc3\xa9)",
            b"(a\0b)",
            b"([a)",
            b"([a[b]])",
            b"(a]b)",
            b"([(]a)",
        ] {
            let shown = text.escape_ascii();
            assert_eq!(read(text), Err(Error::Syntax), "{shown}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| ["(".repeat(depth), ")".repeat(depth)].concat();
        assert!(parse(nested(limits::MAX_SEXP_DEPTH).as_bytes()).is_ok());
        let deep = nested(limits::MAX_SEXP_DEPTH + 1);
        assert_eq!(parse(deep.as_bytes()).err(), Some(Error::TooLong));
        let open = "(".repeat(1_000_000);
        assert_eq!(parse(open.as_bytes()).err(), Some(Error::TooLong));
    }

    #[test]
    fn lists_are_found_at_any_depth() {
        let whole = parse(b"(a x (b (name 1:n) y) (name m))").unwrap();
        let value = |list: List<'_>| list.value().map(|value| value.to_vec());
        assert_eq!(whole.find(b"name").and_then(value), Some(b"n".to_vec()));
        assert_eq!(whole.find(b"a").and_then(value), Some(b"x".to_vec()));
        assert!(whole.find(b"b").is_some_and(|list| list.value().is_none()));
        assert!(whole.find(b"x").is_none());
        assert!(!whole.is_named(b"a"));
    }
}
