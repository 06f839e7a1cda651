//! The key file: one S-expression with every account's private key.
#![forbid(unsafe_code)]

mod plain;

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::sexp::{self, Element, List};
use crate::crypto::secret::SecretBytes;
use crate::{Error, limits, wire};

/// The numbers of a DSA key, big-endian without leading zeros, not checked.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Components {
    /// The prime modulus.
    #[zeroize(skip)]
    pub p: Vec<u8>,
    /// The order of the subgroup.
    #[zeroize(skip)]
    pub q: Vec<u8>,
    /// The generator.
    #[zeroize(skip)]
    pub g: Vec<u8>,
    /// The public key.
    #[zeroize(skip)]
    pub y: Vec<u8>,
    /// The private key.
    pub x: Vec<u8>,
}

impl fmt::Debug for Components {
    /// Without any number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Components").finish_non_exhaustive()
    }
}

/// An account and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's name.
    pub name: Vec<u8>,
    /// The network's name.
    pub protocol: Vec<u8>,
    /// The key.
    pub key: Components,
}

/// The accounts in the text of a key file, in the file's order.
///
/// The order inside an account is free, and what is not known there is passed
/// over. It is all or nothing: one bad account, and none is returned.
///
/// # Errors
/// [`Error::Syntax`] if the text is empty or not an S-expression,
/// [`Error::UnusableKey`] if it is not a list of accounts, or an account lacks
/// a part or a number of a DSA key, [`Error::TooLong`] beyond
/// [`limits::MAX_KEY_FILE`] bytes or [`limits::MAX_SEXP_DEPTH`] nested lists.
pub fn read(text: &[u8]) -> Result<Vec<Account>, Error> {
    if text.len() > limits::MAX_KEY_FILE {
        return Err(Error::TooLong);
    }
    if let Some(accounts) = plain::read(text) {
        return Ok(accounts);
    }
    read_any(text)
}

/// The same in any layout.
fn read_any(text: &[u8]) -> Result<Vec<Account>, Error> {
    let mut outermost = sexp::parse(text)?.elements();
    let Some(Element::List(keys)) = outermost.next() else {
        return Err(Error::UnusableKey);
    };
    // Compatibility: atoms behind the list are passed over, a second list is
    // an error.
    if !keys.is_named(b"privkeys") || outermost.any(|element| matches!(element, Element::List(_))) {
        return Err(Error::UnusableKey);
    }
    keys.elements()
        .skip(1)
        .map(|element| match element {
            Element::List(list) if list.is_named(b"account") => account(list),
            _ => Err(Error::UnusableKey),
        })
        .collect()
}

fn account(list: List<'_>) -> Result<Account, Error> {
    let [name, protocol, key] = list.find_each([b"name", b"protocol", b"private-key"]);
    Ok(Account {
        name: core::mem::take(&mut *value(name)?),
        protocol: core::mem::take(&mut *value(protocol)?),
        key: components(key)?,
    })
}

fn components(key: Option<List<'_>>) -> Result<Components, Error> {
    let dsa = key
        .and_then(|key| key.find(b"dsa"))
        .ok_or(Error::UnusableKey)?;
    let number = |list: Option<List<'_>>| {
        let mut number = value(list)?;
        let len = wire::significant(&number).len();
        if len > limits::MAX_MPI {
            return Err(Error::UnusableKey);
        }
        let zeros = number.len().saturating_sub(len);
        number.drain(..zeros);
        Ok(core::mem::take(&mut *number))
    };
    let [p, q, g, y, x] = dsa.find_each([b"p", b"q", b"g", b"y", b"x"]);
    Ok(Components {
        p: number(p)?,
        q: number(q)?,
        g: number(g)?,
        y: number(y)?,
        x: number(x)?,
    })
}

fn value(list: Option<List<'_>>) -> Result<SecretBytes, Error> {
    list.and_then(List::value).ok_or(Error::UnusableKey)
}

/// The text of a key file with these accounts.
///
/// Compatibility: byte for byte what libotr 4.1.1 writes.
#[must_use]
pub fn write<'a>(
    accounts: impl IntoIterator<Item = &'a Account, IntoIter: Clone>,
) -> Zeroizing<Vec<u8>> {
    let accounts = accounts.into_iter();
    let room = accounts.clone().map(room).fold(16, usize::saturating_add);
    // Nothing is moved while it grows, so that no key is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    text.extend_from_slice(b"(privkeys\n");
    for account in accounts {
        write_account(account, &mut text);
    }
    text.extend_from_slice(b")\n");
    text
}

fn write_account(account: &Account, text: &mut Vec<u8>) {
    text.extend_from_slice(b" (account\n(name ");
    sexp::write_atom(&account.name, text);
    text.extend_from_slice(b")\n(protocol ");
    sexp::write_atom(&account.protocol, text);
    text.extend_from_slice(b")\n(private-key \n (dsa \n");
    let Components { p, q, g, y, x } = &account.key;
    for (name, number) in [(b'p', p), (b'q', q), (b'g', g), (b'y', y), (b'x', x)] {
        text.extend_from_slice(&[b' ', b' ', b'(', name, b' ']);
        sexp::write_number(wire::significant(number), text);
        text.extend_from_slice(b")\n");
    }
    text.extend_from_slice(b"  )\n )\n )\n");
}

/// At least as many bytes as [`write_account`] writes.
fn room(account: &Account) -> usize {
    let Components { p, q, g, y, x } = &account.key;
    [&account.name, &account.protocol, p, q, g, y, x]
        .iter()
        .map(|bytes| bytes.len())
        .fold(0, usize::saturating_add)
        .saturating_mul(2)
        .saturating_add(160)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "(private-key (dsa (p #07#)(q #03#)(g #02#)(y #04#)(x #01#)))";

    fn parse(accounts: &str) -> Result<Vec<Account>, Error> {
        read(accounts.replace("KEY", KEY).as_bytes())
    }

    fn names(accounts: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let accounts = parse(accounts).unwrap();
        for account in &accounts {
            let Components { p, q, g, y, x } = &account.key;
            assert_eq!([p, q, g, y, x], [&[7], &[3], &[2], &[4], &[1]]);
        }
        accounts
            .into_iter()
            .map(|account| (account.name, account.protocol))
            .collect()
    }

    /// Compatibility: the answers are those of libotr 4.1.1.
    #[test]
    fn order_and_unknown_elements_do_not_matter() {
        let expected = [(b"n".to_vec(), b"p".to_vec())];
        for text in [
            "(privkeys (account (name n)(protocol p)KEY))",
            "(8:privkeys(7:account(4:name1:n)(8:protocol1:p)KEY))",
            "(\"privkeys\" (#6163636F756E74# (name |bg==|) (protocol \"p\")KEY))",
            "(privkeys (account KEY(protocol p)(name n)))",
            "(privkeys (account (foo (name n)) (protocol p) KEY))",
            "(privkeys (account (name n) (protocol p) (foo KEY)))",
            "(privkeys (account (name n extra) (protocol p) KEY))",
            "(privkeys (account (name n) (name m) (protocol p) KEY))",
            "(privkeys (account name m (name n) (protocol p) KEY))",
            "(privkeys (account (private-key (name n)(protocol p)\
             (dsa (foo bar)(x #01#)(y 1:\x04)(g #02#)(q #000003#)(p |Bw|)))))",
            "(privkeys (account (name n)(protocol p)KEY)) junk",
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    /// What is written is read in one go, and whatever is read in one go is read
    /// alike in any layout.
    #[test]
    fn both_readers_agree() {
        let account = |name: &[u8], p: Vec<u8>| Account {
            name: name.to_vec(),
            protocol: b"prpl-jabber".to_vec(),
            key: Components {
                p,
                q: vec![0x7f, 2],
                g: vec![2],
                y: vec![4],
                x: vec![1],
            },
        };
        let accounts = [
            account(b"alice@example.org", vec![0x80, 1]),
            account(b"", vec![7]),
            account(b"a \"b\"\n", vec![0xab; limits::MAX_MPI]),
            account(b"\xc3\xa0", vec![7]),
        ];
        for accounts in [&accounts[..], &accounts[..1], &[]] {
            let text = write(accounts);
            assert_eq!(plain::read(&text).as_deref(), Some(accounts));
            assert_eq!(read_any(&text).as_deref(), Ok(accounts));
        }
        // One byte changed, left out or put in somewhere: a reader in one go may
        // give up, never differ.
        let text = write(&accounts[..1]);
        for at in 0..text.len() {
            for byte in *b"()[]#|\"\\01 9:ghn\0\xff" {
                let (head, tail) = text.split_at(at);
                for rest in [tail, &tail[1..]] {
                    let other = [head, &[byte], rest].concat();
                    if let Some(accounts) = plain::read(&other) {
                        assert_eq!(read_any(&other), Ok(accounts), "{}", other.escape_ascii());
                    }
                }
            }
            let shorter = [&text[..at], &text[at + 1..]].concat();
            if let Some(accounts) = plain::read(&shorter) {
                assert_eq!(
                    read_any(&shorter),
                    Ok(accounts),
                    "{}",
                    shorter.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn accounts_come_in_the_order_of_the_file() {
        let text =
            "(privkeys (account (name n)(protocol p)KEY)(account (name \"\")(protocol ##)KEY))";
        let expected = [(b"n".to_vec(), b"p".to_vec()), (vec![], vec![])];
        assert_eq!(names(text), expected);
        assert_eq!(names("(privkeys)"), []);
    }

    #[test]
    fn one_bad_account_and_none_is_read() {
        for text in [
            "privkeys",
            "()",
            " ",
            "((privkeys (account (name n)(protocol p)KEY)))",
            "(accounts (account (name n)(protocol p)KEY))",
            "(privkeys account)",
            "(privkeys ())",
            "(privkeys (foo))",
            "(privkeys (account (name n)(protocol p)KEY) foo)",
            "(privkeys (account (name n)(protocol p)KEY)(foo))",
            "(privkeys (account (name n)(protocol p)KEY)(account (name m)(protocol p)))",
            "(privkeys (account (name n)(protocol p)KEY)) (privkeys)",
            "(privkeys (account (name)(protocol p)KEY))",
            "(privkeys (account (name (n))(protocol p)KEY))",
            "(privkeys (account (protocol p)KEY))",
            "(privkeys (account (name n)KEY))",
            "(privkeys (account (name n)(protocol p)(private-key (rsa (n #01#)(e #01#)))))",
            "(privkeys (account (name n)(protocol p)(private-key (dsa))))",
            "(privkeys (account (name n)(protocol p)(private-key foo)KEY))",
        ] {
            assert_eq!(parse(text), Err(Error::UnusableKey), "{text}");
        }
        for missing in ["(p #07#)", "(q #03#)", "(g #02#)", "(y #04#)", "(x #01#)"] {
            let text =
                format!("(privkeys (account (name n)(protocol p){KEY}))").replace(missing, "");
            assert_eq!(parse(&text), Err(Error::UnusableKey), "{text}");
        }
        for text in [
            "",
            "(privkeys",
            "(privkeys (account (name n)(protocol p)KEY)",
        ] {
            assert_eq!(parse(text), Err(Error::Syntax), "{text}");
        }
    }

    #[test]
    fn numbers_and_files_are_bounded() {
        let with_p = |len| {
            let p = "41".repeat(len);
            parse(&format!(
                "(privkeys (account (name n)(protocol p){}))",
                KEY.replace("#07#", &format!("#0000{p}#"))
            ))
        };
        assert!(with_p(limits::MAX_MPI).is_ok());
        assert_eq!(with_p(limits::MAX_MPI + 1), Err(Error::UnusableKey));
        let file = vec![b' '; limits::MAX_KEY_FILE + 1];
        assert_eq!(read(&file), Err(Error::TooLong));
    }

    #[test]
    fn the_written_layout() {
        let accounts = [Account {
            name: b"alice@example.org".to_vec(),
            protocol: b"prpl-jabber".to_vec(),
            key: Components {
                p: vec![0x80, 1],
                q: vec![0x7f],
                g: vec![2],
                y: vec![4],
                x: vec![0, 1],
            },
        }];
        let text = write(&accounts);
        assert_eq!(
            text.escape_ascii().to_string(),
            b"(privkeys\n (account\n(name \"alice@example.org\")\n(protocol prpl-jabber)\n\
              (private-key \n (dsa \n  (p #008001#)\n  (q #7F#)\n  (g #02#)\n  (y #04#)\n  \
              (x #01#)\n  )\n )\n )\n)\n"
                .escape_ascii()
                .to_string()
        );
        assert!(text.len() <= room(&accounts[0]) + 16);
        assert_eq!(*write(&[]), b"(privkeys\n)\n");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let accounts = parse("(privkeys (account (name n)(protocol p)KEY))").unwrap();
        assert!(format!("{accounts:?}").contains("key: Components { .. }"));
    }
}
