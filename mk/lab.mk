# The laboratory: the library and the installed libotr on the same scripts, event for event.

N    ?= 2000
SEED ?= 1

.PHONY: lab lab-suite

lab: $(LIBRARY) ## N generated scripts in four pairings, beginning with SEED
	@scripts/need $(NEED_BASE) libotr5 libotr5-dev python3
	lab/run.sh random -n $(N) -s $(SEED)

lab-suite: $(LIBRARY) ## the written scripts in four pairings
	@scripts/need $(NEED_BASE) libotr5 libotr5-dev python3
	lab/run.sh suite
