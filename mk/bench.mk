# Speed: the library against the installed libotr, and single operations.

PAIRS ?= 5
BENCH := target/bench

.PHONY: bench bench-contacts bench-limits bench-operations check-kernels

bench: $(LIBRARY) ## CPU cost compared with the installed libotr (PAIRS=n, OTR_KERNEL=portable|adx|ifma)
	@scripts/need $(NEED_BASE) libotr5 libotr5-dev python3
	@mkdir -p $(BENCH)
	$(CC) -O2 -Wall -Wextra -o $(BENCH)/workload bench/workload.c bench/contacts.c -ldl
	bench/compare.py $(BENCH)/workload $(abspath $(LIBRARY)) "$$(ldconfig -p | awk '/libotr\.so\.5 / { print $$NF; exit }')" $(PAIRS)

bench-contacts: $(LIBRARY) ## what 100,000 contacts cost; the original would take minutes
	@scripts/need $(NEED_BASE) libotr5-dev
	@mkdir -p $(BENCH)/contacts
	$(CC) -O2 -Wall -Wextra -o $(BENCH)/workload bench/workload.c bench/contacts.c -ldl
	$(BENCH)/workload $(abspath $(LIBRARY)) $(BENCH)/contacts 100000

bench-limits: ## what the system takes for files that are forced to the disk, for fresh pages and the like
	@scripts/need $(NEED_BASE)
	@mkdir -p $(BENCH)/limits
	$(CC) -O2 -Wall -Wextra -o $(BENCH)/limit bench/limits.c
	$(BENCH)/limit $(BENCH)/limits

bench-operations: ## criterion's measurements of kernels, DSA and conversations
	$(CARGO) bench --locked

# The environment variable is ignored where a kernel is not available; the rest of the checks takes the fastest.
check-kernels: ## the library's own tests and its conversations in C and with the installed libotr, kernel by kernel
	@scripts/need $(NEED_BASE) libotr5 libotr5-dev
	@for kernel in portable adx ifma; do \
	    echo "kernel $$kernel"; \
	    OTR_KERNEL=$$kernel $(CARGO) test --locked --quiet --lib --test c --test interop --test dialogue || exit 1; \
	done
