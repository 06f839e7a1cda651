//! Completions for three shells, made of the programs' descriptions.
#![forbid(unsafe_code)]

use super::programs::{Opt, Program};

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// Fish.
    Fish,
}

impl Shell {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// The name of a program's completion file, in a folder for each shell.
    #[must_use]
    pub fn file(self, program: &Program) -> String {
        match self {
            Self::Bash => format!("bash/{}", program.name),
            Self::Zsh => format!("zsh/_{}", program.name),
            Self::Fish => format!("fish/{}.fish", program.name),
        }
    }

    /// What is in it.
    #[must_use]
    pub fn completions(self, program: &Program) -> String {
        match self {
            Self::Bash => bash(program),
            Self::Zsh => zsh(program),
            Self::Fish => fish(program),
        }
    }
}

/// Says where a file comes from.
const MADE: &str = "Made from src/toolkit/programs.rs by tests/toolkit/docs.rs.";

fn bash(program: &Program) -> String {
    let name = program.name;
    let words: Vec<_> = program.options.iter().flat_map(spellings).collect();
    let words = words.join(" ");
    let mut values = String::new();
    for option in program.options {
        if let Some(value) = &option.value {
            let option = spellings(option).join(" | ");
            let choices = value.choices.join(" ");
            values.push_str(&format!("        {option}) words='{choices}' ;;\n"));
        }
    }
    format!(
        "# {MADE}\n\
         _{name}()\n\
         {{\n\
         \x20   local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} words='{words}'\n\
         \x20   # Bash takes --option=value for three words.\n\
         \x20   [[ $current == = ]] && current=\n\
         \x20   [[ $option == = ]] && option=${{COMP_WORDS[COMP_CWORD - 2]}}\n\
         \x20   case $option in\n\
         {values}\
         \x20       *) [[ $current == -* ]] || words= ;;\n\
         \x20   esac\n\
         \x20   mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n\
         }}\n\
         complete -F _{name} {name}\n"
    )
}

fn zsh(program: &Program) -> String {
    let mut specs: Vec<String> = Vec::new();
    for option in program.options {
        let help = option.help.replace('\'', "'\\''").replace(']', "\\]");
        let (equals, value) = match &option.value {
            Some(value) => {
                let choices = match value.choices {
                    [] => String::new(),
                    choices => format!("({})", choices.join(" ")),
                };
                ("=", format!(":{}:{choices}", value.name))
            }
            None => ("", String::new()),
        };
        let long = option.long;
        specs.push(match option.short {
            Some(short) => {
                let plus = if option.value.is_some() { "+" } else { "" };
                let repeat = if option.value.is_some() { "*" } else { "" };
                let names = format!("{{-{short}{plus},--{long}{equals}}}");
                match repeat {
                    "" => format!("'(-{short} --{long})'{names}'[{help}]{value}'"),
                    repeat => format!("'{repeat}'{names}'[{help}]{value}'"),
                }
            }
            None => format!("'--{long}{equals}[{help}]{value}'"),
        });
    }
    for (number, argument) in (1..).zip(program.arguments) {
        let message = format!("{} ({})", argument.name, argument.help);
        let message = message.replace('\'', "'\\''").replace(':', "\\:");
        let colons = if argument.optional { "::" } else { ":" };
        specs.push(format!("'{number}{colons}{message}: '"));
    }
    format!(
        "#compdef {}\n# {MADE}\n_arguments -s -A '-*' \\\n    {}\n",
        program.name,
        specs.join(" \\\n    ")
    )
}

fn fish(program: &Program) -> String {
    let name = program.name;
    let mut text = format!("# {MADE}\ncomplete -c {name} -f\n");
    for option in program.options {
        let short = match option.short {
            Some(short) => format!(" -s {short}"),
            None => String::new(),
        };
        let value = match &option.value {
            Some(value) if value.choices.is_empty() => " -x".into(),
            Some(value) => format!(" -x -a '{}'", value.choices.join(" ")),
            None => String::new(),
        };
        let help = option.help.replace('\\', "\\\\").replace('\'', "\\'");
        text.push_str(&format!(
            "complete -c {name}{short} -l {}{value} -d '{help}'\n",
            option.long
        ));
    }
    text
}

/// An option's names, with their dashes.
fn spellings(option: &Opt) -> Vec<String> {
    let short = option.short.map(|short| format!("-{short}"));
    let long = format!("--{}", option.long);
    short.into_iter().chain([long]).collect()
}
