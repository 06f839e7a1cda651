//! Gives the shared library the soname that programs linked against libotr ask for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // cargo-c passes the soname itself and announces itself by this feature.
    let cargo_c = std::env::var_os("CARGO_FEATURE_CAPI").is_some();
    if os == "linux" && !cargo_c {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libotr.so.5");
    }
}
