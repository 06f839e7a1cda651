//! Computes a session's keys from a private D-H key.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::hex::encode;
use otr::toolkit::keys::{Keys, MAX_PRIVATE};
use otr::toolkit::programs;
use zeroize::Zeroizing;

fn main() -> ExitCode {
    cli::run(&programs::SESSKEYS, show)
}

fn show(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    let [private, public] = invocation.arguments.as_slice() else {
        return Err(Failure::usage());
    };
    let private = Zeroizing::new(cli::hex(private)?);
    if private.len() > MAX_PRIVATE {
        return Err(Failure::usage());
    }
    let public = cli::hex(public)?;
    let keys = Keys::compute(&private, &public).map_err(|_| Failure::usage())?;
    let end = if keys.high { "high" } else { "low" };
    writeln!(
        out,
        "\n\
         We are the {end} end of this key exchange.\n\
         \n\
         Our public key: {}\n\
         \n\
         Session id: {}\n\
         \n\
         Sending   AES key: {}\n\
         Sending   MAC key: {}\n\
         Receiving AES key: {}\n\
         Receiving MAC key: {}\n",
        encode(&keys.our_public),
        encode(&keys.session_id),
        encode(&*keys.sending.0),
        encode(&*keys.sending.1),
        encode(&*keys.receiving.0),
        encode(&*keys.receiving.1),
    )
    .map_err(Failure::Write)
}
