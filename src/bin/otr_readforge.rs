//! Decrypts a data message, and puts another text into it.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use otr::crypto::dh::mac_key;
use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::{forge, programs};
use otr::wire::message::DataMessage;

fn main() -> ExitCode {
    cli::run(&programs::READFORGE, read_and_forge)
}

fn read_and_forge(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    let (aes, new_text) = match invocation.arguments.as_slice() {
        [aes] => (aes, None),
        [aes, new_text] => (aes, Some(new_text)),
        _ => return Err(Failure::usage()),
    };
    let aes = cli::fixed(aes, "The AES key")?;
    let mac = mac_key(&aes);
    let decoded = cli::first_data_message()?;
    let message = forge::parse(&decoded).map_err(|_| cli::INVALID)?;
    if forge::verifies(&message, &decoded, &mac) {
        let text = forge::decrypt(&message, &aes);
        show(out, cli::c_string(&text)).map_err(Failure::Write)?;
    } else {
        // The text is not shown, but with another one the message can be used.
        let _ = io::stderr().write_all(b"MAC does not verify: wrong AES key?\n");
    }
    if let Some(new_text) = new_text {
        let encrypted = forge::encrypt(&message, &aes, new_text);
        let message = DataMessage {
            encrypted: &encrypted,
            ..message
        };
        let forged =
            forge::seal(&message, &mac).map_err(|error| Failure::Message(error.as_str()))?;
        out.write_all(&forged).map_err(Failure::Write)?;
        out.write_all(b"\n").map_err(Failure::Write)?;
    }
    Ok(())
}

fn show(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    out.write_all(b"Plaintext: ``")?;
    out.write_all(text)?;
    out.write_all(b"''\n")
}
