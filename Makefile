# libotr: build, install, check.  `make help` lists the targets.
#
# Building and installing need cargo, a C compiler to link with, sed and install(1), nothing else.
# What the other targets need is in mk/*.mk, one file for each concern; each of them may add to CHECKS.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share
DESTDIR    ?=

CARGO    ?= cargo
# Cargo features to build with; link-gcrypt links libgcrypt instead of looking for it at run time.
FEATURES ?=
INSTALL  ?= install
# Debug information and private symbols stay out of what is installed; STRIP=: keeps them.
STRIP    ?= strip --strip-unneeded --enable-deterministic-archives

SOURCES  := $(shell find src -name '*.rs') build.rs Cargo.toml Cargo.lock
OUT      := $(or $(CARGO_TARGET_DIR),target)/release
LIBRARY  := $(OUT)/libotr.so
ARCHIVE  := $(OUT)/libotr.a

# The packages that every target with a C program or a test in it needs.
NEED_BASE := gcc libc6-dev pkg-config libgcrypt20-dev
# The parts of `make check`, in this order: every mk file adds its own.
CHECKS :=

.DEFAULT_GOAL := all
.PHONY: all clean help

all: $(LIBRARY) $(ARCHIVE) ## build the library (target/release/libotr.so and libotr.a)

$(LIBRARY) $(ARCHIVE) &: $(SOURCES)
	$(CARGO) build --release --locked --lib $(if $(FEATURES),--features $(FEATURES))

include mk/install.mk mk/check.mk mk/clients.mk mk/demo.mk mk/package.mk
include $(filter-out $(MAKEFILE_LIST),$(wildcard mk/*.mk))

clean: ## remove everything that was built
	$(CARGO) clean
	rm -rf target debian/.debhelper debian/tmp debian/libotr5 debian/libotr5-dev debian/files debian/*.substvars

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | sort -u | awk -F'|' '{printf "  make %-20s %s\n", $$1, $$2}'
