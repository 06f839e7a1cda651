//! Gives the shared library the soname that programs linked against libotr ask
//! for, and computes the constant tables of the group's generator.
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
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let file = Path::new(&out).join("generator.rs");
    std::fs::write(file, generator::source()).expect("OUT_DIR is writable");
}
