# Fuzzing: the targets of fuzz/, with libFuzzer for as long as one likes, and over their corpora as a check.

NEED_FUZZ  := $(NEED_BASE) g++ libotr5
NEED_CHECK += $(NEED_FUZZ)
CHECKS     += check-fuzz

# The target to fuzz, see scripts/fuzz list; all of them one after the other if it is empty.
TARGET ?=
FUZZ   := cd fuzz && CARGO_TARGET_DIR=$(CURDIR)/target/fuzz $(CARGO)

.PHONY: fuzz check-fuzz

fuzz: ## fuzz for SECONDS each target, or TARGET alone, with libFuzzer
	@scripts/need $(NEED_FUZZ)
	scripts/fuzz run $(SECONDS) $(TARGET)

check-fuzz: ## every fuzz target over its corpus and over spoilt copies of it
	@scripts/need $(NEED_FUZZ)
	$(FUZZ) fmt --check
	$(FUZZ) clippy --locked --all-targets -- -D warnings
	$(FUZZ) test --locked --test corpus
