//! What the command-line programs read, say and forge.

use otr::toolkit::input::{Finder, Found, Scope};
use otr::toolkit::keys::Keys;
use otr::toolkit::report::{self, Format};
use otr::toolkit::transcript::{Key, Reader};
use otr::toolkit::{forge, hex};
use otr::wire::base64::{dearmour, dearmour_data};
use otr::wire::message::DataMessage;

use crate::input::Input;

const AES: [u8; 16] = [7; 16];
const MAC: [u8; 20] = [9; 20];

pub fn run(input: &[u8]) {
    let mut stream = Input::new(input);
    let choices = stream.byte();
    let text = stream.rest();
    read(text, choices);
    let mut finder = Finder::new(text, Scope::Encoded);
    while let Ok(Some(found)) = finder.find() {
        if let Found::Encoded(message) = found
            && let Ok(decoded) = dearmour_data(&message)
        {
            change(&decoded);
        }
    }
    match hex::decode(text) {
        Ok(bytes) => assert!(hex::encode(&bytes).as_bytes().eq_ignore_ascii_case(text)),
        Err(_) => assert_eq!(
            hex::decode(hex::encode(text).as_bytes()).as_deref(),
            Ok(text)
        ),
    }
    let _ = hex::decimal(text);
    if choices & 1 == 0 {
        let (private, public) = text.split_at(text.len().min(40));
        if let Ok(keys) = Keys::compute(private, public) {
            assert!(keys.our_public.len() <= 192);
        }
    }
}

/// As `otr_parse` does.
fn read(text: &[u8], choices: u8) {
    let scope = match choices & 1 {
        0 => Scope::Encoded,
        _ => Scope::Everything,
    };
    let format = match choices >> 1 & 3 {
        0 => Format::Json,
        1 => Format::Text {
            colour: true,
            terminal: true,
        },
        _ => Format::Text {
            colour: false,
            terminal: false,
        },
    };
    let keys = vec![Key::Aes(AES.into()), Key::Mac(MAC)];
    let mut reader = Reader::new(keys);
    let mut finder = Finder::new(text, scope);
    let mut out = Vec::new();
    while let Some(found) = finder.find().expect("reading memory does not fail") {
        for (record, pieces) in reader.read(&found) {
            report::write(&mut out, format, &record, pieces).expect("writing to memory");
        }
    }
    for record in reader.finish() {
        report::write(&mut out, format, &record, None).expect("writing to memory");
    }
    if format == Format::Json {
        // Objects, one a line, that any program can read.
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            assert!(line.starts_with(b"{") && line.ends_with(b"}\n"));
            assert!(
                line[..line.len() - 1]
                    .iter()
                    .all(|byte| (b' '..0x7f).contains(byte) || *byte >= 0x80)
            );
            assert!(std::str::from_utf8(line).is_ok());
        }
    }
    if matches!(format, Format::Text { terminal: true, .. }) {
        // Of what a terminal obeys only our own colours get there.
        let mut rest = out.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
            rest = &rest[at + 1..];
            assert!(rest.first() == Some(&b'['));
            let end = rest
                .iter()
                .position(|byte| *byte == b'm')
                .expect("a colour");
            assert!(rest[1..end].iter().all(u8::is_ascii_digit));
        }
    }
}

/// As `otr_readforge`, `otr_modify` and `otr_remac` do.
fn change(decoded: &[u8]) {
    let Ok(message) = forge::parse(decoded) else {
        assert!(DataMessage::parse(decoded).is_err());
        return;
    };
    assert!(!forge::verifies(&message, decoded, &[0xaa; 20]) || decoded.is_empty());
    let sealed = forge::seal(&message, &MAC).expect("short");
    let again = dearmour(&sealed).expect("armoured");
    let read = forge::parse(&again).expect("what was written can be read");
    assert!(forge::verifies(&read, &again, &MAC));
    assert_eq!(read.encrypted, message.encrypted);

    let text = forge::decrypt(&message, &AES);
    assert_eq!(forge::encrypt(&message, &AES, &text), message.encrypted);
    let mut changed = message.encrypted.to_vec();
    let half = text.len() / 2;
    let new: Vec<u8> = text[half..].iter().map(|byte| !byte).collect();
    forge::substitute(&mut changed, half, &text[half..], &new);
    let opened = forge::decrypt(
        &DataMessage {
            encrypted: &changed,
            ..message
        },
        &AES,
    );
    assert_eq!(opened[..half], text[..half]);
    assert_eq!(opened[half..], new);
}
