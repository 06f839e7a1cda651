# Hostile input, faults, leftovers, long runs: tests/hostile against the built library.

CHECKS += check-hostile

# Seconds of mutation, messages of the long run, and where random numbers begin.
SECONDS  ?= 600
MESSAGES ?= 100000
SEED     ?= 1
# A factor for time limits: a busy or slow machine must not count as a library that hangs.
PATIENCE ?= 3
# The library to test; any with the interface of libotr 4.1.
HOSTILE_LIBRARY ?= $(LIBRARY)
HOSTILE := HOSTILE_PATIENCE=$(PATIENCE) $(CARGO) test --locked --quiet --test hostile -- --lib $(abspath $(HOSTILE_LIBRARY))

.PHONY: check-hostile soak

check-hostile: $(LIBRARY) ## hostile input, damaged files, faults, leftovers in memory: a few minutes
	@scripts/need $(NEED_BASE)
	$(HOSTILE)

soak: $(LIBRARY) ## the same for long: SECONDS of mutation, MESSAGES of honest talk, SEED
	@scripts/need $(NEED_BASE)
	$(HOSTILE) mutants soak --seconds $(SECONDS) --messages $(MESSAGES) --seed $(SEED)
