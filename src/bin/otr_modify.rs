//! Changes known words in an encrypted data message.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::{forge, programs};
use otr::wire::message::DataMessage;

fn main() -> ExitCode {
    cli::run(&programs::MODIFY, modify)
}

fn modify(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    let [mac, old, new, offset] = invocation.arguments.as_slice() else {
        return Err(Failure::usage());
    };
    let mac = cli::fixed(mac, "The MAC key")?;
    if old.len() != new.len() {
        return Err(Failure::wrong(
            "The old_text and new_text must be of the same length.",
        ));
    }
    let offset = cli::number(offset, "offset")?;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let decoded = cli::first_data_message()?;
    let message = forge::parse(&decoded).map_err(|_| cli::INVALID)?;
    if !forge::verifies(&message, &decoded, &mac) {
        return Err(Failure::Message("MAC does not verify: wrong MAC key?"));
    }
    let mut encrypted = message.encrypted.to_vec();
    forge::substitute(&mut encrypted, offset, old, new);
    let message = DataMessage {
        encrypted: &encrypted,
        ..message
    };
    let forged = forge::seal(&message, &mac).map_err(|error| Failure::Message(error.as_str()))?;
    out.write_all(&forged).map_err(Failure::Write)?;
    out.write_all(b"\n").map_err(Failure::Write)
}
