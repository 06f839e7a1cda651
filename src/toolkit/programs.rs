//! The six programs as their users see them: the one description that help
//! texts and completions are made of.
#![forbid(unsafe_code)]

/// A program's name, what it takes and what it does.
#[derive(Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it is for, as a phrase.
    pub purpose: &'static str,
    /// What it takes, in this order.
    pub arguments: &'static [Argument],
    /// Its options, in front of the arguments.
    pub options: &'static [Opt],
    /// A few lines on what it does.
    pub explanation: &'static str,
}

/// An argument.
#[derive(Debug)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Whether it may be missing.
    pub optional: bool,
    /// What it is.
    pub help: &'static str,
}

/// An option.
#[derive(Debug)]
pub struct Opt {
    /// Its short form.
    pub short: Option<char>,
    /// Its long form.
    pub long: &'static str,
    /// The value it takes, if any.
    pub value: Option<OptValue>,
    /// What it does.
    pub help: &'static str,
}

/// The value of an option.
#[derive(Debug)]
pub struct OptValue {
    /// Its name.
    pub name: &'static str,
    /// What it can be; empty if that cannot be listed.
    pub choices: &'static [&'static str],
}

impl Program {
    /// Its name and arguments, as usage texts show them.
    #[must_use]
    pub fn synopsis(&self) -> String {
        self.arguments
            .iter()
            .map(|argument| match argument.optional {
                true => format!(" [{}]", argument.name),
                false => format!(" {}", argument.name),
            })
            .collect()
    }
}

const HELP: Opt = Opt {
    short: Some('h'),
    long: "help",
    value: None,
    help: "show this help and exit",
};

const VERSION: Opt = Opt {
    short: Some('V'),
    long: "version",
    value: None,
    help: "show the version and exit",
};

const fn needed(name: &'static str, help: &'static str) -> Argument {
    Argument {
        name,
        optional: false,
        help,
    }
}

/// All of them.
pub const ALL: [&Program; 6] = [&PARSE, &SESSKEYS, &MACKEY, &READFORGE, &MODIFY, &REMAC];

/// `otr_parse`.
pub const PARSE: Program = Program {
    name: "otr_parse",
    purpose: "show what OTR messages consist of",
    arguments: &[],
    options: &[
        Opt {
            short: Some('a'),
            long: "all",
            value: None,
            help: "join fragments, and show queries, whitespace tags and error messages too",
        },
        Opt {
            short: Some('j'),
            long: "json",
            value: None,
            help: "write one JSON object a line",
        },
        Opt {
            short: Some('k'),
            long: "key",
            value: Some(OptValue {
                name: "KEY",
                choices: &[],
            }),
            help: "verify and decrypt data messages with this AES key (32 hexadecimal digits), or verify them with this MAC key (40); may be given several times",
        },
        Opt {
            short: None,
            long: "color",
            value: Some(OptValue {
                name: "WHEN",
                choices: &["auto", "always", "never"],
            }),
            help: "use colours: auto, the default, does so on a terminal",
        },
        HELP,
        VERSION,
    ],
    explanation: "Reads text from standard input, finds the OTR messages in it, and shows\n\
                  the fields of each by name.",
};

/// `otr_sesskeys`.
pub const SESSKEYS: Program = Program {
    name: "otr_sesskeys",
    purpose: "compute a session's keys from a private D-H key",
    arguments: &[
        needed(
            "our_privkey",
            "the private D-H key of one side: at most 80 hexadecimal digits",
        ),
        needed(
            "their_pubkey",
            "the public D-H key of the other side, in hexadecimal digits",
        ),
    ],
    options: &[HELP, VERSION],
    explanation: "Shows what one side of a session computes from the two D-H keys: its\n\
                  public key, the session id, and an AES and a MAC key for each direction.",
};

/// `otr_mackey`.
pub const MACKEY: Program = Program {
    name: "otr_mackey",
    purpose: "compute the MAC key that belongs to an AES key",
    arguments: &[needed("aeskey", "an AES key: 32 hexadecimal digits")],
    options: &[HELP, VERSION],
    explanation: "Shows the MAC key that follows from an AES key of a session.",
};

/// `otr_readforge`.
pub const READFORGE: Program = Program {
    name: "otr_readforge",
    purpose: "decrypt a data message and put another text into it",
    arguments: &[
        needed("aeskey", "the AES key: 32 hexadecimal digits"),
        Argument {
            name: "new_message",
            optional: true,
            help: "the text of a new message",
        },
    ],
    options: &[HELP, VERSION],
    explanation: "Takes the first OTR message on standard input, which must be a data\n\
                  message, verifies and decrypts it with the AES key, and shows its text.\n\
                  With a new text, writes the message with that text in place of its own,\n\
                  also if the key was not the right one.",
};

/// `otr_modify`.
pub const MODIFY: Program = Program {
    name: "otr_modify",
    purpose: "change known words in an encrypted data message",
    arguments: &[
        needed("mackey", "the message's MAC key: 40 hexadecimal digits"),
        needed("old_text", "words of the message"),
        needed("new_text", "as many bytes to replace them with"),
        needed("offset", "how many bytes stand in front of the words"),
    ],
    options: &[HELP, VERSION],
    explanation: "Takes the first OTR message on standard input, which must be a data\n\
                  message, and writes it with other words in it. Nobody has to decrypt it\n\
                  for that: it is enough to guess the words and where they stand, and to\n\
                  know the MAC key, which the message's receiver publishes after use.",
};

/// `otr_remac`.
pub const REMAC: Program = Program {
    name: "otr_remac",
    purpose: "make a data message of its parts",
    arguments: &[
        needed("mackey", "the MAC key to use: 40 hexadecimal digits"),
        needed("sender_instance", "the sender's instance tag, in decimal"),
        needed(
            "receiver_instance",
            "the receiver's instance tag, in decimal",
        ),
        needed("flags", "the flags, in decimal"),
        needed("snd_keyid", "the number of the sender's D-H key"),
        needed("rcp_keyid", "the number of the receiver's D-H key"),
        needed("pubkey", "the sender's next public D-H key, in hexadecimal"),
        needed(
            "counter",
            "the upper half of the counter: 16 hexadecimal digits",
        ),
        needed("encdata", "the encrypted text, in hexadecimal"),
        needed(
            "revealed_mackeys",
            "old MAC keys, in hexadecimal; may be empty",
        ),
    ],
    options: &[HELP, VERSION],
    explanation: "Writes a data message of version 3 that consists of these parts, with an\n\
                  authenticator made with the MAC key. The text must be encrypted already.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_letters_and_names_are_used_once() {
        for program in ALL {
            for (number, option) in program.options.iter().enumerate() {
                for other in program.options.iter().skip(number + 1) {
                    assert_ne!(option.long, other.long);
                    assert!(option.short.is_none() || option.short != other.short);
                }
            }
        }
    }

    #[test]
    fn explanations_fit_a_terminal() {
        for line in ALL.iter().flat_map(|program| program.explanation.lines()) {
            assert!(line.len() < 80, "{line}");
            assert_eq!(line, line.trim());
        }
    }
}
