#!/bin/sh
# A configure.ac that uses AM_PATH_LIBOTR from our libotr.m4: what it finds, and which versions it refuses.
. tests/packaging/lib.sh
make=${MAKE:-make}
root=$scratch/root
"$make" -s install DESTDIR= PREFIX="$root" LIBDIR="$root/lib"

# configure VERSION OPTIONS...: makes a project that wants libotr VERSION and configures it; shows what was found.
configure() {
    version=$1
    shift
    project=$scratch/project
    rm -rf "$project"
    mkdir "$project"
    cp demo/party.c "$project/party.c"
    cat >"$project/configure.ac" <<EOF
AC_INIT([party], [1.0])
AC_PROG_CC
AM_PATH_LIBOTR([$version], [verdict=found], [verdict=missing])
AC_SUBST([verdict])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
EOF
    cat >"$project/Makefile.in" <<'EOF'
verdict = @verdict@
party: party.c
	@CC@ @CFLAGS@ @LIBOTR_CFLAGS@ -o party $(srcdir)party.c @LIBOTR_LIBS@
say:
	@echo "$(verdict)|@LIBOTR_CFLAGS@|@LIBOTR_LIBS@"
EOF
    (
        cd "$project"
        aclocal -I "$root/share/aclocal"
        autoconf -W all,error
        ./configure --quiet "$@"
    ) >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; fail "configure for version $version $*"; }
    "$make" -s -C "$project" say | sed 's/  */ /g; s/ |/|/g; s/ $//'
}

expect() {
    [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
    ok "$1"
}

found="found|-I$root/include|-L$root/lib -lotr"
expect "found by prefix" "$(configure 4.1.0 --with-libotr-prefix="$root")" "$found"
"$make" -s -C "$scratch/project" party
LD_LIBRARY_PATH=$root/lib "$scratch/project/party" alice bob "$scratch" 23 </dev/null | grep -q '^ready 4.1.1$' ||
    fail "the configured program does not run"
ok "the configured program builds and runs"
expect "found by pkg-config" "$(PKG_CONFIG_PATH=$root/lib/pkgconfig configure 4.0.0)" "$found"
expect "found with the folder of the headers" \
    "$(configure 4.1 --with-libotr-prefix="$root" --with-libotr-inc-prefix="$root/include")" "$found"
expect "found with the default version" "$(configure '' --with-libotr-prefix="$root")" "$found"
expect "exactly this version is enough" "$(configure 4.1.1 --with-libotr-prefix="$root")" "$found"
for version in 4.1.2 4.2.0 5.0.0 3.2.1; do
    expect "refused when $version is wanted" "$(configure $version --with-libotr-prefix="$root")" 'missing||'
done
passed
