# The laboratory: the library and the installed libotr on the same scripts, event for event.

NEED_LAB   := $(NEED_BASE) libotr5 libotr5-dev python3
NEED_CHECK += $(NEED_LAB)
CHECKS     += check-lab

# How many generated scripts `make lab` runs, and from which seed on.
N    ?= 2000
SEED ?= 1
LAB  := OUR_LIBOTR=$(abspath $(LIBRARY)) lab/run.sh

.PHONY: check-lab lab lab-suite

check-lab: $(LIBRARY) ## the written scripts and 2,000 generated ones in four pairings
	@scripts/need $(NEED_LAB)
	$(LAB) suite
	$(LAB) random -n 2000 -s 1

lab: $(LIBRARY) ## N generated scripts in four pairings, beginning with SEED
	@scripts/need $(NEED_LAB)
	$(LAB) random -n $(N) -s $(SEED)

lab-suite: $(LIBRARY) ## the written scripts in four pairings
	@scripts/need $(NEED_LAB)
	$(LAB) suite
