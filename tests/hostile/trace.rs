//! Faults at an exact place: a child process that is killed at, or whose
//! system call fails at, its n-th operation on files.

use std::io::Read;
use std::os::fd::FromRawFd;

/// What happens at the chosen operation.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The process is killed before the operation.
    Kill,
    /// The operation fails with this error number.
    Fail(i32),
}

/// How the child ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It ended by itself before it came to the chosen operation.
    NotReached(String),
    /// The operation failed and the child went on to its end.
    Failed(String),
    /// It was killed at the chosen operation.
    Killed,
    /// It crashed.
    Crashed(i32),
}

/// System calls that change files. Opening counts too, as most changes begin
/// with it.
const FILE_OPERATIONS: &[i64] = &[
    libc::SYS_open,
    libc::SYS_openat,
    libc::SYS_creat,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_ftruncate,
    libc::SYS_truncate,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
];

/// Runs `body` in a child with a fault at its `n`-th file operation, counted
/// from 0. What `body` returns is handed back.
pub fn with_fault(n: usize, fault: Fault, body: impl FnOnce() -> String) -> End {
    traced(n, fault, body).0
}

/// The numbers of all file operations of `body`, in their order.
pub fn operations(body: impl FnOnce()) -> Vec<i64> {
    let body = || {
        body();
        String::new()
    };
    traced(usize::MAX, Fault::Kill, body).1
}

fn traced(n: usize, fault: Fault, body: impl FnOnce() -> String) -> (End, Vec<i64>) {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0, "no pipe");
    // SAFETY: this process has one thread.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "cannot fork");
    if child == 0 {
        // SAFETY: asks to be traced and waits for the parent.
        unsafe {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            libc::raise(libc::SIGSTOP);
        }
        let said = body();
        // SAFETY: leaves the traced part (an operation no file sees), hands
        // the text over and ends without the parent's clean-up.
        unsafe {
            libc::syscall(libc::SYS_getppid);
            libc::write(ends[1], said.as_ptr().cast(), said.len());
            libc::_exit(0);
        }
    }
    // SAFETY: both are open; the reading end gets one owner.
    let mut pipe = unsafe {
        libc::close(ends[1]);
        std::fs::File::from_raw_fd(ends[0])
    };
    let mut calls = Vec::new();
    let (reached, status) = drive(child, n, fault, &mut calls);
    let mut said = String::new();
    let _ = pipe.read_to_string(&mut said);
    let end = if libc::WIFSIGNALED(status) {
        match (libc::WTERMSIG(status), reached) {
            (libc::SIGKILL, true) => End::Killed,
            (signal, _) => End::Crashed(signal),
        }
    } else if reached {
        End::Failed(said)
    } else {
        End::NotReached(said)
    };
    (end, calls)
}

/// Lets the child run from system call to system call; whether the chosen
/// operation was reached, and how the child ended. `calls` gets the operations.
fn drive(child: libc::pid_t, n: usize, fault: Fault, calls: &mut Vec<i64>) -> (bool, i32) {
    let (mut status, mut done, mut reached, mut entering) = (0, 0, false, true);
    let mut failing = None;
    loop {
        // SAFETY: waits for our own child.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {
            continue;
        }
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            return (reached, status);
        }
        let stopped = libc::WSTOPSIG(status);
        let mut signal = 0;
        if stopped == libc::SIGTRAP | 0x80 {
            // SAFETY: a structure of numbers.
            let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
            // SAFETY: the child is stopped; there is room for its registers.
            unsafe { libc::ptrace(libc::PTRACE_GETREGS, child, 0, &raw mut registers) };
            if entering {
                let call = registers.orig_rax as i64;
                if call == libc::SYS_getppid {
                    // The part under observation is over.
                    done = usize::MAX / 2;
                } else if FILE_OPERATIONS.contains(&call) && done < usize::MAX / 2 {
                    calls.push(call);
                    if done == n {
                        reached = true;
                        match fault {
                            Fault::Kill => {
                                // SAFETY: our own child.
                                unsafe { libc::kill(child, libc::SIGKILL) };
                            }
                            Fault::Fail(number) => {
                                failing = Some(number);
                                registers.orig_rax = u64::MAX;
                                // SAFETY: as above.
                                unsafe {
                                    libc::ptrace(
                                        libc::PTRACE_SETREGS,
                                        child,
                                        0,
                                        &raw mut registers,
                                    );
                                }
                            }
                        }
                    }
                    done += 1;
                }
            } else if let Some(number) = failing.take() {
                registers.rax = -i64::from(number) as u64;
                // SAFETY: as above.
                unsafe { libc::ptrace(libc::PTRACE_SETREGS, child, 0, &raw mut registers) };
            }
            entering = !entering;
        } else if stopped == libc::SIGSTOP {
            // SAFETY: as above; system-call stops are to be told from signals.
            unsafe {
                libc::ptrace(
                    libc::PTRACE_SETOPTIONS,
                    child,
                    0,
                    libc::PTRACE_O_TRACESYSGOOD,
                )
            };
        } else {
            signal = stopped;
        }
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, child, 0, signal) };
    }
}
