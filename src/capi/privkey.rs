//! `privkey.h`: our keys, and the files of keys and fingerprints.

/// The size of a buffer for a fingerprint in readable form: five groups of
/// eight hexadecimal digits, blanks between them, and a NUL.
pub const OTRL_PRIVKEY_FPRINT_HUMAN_LEN: usize = 45;
