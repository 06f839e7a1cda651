# What other people's code comes in: licences, sources, and a reason for each.

NEED_CHECK += python3
CHECKS     += check-dependencies

.PHONY: check-dependencies

check-dependencies: ## licences and sources of dependencies, and that each is explained; with cargo-deny where it is installed
	CARGO='$(CARGO)' scripts/check-dependencies
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check bans licenses sources; fi
