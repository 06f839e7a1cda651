# Chat programs, unmodified, over real servers.

NEED_IRSSI   := irssi irssi-plugin-otr ngircd tmux
NEED_PIDGIN  := pidgin pidgin-otr xvfb dbus-daemon libglib2.0-bin
NEED_CLIENTS := $(NEED_IRSSI) $(NEED_PIDGIN) profanity ejabberd prosody python3 libotr5 libotr5-dev
NEED_CHECK   += $(NEED_CLIENTS)
CHECKS       += check-clients check-teeth

.PHONY: check-clients check-teeth stage

# A folder with our library under the name that programs ask for.
CLIENTS_STAGE := target/clients
stage: $(LIBRARY)
	@mkdir -p $(CLIENTS_STAGE)
	@$(INSTALL) -m 755 $(LIBRARY) $(CLIENTS_STAGE)/libotr.so.5

check-clients: stage ## irssi, Pidgin and profanity with our library on both sides, and on either side alone
	@scripts/need $(NEED_CLIENTS)
	tests/clients/pairings.py $(CLIENTS_STAGE)

check-teeth: $(ARCHIVE) ## spoilt libraries make the drives of the chat programs fail
	@scripts/need $(NEED_BASE) $(NEED_CLIENTS)
	tests/clients/teeth.py $(ARCHIVE) $$(sed -n 's/^Libs.private: //p' pkgconfig/libotr.pc.in)
