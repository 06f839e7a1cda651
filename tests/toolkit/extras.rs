//! What otr_parse does beyond Debian's, when asked for.

use super::corpus::{RECORDED, keyed};
use super::run::{Outcome, run_ours};

fn parse(options: &[&str], input: &[u8]) -> Outcome {
    let options: Vec<_> = options.iter().map(|one| one.as_bytes()).collect();
    let done = run_ours("otr_parse", &options, input);
    assert_eq!(done.status, Some(0), "{}", done.complaint());
    done
}

/// The lines of a text that begin like this.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(start))
        .collect()
}

#[test]
fn all_of_a_transcript_is_recognised() {
    for (version, transcript) in (1..).zip(RECORDED) {
        let plain = parse(&[], transcript).text();
        let all = parse(&["--all"], transcript).text();
        assert_eq!(lines(&all, "OTR Query:").len(), 2);
        assert_eq!(lines(&all, "Tagged plaintext message:").len(), 1);
        let offer = format!("\tVersions: {version}");
        assert_eq!(lines(&all, "\tVersions:"), [&offer, &offer, &offer]);
        assert_eq!(lines(&all, "OTR Error:").len(), 1);
        assert!(all.contains("\tMessage: error number"));
        assert_eq!(lines(&all, "Incomplete"), [""; 0]);
        // One data message came in three pieces, of which the first looks
        // like a damaged message when pieces are not joined.
        assert_eq!(lines(&all, "\tFragments: 3").len(), 1);
        let whole = |text: &str| lines(text, "Data Message:").len();
        assert_eq!(
            lines(&plain, "Invalid Data Message").len() + whole(&plain),
            whole(&all)
        );
        assert_eq!(lines(&all, "Invalid"), [""; 0]);
        assert_eq!(lines(&all, "Unrecognized"), [""; 0]);
    }
}

/// The documented shape of JSON output.
#[test]
fn json_has_a_stable_shape() {
    for (input, expected) in [
        (
            &b"?OTR:AAMCAAABAAAAAgAAAAABZQAAAAFo.?OTR:AAICAAAAAWUAAAABaA==."[..],
            concat!(
                r#"{"type":"dh_commit","version":3,"sender_instance":256,"receiver_instance":512,"encrypted_gx":"65","hashed_gx":"68"}"#,
                "\n",
                r#"{"type":"dh_commit","version":2,"encrypted_gx":"65","hashed_gx":"68"}"#,
                "\n"
            ),
        ),
        (
            b"?OTR:AAIKAAAAAQU=.",
            "{\"type\":\"dh_key\",\"version\":2,\"gy\":\"05\"}\n",
        ),
        (
            b"?OTR:AAIRAAAAAWsAAAABczAxMjM0NTY3ODkwMTIzNDU2Nzg5.",
            "{\"type\":\"reveal_signature\",\"version\":2,\"revealed_key\":\"6b\",\"encrypted_signature\":\"73\",\"mac\":\"3031323334353637383930313233343536373839\"}\n",
        ),
        (
            b"?OTR:AAISAAAAAXMwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ==.",
            "{\"type\":\"signature\",\"version\":2,\"encrypted_signature\":\"73\",\"mac\":\"3031323334353637383930313233343536373839\"}\n",
        ),
        (
            b"?OTR:AAEDAAAAAQAAAAIAAAABBQAAAAAAAAABAAAAAWUwMTIzNDU2Nzg5MDEyMzQ1Njc4OQAAAAA=.",
            "{\"type\":\"data\",\"version\":1,\"sender_keyid\":1,\"recipient_keyid\":2,\"next_dh\":\"05\",\"counter\":\"0000000000000001\",\"encrypted\":\"65\",\"mac\":\"3031323334353637383930313233343536373839\",\"revealed_mac_keys\":[]}\n",
        ),
        (
            b"?OTR:AAMD.?OTR:x.",
            concat!(
                r#"{"type":"invalid","of":"data","reason":"input ends too early"}"#,
                "\n",
                r#"{"type":"unrecognized","text":"?OTR:x.","text_hex":"3f4f54523a782e"}"#,
                "\n"
            ),
        ),
    ] {
        assert_eq!(parse(&["--json"], input).text(), expected);
    }
    let all = parse(&["--json", "--all"], RECORDED[2]).text();
    for kind in ["query", "whitespace_tag", "error", "signature", "data"] {
        let start = format!("{{\"type\":\"{kind}\",");
        assert!(!lines(&all, &start).is_empty(), "{kind}");
    }
    assert!(all.contains("\"flags\":0,\"sender_instance\":"));
    assert_eq!(all.matches(",\"fragments\":3}").count(), 1);
    let v1 = parse(&["--json"], RECORDED[0]).text();
    let start = "{\"type\":\"v1_key_exchange\",\"reply\":0,\"dsa_p\":\"";
    assert_eq!(lines(&v1, start).len(), 2);
}

/// The sending keys of the first recorded data message.
fn first_keys(transcript: &[u8]) -> (String, String) {
    let first = &keyed(transcript)[0];
    let arguments = [&first.our_private[..], &first.their_public];
    let shown = run_ours("otr_sesskeys", &arguments, b"").text();
    let value = |label: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(label));
        line.expect("a key").to_owned()
    };
    (value("Sending   AES key: "), value("Sending   MAC key: "))
}

#[test]
fn a_key_verifies_and_decrypts() {
    for transcript in RECORDED {
        let (aes, mac) = first_keys(transcript);
        let plaintext = "\tPlaintext: Shall we meet at the usual place? I will bring the letters.";
        let shown = parse(&["-k", &aes], transcript).text();
        assert_eq!(lines(&shown, "\tVerified: yes, by key 1").len(), 1);
        assert!(lines(&shown, "\tVerified: no").len() > 5);
        assert_eq!(lines(&shown, "\tPlaintext:"), [plaintext]);

        let shown = parse(&["-k", &mac], transcript).text();
        assert_eq!(lines(&shown, "\tVerified: yes, by key 1").len(), 1);
        assert_eq!(lines(&shown, "\tPlaintext:"), [""; 0]);

        let wrong = "00".repeat(16);
        let both = parse(&["--key", &wrong, &format!("--key={aes}")], transcript).text();
        assert_eq!(lines(&both, "\tVerified: yes, by key 2").len(), 1);

        let json = parse(&["-jk", &aes], transcript).text();
        assert!(json.contains("\"verified_by\":1,\"plaintext\":\"Shall we meet"));
        assert!(json.contains("\"verified_by\":null"));
        assert!(json.contains("\"tlvs\":["));
    }
}

#[test]
fn records_behind_the_text_are_shown() {
    let aes = "000102030405060708090a0b0c0d0e0f";
    let (_, mac) = run_ours("otr_mackey", &[aes.as_bytes()], b"")
        .text()
        .split_once("MAC key: ")
        .map(|(head, mac)| (head.to_owned(), mac.trim().to_owned()))
        .expect("a MAC key");
    // "hi", NUL, and a record of type 8 with the value 01 02 03, in AES-CTR.
    let plain = b"hi\0\0\x08\0\x03\x01\x02\x03";
    let mut encrypted = *plain;
    let key: [u8; 16] = std::array::from_fn(|index| u8::try_from(index).expect("small"));
    otr::crypto::symmetric::aes128_ctr(&key, [0, 0, 0, 0, 0, 0, 0, 1], &mut encrypted);
    let encrypted = otr::toolkit::hex::encode(&encrypted);
    let arguments = [
        &mac,
        "256",
        "512",
        "0",
        "1",
        "1",
        "05",
        "0000000000000001",
        &encrypted,
        "",
    ];
    let arguments: Vec<_> = arguments.iter().map(|one| one.as_bytes()).collect();
    let message = run_ours("otr_remac", &arguments, b"").out;
    let shown = parse(&["-k", aes], &message).text();
    assert!(
        shown.ends_with("\tVerified: yes, by key 1\n\tPlaintext: hi\n\tTLV of type 8: 010203\n\n")
    );
    let json = parse(&["-jk", aes], &message).text();
    let end = r#""verified_by":1,"plaintext":"hi","plaintext_hex":"6869","tlvs":[{"type":8,"value":"010203"}]}"#;
    assert!(json.trim_end().ends_with(end), "{json}");
}

#[test]
fn keys_of_other_lengths_are_refused() {
    for key in ["", "00", "0", "zz", &"00".repeat(17), &"00".repeat(32)] {
        let done = run_ours("otr_parse", &[b"--key", key.as_bytes()], b"");
        assert_eq!(done.status, Some(1), "{key}");
        assert!(done.complaint().contains("Usage: otr_parse\n"));
    }
}

#[test]
fn colours_come_when_asked_for() {
    let input = b"?OTR:AAIKAAAAAQU=.";
    let plain = parse(&[], input).text();
    assert!(!plain.contains('\x1b'));
    assert_eq!(parse(&["--color=auto"], input).text(), plain);
    assert_eq!(parse(&["--color=never"], input).text(), plain);
    let coloured = parse(&["--color=always"], input).text();
    assert!(coloured.starts_with("\x1b[1mD-H Key Message:\x1b[m\n\t\x1b[36mVersion:\x1b[m 02\n"));
    let done = run_ours("otr_parse", &[b"--color=red"], input);
    assert_eq!(done.status, Some(1));
    assert!(
        done.complaint()
            .starts_with("Option --color takes one of: auto, always, never.\n")
    );
}

/// A message is shown before the stream ends: somebody may be pasting.
#[test]
fn messages_are_shown_as_they_come() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_otr_parse"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdin.write_all(b"?OTR:AAIKAAAAAQU=.").expect("written");
    stdin.flush().expect("written");
    let mut title = [0; 16];
    stdout.read_exact(&mut title).expect("an answer");
    assert_eq!(&title, b"D-H Key Message:");
    drop(stdin);
    assert!(child.wait().expect("an end").success());
}
