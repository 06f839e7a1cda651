//! Deniability, demonstrated: a recorded conversation, and messages forged
//! with what it reveals itself. `make demo-deniability` runs this.
//!
//! Every claim that is printed has been checked; one that does not hold makes
//! the exit status 1.
#![forbid(unsafe_code)]

mod forgery;
mod programs;
mod replay;
mod story;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use programs::{Call, Programs};
use story::Listener;

/// Writes the story down.
#[derive(Default)]
struct Narrator {
    page: String,
    colour: bool,
    steps: usize,
    failed: usize,
}

/// How wide the text is.
const WIDTH: usize = 78;
/// Longest line of a program's call or output that is shown whole.
const LONGEST: usize = 70;
/// Most lines of a program's output that are shown.
const MOST: usize = 16;

impl Listener for Narrator {
    fn heading(&mut self, text: &str) {
        self.steps = self.steps.saturating_add(1);
        let heading = self.painted("1", &format!("{}. {text}", self.steps));
        self.paragraph(&heading);
    }

    fn explanation(&mut self, text: &str) {
        self.paragraph(&wrapped(text, ""));
    }

    fn call(&mut self, call: &Call) {
        let mut lines = vec![self.painted("36", &typed(&call.typed))];
        let shown = call.out.lines().chain(call.err.lines());
        lines.extend(shown.filter(|line| !line.is_empty()).map(shortened));
        if lines.len() > MOST {
            lines.truncate(MOST);
            lines.push("[...]".into());
        }
        self.paragraph(&format!("    {}", lines.join("\n    ")));
    }

    fn claim(&mut self, holds: bool, text: &str) {
        let (mark, colour) = match holds {
            true => ("✓ ", "32"),
            false => ("✗ NOT TRUE: ", "1;31"),
        };
        if !holds {
            self.failed = self.failed.saturating_add(1);
        }
        let claim = self.painted(colour, &wrapped(&format!("{mark}{text}"), "  "));
        self.paragraph(&claim);
    }
}

impl Narrator {
    fn paragraph(&mut self, text: &str) {
        if !self.page.is_empty() {
            self.page.push('\n');
        }
        self.page.push_str(text);
        self.page.push('\n');
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{colour}m{text}\x1b[m")
        } else {
            text.to_owned()
        }
    }
}

/// A call as it is typed, in lines that fit.
fn typed(words: &[String]) -> String {
    let mut text = String::from("$");
    let mut width: usize = 1;
    for word in words {
        width = width.saturating_add(word.len()).saturating_add(1);
        if width > LONGEST {
            text.push_str(" \\\n       ");
            width = word.len().saturating_add(4);
        }
        text.push(' ');
        text.push_str(word);
    }
    text
}

/// A line of output, cut if it is long.
fn shortened(line: &str) -> String {
    let line = line.replace('\t', "  ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let start: String = line.chars().take(LONGEST.saturating_sub(3)).collect();
    format!("{start}...")
}

/// A text in lines, each after the first behind `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let len = line.chars().count().saturating_add(word.chars().count());
        if !line.is_empty() && len >= WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = indent.to_owned();
        }
        line.push_str(word);
        line.push(' ');
    }
    lines.push_str(line.trim_end());
    lines
}

/// The programs lie in the folder above this one.
fn programs() -> Result<Programs, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let folder = here.ancestors().nth(2).ok_or("no folder")?;
    Ok(Programs::new(folder.to_owned()))
}

fn main() -> ExitCode {
    let mut narrator = Narrator {
        colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        ..Narrator::default()
    };
    let told = programs().and_then(|programs| story::tell(&programs, &mut narrator));
    let written = io::stdout().write_all(narrator.page.as_bytes());
    if let Err(error) = &told {
        eprintln!("deniability: {error}");
    }
    if told.is_ok() && written.is_ok() && narrator.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
