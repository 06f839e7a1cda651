//! From a recorded conversation to its keys, its texts and other texts in
//! their place, through the programs alone.

use otr::toolkit::forge;
use otr::toolkit::hex::encode;

use super::corpus::{Keyed, RECORDED, decoded, keyed};
use super::run::compare;

/// The value of a line of `otr_sesskeys`.
fn value(output: &str, label: &str) -> String {
    let line = output.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("{label} in {output}"))
        .to_owned()
}

/// The AES and the MAC key that a recorded message was sent with.
fn keys(recorded: &Keyed) -> (String, String) {
    let arguments = [&recorded.our_private[..], &recorded.their_public];
    let shown = compare("otr_sesskeys", &arguments, b"").text();
    let aes = value(&shown, "Sending   AES key: ");
    let mac = value(&shown, "Sending   MAC key: ");
    let derived = compare("otr_mackey", &[aes.as_bytes()], b"").text();
    assert_eq!(derived, format!("AES key: {aes}\nMAC key: {mac}\n"));
    (aes, mac)
}

#[test]
fn recorded_messages_are_decrypted_and_replaced() {
    for transcript in RECORDED {
        let mut texts = Vec::new();
        for recorded in keyed(transcript) {
            let (aes, mac) = keys(&recorded);
            let message = &recorded.message;
            let read = compare("otr_readforge", &[aes.as_bytes()], message);
            assert_eq!(read.status, Some(0));
            texts.push(read.text());

            let new = b"Something else, and much longer than any of the texts was.";
            let forged = compare("otr_readforge", &[aes.as_bytes(), new], message).text();
            let (_, forged) = forged.split_once('\n').expect("two lines");
            let read = compare("otr_readforge", &[aes.as_bytes()], forged.as_bytes());
            assert!(read.text().contains("Something else"));

            // The wrong key, here the one to the MAC key's first half.
            let wrong = &mac.as_bytes()[..32];
            compare("otr_readforge", &[wrong], message);
            compare("otr_readforge", &[wrong, new], message);
        }
        let first = "Plaintext: ``Shall we meet at the usual place? I will bring the letters.''\n";
        assert!(texts.iter().any(|text| text == first), "{texts:?}");
    }
}

#[test]
fn recorded_messages_are_modified() {
    for transcript in RECORDED {
        for recorded in keyed(transcript) {
            let (aes, mac) = keys(&recorded);
            for offset in ["0", "11", "13", "55", "64", "1000", "4294967295", "-3"] {
                let arguments = [mac.as_bytes(), b"nine", b"five", offset.as_bytes()];
                let forged = compare("otr_modify", &arguments, &recorded.message).text();
                compare("otr_readforge", &[aes.as_bytes()], forged.as_bytes());
            }
            let wrong = [&[b'0'; 40][..], b"nine", b"five", b"0"];
            let refused = compare("otr_modify", &wrong, &recorded.message);
            assert_eq!(refused.status, Some(1));
        }
    }
}

#[test]
fn recorded_messages_are_put_together_again() {
    for recorded in keyed(RECORDED[2]) {
        let (_, mac) = keys(&recorded);
        let bytes = decoded(&recorded.message);
        let message = forge::parse(&bytes).expect("a data message");
        let parts = [
            mac,
            message.header.sender.get().to_string(),
            message.header.receiver.get().to_string(),
            message.flags.to_string(),
            message.sender_keyid.to_string(),
            message.recipient_keyid.to_string(),
            encode(message.next_dh),
            encode(&message.counter),
            encode(message.encrypted),
            encode(message.old_mac_keys),
        ];
        let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        let made = compare("otr_remac", &parts, b"").out;
        assert_eq!(made, [&recorded.message[..], b"\n"].concat());
    }
}
