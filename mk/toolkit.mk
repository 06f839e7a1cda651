# The six command-line programs, their manual pages and completions, and the demonstration of what they prove.

TOOLS       := otr_parse otr_sesskeys otr_mackey otr_readforge otr_modify otr_remac
TOOL_FILES  := $(addprefix $(OUT)/,$(TOOLS))
MANUAL      := $(patsubst man/%.in,target/man/%,$(wildcard man/*.1.in))
VERSION     := $(shell sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)

MANDIR      ?= $(DATADIR)/man
BASHDIR     ?= $(DATADIR)/bash-completion/completions
ZSHDIR      ?= $(DATADIR)/zsh/site-functions
FISHDIR     ?= $(DATADIR)/fish/vendor_completions.d

NEED_TOOLKIT := $(NEED_BASE) libotr5-bin man-db groff
NEED_CHECK   += $(NEED_TOOLKIT)
CHECKS       += check-toolkit

.PHONY: toolkit manual install-toolkit uninstall-toolkit check-toolkit demo-deniability

all: toolkit manual

toolkit: $(TOOL_FILES) ## build the programs otr_parse, otr_modify and so on
$(TOOL_FILES) &: $(SOURCES) | $(LIBRARY)
	$(CARGO) build --release --locked --bins $(if $(FEATURES),--features $(FEATURES))

manual: $(MANUAL) ## build the manual pages in target/man

target/man/%: man/%.in man/common.in Cargo.toml
	@mkdir -p $(@D)
	sed -e '/^@common@$$/{' -e 'r man/common.in' -e 'd' -e '}' -e 's/@version@/$(VERSION)/' $< > $@

install: install-toolkit
uninstall: uninstall-toolkit

install-toolkit: toolkit manual
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)' '$(DESTDIR)$(FISHDIR)'
	$(INSTALL) -m 755 $(TOOL_FILES) '$(DESTDIR)$(BINDIR)'
	$(STRIP) $(foreach tool,$(TOOLS),'$(DESTDIR)$(BINDIR)/$(tool)')
	$(INSTALL) -m 644 $(MANUAL) '$(DESTDIR)$(MANDIR)/man1'
	$(INSTALL) -m 644 completions/bash/* '$(DESTDIR)$(BASHDIR)'
	$(INSTALL) -m 644 completions/zsh/* '$(DESTDIR)$(ZSHDIR)'
	$(INSTALL) -m 644 completions/fish/* '$(DESTDIR)$(FISHDIR)'

uninstall-toolkit:
	rm -f $(foreach tool,$(TOOLS),'$(DESTDIR)$(BINDIR)/$(tool)' '$(DESTDIR)$(BASHDIR)/$(tool)' '$(DESTDIR)$(ZSHDIR)/_$(tool)' '$(DESTDIR)$(FISHDIR)/$(tool).fish')
	rm -f $(foreach page,$(notdir $(MANUAL)),'$(DESTDIR)$(MANDIR)/man1/$(page)')

check-toolkit: manual ## the programs against Debian's, their manual pages, and every claim of the demonstration
	@scripts/need $(NEED_TOOLKIT)
	CI=true $(CARGO) test --locked --test toolkit

demo-deniability: ## forge messages of a recorded conversation with what it reveals itself
	@$(CARGO) build --locked --quiet --bins --example deniability
	@$(or $(CARGO_TARGET_DIR),target)/debug/examples/deniability
