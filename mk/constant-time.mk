# Constant time: computations on secrets under valgrind, and instruction by instruction where valgrind does not know the
# instructions. The library is built a second time, with the interface that the test needs.

NEED_CHECK += valgrind
CHECKS     += check-constant-time

CT_LIBRARY := target/test-hooks/release/libotr.so
CT_SOURCES := ctests/ct/checks.c ctests/ct/checks.h
CT_BUILD    = $(CC) -O1 -g -Wall -Wextra -Werror -Ictests/ct -o $@ ctests/ct/checks.c $< $(CT_LIBRARY) \
              -Wl,-rpath,'$$ORIGIN/../test-hooks/ct'

.PHONY: check-constant-time

check-constant-time: target/ct/memcheck target/ct/trace ## no branch and no address depends on a secret, for every kernel
	@scripts/need $(NEED_BASE) valgrind
	OTR_KERNEL=portable valgrind -q --error-limit=no --log-file=/dev/null target/ct/memcheck
	OTR_KERNEL=adx OTR_TEST_ASSUME=adx valgrind -q --error-limit=no --log-file=/dev/null target/ct/memcheck
	target/ct/trace

target/ct/%: ctests/ct/%.c $(CT_SOURCES) $(CT_LIBRARY)
	@mkdir -p target/ct target/test-hooks/ct
	ln -sf ../release/libotr.so target/test-hooks/ct/libotr.so.5
	$(CT_BUILD)

$(CT_LIBRARY): $(SOURCES)
	CARGO_TARGET_DIR=target/test-hooks $(CARGO) build --release --locked --lib --features test-hooks
