# The promises of docs/security.md with the code behind them taken away. Not a part of `make check`: takes long.

.PHONY: check-guards

check-guards: ## each promise's tests fail without the code behind it: takes long
	@scripts/need $(NEED_BASE) python3
	CARGO='$(CARGO)' scripts/check-guards
