//! Makes a data message of version 3 of its parts.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use otr::toolkit::cli::{self, Failure, Invocation};
use otr::toolkit::{forge, programs};
use otr::wire::message::{DataMessage, Header};
use otr::wire::significant;
use otr::{InstanceTag, Version};

fn main() -> ExitCode {
    cli::run(&programs::REMAC, make)
}

fn make(invocation: &Invocation, out: &mut dyn Write) -> Result<(), Failure> {
    let [
        mac,
        sender,
        receiver,
        flags,
        sender_keyid,
        recipient_keyid,
        next_dh,
        counter,
        encrypted,
        old_mac_keys,
    ] = invocation.arguments.as_slice()
    else {
        return Err(Failure::usage());
    };
    let mac = cli::fixed(mac, "The MAC key")?;
    let sender = cli::number(sender, "sender_instance")?;
    let receiver = cli::number(receiver, "receiver_instance")?;
    let [.., flags] = cli::number(flags, "flags")?.to_be_bytes();
    let sender_keyid = cli::number(sender_keyid, "snd_keyid")?;
    let recipient_keyid = cli::number(recipient_keyid, "rcp_keyid")?;
    let next_dh = cli::hex(next_dh)?;
    let counter = cli::fixed(counter, "The counter")?;
    let encrypted = cli::hex(encrypted)?;
    let old_mac_keys = cli::hex(old_mac_keys)?;
    let message = DataMessage {
        header: Header {
            version: Version::V3,
            sender: InstanceTag::new(sender),
            receiver: InstanceTag::new(receiver),
        },
        flags,
        sender_keyid,
        recipient_keyid,
        next_dh: significant(&next_dh),
        counter,
        encrypted: &encrypted,
        old_mac_keys: &old_mac_keys,
        // Both are made in sealing.
        mac: [0; 20],
        authenticated_len: 0,
    };
    let text = forge::seal(&message, &mac).map_err(|error| Failure::Message(error.as_str()))?;
    out.write_all(&text).map_err(Failure::Write)?;
    out.write_all(b"\n").map_err(Failure::Write)
}
