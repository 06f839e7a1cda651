# Data races. Not a part of `make check`: builds everything once more, with ThreadSanitizer.

.PHONY: check-threads

check-threads: ## no data race between user states, nor with a key that is being made (ThreadSanitizer)
	@scripts/need $(NEED_BASE)
	CARGO='$(CARGO)' scripts/check-threads
