#!/bin/sh
# Builds the runner and starts the laboratory.  Arguments are those of lab.py;
# without --ours, the library built by `cargo build --release` is compared.
set -e
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
build=$here/build
mkdir -p "$build"
newest=$(ls -t "$here"/runner/*.[ch] "$build/runner" 2>/dev/null | head -1)
if [ "$newest" != "$build/runner" ]; then
    ${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -rdynamic -o "$build/runner" "$here"/runner/*.c -ldl
fi
ours=$root/target/release/libotr.so
if [ -z "$OUR_LIBOTR" ] && [ -e "$ours" ]; then
    OUR_LIBOTR=$ours
    export OUR_LIBOTR
fi
exec python3 "$here/lab.py" "$@"
