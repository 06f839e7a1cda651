# Speed: the library against the installed libotr, and single operations.

PAIRS ?= 5
BENCH := target/bench

.PHONY: bench bench-operations

bench: $(LIBRARY) ## CPU cost compared with the installed libotr (PAIRS=n, OTR_KERNEL=portable|adx|ifma)
	@scripts/need $(NEED_BASE) libotr5 libotr5-dev python3
	@mkdir -p $(BENCH)
	$(CC) -O2 -Wall -Wextra -o $(BENCH)/workload bench/workload.c -ldl
	bench/compare.py $(BENCH)/workload $(abspath $(LIBRARY)) "$$(ldconfig -p | awk '/libotr\.so\.5 / { print $$NF; exit }')" $(PAIRS)

bench-operations: ## criterion's measurements of kernels, DSA and conversations
	$(CARGO) bench --locked
