//! The three files of a user, and the S-expressions that one of them is.

use otr::files::sexp::{self, Atom, Element, List};
use otr::files::{fingerprints, instance_tags, keys};
use otr::limits;

/// Every reader gets every input.
pub fn run(input: &[u8]) {
    key_file(input);
    fingerprints(input);
    instance_tags(input);
    sexp(input);
}

fn key_file(input: &[u8]) {
    let Ok(accounts) = keys::read(input) else {
        return;
    };
    let written = keys::write(&accounts);
    let again = keys::read(&written).expect("what was written can be read");
    assert_eq!(again, accounts);
    assert_eq!(*keys::write(&again), *written);
    for account in &accounts {
        let key = &account.key;
        // Numbers that are no key are refused, not computed with.
        let _ =
            otr::crypto::dsa::PrivateKey::from_components(&key.p, &key.q, &key.g, &key.y, &key.x);
    }
}

fn fingerprints(input: &[u8]) {
    let Ok(entries) = fingerprints::read(input) else {
        return;
    };
    let entries: Vec<_> = entries.collect();
    let written = fingerprints::write(entries.iter().copied());
    let again: Vec<_> = fingerprints::read(&written.text).expect("short").collect();
    assert_eq!(again.len() + written.skipped, entries.len());
    let kept = entries.iter().filter(|entry| {
        let columns = [
            entry.user,
            entry.account,
            entry.protocol,
            entry.trust.unwrap_or_default(),
        ];
        !columns.iter().any(|column| column.contains(&b'\r'))
    });
    // What was kept is what was read; trust that is missing is written empty.
    let mut again = again.into_iter();
    for entry in kept {
        let same = again.find(|other| {
            other.user == entry.user
                && other.account == entry.account
                && other.protocol == entry.protocol
                && other.fingerprint == entry.fingerprint
                && other.trust == Some(entry.trust.unwrap_or_default())
        });
        assert!(same.is_some(), "an entry was lost: {entry:?}");
    }
}

fn instance_tags(input: &[u8]) {
    let Ok(entries) = instance_tags::read(input) else {
        return;
    };
    let entries: Vec<_> = entries.collect();
    assert!(entries.iter().all(|entry| entry.tag.is_valid()));
    let written = instance_tags::write(entries.iter().copied());
    let again: Vec<_> = instance_tags::read(&written.text).expect("short").collect();
    assert_eq!(again.len() + written.skipped, entries.len());
    assert!(again.iter().all(|entry| entries.contains(entry)));
}

fn sexp(input: &[u8]) {
    let mut atoms = Vec::new();
    sexp::write_atom(input, &mut atoms);
    let list = sexp::parse(&atoms).expect("what was written can be read");
    let Some(Element::Atom(atom)) = list.elements().next() else {
        panic!("an atom was written");
    };
    assert_eq!(*atom.decode(), input);
    assert!(list.elements().nth(1).is_none());

    if let Ok(list) = sexp::parse(input) {
        walk(list, 0);
        let _ = list.find(b"dsa");
    }
}

fn walk(list: List<'_>, depth: usize) {
    assert!(depth <= limits::MAX_SEXP_DEPTH);
    let _ = list.value();
    for element in list.elements() {
        match element {
            Element::List(inner) => walk(inner, depth + 1),
            Element::Atom(atom) => {
                let bytes = atom.decode();
                assert!(atom.is(&bytes));
                let text = match atom {
                    Atom::Verbatim(text)
                    | Atom::Quoted(text)
                    | Atom::Hexadecimal(text)
                    | Atom::Base64(text) => text,
                };
                assert!(bytes.len() <= text.len());
            }
        }
    }
}
