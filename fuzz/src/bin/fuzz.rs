//! One target under libFuzzer: the variable `TARGET` names it, the arguments
//! are libFuzzer's.

#![no_main]

use std::sync::OnceLock;

use otr_fuzz::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("TARGET").unwrap_or_default();
        Target::named(&name).unwrap_or_else(|| {
            eprintln!("fuzz: there is no target named {name:?}");
            std::process::exit(2);
        })
    })
}

libfuzzer_sys::fuzz_target!(init: { target(); }, |input: &[u8]| {
    target().run(input);
});
