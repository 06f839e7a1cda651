//! The manners that the six programs share: arguments, help, what goes wrong.
//!
//! Options come in front of the arguments. From the first argument on,
//! everything is an argument, so that texts may begin with a dash.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use lexopt::Arg;

use super::hex::{self, HexError};
use super::input::{Finder, Found, Scope};
use super::programs::{Opt, Program};
use crate::Error;
use crate::wire::base64::dearmour_data;
use crate::wire::message::{MessageType, message_type};

/// What a program was called with.
#[derive(Debug, Default)]
pub struct Invocation {
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
    options: Vec<(&'static str, Vec<u8>)>,
}

impl Invocation {
    /// Whether this option was given.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.values(option).next().is_some()
    }

    /// The values that were given to this option.
    pub fn values<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.options
            .iter()
            .filter(move |(name, _)| *name == option)
            .map(|(_, value)| value.as_slice())
    }
}

/// Why a program ends with status 1.
#[derive(Debug)]
pub enum Failure {
    /// It was called wrongly: these words, if any, and how to call it.
    Usage(Vec<u8>),
    /// It could not do what was asked.
    Message(&'static str),
    /// Reading failed.
    Read(io::Error),
    /// Writing failed.
    Write(io::Error),
}

impl Failure {
    /// Called with the wrong number of arguments.
    #[must_use]
    pub const fn usage() -> Self {
        Self::Usage(Vec::new())
    }

    /// Called with an argument that cannot be, for a reason.
    #[must_use]
    pub fn wrong(reason: &str) -> Self {
        Self::Usage(reason.as_bytes().to_vec())
    }
}

/// What a program's call asks for.
enum Request {
    Run(Invocation),
    Help,
    Version,
}

/// Runs a program: reads its arguments, does what every program does, or calls
/// `body`, which writes its results to the given stream.
pub fn run(
    program: &Program,
    body: impl FnOnce(&Invocation, &mut dyn Write) -> Result<(), Failure>,
) -> ExitCode {
    let mut words = std::env::args_os();
    let called = words.next().unwrap_or_else(|| program.name.into());
    let mut out = BufWriter::new(io::stdout().lock());
    let done = read_arguments(program, words).and_then(|request| match request {
        Request::Run(invocation) => body(&invocation, &mut out),
        Request::Help => out
            .write_all(help(program).as_bytes())
            .map_err(Failure::Write),
        Request::Version => {
            writeln!(out, "{} {}", program.name, env!("CARGO_PKG_VERSION")).map_err(Failure::Write)
        }
    });
    let done = match out.flush() {
        Ok(()) => done,
        Err(error) => Err(Failure::Write(error)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let words = complaint(program, called.as_encoded_bytes(), &failure);
            // There is nobody left to tell if this fails.
            let _ = io::stderr().write_all(&words);
            ExitCode::FAILURE
        }
    }
}

/// What goes to standard error.
fn complaint(program: &Program, called: &[u8], failure: &Failure) -> Vec<u8> {
    match failure {
        Failure::Usage(reason) => {
            let mut words = reason.clone();
            if !words.is_empty() {
                words.push(b'\n');
            }
            words.extend_from_slice(b"Usage: ");
            words.extend_from_slice(called);
            let rest = format!("{}\n{}\n", program.synopsis(), program.explanation);
            words.extend_from_slice(rest.as_bytes());
            words
        }
        Failure::Message(words) => format!("{words}\n").into_bytes(),
        Failure::Read(error) => format!("{}: cannot read: {error}\n", program.name).into_bytes(),
        // Whoever closed the pipe does not want to hear of it.
        Failure::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Vec::new(),
        Failure::Write(error) => format!("{}: cannot write: {error}\n", program.name).into_bytes(),
    }
}

/// The help text.
#[must_use]
pub fn help(program: &Program) -> String {
    let options = if program.arguments.is_empty() {
        " [option]..."
    } else {
        ""
    };
    let mut text = format!(
        "Usage: {}{options}{}\n{}\n",
        program.name,
        program.synopsis(),
        program.explanation
    );
    if !program.arguments.is_empty() {
        text.push_str("\nArguments:\n");
        for argument in program.arguments {
            item(&mut text, argument.name, argument.help);
        }
    }
    text.push_str("\nOptions:\n");
    for option in program.options {
        item(&mut text, &spelling(option), option.help);
    }
    text.push_str(&format!(
        "\nman {} says more, and otr_toolkit(1) what it is good for.\n",
        program.name
    ));
    text
}

/// How an option is written, in both forms.
fn spelling(option: &Opt) -> String {
    let short = match option.short {
        Some(letter) => format!("-{letter}, "),
        None => "    ".into(),
    };
    let value = match &option.value {
        Some(value) => format!("={}", value.name),
        None => String::new(),
    };
    format!("{short}--{}{value}", option.long)
}

/// Appends a name and what it means, in lines that fit a terminal.
fn item(text: &mut String, name: &str, meaning: &str) {
    const INDENT: usize = 22;
    const WIDTH: usize = 79;
    let mut line = format!("  {name:<18}  ");
    for word in meaning.split(' ') {
        if line.trim_end().len() > INDENT && line.len().saturating_add(word.len()) > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
        }
        line.push_str(word);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Sorts the words of a call into options and arguments.
fn read_arguments(
    program: &Program,
    words: impl Iterator<Item = OsString>,
) -> Result<Request, Failure> {
    let mut parser = lexopt::Parser::from_args(words.collect::<Vec<_>>());
    let mut invocation = Invocation::default();
    loop {
        if let Some(rest) = parser.try_raw_args()
            && rest.peek().is_some_and(|word| !is_option(program, word))
        {
            invocation.arguments = rest.map(OsString::into_encoded_bytes).collect();
            break;
        }
        let Some(word) = parser.next().map_err(|error| refuse(&error))? else {
            break;
        };
        let option = match &word {
            Arg::Short(letter) => find(program, |option| option.short == Some(*letter)),
            Arg::Long(name) => find(program, |option| option.long == *name),
            // Behind a "--".
            Arg::Value(first) => {
                let first = first.clone();
                let rest = parser.raw_args().map_err(|error| refuse(&error))?;
                invocation.arguments = core::iter::once(first)
                    .chain(rest)
                    .map(OsString::into_encoded_bytes)
                    .collect();
                break;
            }
        };
        let Some(option) = option else {
            return Err(refuse(&word.unexpected()));
        };
        let value = match &option.value {
            Some(expected) => {
                let value = parser.value().map_err(|error| refuse(&error))?;
                let value = value.into_encoded_bytes();
                let known = expected.choices;
                if !known.is_empty() && !known.iter().any(|known| known.as_bytes() == value) {
                    let known = known.join(", ");
                    return Err(Failure::wrong(&format!(
                        "Option --{} takes one of: {known}.",
                        option.long
                    )));
                }
                value
            }
            None => Vec::new(),
        };
        match option.long {
            "help" => return Ok(Request::Help),
            "version" => return Ok(Request::Version),
            name => invocation.options.push((name, value)),
        }
    }
    Ok(Request::Run(invocation))
}

fn find(program: &Program, wanted: impl Fn(&Opt) -> bool) -> Option<&'static Opt> {
    program.options.iter().find(|option| wanted(option))
}

/// Whether a word is to be taken for an option.
///
/// Compatibility: an unknown one is an argument, and wrong as such, unless the
/// program takes no arguments.
fn is_option(program: &Program, word: &OsStr) -> bool {
    let known = match word.as_encoded_bytes() {
        b"-" => return false,
        b"--" => return true,
        [b'-', b'-', name @ ..] => {
            let name = name.split(|byte| *byte == b'=').next();
            find(program, |option| Some(option.long.as_bytes()) == name)
        }
        [b'-', letter, ..] => {
            let letter = char::from(*letter);
            find(program, |option| option.short == Some(letter))
        }
        _ => return false,
    };
    known.is_some() || program.arguments.is_empty()
}

fn refuse(error: &lexopt::Error) -> Failure {
    Failure::wrong(&format!("{error}."))
}

/// Reads an argument in hexadecimal digits.
///
/// # Errors
/// [`Failure::Usage`] with the reason.
pub fn hex(argument: &[u8]) -> Result<Vec<u8>, Failure> {
    hex::decode(argument).map_err(|error| {
        Failure::Usage(match error {
            HexError::OddLength => {
                [b"Argument ``", argument, b"'' must have even length."].concat()
            }
            HexError::IllegalCharacter => {
                [b"Illegal hex char in argument ``", argument, b"''."].concat()
            }
        })
    })
}

/// Reads an argument of exactly `N` bytes in hexadecimal digits; `what` names
/// it, with an article.
///
/// # Errors
/// [`Failure::Usage`] with the reason.
pub fn fixed<const N: usize>(argument: &[u8], what: &str) -> Result<[u8; N], Failure> {
    hex(argument)?.try_into().map_err(|_| {
        let digits = N.saturating_mul(2);
        Failure::wrong(&format!("{what} must be {digits} hex chars long."))
    })
}

/// Reads a number; `name` is the argument's.
///
/// # Errors
/// [`Failure::Usage`] if it does not begin with a number.
pub fn number(argument: &[u8], name: &str) -> Result<u32, Failure> {
    hex::decimal(argument).ok_or_else(|| Failure::wrong(&format!("Unparseable {name} given.")))
}

/// The decoded data message on standard input: the first message there has to
/// be one.
///
/// # Errors
/// [`Failure::Message`] if it is not, [`Failure::Read`].
pub fn first_data_message() -> Result<Vec<u8>, Failure> {
    let found = Finder::new(io::stdin().lock(), Scope::Encoded)
        .find()
        .map_err(Failure::Read)?;
    let text = match found {
        Some(Found::Encoded(text)) => text,
        Some(Found::TooLong) => return Err(Failure::Message("OTR message on stdin is too long.")),
        _ => return Err(Failure::Message("No OTR Data Message found on stdin.")),
    };
    let text = c_string(&text);
    if message_type(text) != MessageType::Data {
        return Err(Failure::Message("OTR Non-Data Message found on stdin."));
    }
    let decoded = dearmour_data(text);
    decoded.map_err(|_: Error| INVALID)
}

/// What is said of a data message that cannot be read.
pub const INVALID: Failure = Failure::Message("Invalid OTR Data Message found on stdin.");

/// Compatibility: a message ends at a NUL.
#[must_use]
pub fn c_string(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}
