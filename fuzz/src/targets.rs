//! The targets.

mod c_interface;
mod compare;
mod data;
mod files;
mod messages;
mod session;
mod smp;
mod text;
mod toolkit;

use super::Target;

/// All targets, the most rewarding ones first.
pub const TARGETS: &[Target] = &[
    target(
        "session",
        "a conversation with a hostile network",
        2048,
        session::run,
    ),
    target(
        "c_interface",
        "programs that use the C interface, on a hostile network",
        2048,
        c_interface::run,
    ),
    target(
        "data",
        "data messages, also authentic ones with hostile content",
        2048,
        data::run,
    ),
    target(
        "compare",
        "the installed libotr and ours: texts, pieces, files",
        4096,
        compare::run,
    ),
    target(
        "smp",
        "a comparison of secrets with a cheating peer",
        1024,
        smp::run,
    ),
    target(
        "files",
        "the three files of a user, and S-expressions",
        4096,
        files::run,
    ),
    target(
        "messages",
        "each kind of message, DSA keys and signatures of a peer",
        2048,
        messages::run,
    ),
    target(
        "text",
        "armour, pieces, TLV records, queries, tags, errors",
        1024,
        text::run,
    ),
    target(
        "toolkit",
        "what the command-line programs read and forge",
        2048,
        toolkit::run,
    ),
];

const fn target(
    name: &'static str,
    about: &'static str,
    max_len: usize,
    body: fn(&[u8]),
) -> Target {
    Target {
        name,
        about,
        max_len,
        body,
    }
}
