# Installing: the tree that libotr 4.1.1 installs, file for file.

# The release of libotr whose interface this is, and its library's ABI.
API_VERSION := 4.1.1
SONAME      := libotr.so.5
SOFILE      := libotr.so.5.1.1

.PHONY: install install-library uninstall

install: install-library ## install under DESTDIR: PREFIX, LIBDIR, INCLUDEDIR, DATADIR

install-library: $(LIBRARY) $(ARCHIVE) ## install the library without the programs
	$(INSTALL) -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)/libotr' '$(DESTDIR)$(DATADIR)/aclocal'
	$(INSTALL) -m 755 $(LIBRARY) '$(DESTDIR)$(LIBDIR)/$(SOFILE)'
	$(INSTALL) -m 644 $(ARCHIVE) '$(DESTDIR)$(LIBDIR)/libotr.a'
	$(STRIP) '$(DESTDIR)$(LIBDIR)/$(SOFILE)' '$(DESTDIR)$(LIBDIR)/libotr.a'
	ln -sf $(SOFILE) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SOFILE) '$(DESTDIR)$(LIBDIR)/libotr.so'
	$(INSTALL) -m 644 include/libotr/*.h '$(DESTDIR)$(INCLUDEDIR)/libotr/'
	$(INSTALL) -m 644 m4/libotr.m4 '$(DESTDIR)$(DATADIR)/aclocal/libotr.m4'
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(LIBDIR)|' -e 's|@includedir@|$(INCLUDEDIR)|' \
	    -e 's|@version@|$(API_VERSION)|' -e 's|@requires_private@|$(if $(findstring link-gcrypt,$(FEATURES)),libgcrypt)|' \
	    -e '/^Requires.private: $$/d' pkgconfig/libotr.pc.in > '$(DESTDIR)$(LIBDIR)/pkgconfig/libotr.pc'
	chmod 644 '$(DESTDIR)$(LIBDIR)/pkgconfig/libotr.pc'

uninstall: ## remove what install installed
	rm -f $(foreach file,$(SOFILE) $(SONAME) libotr.so libotr.a pkgconfig/libotr.pc,'$(DESTDIR)$(LIBDIR)/$(file)')
	rm -f $(foreach header,$(notdir $(wildcard include/libotr/*.h)),'$(DESTDIR)$(INCLUDEDIR)/libotr/$(header)')
	rm -f '$(DESTDIR)$(DATADIR)/aclocal/libotr.m4'
	rmdir --ignore-fail-on-non-empty '$(DESTDIR)$(INCLUDEDIR)/libotr' '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(DATADIR)/aclocal' 2>/dev/null || true
