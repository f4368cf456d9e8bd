PKG_BUILD_DIR ?= $(OUT)/build
FIELDS := SECTION TITLE DEPENDS USERID URL PKGARCH CONFLICTS PROVIDES
BLOCKS := description conffiles preinst postinst prerm postrm

.PHONY: stage
stage:

# $(1) => name of the package. What one package declares is not the next one's.
define BuildPackage
$(foreach field,$(FIELDS),$(eval $(field):=))
$(eval $(Package/$(1)))
$(shell mkdir -p $(OUT)/$(1)/data)
$(foreach field,$(FIELDS),$(file >$(OUT)/$(1)/$(field),$($(field))))
$(foreach block,$(BLOCKS),$(file >$(OUT)/$(1)/$(block),$(Package/$(1)/$(block))))
$(file >$(OUT)/$(1)/filespec,$(Py3Package/$(1)/filespec))
$(foreach field,NAME VERSION RELEASE LICENSE LICENSE_FILES MAINTAINER,$(file >$(OUT)/$(1)/$(field),$(PKG_$(field))))
stage: stage-$(1)
.PHONY: stage-$(1)
stage-$(1):
	$(call Package/$(1)/install,$(OUT)/$(1)/data)
endef
