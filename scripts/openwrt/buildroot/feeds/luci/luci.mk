LUCI_NAME ?= $(notdir $(CURDIR))
PKG_NAME ?= $(LUCI_NAME)
PKG_RELEASE ?= 1
include $(INCLUDE_DIR)/package.mk

define Package/$(PKG_NAME)
SECTION := luci
TITLE := $(LUCI_TITLE)
DEPENDS := $(LUCI_DEPENDS)
PKGARCH := all
URL := $(LUCI_URL)
endef

define Package/$(PKG_NAME)/description
$(if $(LUCI_DESCRIPTION),$(LUCI_DESCRIPTION),$(LUCI_TITLE))
endef

define Package/$(PKG_NAME)/install
	if [ -d htdocs ]; then $(INSTALL_DIR) $(1)/www; $(CP) htdocs/. $(1)/www/; fi
	if [ -d root ]; then $(CP) root/. $(1)/; fi
endef

$(eval $(call BuildPackage,$(PKG_NAME)))
