#!/bin/sh
# Other machines: 32 bits, ARM and big-endian. Run in a sandbox: it installs compilers that would be in the way elsewhere.
# The crate is compiled for each with Debian's newest Rust and a standard library built along with it, so that the layout
# assertions for that machine hold; then a conversation in C runs in emulation with the library.
. tests/packaging/lib.sh
scripts/need rustc-web rust-web-src qemu-user \
    gcc-i686-linux-gnu libc6-dev-i386-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross

# libgcrypt's headers are the same everywhere; the compilers for other machines just do not look where they are.
mkdir "$scratch/include"
cp /usr/include/gcrypt.h "/usr/include/$(gcc -print-multiarch)/gpg-error.h" "$scratch/include"

export CARGO_TARGET_DIR="$scratch/target" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
# It has to run, not to be fast.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1

# machine RUST-TARGET GNU-NAME EMULATOR WHAT
machine() {
    variable=$(echo "$1" | tr 'a-z-' 'A-Z_')
    eval "export CARGO_TARGET_${variable}_LINKER=$2-gcc"
    ${CARGO:-cargo} build --quiet --locked --release --lib -Zbuild-std --target "$1" || fail "$4 ($1): does not compile"
    ok "$4 ($1): compiles, and every layout is as asserted"
    mkdir "$scratch/$1"
    cp "$scratch/target/$1/release/libotr.so" "$scratch/$1/libotr.so.5"
    "$2-gcc" -std=gnu11 -Wall -Wextra -Werror -Iinclude -isystem "$scratch/include" -o "$scratch/$1/conversation" \
        ctests/conversation.c "$scratch/$1/libotr.so.5"
    timeout 600 "$3" -L "/usr/$2" -E LD_LIBRARY_PATH="$scratch/$1" "$scratch/$1/conversation" >"$scratch/$1/log" ||
        { tail -n 3 "$scratch/$1/log" >&2; fail "$4 ($1): the conversation"; }
    cmp "$scratch/here/log" "$scratch/$1/log" || fail "$4 ($1): the conversation goes another way than on this machine"
    ok "$4 ($1): a conversation in emulation, step for step as on this machine"
}

mkdir "$scratch/here"
cp target/release/libotr.so "$scratch/here/libotr.so.5"
gcc -std=gnu11 -Iinclude -o "$scratch/here/conversation" ctests/conversation.c "$scratch/here/libotr.so.5"
LD_LIBRARY_PATH=$scratch/here "$scratch/here/conversation" >"$scratch/here/log"

machine i686-unknown-linux-gnu i686-linux-gnu qemu-i386 "32 bits"
machine aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64 "ARM"
machine s390x-unknown-linux-gnu s390x-linux-gnu qemu-s390x "big-endian"
passed
