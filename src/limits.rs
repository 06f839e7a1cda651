//! Every bound that is checked before work is done or memory is taken.
//!
//! Nothing that arrives from the network or from a file makes the library
//! compute, allocate or recurse beyond these figures. Each stands beside what
//! real programs send, so that one can see how far from it the bound is.
#![forbid(unsafe_code)]

/// Longest text, in bytes, that is taken from its armour.
///
/// The largest chat networks pass a few MiB in one message (XMPP servers
/// commonly 256 KiB to 10 MiB); what people type is below 64 KiB.
pub const MAX_MESSAGE: usize = 16 << 20;

/// Longest text, in bytes, that is put together from fragments.
///
/// Fragments exist for networks with small messages: 65,535 pieces of 400
/// bytes could make 26 MB, but what is really cut is one line of text or one
/// handshake message, 1 to 100 KiB. The memory is held for a peer who has
/// proved nothing yet.
pub const MAX_FRAGMENTED: usize = 4 << 20;

/// How much of an unfinished message every peer may keep in any case.
///
/// What is really cut is smaller. Strangers under a thousand names take 32 MB
/// with it.
pub const FRAGMENTED_FOR_EACH: usize = 32 << 10;

/// What all unfinished messages of the process together may keep beyond
/// [`FRAGMENTED_FOR_EACH`].
///
/// Reached only by somebody who begins long messages and never ends them, and
/// then short ones still get through.
pub const FRAGMENTED_IN_ALL: usize = 16 << 20;

/// Most pieces a message is cut into: the protocol counts them in 16 bits.
pub const MAX_PIECES: usize = 0xffff;

/// Longest multi-precision integer, in bytes without leading zeros.
///
/// Diffie-Hellman values have 192 bytes, the longest permitted DSA prime 384.
pub const MAX_MPI: usize = 512;

/// Most TLV records read from one message; what follows is not looked at.
///
/// Real messages carry one or two. A record costs its reader twenty times the
/// four bytes it costs its sender.
pub const MAX_TLVS: usize = 1024;

/// Largest value of a TLV record: its length field has 16 bits.
pub const MAX_TLV_VALUE: usize = 0xffff;

/// Largest key file, in bytes.
///
/// One account takes about 1 KiB; nobody has four thousand.
pub const MAX_KEY_FILE: usize = 4 << 20;

/// Deepest nesting of lists in a key file: keys lie at depth 5.
pub const MAX_SEXP_DEPTH: usize = 32;

/// Largest fingerprint or instance tag file, in bytes.
///
/// A contact takes about 100 bytes: this is two million of them.
pub const MAX_LINES_FILE: usize = 256 << 20;

/// Most texts kept for a session that is being established. When one more
/// comes the oldest is dropped.
///
/// People type a few while they wait; the texts are secret memory.
pub const KEPT_TEXTS: usize = 64;

/// Most instances of one peer.
///
/// Each login of the peer is one: a handful. Everybody who can write in the
/// peer's name can make up instance tags.
pub const INSTANCES: usize = 256;
