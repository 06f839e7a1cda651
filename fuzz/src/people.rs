//! Who takes part: fixed keys, so that making one costs no time.

use std::sync::{Arc, OnceLock};

use otr::crypto::dsa::{Fingerprint, PrivateKey};
use otr::files::keys;

/// The key files of the laboratory, made by libotr 4.1.1.
pub const KEY_FILES: [&str; 3] = [
    include_str!("../../lab/fixtures/alice.key"),
    include_str!("../../lab/fixtures/bob.key"),
    include_str!("../../lab/fixtures/carol.key"),
];

/// The private key of person 0, 1 or 2.
///
/// # Panics
/// For anybody else.
#[must_use]
pub fn key(person: usize) -> Arc<PrivateKey> {
    static KEYS: OnceLock<Vec<Arc<PrivateKey>>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| KEY_FILES.iter().map(|file| Arc::new(read(file))).collect());
    Arc::clone(&keys[person])
}

/// The fingerprint of person 0, 1 or 2.
#[must_use]
pub fn fingerprint(person: usize) -> Fingerprint {
    key(person).public().fingerprint()
}

fn read(file: &str) -> PrivateKey {
    let accounts = keys::read(file.as_bytes()).expect("a key file");
    let numbers = &accounts.first().expect("an account").key;
    PrivateKey::from_components(&numbers.p, &numbers.q, &numbers.g, &numbers.y, &numbers.x)
        .expect("a key")
}
