//! Shows what the OTR messages on standard input consist of.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::input::{Finder, Scope};
use otr::toolkit::programs;
use otr::toolkit::report::{self, Format};
use otr::toolkit::transcript::{Key, Reader};
use zeroize::Zeroizing;

fn main() -> ExitCode {
    cli::run(&programs::PARSE, parse)
}

fn parse(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    if !invocation.arguments.is_empty() {
        return Err(Failure::usage());
    }
    let keys = invocation
        .values("key")
        .map(key)
        .collect::<Result<_, _>>()?;
    let format = format(invocation);
    let scope = if invocation.has("all") {
        Scope::Everything
    } else {
        Scope::Encoded
    };
    let mut finder = Finder::new(io::stdin().lock(), scope);
    let mut reader = Reader::new(keys);
    while let Some(found) = finder.find().map_err(Failure::Read)? {
        for (record, pieces) in reader.read(&found) {
            report::write(out, format, &record, pieces).map_err(Failure::Write)?;
        }
        // Somebody may be pasting messages and waiting for each answer.
        out.flush().map_err(Failure::Write)?;
    }
    for record in reader.finish() {
        report::write(out, format, &record, None).map_err(Failure::Write)?;
    }
    Ok(())
}

/// Reads the value of `--key`: an AES key or a MAC key, which its length tells.
fn key(digits: &[u8]) -> Result<Key, Failure> {
    let bytes = Zeroizing::new(cli::hex(digits)?);
    if let Ok(aes) = <[u8; 16]>::try_from(bytes.as_slice()) {
        Ok(Key::Aes(Zeroizing::new(aes)))
    } else if let Ok(mac) = <[u8; 20]>::try_from(bytes.as_slice()) {
        Ok(Key::Mac(mac))
    } else {
        Err(Failure::wrong(
            "A key must be 32 (AES) or 40 (MAC) hex chars long.",
        ))
    }
}

fn format(invocation: &Invocation) -> Format {
    if invocation.has("json") {
        return Format::Json;
    }
    let terminal = io::stdout().is_terminal();
    let wanted = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = match invocation.values("color").last() {
        Some(b"always") => true,
        Some(b"never") => false,
        _ => terminal && !wanted("NO_COLOR") && std::env::var_os("TERM") != Some("dumb".into()),
    };
    Format::Text { colour, terminal }
}
