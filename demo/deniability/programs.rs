//! Running the programs of the toolkit.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the programs are.
pub(crate) struct Programs {
    folder: PathBuf,
}

/// One call of a program, with what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The words of the call as one would type them, long ones shortened.
    pub(crate) typed: Vec<String>,
    pub(crate) succeeded: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Call {
    /// The same call with its output sent through grep.
    pub(crate) fn grep(&self, word: &str) -> Self {
        let mut call = self.clone();
        call.typed.push(format!("| grep {}", shortened(word)));
        call.out = call
            .out
            .lines()
            .filter(|line| line.contains(word))
            .map(|line| format!("{line}\n"))
            .collect();
        call
    }
}

impl Programs {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Runs a program on an input, which the call names `input_name`.
    pub(crate) fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input_name: &str,
        input: &[u8],
    ) -> Result<Call, Box<dyn Error>> {
        let path = self.folder.join(program);
        let mut child = Command::new(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        let done = child.wait_with_output()?;
        let mut typed = vec![program.to_owned()];
        typed.extend(arguments.iter().map(|argument| shortened(argument)));
        if !input_name.is_empty() {
            typed.push(format!("< {input_name}"));
        }
        Ok(Call {
            typed,
            succeeded: done.status.success(),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }
}

/// A word of a command line, quoted if it has to be; long ones shortened.
fn shortened(word: &str) -> String {
    if word.contains(' ') {
        return format!("'{word}'");
    }
    match (word.get(..20), word.len()) {
        _ if word.is_empty() => "''".into(),
        (Some(begin), 33..) => format!("{begin}..."),
        _ => word.to_owned(),
    }
}
