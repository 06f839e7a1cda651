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
        "compare_texts",
        "the installed libotr and ours, looking at texts",
        1024,
        compare::texts,
    ),
    target(
        "compare_pieces",
        "the same, joining and cutting messages",
        1024,
        compare::pieces,
    ),
    target(
        "compare_files",
        "the same, reading and writing files",
        4096,
        compare::files,
    ),
    target(
        "smp",
        "a comparison of secrets with a cheating peer",
        1024,
        smp::run,
    ),
    target("key_file", "the private key file", 4096, files::key_file),
    target(
        "fingerprint_file",
        "the fingerprint file",
        1024,
        files::fingerprints,
    ),
    target(
        "instance_tag_file",
        "the instance tag file",
        1024,
        files::instance_tags,
    ),
    target("sexp", "S-expressions", 1024, files::sexp),
    target(
        "public_key",
        "DSA keys and signatures of a peer",
        1024,
        messages::public_key,
    ),
    target("armour", "base64 and its armour", 1024, text::armour),
    target("dh_commit", "D-H Commit messages", 512, messages::dh_commit),
    target("dh_key", "D-H Key messages", 512, messages::dh_key),
    target(
        "reveal_signature",
        "Reveal Signature messages",
        1024,
        messages::reveal_signature,
    ),
    target("signature", "Signature messages", 1024, messages::signature),
    target(
        "data_message",
        "the form of data messages",
        1024,
        messages::data_message,
    ),
    target(
        "v1_key_exchange",
        "Key Exchange messages of version 1",
        2048,
        messages::v1_key_exchange,
    ),
    target(
        "fragments",
        "pieces of messages, joined and cut",
        1024,
        text::fragments,
    ),
    target("tlvs", "TLV records", 1024, text::tlvs),
    target(
        "tags",
        "queries, whitespace tags, errors, kinds of messages",
        512,
        text::tags,
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
