#!/bin/sh
# The Debian packages in place of the installed ones:  deb.sh FOLDER   (as root)
# lintian has no complaint, apt installs them, irssi, Pidgin and profanity talk with them, and the former ones can be put back.
# Whatever happens, the former ones are back at the end.
. tests/packaging/lib.sh
folder=$(realpath "$1")

# What lintian says of every package outside a distribution: who builds it for one puts in a name that receives mail, and
# closes the bug that asked for it.
outside=bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs
lintian --allow-root --fail-on error,warning,info --suppress-tags $outside --tag-display-limit 0 "$folder"/*.changes ||
    fail "lintian complains"
ok "lintian has no complaint"

installed=$(dpkg-query -W -f '${Package}=${Version}\n' 'libotr5*' 2>/dev/null | grep -v '=$' | sort)
stock=$(readlink -f "$(/sbin/ldconfig -p | awk '$1 == "libotr.so.5" { print $NF; exit }')")
before=$(sha256sum <"$stock")

apt_install() {
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -q --no-install-recommends --allow-downgrades \
        -o DPkg::Lock::Timeout=300 "$@" >"$scratch/apt.log" 2>&1 </dev/null || { tail -n 20 "$scratch/apt.log" >&2; return 1; }
}
put_back() {
    # shellcheck disable=SC2086 # package=version words, to be split
    apt_install $installed && [ "$(sha256sum <"$stock")" = "$before" ]
}
trap 'put_back || echo "deb.sh: could not put back $installed" >&2; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP

ls "$folder"/*.deb | grep -v dbgsym >"$scratch/debs"
# shellcheck disable=SC2046 # file names, to be split
apt_install $(cat "$scratch/debs") || fail "apt does not install the packages"
ok "apt install ./*.deb"

file=$(readlink -f "$(/sbin/ldconfig -p | awk '$1 == "libotr.so.5" { print $NF; exit }')")
dpkg-deb --fsys-tarfile "$folder"/libotr5_*.deb | tar -xO ".$file" | sha256sum >"$scratch/packaged"
sha256sum <"$file" >"$scratch/active"
same "the system's libotr.so.5 is the packaged one ($file)" "$scratch/packaged" "$scratch/active"
[ "$(sha256sum <"$file")" != "$before" ] || fail "the library is still the former one"
dpkg --verify libotr5 libotr5-bin libotr5-dev
needed "$file" | grep -qx libgcrypt.so.20 || fail "the packaged library does not show that it uses libgcrypt"
ok "the dependency on libgcrypt is visible to package tools"

cc -std=gnu11 -Wall -Wextra -Werror -o "$scratch/conversation" ctests/conversation.c $(pkg-config --cflags --libs libotr)
"$scratch/conversation" >/dev/null || fail "a program built with libotr5-dev does not run"
ok "a C program builds against libotr5-dev and runs"

tests/clients/pairings.py --system >"$scratch/drives" 2>&1 || { tail -n 40 "$scratch/drives" >&2; fail "the chat programs"; }
grep -E '(PASS|FAIL) ' "$scratch/drives"
ok "chat programs talk, without LD_LIBRARY_PATH"

put_back || fail "the former packages could not be put back"
ok "the former packages are back: $(echo $installed)"
passed
