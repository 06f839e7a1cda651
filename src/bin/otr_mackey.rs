//! Computes the MAC key that belongs to an AES key.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use otr::crypto::dh::mac_key;
use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::hex::encode;
use otr::toolkit::programs;

fn main() -> ExitCode {
    cli::run(&programs::MACKEY, show)
}

fn show(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    let [aes] = invocation.arguments.as_slice() else {
        return Err(Failure::usage());
    };
    let aes = cli::fixed(aes, "The AES key")?;
    let mac = mac_key(&aes);
    writeln!(out, "AES key: {}\nMAC key: {}", encode(&aes), encode(&*mac)).map_err(Failure::Write)
}
