#!/bin/sh
# What `make install` gives: the tree, the pkg-config file, dynamic and static linking, and that uninstall removes it.
. tests/packaging/lib.sh
make=${MAKE:-make}
root=$scratch/root prefix=/opt/otr libdir=/opt/otr/lib/x86_64-linux-gnu

"$make" -s install DESTDIR="$root" PREFIX=$prefix LIBDIR=$libdir

cat >"$scratch/wanted" <<EOF
file opt/otr/include/libotr/auth.h
file opt/otr/include/libotr/b64.h
file opt/otr/include/libotr/context.h
file opt/otr/include/libotr/context_priv.h
file opt/otr/include/libotr/dh.h
file opt/otr/include/libotr/instag.h
file opt/otr/include/libotr/mem.h
file opt/otr/include/libotr/message.h
file opt/otr/include/libotr/privkey-t.h
file opt/otr/include/libotr/privkey.h
file opt/otr/include/libotr/proto.h
file opt/otr/include/libotr/serial.h
file opt/otr/include/libotr/sm.h
file opt/otr/include/libotr/tlv.h
file opt/otr/include/libotr/userstate.h
file opt/otr/include/libotr/version.h
file opt/otr/lib/x86_64-linux-gnu/libotr.a
file opt/otr/lib/x86_64-linux-gnu/libotr.so.5.1.1
file opt/otr/lib/x86_64-linux-gnu/pkgconfig/libotr.pc
file opt/otr/share/aclocal/libotr.m4
link opt/otr/lib/x86_64-linux-gnu/libotr.so -> libotr.so.5.1.1
link opt/otr/lib/x86_64-linux-gnu/libotr.so.5 -> libotr.so.5.1.1
EOF
# The programs of the toolkit and what belongs to them have a test of their own.
tree "$root" | grep -vE ' opt/otr/(bin/otr_|share/(man|bash-completion|zsh|fish)/)' >"$scratch/found" || true
same "the library's part of the tree is what libotr 4.1.1 installs" "$scratch/wanted" "$scratch/found"

library=$root$libdir/libotr.so.5
[ "$(soname "$library")" = libotr.so.5 ] || fail "soname $(soname "$library")"
ok "the soname is libotr.so.5"

export PKG_CONFIG_PATH="$root$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
[ "$(pkg-config --modversion libotr)" = 4.1.1 ] || fail "pkg-config says version $(pkg-config --modversion libotr)"
pkg-config --exists 'libotr >= 4.1.0' || fail "pkg-config does not see libotr >= 4.1.0"
ok "pkg-config: libotr 4.1.1"

# Libs.private is what the compiler says a static library of its own needs.
echo '#![crate_type = "staticlib"]' >"$scratch/empty.rs"
rustc --print native-static-libs -o "$scratch/libempty.a" "$scratch/empty.rs" 2>&1 |
    sed -n 's/.*native-static-libs: //p' >"$scratch/native"
sed -n 's/^Libs.private: //p' "$root$libdir/pkgconfig/libotr.pc" >"$scratch/private"
same "Libs.private is what rustc prints for native-static-libs" "$scratch/native" "$scratch/private"

# A program built with nothing but what pkg-config says, linked in three ways, has the same conversation.
build() {
    program=$scratch/$1
    shift
    cc -std=gnu11 -Wall -Wextra -Werror -o "$program" ctests/conversation.c "$@"
}
run() {
    LD_LIBRARY_PATH=${2:-} "$scratch/$1" >"$scratch/$1.out" || { tail -n 3 "$scratch/$1.out" >&2; fail "the program $1 ends with an error"; }
}
# shellcheck disable=SC2046 # options, to be split
build dynamic $(pkg-config --cflags --libs libotr)
needed "$scratch/dynamic" | grep -qx libotr.so.5 || fail "the dynamic program does not need libotr.so.5"
run dynamic "$root$libdir"
ok "a program links dynamically and runs"

rm "$root$libdir"/libotr.so*
# shellcheck disable=SC2046
build static $(pkg-config --static --cflags --libs libotr)
! needed "$scratch/static" | grep -q libotr || fail "the static program needs a shared libotr"
run static
same "a program links the static library (pkg-config --static) and prints the same" "$scratch/dynamic.out" "$scratch/static.out"

# Without any shared library at all, -lgcc_s has no meaning: the C compiler brings its static counterpart itself.
# shellcheck disable=SC2046
build all-static -static $(pkg-config --static --cflags --libs libotr | sed 's/-lgcc_s/-lgcc_eh/') 2>"$scratch/warnings" ||
    { cat "$scratch/warnings" >&2; fail "a fully static program does not link"; }
[ -z "$(needed "$scratch/all-static")" ] || fail "the fully static program needs $(needed "$scratch/all-static")"
run all-static
same "a fully static program prints the same" "$scratch/dynamic.out" "$scratch/all-static.out"

"$make" -s install DESTDIR="$root" PREFIX=$prefix LIBDIR=$libdir
"$make" -s uninstall DESTDIR="$root" PREFIX=$prefix LIBDIR=$libdir
[ -z "$(tree "$root")" ] || fail "make uninstall left: $(tree "$root")"
ok "make uninstall removes all of it"
passed
