//! The three files against what libotr 4.1.1 has written (see
//! `tests/data/README.md`), and their properties.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

use otr::crypto::dsa::{Fingerprint, PrivateKey};
use otr::crypto::os_random;
use otr::files::keys::{Account, Components};
use otr::files::{fingerprints, instance_tags, keys, sexp};
use otr::wire::significant;
use otr::{Error, InstanceTag};
use proptest::collection::vec;
use proptest::prelude::*;

const KEYS: &[u8] = include_bytes!("data/libotr-4.1.1/otr.private_key");
const FINGERPRINTS: &[u8] = include_bytes!("data/libotr-4.1.1/otr.fingerprints");
const TAGS: &[u8] = include_bytes!("data/libotr-4.1.1/otr.instance_tags");

#[test]
fn keys_of_libotr_are_read_and_written_byte_for_byte() -> Result<(), Error> {
    let accounts = keys::read(KEYS)?;
    let names: Vec<_> = accounts
        .iter()
        .map(|account| (&account.name[..], &account.protocol[..]))
        .collect();
    let expected: [(&[u8], &[u8]); 10] = [
        (b"", b"x"),
        (b"caf\xc3\xa9@example.org", b"xmpp"),
        (b"quote\" back\\slash '", b"x"),
        (b"alice", b"prpl-irc"),
        (b"alice@example.org", b"prpl-jabber"),
        (b"12345678", b"prpl-icq"),
        (b"with space", b"IRC"),
        (b"tab\tline\n", b"x"),
        (b"\xff\xfe", b"x"),
        (b"paren)( #| ", b"x"),
    ];
    assert_eq!(names, expected);
    assert_eq!(*keys::write(&accounts), KEYS);
    for account in &accounts {
        let Components { p, q, g, y, x } = &account.key;
        PrivateKey::from_components(p, q, g, y, x)?;
    }
    Ok(())
}

#[test]
fn a_number_that_libgcrypt_took_for_text() -> Result<(), Error> {
    let text = include_bytes!("data/libotr-4.1.1/otr.private_key.quoted");
    let accounts = keys::read(text)?;
    assert_eq!(accounts.len(), 1);
    let Components { p, q, g, y, x } = &accounts[0].key;
    assert_eq!(**x, *b"gjM\xa9\xcf3\xb8H\xd8\xa5U\xcaHN\x08`\xe8\xecz\xbd");
    // The parts belong together: `y` is `g` to the power of `x`.
    let key = PrivateKey::from_components(p, q, g, y, x)?;
    let signature = key.sign(b"value", &mut os_random())?;
    key.public().verify(b"value", &signature)?;

    // Another library must be able to read what this one writes.
    let written = keys::write(&accounts);
    let hexadecimal = b"(x #676A4DA9CF33B848D8A555CA484E0860E8EC7ABD#)";
    assert!(
        written
            .windows(hexadecimal.len())
            .any(|at| at == hexadecimal)
    );
    let again = keys::read(&written)?;
    assert_eq!(*again[0].key.x, **x);
    Ok(())
}

#[test]
fn fingerprints_of_libotr_are_read_and_written_byte_for_byte() -> Result<(), Error> {
    let entries: Vec<_> = fingerprints::read(FINGERPRINTS)?.collect();
    let trust: Vec<_> = entries.iter().map(|entry| entry.trust).collect();
    let expected: [Option<&[u8]>; 5] = [
        Some(b""),
        Some(b"verified"),
        Some(b"a\tb"),
        Some(b""),
        Some(b"smp"),
    ];
    assert_eq!(trust, expected);
    let written = fingerprints::write(entries);
    assert_eq!(written.text, FINGERPRINTS);
    assert_eq!(written.skipped, 0);
    Ok(())
}

#[test]
fn instance_tags_of_libotr_are_read_and_written_byte_for_byte() -> Result<(), Error> {
    let entries: Vec<_> = instance_tags::read(TAGS)?.collect();
    assert_eq!(entries.len(), 3);
    let written = instance_tags::write(entries);
    assert_eq!(written.text, TAGS);
    assert_eq!(written.skipped, 0);
    Ok(())
}

/// A key file that is cut off anywhere is refused; it never gives fewer keys.
#[test]
fn a_key_file_cut_off_anywhere_is_refused() {
    let body = KEYS.trim_ascii_end();
    for len in 0..body.len() {
        let error = keys::read(&body[..len]).err();
        assert_eq!(error, Some(Error::Syntax), "{len}");
    }
}

/// Files cut off anywhere never give an entry that was not in them.
#[test]
fn lines_cut_off_anywhere_are_not_misread() -> Result<(), Error> {
    let whole: Vec<_> = fingerprints::read(FINGERPRINTS)?.collect();
    for len in 0..FINGERPRINTS.len() {
        for entry in fingerprints::read(&FINGERPRINTS[..len])? {
            assert!(whole.contains(&entry), "{len}");
        }
    }
    let whole: Vec<_> = instance_tags::read(TAGS)?.collect();
    for len in 0..TAGS.len() {
        for entry in instance_tags::read(&TAGS[..len])? {
            assert!(whole.contains(&entry), "{len}");
        }
    }
    Ok(())
}

/// With anything worse than linear work this takes minutes.
#[test]
fn a_hundred_thousand_contacts() -> Result<(), Error> {
    let names: Vec<String> = (0..100_000)
        .map(|i| format!("user{i}@example.org"))
        .collect();
    let entries = names.iter().enumerate().map(|(number, user)| {
        let mut fingerprint = [0x5a; 20];
        fingerprint[..8].copy_from_slice(&number.to_be_bytes());
        fingerprints::Entry {
            user: user.as_bytes(),
            account: b"alice@example.org",
            protocol: b"prpl-jabber",
            fingerprint: Fingerprint(fingerprint),
            trust: Some(b"verified"),
        }
    });
    let written = fingerprints::write(entries.clone());
    assert!(fingerprints::read(&written.text)?.eq(entries));
    let tags = names
        .iter()
        .zip(0x100..)
        .map(|(name, tag)| instance_tags::Entry {
            account: name.as_bytes(),
            protocol: b"prpl-jabber",
            tag: InstanceTag::new(tag),
        });
    let written = instance_tags::write(tags.clone());
    assert!(instance_tags::read(&written.text)?.eq(tags));
    Ok(())
}

/// A large file of nothing costs no more than looking at it.
#[test]
fn large_key_files_of_nothing() {
    let lists = [b"(privkeys ", &b"()".repeat(2_000_000)[..], b")"].concat();
    assert_eq!(keys::read(&lists), Err(Error::UnusableKey));
    let atoms = [b"(privkeys ", &b"a ".repeat(2_000_000)[..], b")"].concat();
    assert_eq!(keys::read(&atoms), Err(Error::UnusableKey));
    let digits = b"0123456789abcdef".repeat(200_000);
    assert_eq!(keys::read(&digits), Err(Error::Syntax));
    // One account in which nothing is found until the end.
    let account = [b"(privkeys (account ", &b"(b c)".repeat(600_000)[..], b"))"].concat();
    assert_eq!(keys::read(&account), Err(Error::UnusableKey));
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let chosen =
        prop::sample::select(&b"aZ09 \t\n\r\"'\\()#|[]{}\x08\x0b\x0c\x01\x7f\xa0\xa1\xff"[..]);
    vec(prop_oneof![chosen, any::<u8>()], 0..20)
}

fn number() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..200).prop_map(|bytes| significant(&bytes).to_vec())
}

fn account() -> impl Strategy<Value = Account> {
    let key = (number(), number(), number(), number(), number())
        .prop_map(|(p, q, g, y, x)| Components { p, q, g, y, x });
    (name(), name(), key).prop_map(|(name, protocol, key)| Account {
        name,
        protocol,
        key,
    })
}

proptest! {
    #[test]
    fn keys_come_back(accounts in vec(account(), 0..4)) {
        prop_assert_eq!(keys::read(&keys::write(&accounts)), Ok(accounts));
    }

    #[test]
    fn atoms_come_back(bytes in vec(any::<u8>(), 0..30)) {
        let mut text = b"(x ".to_vec();
        sexp::write_atom(&bytes, &mut text);
        text.push(b')');
        let value = sexp::parse(&text)?.find(b"x").and_then(|list| list.value());
        let value = value.map(|value| value.to_vec());
        prop_assert_eq!(value, Some(bytes));
    }

    /// Whatever the names are: what is written are the entries that could be
    /// written, and nothing else.
    #[test]
    fn fingerprints_come_back(
        entries in vec((name(), name(), name(), any::<[u8; 20]>(), proptest::option::of(name())), 0..6),
    ) {
        let entries = entries.iter().map(|(user, account, protocol, fingerprint, trust)| {
            fingerprints::Entry {
                user,
                account,
                protocol,
                fingerprint: Fingerprint(*fingerprint),
                trust: Some(trust.as_deref().unwrap_or_default()),
            }
        });
        let written = fingerprints::write(entries.clone());
        let read: Vec<_> = fingerprints::read(&written.text)?.collect();
        prop_assert_eq!(read.len() + written.skipped, entries.len());
        let mut all = entries;
        prop_assert!(read.iter().all(|entry| all.any(|original| original == *entry)));
    }

    #[test]
    fn instance_tags_come_back(entries in vec((name(), name(), 0x100_u32..), 0..6)) {
        let entries = entries.iter().map(|(account, protocol, tag)| instance_tags::Entry {
            account,
            protocol,
            tag: InstanceTag::new(*tag),
        });
        let written = instance_tags::write(entries.clone());
        let read: Vec<_> = instance_tags::read(&written.text)?.collect();
        prop_assert_eq!(read.len() + written.skipped, entries.len());
        let mut all = entries;
        prop_assert!(read.iter().all(|entry| all.any(|original| original == *entry)));
    }

    #[test]
    fn no_text_makes_a_reader_panic(
        pieces in vec(
            prop_oneof![
                prop::sample::select(&[
                    "(", ")", "privkeys", "(account ", "(name n)", "(protocol p)", "#00", "#",
                    "|", "\"", "\\", "\\x4", "3:", "99999999999999999999:", "[", "]", "\t", "\n",
                    "\r", "00112233445566778899aabbccddeeff00112233", "12345678",
                ][..]).prop_map(|text| text.as_bytes().to_vec()),
                vec(any::<u8>(), 0..4),
            ],
            0..20,
        ),
    ) {
        let text = pieces.concat();
        let _ = keys::read(&text);
        if let Ok(list) = sexp::parse(&text) {
            let _ = list.elements().count();
            let _ = (list.find(b"name"), list.value(), list.is_named(b"account"));
        }
        let _ = fingerprints::read(&text)?.count();
        let _ = instance_tags::read(&text)?.count();
    }

    /// One byte changed in a key file is an error or another key file.
    #[test]
    fn changed_key_files_are_read_or_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut text = KEYS.to_vec();
        text[at.index(KEYS.len())] ^= 1 << bit;
        if let Ok(accounts) = keys::read(&text) {
            prop_assert_eq!(keys::read(&keys::write(&accounts)), Ok(accounts));
        }
    }
}
