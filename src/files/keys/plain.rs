//! The layout in which programs write the key file, read in one go.
//!
//! The general reader looks for each part wherever it may be. What libotr and
//! this library write has every part in one place; this reader goes through it
//! once and decodes numbers as it comes to them. It returns what the general
//! reader would, or nothing: then the general reader decides.
#![forbid(unsafe_code)]

use super::{Account, Components};
use crate::files::sexp::{Atom, Token, Tokens};
use crate::{limits, wire};

/// The accounts in a text that has exactly this layout:
/// `(privkeys (account (name N) (protocol P) (private-key (dsa (p #..#) (q #..#)
/// (g #..#) (y #..#) (x #..#)))) ...)`
pub(super) fn read(text: &[u8]) -> Option<Vec<Account>> {
    let mut parts = Parts(Tokens::unchecked(text));
    let mut accounts = Vec::new();
    parts.open(b"privkeys")?;
    while parts.begins_list()? {
        accounts.push(parts.account()?);
    }
    parts.0.next().is_none().then_some(accounts)
}

struct Parts<'a>(Tokens<'a>);

impl<'a> Parts<'a> {
    /// Takes what comes after the parenthesis that opens an account.
    fn account(&mut self) -> Option<Account> {
        self.name(b"account")?;
        let name = self.text(b"name")?;
        let protocol = self.text(b"protocol")?;
        self.open(b"private-key")?;
        self.open(b"dsa")?;
        let key = Components {
            p: self.number(b"p")?,
            q: self.number(b"q")?,
            g: self.number(b"g")?,
            y: self.number(b"y")?,
            x: self.number(b"x")?,
        };
        self.close()?;
        self.close()?;
        self.close()?;
        Some(Account {
            name,
            protocol,
            key,
        })
    }

    /// Takes the parenthesis that opens a list (true) or closes this one.
    fn begins_list(&mut self) -> Option<bool> {
        match self.0.next()?.ok()? {
            Token::Open => Some(true),
            Token::Close => Some(false),
            _ => None,
        }
    }

    fn open(&mut self, name: &[u8]) -> Option<()> {
        if self.begins_list()? {
            self.name(name)
        } else {
            None
        }
    }

    fn close(&mut self) -> Option<()> {
        (!self.begins_list()?).then_some(())
    }

    fn name(&mut self, name: &[u8]) -> Option<()> {
        (self.atom()? == Atom::Verbatim(name)).then_some(())
    }

    fn atom(&mut self) -> Option<Atom<'a>> {
        match self.0.next()?.ok()? {
            Token::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    /// Takes a list of a name and a text.
    fn text(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.open(name)?;
        let atom = self.atom()?;
        // Texts are checked here, numbers where they are decoded.
        if matches!(atom, Atom::Base64(_)) || !atom.is_well_formed() {
            return None;
        }
        self.close()?;
        Some(core::mem::take(&mut *atom.decode()))
    }

    /// Takes a list of a name and a number, without its leading zeros.
    fn number(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.open(name)?;
        let Atom::Hexadecimal(digits) = self.atom()? else {
            return None;
        };
        self.close()?;
        let zeros = digits.chunks_exact(2).take_while(|pair| *pair == b"00");
        let digits = digits.get(zeros.count().saturating_mul(2)..)?;
        let mut number = Atom::decode_digits(digits)?;
        debug_assert_eq!(wire::significant(&number).len(), number.len());
        (number.len() <= limits::MAX_MPI).then(|| core::mem::take(&mut *number))
    }
}
