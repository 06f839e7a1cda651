//! Named cases, each in a process of its own.
//!
//! A crash or a hang of the library is one row of the table, not the end of
//! the run. A case says `Ok(note)` or `Err(reason)`; a signal or an exit
//! status other than 0 is a crash, an exhausted time limit a hang.

use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::ffi::{cpu_ms, now_ms};

/// What a case found.
pub type Outcome = Result<String, String>;

/// Ends a case with a reason unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if $condition {
        } else {
            return Err(format!($($reason)+));
        }
    };
}
pub(crate) use ensure;

/// Slows every time limit down, for runs under valgrind or a sanitizer:
/// the environment variable `HOSTILE_PATIENCE`, a factor, 1 if unset.
pub fn patience() -> f64 {
    static FACTOR: OnceLock<f64> = OnceLock::new();
    *FACTOR.get_or_init(|| {
        std::env::var("HOSTILE_PATIENCE")
            .ok()
            .and_then(|f| f.parse().ok())
            .unwrap_or(1.0)
    })
}

/// Runs an operation; an error if it took more processor time than the limit.
pub fn within<T>(
    limit_ms: f64,
    what: &str,
    operation: impl FnOnce() -> T,
) -> Result<(T, f64), String> {
    let start = cpu_ms();
    let value = operation();
    let took = cpu_ms() - start;
    ensure!(
        took <= limit_ms * patience(),
        "{what}: {took:.0} ms, at most {limit_ms:.0} allowed"
    );
    Ok((value, took))
}

/// Runs cases, prints a row for each and counts.
pub struct Runner {
    only: Option<String>,
    verbose: bool,
    passed: u32,
    wrong: u32,
    crashed: u32,
    hung: u32,
    directory: PathBuf,
    /// How long, how much and which: for the suites without an end of their own.
    pub size: Size,
}

/// How much the open-ended suites do.
#[derive(Clone, Copy)]
pub struct Size {
    /// Seconds of mutation.
    pub seconds: u32,
    /// Messages of the long honest run.
    pub messages: u32,
    /// Where the random numbers of a run begin.
    pub seed: u64,
}

impl Runner {
    /// `only`: run the cases whose name contains this. `verbose`: keep the
    /// cases' standard error.
    pub fn new(only: Option<String>, verbose: bool, directory: &Path, size: Size) -> Self {
        Self {
            only,
            verbose,
            size,
            passed: 0,
            wrong: 0,
            crashed: 0,
            hung: 0,
            directory: directory.to_owned(),
        }
    }

    /// The directory of this run: the test keys, and a place for files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs one case with a time limit in seconds.
    pub fn case(&mut self, name: &str, seconds: u32, case: impl FnOnce() -> Outcome) {
        if self
            .only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            return;
        }
        let start = now_ms();
        let limit = (f64::from(seconds) * patience()).ceil() as u32;
        let (status, said) = in_child(limit, self.verbose, || match case() {
            Ok(note) => format!("+{note}"),
            Err(reason) => format!("-{reason}"),
        });
        let (word, note) = match (status, said.split_at_checked(1)) {
            (Ended::Normally, Some(("+", note))) => ("pass", note.to_owned()),
            (Ended::Normally, Some(("-", reason))) => ("FAIL", reason.to_owned()),
            (Ended::Normally, _) => ("CRASH", "said nothing".to_owned()),
            (Ended::TimedOut, _) => ("HANG", format!("no end within {limit} s")),
            (Ended::Badly(how), _) => ("CRASH", how),
        };
        *match word {
            "pass" => &mut self.passed,
            "FAIL" => &mut self.wrong,
            "HANG" => &mut self.hung,
            _ => &mut self.crashed,
        } += 1;
        println!("{name:<56} {word:<6}{:>7.0} ms  {note}", now_ms() - start);
    }

    /// Counts something that was checked without a child process.
    pub fn count(&mut self, ok: bool) {
        *if ok {
            &mut self.passed
        } else {
            &mut self.wrong
        } += 1;
    }

    /// Prints the totals; true if nothing failed.
    pub fn summary(&self) -> bool {
        let failed = self.wrong + self.crashed + self.hung;
        print!("{} passed, {failed} failed", self.passed);
        if failed > 0 {
            print!(
                " ({} crashed, {} hung, {} wrong)",
                self.crashed, self.hung, self.wrong
            );
        }
        println!();
        failed == 0
    }
}

/// How a child process ended.
pub enum Ended {
    Normally,
    TimedOut,
    Badly(String),
}

/// Runs `body` in a child process with a time limit; what it returned, if it
/// came that far.
pub fn in_child(seconds: u32, verbose: bool, body: impl FnOnce() -> String) -> (Ended, String) {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0, "no pipe");
    std::io::stdout().flush().expect("standard output");
    // SAFETY: this process has one thread, so the child may do anything.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "cannot fork");
    if child == 0 {
        // SAFETY: plain system calls on this process's own descriptors and limits.
        unsafe {
            let none = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            if !verbose {
                let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
                libc::dup2(null, 2);
            }
            libc::alarm(seconds);
        }
        let body = std::panic::AssertUnwindSafe(body);
        let said =
            std::panic::catch_unwind(body).unwrap_or_else(|_| "-the case panicked".to_owned());
        // SAFETY: the descriptor is open and owned by nobody else.
        let mut pipe = unsafe { std::fs::File::from_raw_fd(ends[1]) };
        let _ = pipe.write_all(said.as_bytes());
        // SAFETY: ends this process without running the parent's clean-up.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: both descriptors are open; the reading end gets one owner.
    let mut pipe = unsafe {
        libc::close(ends[1]);
        std::fs::File::from_raw_fd(ends[0])
    };
    let mut said = Vec::new();
    let _ = pipe.read_to_end(&mut said);
    (reap(child), String::from_utf8_lossy(&said).into_owned())
}

/// Waits for a child process.
pub fn reap(child: libc::pid_t) -> Ended {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the result.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {}
    if libc::WIFSIGNALED(status) {
        match libc::WTERMSIG(status) {
            libc::SIGALRM => Ended::TimedOut,
            signal => Ended::Badly(format!("signal {signal}")),
        }
    } else {
        match libc::WEXITSTATUS(status) {
            0 => Ended::Normally,
            code => Ended::Badly(format!("exit status {code}")),
        }
    }
}
