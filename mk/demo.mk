# The demonstration: the library in its installed form, a C program, two parties.

STAGE     := target/demo
DEMO_PKG  := PKG_CONFIG_PATH=$(CURDIR)/$(STAGE)/lib/pkgconfig pkg-config
NEED_DEMO := $(NEED_BASE) python3 libotr5

.PHONY: demo

demo: ## build, then show a private conversation through the library
	@scripts/need $(NEED_DEMO)
	@$(MAKE) --no-print-directory -s install-library PREFIX=$(CURDIR)/$(STAGE) DESTDIR= LIBDIR=$(CURDIR)/$(STAGE)/lib
	$(CC) -O2 -Wall -Wextra -o $(STAGE)/party demo/party.c $$($(DEMO_PKG) --cflags --libs libotr)
	@printf '\n######## Our library on both sides\n\n'
	@demo/demo.py $(STAGE)/party $(STAGE)/lib $(STAGE)/lib
	@printf '\n######## The same program, Bob with the libotr of this system\n\n'
	@demo/demo.py $(STAGE)/party $(STAGE)/lib ''
	@if dpkg-query -W $(NEED_IRSSI) >/dev/null 2>&1; then \
	    printf '\n######## Unmodified irssi, both sides with our library, over a local IRC server\n\n'; \
	    LIB_A=$(STAGE)/lib LIB_B=$(STAGE)/lib tests/clients/irssi.py; \
	else \
	    printf '\nWith irssi, irssi-plugin-otr, ngircd and tmux installed, irssi would talk here as well.\n'; \
	fi
