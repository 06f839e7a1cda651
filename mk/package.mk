# Packaging: what a distribution and a packager need to rely on.

NEED_PACKAGING := $(NEED_BASE) binutils autoconf automake libssl-dev
NEED_DEB       := $(NEED_BASE) dpkg-dev debhelper lintian
NEED_CHECK     += $(NEED_PACKAGING) $(NEED_DEB)
CHECKS         += check-packaging check-cargo-c check-deb check-reproducible check-machines

DEBS := target/deb

.PHONY: deb check-packaging check-cargo-c check-deb check-reproducible check-machines check-cross

check-packaging: all ## the installed tree, static and dynamic linking, pkg-config, autoconf
	@scripts/need $(NEED_PACKAGING)
	MAKE='$(MAKE)' tests/packaging/install.sh
	MAKE='$(MAKE)' tests/packaging/autoconf.sh

check-cargo-c: all ## cargo-c installs the tree that `make install` installs
	@scripts/need $(NEED_PACKAGING)
	MAKE='$(MAKE)' CARGO='$(CARGO)' tests/packaging/cargo-c.sh

deb: ## build the Debian packages in target/deb
	@scripts/need $(NEED_DEB)
	scripts/build-deb $(DEBS)

check-deb: deb ## the packages in place of Debian's (in a sandbox): lintian, chat programs, the way back
	@scripts/need $(NEED_CLIENTS)
	scripts/sandbox tests/packaging/deb.sh $(DEBS)

# The packages that check-deb has built are the first of the two builds.
check-reproducible: ## building the packages again in another folder gives the same bytes
	@scripts/need $(NEED_DEB)
	tests/packaging/reproducible.sh $(DEBS)

check-machines: ## 32-bit x86 and ARM: compiles, and every layout holds, in Rust and in C (in a sandbox)
	scripts/sandbox tests/packaging/cross.sh compile

check-cross: $(LIBRARY) ## these and a big-endian machine: conversations in emulation (in a sandbox; long)
	scripts/sandbox tests/packaging/cross.sh run
