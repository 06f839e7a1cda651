#!/bin/sh
# Other machines: 32 bits, ARM and big-endian. Run in a sandbox: it installs compilers that would be in the way elsewhere.
#   cross.sh compile   the crate and the headers, for i686 and aarch64: every layout is as asserted
#   cross.sh run       the same for these and s390x, then a conversation in C with the library, in emulation (on two cores
#                      about five minutes)
# The crate is compiled with Debian's newest Rust and a standard library built along with it.
. tests/packaging/lib.sh
what=$1

compilers=
for machine in i686 aarch64 $([ "$what" = compile ] || echo s390x); do compilers="$compilers gcc-$machine-linux-gnu"; done
libraries="libc6-dev-i386-cross libc6-dev-arm64-cross $([ "$what" = compile ] || echo libc6-dev-s390x-cross qemu-user)"
# shellcheck disable=SC2086 # names of packages, to be split
scripts/need rustc-web rust-web-src $compilers $libraries

# libgcrypt's headers are the same everywhere; the compilers for other machines just do not look where they are.
mkdir "$scratch/include"
cp /usr/include/gcrypt.h "/usr/include/$(gcc -print-multiarch)/gpg-error.h" "$scratch/include"

export CARGO_TARGET_DIR="$scratch/target" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
# It has to run, not to be fast.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1

# layouts wide|narrow: what src/capi/layout.rs asserts, as assertions in C.
layouts() {
    printf '#include <%s>\n' stddef.h libotr/proto.h
    for header in include/libotr/*.h; do echo "#include <libotr/$(basename "$header")>"; done
    awk -v module="$1" '
        $1 == "mod" { inside = $2 == module }
        inside && /^ *layout!/ {
            type = $1; sub(/layout!\(/, "", type); sub(/:$/, "", type); if (type ~ /^s_/) type = "struct " type
            printf "_Static_assert(sizeof(%s) == %d && _Alignof(%s) == %d, \"%s\");\n", type, $2, type, $3, type
        }
        inside && /^ *[a-zA-Z0-9_#]+ [0-9]+,$/ {
            field = $1; sub(/^r#/, "", field)
            printf "_Static_assert(offsetof(%s, %s) == %d, \"%s %s\");\n", type, field, $2, type, field
        }' src/capi/layout.rs
}

# step RUST-TARGET WHAT: says what holds, with the seconds since the last time.
step() {
    now=$(date +%s)
    ok "$1: $2 ($((now - since)) s)"
    since=$now
}

# headers RUST-TARGET GNU-NAME wide|narrow
headers() {
    layouts "$3" >"$scratch/layouts.c"
    [ "$(grep -c _Static_assert "$scratch/layouts.c")" -gt 140 ] || fail "$1: too few assertions on layouts"
    for include in include $([ ! -e /usr/include/libotr ] || echo "$scratch/stock"); do
        "$2-gcc" -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I"$include" -isystem "$scratch/include" "$scratch/layouts.c" ||
            fail "$1: the layouts that $include declares"
    done
    step "$1" "the headers declare these layouts"
}
[ ! -e /usr/include/libotr ] || { mkdir "$scratch/stock"; ln -s /usr/include/libotr "$scratch/stock/libotr"; }

# compile RUST-TARGET GNU-NAME wide|narrow
compile() {
    ${CARGO:-cargo} check --quiet --locked --release --lib -Zbuild-std=std,panic_unwind --target "$1" || fail "$1: does not compile"
    step "$1" "compiles, and every layout is as asserted"
    headers "$@"
}

# run RUST-TARGET GNU-NAME wide|narrow EMULATOR
run() {
    variable=$(echo "$1" | tr 'a-z-' 'A-Z_')
    eval "export CARGO_TARGET_${variable}_LINKER=$2-gcc"
    ${CARGO:-cargo} build --quiet --locked --release --lib -Zbuild-std --target "$1" || fail "$1: does not compile"
    step "$1" "compiles, and every layout is as asserted"
    headers "$1" "$2" "$3"
    mkdir "$scratch/$1"
    cp "$scratch/target/$1/release/libotr.so" "$scratch/$1/libotr.so.5"
    "$2-gcc" -std=gnu11 -Wall -Wextra -Werror -Iinclude -isystem "$scratch/include" -o "$scratch/$1/conversation" \
        ctests/conversation.c "$scratch/$1/libotr.so.5"
    timeout 1800 "$4" -L "/usr/$2" -E LD_LIBRARY_PATH="$scratch/$1" "$scratch/$1/conversation" >"$scratch/$1/log" ||
        { tail -n 3 "$scratch/$1/log" >&2; fail "$1: the conversation"; }
    cmp "$scratch/here/log" "$scratch/$1/log" || fail "$1: the conversation goes another way than on this machine"
    step "$1" "a conversation in emulation, step for step as on this machine"
}

since=$(date +%s)
case $what in
compile)
    compile i686-unknown-linux-gnu i686-linux-gnu narrow
    compile aarch64-unknown-linux-gnu aarch64-linux-gnu wide
    ;;
run)
    mkdir "$scratch/here"
    cp target/release/libotr.so "$scratch/here/libotr.so.5"
    gcc -std=gnu11 -Iinclude -o "$scratch/here/conversation" ctests/conversation.c "$scratch/here/libotr.so.5"
    LD_LIBRARY_PATH=$scratch/here "$scratch/here/conversation" >"$scratch/here/log"
    run i686-unknown-linux-gnu i686-linux-gnu narrow qemu-i386
    run aarch64-unknown-linux-gnu aarch64-linux-gnu wide qemu-aarch64
    run s390x-unknown-linux-gnu s390x-linux-gnu wide qemu-s390x
    ;;
*) fail "compile or run?" ;;
esac
passed
