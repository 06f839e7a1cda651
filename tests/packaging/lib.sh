# Sourced by the packaging tests, which run in the project's folder. Gives a scratch folder and ways to say what holds.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
name=$(basename "$0")
checks=0

fail() {
    echo "FAIL $name: $*" >&2
    exit 1
}

ok() {
    checks=$((checks + 1))
    echo "ok $checks $*"
}

# same WHAT FILE FILE
same() {
    diff -u "$2" "$3" >&2 || fail "$1"
    ok "$1"
}

# A tree as lines: kind, path, where a link leads. Sorted.
tree() {
    (cd "$1" && find . \( -type f -printf 'file %P\n' \) -o \( -type l -printf 'link %P -> %l\n' \)) | LC_ALL=C sort
}

soname() {
    readelf --dynamic "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

needed() {
    readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

passed() {
    echo "PASS $name: $checks checks"
}
