//! Gives the shared library the soname that programs linked against libotr ask
//! for, an unwinder of its own and an order of functions that keeps few pages
//! busy, and computes the constant tables of the group's generator.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a mistake here fails the build, not a program"
)]

#[path = "build/generator.rs"]
mod generator;

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build/generator.rs");
    println!("cargo:rerun-if-changed=src/crypto/modp/group.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // cargo-c passes the soname itself and announces itself by this feature.
    let cargo_c = std::env::var_os("CARGO_FEATURE_CAPI").is_some();
    if os == "linux" && !cargo_c {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libotr.so.5");
    }
    order_functions(&os);
    // It also writes what is linked into the pkg-config file, where this one library
    // has no place: static programs get the unwinder from their compiler.
    if !cargo_c {
        link_unwinder(&os);
    }
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let file = Path::new(&out).join("generator.rs");
    std::fs::write(file, generator::source()).expect("OUT_DIR is writable");
}

/// Has the linker put what every program runs side by side, if it can: not all
/// linkers read such scripts. Otherwise the library works the same, only more
/// of it comes into memory.
fn order_functions(os: &str) {
    println!("cargo:rerun-if-changed=build/front.ld");
    if os != "linux" || !links_for_target() {
        return;
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let script = format!("-Wl,-T,{root}/build/front.ld");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("linker=") {
        return;
    }
    // The one that the user has the compiler call, if any.
    let chosen = flags
        .split('\x1f')
        .filter_map(|flag| flag.find("-fuse-ld=").and_then(|at| flag.get(at..)));
    let works = Command::new(linker())
        .args(["-shared", "-nostdlib", "-x", "c", "/dev/null", &script])
        .args(chosen)
        .args(["-o", &format!("{out}/front.so")])
        .output()
        .is_ok_and(|trial| trial.status.success());
    if works {
        println!("cargo:rustc-cdylib-link-arg={script}");
    }
}

/// The program that rustc links with.
fn linker() -> std::ffi::OsString {
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into())
}

/// Whether [`linker`] is one for the system that the library is built for.
fn links_for_target() -> bool {
    std::env::var_os("HOST") == std::env::var_os("TARGET")
        || std::env::var_os("RUSTC_LINKER").is_some()
}

/// Links the part of libgcc that unwinds after a panic into the library, where
/// it is there to be linked: loading the shared libgcc takes as long as loading
/// everything else. Without it the library works the same.
fn link_unwinder(os: &str) {
    let env = std::env::var("CARGO_CFG_TARGET_ENV").unwrap_or_default();
    if os != "linux" || env != "gnu" || !links_for_target() {
        return;
    }
    let name = "libgcc_eh.a";
    let found = Command::new(linker())
        .arg(format!("-print-file-name={name}"))
        .output();
    let Ok(found) = found else { return };
    let file = String::from_utf8_lossy(&found.stdout);
    let file = Path::new(file.trim_end());
    // A compiler that has none answers with the bare name.
    if let Some(folder) = file
        .parent()
        .filter(|_| file.is_absolute() && file.exists())
    {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
