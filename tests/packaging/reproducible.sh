#!/bin/sh
# Builds the packages of FOLDER once more, from the same sources in a folder of another name and depth, and compares byte
# for byte.
. tests/packaging/lib.sh
first=$(realpath -m "$1")
[ -n "$(ls "$first"/*.deb 2>/dev/null)" ] || scripts/build-deb "$first" >/dev/null
again=$scratch/some/other/place
(cd "$first"/libotr-*/ && scripts/build-deb "$again") >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log" >&2; fail "the second build"; }
for package in "$first"/*.deb; do
    other=$again/$(basename "$package")
    cmp "$package" "$other" || fail "$(basename "$package") differs between two builds"
    ok "$(basename "$package"): two builds, the same $(stat -c %s "$package") bytes"
done
[ "$checks" -ge 3 ] || fail "only $checks packages"
passed
