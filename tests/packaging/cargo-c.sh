#!/bin/sh
# cargo-c installs the tree that `make install` installs.
. tests/packaging/lib.sh
make=${MAKE:-make}
cargo=${CARGO:-cargo}
PATH=$(scripts/cargo-c):$PATH

"$make" -s install DESTDIR="$scratch/make" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu
"$cargo" cinstall --release --locked --destdir="$scratch/cargo" --prefix=/usr --libdir=/usr/lib/x86_64-linux-gnu

# cargo-c knows only the library; the programs are `make install`'s.
tree "$scratch/make" | grep -vE ' usr/(bin/otr_|share/(man|bash-completion|zsh|fish)/)' >"$scratch/wanted" || true
tree "$scratch/cargo" >"$scratch/found"
same "the same files and links" "$scratch/wanted" "$scratch/found"

for folder in include share/aclocal; do
    diff -r "$scratch/make/usr/$folder" "$scratch/cargo/usr/$folder" || fail "files in $folder differ"
done
ok "the same headers and libotr.m4"

for tree in make cargo; do
    lib=$scratch/$tree/usr/lib/x86_64-linux-gnu
    { soname "$lib/libotr.so.5.1.1"; nm -D --defined-only "$lib/libotr.so.5.1.1" | awk '{ print $2, $3 }' | sort; } >"$scratch/$tree.symbols"
    PKG_CONFIG_PATH=$lib/pkgconfig
    export PKG_CONFIG_PATH
    { pkg-config --modversion libotr; pkg-config --cflags --libs libotr; pkg-config --static --libs libotr; } |
        tr -s ' ' | sed 's/ *$//' >"$scratch/$tree.pc"
done
same "the same soname and exported symbols" "$scratch/make.symbols" "$scratch/cargo.symbols"
same "pkg-config says the same" "$scratch/make.pc" "$scratch/cargo.pc"
passed
