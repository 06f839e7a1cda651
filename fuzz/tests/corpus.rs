//! Every target over its committed corpus, and over spoilt copies of it.
//!
//! ```text
//! cargo test --test corpus -- [TARGET...] [--spoilt N] [--seed N]
//! cargo test --test corpus -- TARGET --input FILE
//! ```
//!
//! Needs no libFuzzer and does the same in every run: what fuzzing has found
//! once stays found.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use otr_fuzz::{Seeded, TARGETS, Target, seeds};

/// No input may take longer. It is the bound of the library's own suites with
/// room for unoptimised code on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// Panics, also those that were caught on their way to C.
static PANICS: AtomicUsize = AtomicUsize::new(0);

struct Options {
    targets: Vec<String>,
    /// How many spoilt inputs each target gets.
    spoilt: usize,
    seed: u64,
    /// Single inputs to run instead of a corpus.
    inputs: Vec<PathBuf>,
}

fn options() -> Option<Options> {
    let mut options = Options {
        targets: Vec::new(),
        spoilt: 200,
        seed: 1,
        inputs: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--spoilt" => options.spoilt = arguments.next()?.parse().ok()?,
            "--input" => options.inputs.push(arguments.next()?.into()),
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            name => options.targets.push(Target::named(name)?.name.to_owned()),
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: corpus [TARGET...] [--spoilt N] [--seed N] [--input FILE]...");
        return ExitCode::from(2);
    };
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        report(info);
    }));
    let mut failed = 0;
    println!(
        "{:20} {:>7} {:>7} {:>7}",
        "target", "corpus", "spoilt", "ms"
    );
    for target in TARGETS {
        let wanted =
            options.targets.is_empty() || options.targets.iter().any(|name| name == target.name);
        if wanted && !check(target, &options) {
            failed += 1;
        }
    }
    if failed > 0 {
        println!("{failed} targets failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn check(target: &Target, options: &Options) -> bool {
    let start = Instant::now();
    let mut corpus = corpus(target.name);
    if !options.inputs.is_empty() {
        corpus = options.inputs.iter().map(read).collect();
    }
    if corpus.is_empty() {
        println!("{:20} has no corpus", target.name);
        return false;
    }
    let mut passed = true;
    for (path, input) in &corpus {
        passed &= try_one(target, input, &path.display().to_string());
    }
    let mut rng = Seeded::new(options.seed);
    let spoilt = if options.inputs.is_empty() {
        options.spoilt
    } else {
        0
    };
    for number in 0..spoilt {
        let input = spoil(&corpus, target.max_len, &mut rng);
        passed &= try_one(target, &input, &format!("spoilt input {number}"));
    }
    let milliseconds = start.elapsed().as_millis();
    println!(
        "{:20} {:>7} {:>7} {milliseconds:>7}",
        target.name,
        corpus.len(),
        spoilt
    );
    passed
}

/// The committed inputs of a target and its seeds, always in the same order.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let files = paths.iter().map(read);
    let seeds = seeds::of(name).into_iter().enumerate();
    files
        .chain(seeds.map(|(number, input)| (format!("seed {number}").into(), input)))
        .collect()
}

fn read(path: &PathBuf) -> (PathBuf, Vec<u8>) {
    let input = std::fs::read(path).expect("the input can be read");
    (path.clone(), input)
}

/// Runs one input; `false`, and the input is kept, if anything panicked or it
/// took too long.
fn try_one(target: &Target, input: &[u8], name: &str) -> bool {
    let (start, panics) = (Instant::now(), PANICS.load(Ordering::SeqCst));
    let ended = panic::catch_unwind(AssertUnwindSafe(|| target.run(input)));
    let took = start.elapsed();
    let calm = ended.is_ok() && PANICS.load(Ordering::SeqCst) == panics;
    if calm && took < LONGEST {
        return true;
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-failed", target.name));
    let _ = std::fs::write(&kept, input);
    println!(
        "{}: {name} failed after {} ms; kept as {}",
        target.name,
        took.as_millis(),
        kept.display()
    );
    false
}

/// A copy of one input with some bytes changed, moved, cut off, or taken from
/// another.
fn spoil(corpus: &[(PathBuf, Vec<u8>)], max_len: usize, rng: &mut Seeded) -> Vec<u8> {
    let mut input = corpus[rng.below(corpus.len())].1.clone();
    for _ in 0..=rng.below(6) {
        let at = rng.below(input.len() + 1);
        match rng.below(6) {
            0 => input.truncate(at),
            1 => input.insert(at, rng.number() as u8),
            2 => {
                let other = &corpus[rng.below(corpus.len())].1;
                let from = rng.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            3 if at < input.len() => {
                input.remove(at);
            }
            4 if at < input.len() => input[at] ^= 1 << rng.below(8),
            _ if at < input.len() => input[at] = rng.number() as u8,
            _ => {}
        }
    }
    input.truncate(max_len);
    input
}
