PYTHON3_PKG_DIR := /usr/lib/python$(PYTHON3_VERSION)/site-packages
PYTHON3 := python$(PYTHON3_VERSION)

# $(1) => name of the package. Its filespec is followed afterwards, over what is in $(PKG_INSTALL_DIR).
define Py3Package
ifeq ($(origin Py3Package/$(1)/filespec),undefined)
define Py3Package/$(1)/filespec
+|$(PYTHON3_PKG_DIR)
endef
endif
ifndef Py3Package/$(1)/install
define Py3Package/$(1)/install
if [ -d $(PKG_INSTALL_DIR)/usr/bin ]; then $(INSTALL_DIR) $$(1)/usr/bin; $(CP) $(PKG_INSTALL_DIR)/usr/bin/* $$(1)/usr/bin/; fi
endef
endif
Package/$(1)/install = $$(Py3Package/$(1)/install)
endef

# The sources have no package of their own here.
