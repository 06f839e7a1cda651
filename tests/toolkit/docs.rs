//! Help, manual pages and completions tell of the same options.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use otr::toolkit::completion::Shell;
use otr::toolkit::programs::ALL;

use super::run::run_ours;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `BLESS=1` rewrites the files.
#[test]
fn completions_are_those_of_the_descriptions() {
    for program in ALL {
        for shell in Shell::ALL {
            let path = root().join("completions").join(shell.file(program));
            let wanted = shell.completions(program);
            if std::env::var_os("BLESS").is_some() {
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(&path, &wanted).expect("written");
            }
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(found, wanted, "{}: run with BLESS=1", path.display());
        }
    }
}

#[test]
fn help_tells_of_everything() {
    for program in ALL {
        let help = run_ours(program.name, &[b"--help"], b"");
        assert_eq!(help.status, Some(0));
        let help = help.text();
        let first = help.lines().next().expect("a line");
        assert!(first.ends_with(&program.synopsis()), "{first}");
        for argument in program.arguments {
            assert!(help.contains(&format!("\n  {} ", argument.name)), "{help}");
        }
        for option in program.options {
            assert!(help.contains(&format!("--{}", option.long)), "{help}");
        }
        // The names of otr_remac's ten arguments make one long line.
        for line in help.lines().skip(1) {
            assert!(line.len() < 80, "{line}");
        }
    }
}

#[test]
fn manual_pages_tell_of_everything() {
    for program in ALL {
        let path = root().join("man").join(format!("{}.1.in", program.name));
        let page = fs::read_to_string(&path).expect("a manual page");
        assert!(page.contains(&format!(".Nd {}\n", program.purpose)));
        for argument in program.arguments {
            let wanted = match argument.optional {
                true => format!(".Op Ar {}\n", argument.name),
                false => format!(".Ar {}\n", argument.name),
            };
            assert!(page.contains(&wanted), "{}: {wanted}", path.display());
        }
        for option in program.options {
            let long = format!(" -{}", option.long);
            let items: Vec<_> = page
                .lines()
                .filter(|line| line.starts_with(".It "))
                .collect();
            let item = items.iter().find(|line| line.contains(&long));
            let item = item.unwrap_or_else(|| panic!("{}: {long}", path.display()));
            if let Some(letter) = option.short {
                assert!(item.contains(&format!("Fl {letter} ")), "{item}");
            }
        }
    }
}

/// The pages as `make` builds them, shown by `man`.
#[test]
fn manual_pages_are_shown_without_warnings() {
    if Command::new("man").arg("--version").output().is_err() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "man is not installed"
        );
        return eprintln!("not checked: man is not installed (Debian: man-db, groff)");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    fs::create_dir_all(&folder).expect("a folder");
    let common = fs::read_to_string(root().join("man/common.in")).expect("the common part");
    let names = ALL
        .iter()
        .map(|program| program.name)
        .chain(["otr_toolkit"]);
    for name in names {
        let source = root().join("man").join(format!("{name}.1.in"));
        let page = fs::read_to_string(source).expect("a manual page");
        let page = page
            .replace("@common@\n", &common)
            .replace("@version@", "0");
        assert!(!page.contains('@'), "{name}");
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page).expect("written");
        let shown = Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(&path)
            .env("MANPAGER", "cat")
            .env("MANWIDTH", "80")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("man runs");
        assert!(shown.status.success());
        assert_eq!(String::from_utf8_lossy(&shown.stderr), "", "{name}");
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(text.contains("NAME") && text.contains(name));
    }
}

/// Asks Bash for what it would complete.
#[test]
fn bash_completes_options_and_their_values() {
    let complete = |program: &str, words: &[&str]| {
        let file = root().join("completions/bash").join(program);
        let script = format!(
            "source '{}'; COMP_WORDS=({program} {}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _{program}; printf '%s ' \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.join(" "),
        );
        let done = Command::new("bash")
            .args(["-c", &script])
            .output()
            .expect("bash runs");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "");
        String::from_utf8(done.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    };
    assert_eq!(complete("otr_parse", &["--j"]), "--json");
    assert_eq!(complete("otr_parse", &["-a", "--color", "al"]), "always");
    assert_eq!(complete("otr_parse", &["--color", "=", "ne"]), "never");
    assert_eq!(
        complete("otr_parse", &["--color", "="]),
        "auto always never"
    );
    assert_eq!(complete("otr_parse", &["--key", "''"]), "");
    assert_eq!(complete("otr_mackey", &["--"]), "--help --version");
    assert_eq!(complete("otr_mackey", &["x"]), "");
}
