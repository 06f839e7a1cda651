//! `b64.h`: base64 and the armour of encoded messages.

/// Base64 takes groups of this many bytes ...
pub const OTRL_B64_DECODED_LEN: u32 = 3;
/// ... and turns each into a group of this many characters.
pub const OTRL_B64_ENCODED_LEN: u32 = 4;
