# Everything that must pass. A part is a target named check-...; each mk file adds its own to CHECKS and the Debian
# packages that it needs to NEED_CHECK.

NEED_CHECK := $(NEED_BASE) g++ python3 libotr5 libotr5-dev libotr5-bin valgrind abigail-tools binutils
CHECKS     += check-rust check-abi check-c

.PHONY: check check-rust check-abi check-c

check: ## everything that must pass; installs the packages it needs when run as root
	@scripts/need $(NEED_CHECK)
	@MAKE='$(MAKE)' scripts/check $(CHECKS)

check-rust: ## formatting, lints, documentation, and every Rust test
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --quiet
	$(CARGO) test --locked

check-abi: $(LIBRARY) ## exported symbols and types against the installed libotr; docs/compatibility.md is up to date
	@scripts/need $(NEED_BASE) abigail-tools binutils libotr5 python3
	scripts/compare-abi $(LIBRARY)
	scripts/compatibility --check

check-c: $(LIBRARY) ## a C conversation under valgrind
	@scripts/need $(NEED_BASE) valgrind
	scripts/valgrind-conversation $(LIBRARY)
