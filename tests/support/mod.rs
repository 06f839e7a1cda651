//! What the tests with C programs share: which libraries there are, compiling a program, running it with one of them.
#![allow(dead_code, reason = "each test uses a part of this")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long one C program may run.
const LIMIT: Duration = Duration::from_secs(120);

/// A folder with a `libotr.so.5` and the headers that belong to it.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    /// For messages: "ours" or "stock".
    pub(crate) name: &'static str,
    /// Where `libotr.so.5` is.
    pub(crate) folder: PathBuf,
    /// The folder in which `libotr/` has the headers, if they are not where the compiler looks anyway.
    pub(crate) include: Option<PathBuf>,
}

/// The library that this test run has built, under the name that programs ask for.
pub(crate) fn ours() -> Library {
    // For tests, cargo leaves the library beside them and does not touch the one that `cargo build` has put above.
    let built = target_folder().join("deps/libotr.so");
    assert!(built.exists(), "cargo has not built {}", built.display());
    let folder = scratch("ours");
    let link = folder.join("libotr.so.5");
    // Tests run side by side, in several processes too: make the link under a name of its own, then move it.
    let mine = folder.join(format!(
        "link.{}.{:?}",
        std::process::id(),
        thread::current().id()
    ));
    std::os::unix::fs::symlink(&built, &mine).expect("a symbolic link");
    fs::rename(&mine, &link).expect("the link under its name");
    Library {
        name: "ours",
        folder,
        include: Some(root().join("include")),
    }
}

/// The libotr 4.1.1 that is installed on this machine, with its headers.
///
/// `None` where there is none, and the caller says so; with `CI=true` that is a failure instead.
pub(crate) fn stock() -> Option<Library> {
    let listing = Command::new("/sbin/ldconfig").arg("-p").output().ok();
    let listing = listing
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        .unwrap_or_default();
    let file = listing
        .lines()
        .filter(|line| line.trim_start().starts_with("libotr.so.5 "))
        .find_map(|line| line.split("=> ").nth(1));
    let headers = Path::new("/usr/include/libotr/message.h").exists();
    let found = file
        .and_then(|file| Path::new(file.trim()).parent())
        .filter(|_| headers);
    assert!(
        found.is_some() || std::env::var("CI").as_deref() != Ok("true"),
        "no libotr with headers is installed (Debian: libotr5-dev)"
    );
    found.map(|folder| Library {
        name: "stock",
        folder: folder.to_owned(),
        include: None,
    })
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of that name for files of these tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder for test files");
    folder
}

/// Where cargo put the library: the test program is in `deps/` below it.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this test program");
    program
        .ancestors()
        .nth(2)
        .expect("target/PROFILE/deps/PROGRAM")
        .to_owned()
}

/// The programs that this process has compiled: source and library to file.
static COMPILED: Mutex<BTreeMap<(PathBuf, &str), PathBuf>> = Mutex::new(BTreeMap::new());

/// Compiles a C program of the project with every warning denied, against the headers of `library`; once for each test
/// program, however often it is asked for.
///
/// `options` are further compiler options, such as `-lgcrypt`.
pub(crate) fn compile(source: &str, library: &Library, options: &[&str]) -> PathBuf {
    let source = root().join(source);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled
        .entry((source.clone(), library.name))
        .or_insert_with(|| compile_anew(&source, library, options))
        .clone()
}

fn compile_anew(source: &Path, library: &Library, options: &[&str]) -> PathBuf {
    let name = |path: &Path| {
        path.file_stem()
            .expect("a file name")
            .to_string_lossy()
            .into_owned()
    };
    let tests = name(&std::env::current_exe().expect("the path of this test program"));
    let program = scratch("programs").join(format!("{}.{}.{tests}", name(source), library.name));
    let unfinished = program.with_extension(std::process::id().to_string());
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cc::Build::new()
        .cargo_metadata(false)
        .target(&target)
        .host(&target)
        .opt_level(1)
        .debug(true)
        .std("gnu11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .get_compiler()
        .to_command();
    if let Some(include) = &library.include {
        command.arg("-I").arg(include);
    }
    command.arg("-o").arg(&unfinished).arg(source);
    command
        .arg(library.folder.join("libotr.so.5"))
        .args(options);
    let out = command.output().expect("the C compiler runs");
    assert!(
        out.status.success(),
        "{} against the headers of {}:\n{}",
        source.display(),
        library.name,
        String::from_utf8_lossy(&out.stderr)
    );
    fs::rename(&unfinished, &program).expect("the program under its name");
    program
}

/// A command that runs a program with that library; nothing else of our environment matters to it.
pub(crate) fn command(program: &Path, library: &Library) -> Command {
    let mut command = Command::new(program);
    command
        .env("LD_LIBRARY_PATH", &library.folder)
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a program to its end, and returns what it wrote to standard output. A program that fails or takes too long
/// fails the test.
pub(crate) fn run(program: &Path, library: &Library, arguments: &[&str]) -> String {
    let mut child = command(program, library)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdout.take().expect("standard output is piped");
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text)
            .map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let status = wait(&mut child);
    let text = reader
        .join()
        .expect("the reader ends")
        .expect("standard output is read");
    assert!(
        status.is_some_and(|status| status.success()),
        "{} with {}: {status:?}\n{text}",
        program.display(),
        library.name
    );
    text
}

/// Waits for a process until the time limit, and then ends it.
pub(crate) fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait().expect("the state of the process") {
            Some(status) => return Some(status),
            None if start.elapsed() > LIMIT => {
                child.kill().expect("the process ends");
                child.wait().expect("the process ended");
                return None;
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    }
}
