//! Files are replaced whole or not at all.
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use std::env;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use otr::files::store::{self, Access, Durability, Locked};

const LASTING: Durability = Durability::Lasting;
const LIMIT: usize = 1 << 20;
/// The length of the shortest text that [`text`] makes.
const TEXT: usize = 100_000;

/// A folder of its own for each test, removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("otr-store-{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(&self.0)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.0, Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.mode() & 0o777)
}

fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Runs one test of this file in a process of its own, behind a shell command.
fn child(test: &str, setup: &str, file: &Path) -> io::Result<Command> {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{setup} exec \"$0\" \"$@\"")])
        .arg(env::current_exe()?)
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .env("OTR_TEST_FILE", file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}

/// What a child exits with after having done what it is for.
const DONE: i32 = 42;

/// Does a child's work on the file that [`child`] has named.
fn in_child(work: impl FnOnce(&Path)) {
    if let Some(file) = env::var_os("OTR_TEST_FILE") {
        work(Path::new(&file));
        std::process::exit(DONE);
    }
}

/// A text whose every byte tells which one it is.
fn text(number: u8) -> Vec<u8> {
    let number = number % 26;
    vec![b'a'.wrapping_add(number); usize::from(number).wrapping_add(TEXT)]
}

/// Whether it is one of the texts that [`text`] makes.
fn is_whole(text: &[u8]) -> bool {
    text.first().is_some_and(|first| {
        let number = usize::from(first.wrapping_sub(b'a'));
        text.len().checked_sub(TEXT) == Some(number) && text.iter().all(|byte| byte == first)
    })
}

#[test]
fn new_files_are_made_and_old_ones_replaced() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("keys");
    for text in [&b"first"[..], b"", b"a longer second text"] {
        store::replace(&file, text, Access::Private, LASTING)?;
        assert_eq!(*store::read(&file, LIMIT)?, text);
        assert_eq!(mode(&file)?, 0o600);
        assert_eq!(folder.names()?, ["keys"]);
    }
    Ok(())
}

#[test]
fn a_file_in_the_current_folder_needs_no_folder_name() -> io::Result<()> {
    let folder = Folder::new()?;
    let status = child(
        "child_replaces_a_relative_file",
        &format!("cd '{}' &&", folder.0.display()),
        Path::new("keys"),
    )?
    .status()?;
    assert_eq!(status.code(), Some(DONE));
    assert_eq!(folder.names()?, ["keys"]);
    Ok(())
}

#[test]
#[ignore = "run by a_file_in_the_current_folder_needs_no_folder_name"]
fn child_replaces_a_relative_file() {
    in_child(|file| store::replace(file, b"text", Access::Private, LASTING).unwrap());
}

#[test]
fn permissions() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("file");
    for was in [0o600, 0o640, 0o644, 0o666] {
        fs::write(&file, "old")?;
        fs::set_permissions(&file, Permissions::from_mode(was))?;
        store::replace(&file, b"new", Access::Unchanged, LASTING)?;
        assert_eq!(mode(&file)?, was);
        store::replace(&file, b"new", Access::Private, LASTING)?;
        assert_eq!(mode(&file)?, 0o600);
    }
    Ok(())
}

#[test]
fn private_files_are_private_under_any_mask() -> io::Result<()> {
    for mask in ["000", "022", "077", "377"] {
        let folder = Folder::new()?;
        let file = folder.file("keys");
        let status = child("child_replaces", &format!("umask {mask};"), &file)?.status()?;
        assert_eq!(status.code(), Some(DONE));
        assert_eq!(mode(&file)?, 0o600, "{mask}");
    }
    Ok(())
}

#[test]
#[ignore = "run by other tests"]
fn child_replaces() {
    in_child(|file| store::replace(file, b"text", Access::Private, LASTING).unwrap());
}

#[test]
fn links_stay_and_what_they_lead_to_is_replaced() -> io::Result<()> {
    let folder = Folder::new()?;
    fs::create_dir(folder.file("elsewhere"))?;
    let real = folder.file("elsewhere/real");
    fs::write(&real, "old")?;
    symlink("elsewhere/real", folder.file("second"))?;
    symlink(folder.file("second"), folder.file("first"))?;
    store::replace(&folder.file("first"), b"new", Access::Private, LASTING)?;
    assert_eq!(fs::read(&real)?, b"new");
    assert!(fs::symlink_metadata(folder.file("first"))?.is_symlink());
    assert!(fs::symlink_metadata(folder.file("second"))?.is_symlink());

    symlink("elsewhere/not-yet", folder.file("third"))?;
    store::replace(&folder.file("third"), b"made", Access::Private, LASTING)?;
    assert_eq!(fs::read(folder.file("elsewhere/not-yet"))?, b"made");
    Ok(())
}

#[test]
fn links_in_a_circle_are_an_error() -> io::Result<()> {
    let folder = Folder::new()?;
    symlink("b", folder.file("a"))?;
    symlink("a", folder.file("b"))?;
    assert!(store::replace(&folder.file("a"), b"text", Access::Private, LASTING).is_err());
    Ok(())
}

/// A pipe with a name of its own: a store that did not look would replace a
/// device that everybody uses.
#[test]
fn what_is_no_regular_file_is_written_into() -> io::Result<()> {
    let folder = Folder::new()?;
    let pipe = folder.file("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status()?.success());
    let before = fs::metadata(&pipe)?;

    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe)
    });
    store::replace(&pipe, b"text", Access::Private, LASTING)?;
    let after = fs::metadata(&pipe)?;
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    assert_eq!(reader.join().map_err(|_| io::ErrorKind::Other)??, b"text");

    // Nobody reads all of this.
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || File::open(pipe).map(drop)
    });
    let written = store::replace(&pipe, &vec![b'x'; LIMIT], Access::Private, LASTING);
    assert_eq!(kind(written), Some(io::ErrorKind::BrokenPipe));
    reader.join().map_err(|_| io::ErrorKind::Other)??;
    assert_eq!(folder.names()?, ["pipe"]);
    Ok(())
}

#[test]
fn folders_are_no_files() -> io::Result<()> {
    let folder = Folder::new()?;
    let written = store::replace(&folder.0, b"text", Access::Private, LASTING);
    assert_eq!(kind(written), Some(io::ErrorKind::IsADirectory));
    assert_eq!(
        kind(store::read(&folder.0, LIMIT)),
        Some(io::ErrorKind::IsADirectory)
    );
    assert!(store::replace(Path::new(""), b"text", Access::Private, LASTING).is_err());
    assert!(store::replace(Path::new("/"), b"text", Access::Private, LASTING).is_err());
    Ok(())
}

#[test]
fn a_missing_folder_is_an_error() -> io::Result<()> {
    let folder = Folder::new()?;
    let written = store::replace(&folder.file("no/keys"), b"text", Access::Private, LASTING);
    assert_eq!(kind(written), Some(io::ErrorKind::NotFound));
    assert_eq!(
        kind(store::read(&folder.file("no"), LIMIT)),
        Some(io::ErrorKind::NotFound)
    );
    assert_eq!(Locked::new(&folder.file("no"))?.read(LIMIT)?, None);
    Ok(())
}

/// The superuser may write everywhere, so this needs somebody else.
#[test]
fn missing_permission_is_an_error_and_changes_nothing() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("keys");
    fs::write(&file, "old")?;
    fs::set_permissions(&folder.0, Permissions::from_mode(0o777))?;
    fs::set_permissions(&file, Permissions::from_mode(0o444))?;
    // A file that may not be written in a folder that may.
    assert!(refused_to_nobody(&file)?);
    // A folder that may not be written.
    fs::set_permissions(&file, Permissions::from_mode(0o666))?;
    fs::set_permissions(&folder.0, Permissions::from_mode(0o555))?;
    assert!(refused_to_nobody(&file)?);
    assert_eq!(fs::read(&file)?, b"old");
    assert_eq!(folder.names()?, ["keys"]);
    Ok(())
}

fn refused_to_nobody(file: &Path) -> io::Result<bool> {
    const NOBODY: u32 = 65534;
    let mut command = child("child_is_refused", "", file)?;
    if fs::metadata("/proc/self")?.uid() == 0 {
        use std::os::unix::process::CommandExt as _;
        // The program itself may lie where nobody can reach it. Copied by this
        // process, it could still be open for writing in another test's child.
        let program = env::temp_dir().join(format!("otr-store-program-{}", std::process::id()));
        let copied = Command::new("cp")
            .arg(env::current_exe()?)
            .arg(&program)
            .status()?;
        assert!(copied.success());
        fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        command = Command::new(&program);
        command
            .args(["--exact", "child_is_refused", "--ignored"])
            .env("OTR_TEST_FILE", file)
            .stdout(Stdio::null())
            .uid(NOBODY)
            .gid(NOBODY);
        let status = command.status();
        fs::remove_file(program)?;
        return Ok(status?.code() == Some(DONE));
    }
    Ok(command.status()?.code() == Some(DONE))
}

#[test]
#[ignore = "run by missing_permission_is_an_error_and_changes_nothing"]
fn child_is_refused() {
    in_child(|file| {
        let written = store::replace(file, b"new", Access::Private, LASTING);
        assert_eq!(kind(written), Some(io::ErrorKind::PermissionDenied));
    });
}

/// A limit on file sizes stands for a full disk: writing fails half way.
#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("keys");
    fs::write(&file, "old")?;
    let status = child(
        "child_finds_the_disk_full",
        "trap '' XFSZ; ulimit -f 8;",
        &file,
    )?
    .status()?;
    assert_eq!(status.code(), Some(DONE));
    assert_eq!(fs::read(&file)?, b"old");
    assert_eq!(folder.names()?, ["keys"]);
    Ok(())
}

#[test]
#[ignore = "run by a_full_disk_leaves_the_old_file_and_nothing_else"]
fn child_finds_the_disk_full() {
    in_child(|file| {
        let written = store::replace(file, &text(0), Access::Private, LASTING);
        assert_eq!(kind(written), Some(io::ErrorKind::FileTooLarge));
    });
}

/// Killed at any time, the program leaves one of the texts, whole, and what it
/// leaves besides is cleared away by the next.
#[test]
fn killed_at_any_time() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("keys");
    store::replace(&file, &text(0), Access::Private, LASTING)?;
    for round in 0..40 {
        let before = fs::metadata(&file)?.ino();
        let mut writer = child("child_replaces_without_end", "", &file)?.spawn()?;
        while fs::metadata(&file)?.ino() == before && writer.try_wait()?.is_none() {
            thread::sleep(Duration::from_micros(100));
        }
        thread::sleep(Duration::from_micros(round * 97));
        writer.kill()?;
        assert_eq!(writer.wait()?.code(), None);
        assert!(is_whole(&store::read(&file, LIMIT)?), "{round}");
        assert!(folder.names()?.len() <= 2);
    }
    store::replace(&file, &text(1), Access::Private, LASTING)?;
    assert_eq!(folder.names()?, ["keys"]);
    Ok(())
}

#[test]
#[ignore = "run by killed_at_any_time, until it is killed"]
fn child_replaces_without_end() {
    in_child(|file| {
        for number in (0..26).cycle().take(100_000) {
            store::replace(file, &text(number), Access::Private, LASTING).unwrap();
        }
    });
}

/// What is read, changed and replaced under one lock is lost by nobody.
#[test]
fn programs_at_the_same_time_lose_nothing() -> io::Result<()> {
    const WRITERS: usize = 4;
    let folder = Folder::new()?;
    let file = folder.file("keys");
    let writers = (0..WRITERS)
        .map(|_| child("child_adds_lines", "", &file)?.spawn())
        .collect::<io::Result<Vec<_>>>()?;
    for mut writer in writers {
        assert_eq!(writer.wait()?.code(), Some(DONE));
    }
    let text = store::read(&file, LIMIT)?;
    assert_eq!(
        text.iter().filter(|byte| **byte == b'\n').count(),
        WRITERS * 25
    );
    assert_eq!(folder.names()?, ["keys"]);
    Ok(())
}

#[test]
#[ignore = "run by programs_at_the_same_time_lose_nothing"]
fn child_adds_lines() {
    in_child(|file| {
        for _ in 0..25 {
            let mut locked = Locked::new(file).unwrap();
            let mut text = locked.read(LIMIT).unwrap().unwrap_or_default();
            text.extend_from_slice(
                b"line
",
            );
            locked.replace(&text, Access::Private, LASTING).unwrap();
        }
    });
}

/// A program that died between making its file and renaming it.
#[test]
fn what_a_dead_program_left_is_cleared_away() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("keys");
    fs::write(folder.file(".otr-new.tmp"), "half a te")?;
    store::replace(&file, b"text", Access::Private, LASTING)?;
    assert_eq!(folder.names()?, ["keys"]);
    // Something that cannot be cleared away is no obstacle.
    fs::create_dir(folder.file(".otr-new.tmp"))?;
    store::replace(&file, b"more", Access::Private, LASTING)?;
    assert_eq!(fs::read(&file)?, b"more");
    assert_eq!(folder.names()?, [".otr-new.tmp", "keys"]);
    Ok(())
}

/// Nobody can make the text go into a file of their choice.
#[test]
fn a_planted_link_is_not_written_through() -> io::Result<()> {
    let folder = Folder::new()?;
    fs::write(folder.file("victim"), "untouched")?;
    symlink(folder.file("victim"), folder.file(".otr-new.tmp"))?;
    store::replace(&folder.file("keys"), b"secret", Access::Private, LASTING)?;
    assert_eq!(fs::read(folder.file("victim"))?, b"untouched");
    assert_eq!(fs::read(folder.file("keys"))?, b"secret");
    assert!(fs::symlink_metadata(folder.file("keys"))?.is_file());
    Ok(())
}

#[test]
fn a_lock_that_somebody_keeps_is_waited_for() -> io::Result<()> {
    let folder = Folder::new()?;
    let lock = File::open(&folder.0)?;
    lock.lock()?;
    let released = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(lock);
    });
    let file = folder.file("keys");
    store::replace(&file, b"text", Access::Private, LASTING)?;
    assert!(released.is_finished());
    assert_eq!(fs::read(file)?, b"text");
    Ok(())
}

#[test]
fn what_is_read_is_bounded() -> io::Result<()> {
    let folder = Folder::new()?;
    let file = folder.file("file");
    for len in [0, 1, 99, 100] {
        fs::write(&file, vec![7; len])?;
        assert_eq!(*store::read(&file, 100)?, vec![7; len]);
    }
    fs::write(&file, [7; 101])?;
    assert_eq!(
        kind(store::read(&file, 100)),
        Some(io::ErrorKind::FileTooLarge)
    );
    // No size is announced here.
    let endless = store::read(Path::new("/dev/zero"), 100_000);
    assert_eq!(kind(endless), Some(io::ErrorKind::FileTooLarge));
    assert!(store::read(Path::new("/dev/null"), 100)?.is_empty());
    assert!(!store::read(Path::new("/proc/self/status"), LIMIT)?.is_empty());
    Ok(())
}
