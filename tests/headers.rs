//! The committed C headers are what cbindgen makes of `src/capi`.
//!
//! `BLESS=1 cargo test --test headers` rewrites them after a change of the
//! interface. `serial.h` consists of macros only and is written by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A header and what cbindgen cannot know about it.
struct Header {
    file: &'static str,
    module: &'static str,
    guard: &'static str,
    /// C text before the generated declarations.
    before: &'static str,
    /// C text behind them.
    after: &'static str,
}

const HEADERS: &[Header] = &[
    Header {
        file: "auth.h",
        module: "auth",
        guard: "__AUTH_H__",
        before: "#include <gcrypt.h>
#include <time.h>

#include \"dh.h\"
#include \"privkey-t.h\"

typedef struct context ConnContext;",
        after: "",
    },
    Header {
        file: "b64.h",
        module: "b64",
        guard: "__B64_H__",
        before: "#include <stdlib.h>",
        after: "/*
 * The room that is needed to decode so many characters, in bytes.
 */
#define OTRL_B64_MAX_DECODED_SIZE(encoded_len) \\
    ((((encoded_len) + OTRL_B64_ENCODED_LEN - 1) / OTRL_B64_ENCODED_LEN) \\
        * OTRL_B64_DECODED_LEN)",
    },
    Header {
        file: "context.h",
        module: "context",
        guard: "__CONTEXT_H__",
        before: "#include <gcrypt.h>

#include \"context_priv.h\"
#include \"dh.h\"
#include \"auth.h\"
#include \"sm.h\"
#include \"instag.h\"",
        after: "#include \"userstate.h\"",
    },
    Header {
        file: "context_priv.h",
        module: "context_priv",
        guard: "__CONTEXT_PRIV_H__",
        before: "#include <gcrypt.h>
#include <time.h>

#include \"dh.h\"
#include \"auth.h\"
#include \"sm.h\"",
        after: "",
    },
    Header {
        file: "dh.h",
        module: "dh",
        guard: "__DH_H__",
        before: "#include <gcrypt.h>",
        after: "",
    },
    Header {
        file: "instag.h",
        module: "instag",
        guard: "__INSTAG_H__",
        before: "#include <errno.h>
#include <stdio.h>

#include <gcrypt.h>

typedef struct s_OtrlUserState *OtrlUserState;",
        after: "#include \"userstate.h\"",
    },
    Header {
        file: "mem.h",
        module: "mem",
        guard: "__MEM_H__",
        before: "#include <stdlib.h>",
        after: "",
    },
    Header {
        file: "message.h",
        module: "message",
        guard: "__MESSAGE_H__",
        before: "#include \"proto.h\"
#include \"context.h\"
#include \"userstate.h\"
#include \"tlv.h\"

/*
 * What an error message begins with.
 */
#define OTR_ERROR_PREFIX \"?OTR Error: \"",
        after: "",
    },
    Header {
        file: "privkey-t.h",
        module: "privkey_t",
        guard: "__PRIVKEY_T_H__",
        before: "#include <gcrypt.h>",
        after: "",
    },
    Header {
        file: "privkey.h",
        module: "privkey",
        guard: "__PRIVKEY_H__",
        before: "#include <stdio.h>

#include \"privkey-t.h\"
#include \"userstate.h\"",
        after: "",
    },
    Header {
        file: "proto.h",
        module: "proto",
        guard: "__PROTO_H__",
        before: "#include <stdlib.h>

#include \"context.h\"
#include \"version.h\"
#include \"tlv.h\"

/*
 * The white space that offers OTR: the first, then one for each version.
 */
#define OTRL_MESSAGE_TAG_BASE \" \\t  \\t\\t\\t\\t \\t \\t \\t  \"
#define OTRL_MESSAGE_TAG_V1 \" \\t \\t  \\t \"
#define OTRL_MESSAGE_TAG_V2 \"  \\t\\t  \\t \"
#define OTRL_MESSAGE_TAG_V3 \"  \\t\\t  \\t\\t\"",
        after: "/*
 * Calls otrl_init() and ends the program if that fails.
 */
#define OTRL_INIT do { \\
        if (otrl_init(OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, \\
                OTRL_VERSION_SUB)) { \\
            exit(1); \\
        } \\
    } while (0)",
    },
    Header {
        file: "sm.h",
        module: "sm",
        guard: "__SM_H__",
        before: "#include <gcrypt.h>

/*
 * The hash that the comparison of secrets uses.
 */
#define SM_HASH_ALGORITHM GCRY_MD_SHA256",
        after: "",
    },
    Header {
        file: "tlv.h",
        module: "tlv",
        guard: "__TLV_H__",
        before: "#include <stddef.h>",
        after: "",
    },
    Header {
        file: "userstate.h",
        module: "userstate",
        guard: "__USERSTATE_H__",
        before: "#include \"instag.h\"
#include \"context.h\"
#include \"privkey-t.h\"",
        after: "",
    },
    Header {
        file: "version.h",
        module: "version",
        guard: "__VERSION_H__",
        before: "/*
 * The version of the interface as a string.
 */
#define OTRL_VERSION \"4.1.1\"",
        after: "",
    },
];

/// Modules whose structures have no tag in C.
const WITHOUT_TAGS: [&str; 4] = ["auth", "dh", "sm", "proto"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn render(header: &Header) -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    if WITHOUT_TAGS.contains(&header.module) {
        config.style = cbindgen::Style::Type;
    }
    // Declared by another header already.
    config.export.exclude = match header.module {
        "context" => vec!["ConnContext".to_owned()],
        "userstate" => vec!["OtrlUserState".to_owned()],
        _ => Vec::new(),
    };
    config.include_guard = Some(header.guard.to_owned());
    config.after_includes = Some(format!("\n{}\n", header.before));
    config.trailer = (!header.after.is_empty()).then(|| header.after.to_owned());
    let source = root()
        .join("src/capi")
        .join(header.module)
        .with_extension("rs");
    let mut out = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(source)
        .generate()
        .unwrap()
        .write(&mut out);
    polish(&String::from_utf8(out).unwrap())
}

/// What cbindgen cannot be told.
fn polish(generated: &str) -> String {
    let mut text = generated
        // What Rust calls the safety of a function is the caller's part in C.
        .replace(" * # Safety\n", " * The caller promises:\n")
        // Left behind by an annotation.
        .replace("\n *\n */", "\n */")
        // C89 has neither such comments nor a comma at the end of a list.
        .replace("#endif // __cplusplus", "#endif")
        .replace("#endif  // __cplusplus", "#endif")
        .replace("}  // extern \"C\"", "}")
        .replace("} // extern \"C\"", "}")
        .replace(",\n};", "\n};")
        .replace(",\n} ", "\n} ")
        .replace("\n\n\n", "\n\n");
    // Structures have tags in C, but enumerated types have names only.
    while let Some(start) = text.find("\nenum ") {
        let rest = &text[start + 6..];
        let (name, body) = rest.split_once(" {").unwrap();
        let (name, end) = (name.to_owned(), body.find("\n};").unwrap());
        let whole = format!("\nenum {name} {{{}\n}};", &body[..end]);
        let named = format!("\ntypedef enum {{{}\n}} {name};", &body[..end]);
        text = text
            .replace(&whole, &named)
            .replace(&format!("enum {name} "), &format!("{name} "));
    }
    text
}

#[test]
fn committed_headers_match_the_rust_declarations() {
    let bless = env::var_os("BLESS").is_some();
    let mut stale = Vec::new();
    for header in HEADERS {
        let path = root().join("include/libotr").join(header.file);
        let wanted = render(header);
        if bless {
            fs::write(&path, &wanted).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&*wanted) {
            stale.push(header.file);
        }
    }
    assert!(
        stale.is_empty(),
        "differ from src/capi: {stale:?}; rewrite them with BLESS=1 cargo test --test headers"
    );
}
