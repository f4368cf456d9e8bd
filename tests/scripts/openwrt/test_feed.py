"""The feed's Makefiles are followed as OpenWrt's build root would."""

from pathlib import Path

import pytest

from scripts.openwrt.feed import dependencies, parse_filespec, stage

MAKEFILE = r"""
include $(TOPDIR)/rules.mk
PKG_NAME:=sample
PKG_VERSION:=1.2
PKG_RELEASE:=3
include $(INCLUDE_DIR)/package.mk
include $(TOPDIR)/feeds/packages/lang/python/python3-package.mk
define Package/sample
  SECTION:=net
  TITLE:=A sample
  DEPENDS:=+python3-light \
    +libpcap @SECCOMP
endef
define Package/sample/description
  Says "it", for $$3.
endef
define Package/sample/conffiles
/etc/config/sample
/etc/sample/
endef
define Py3Package/sample/filespec
+|$(PYTHON3_PKG_DIR)
-|$(PYTHON3_PKG_DIR)/sample/tests
endef
define Py3Package/sample/install
	$(INSTALL_DIR) $(1)/etc/config
	$(INSTALL_CONF) ./Makefile $(1)/etc/config/sample
endef
$(eval $(call Py3Package,sample))
$(eval $(call BuildPackage,sample))
$(eval $(call BuildPackage,sample-src))
"""


def test_stage(tmp_path: Path) -> None:
    """What is declared is told, what is to be installed lies there; sources are no package."""
    makefile = tmp_path / "feed/sample/Makefile"
    makefile.parent.mkdir(parents=True)
    makefile.write_text(MAKEFILE)
    (package,) = stage(makefile, tmp_path / "out", "3.11", tmp_path)
    assert (package.name, package.version) == ("sample", "1.2-r3")
    assert package.depends == ("libc", "python3-light", "libpcap1")
    assert package.conffiles == ("/etc/config/sample", "/etc/sample/")
    assert package.fields["description"] == '  Says "it", for $3.'
    site = "/usr/lib/python3.11/site-packages"
    assert package.filespec == (("+", site), ("-", f"{site}/sample/tests"))
    config = package.data / "etc/config/sample"
    assert config.read_text() == MAKEFILE
    assert config.stat().st_mode & 0o777 == 0o600


def test_install_that_fails(tmp_path: Path) -> None:
    """A file that is not there is no package without it."""
    makefile = tmp_path / "feed/sample/Makefile"
    makefile.parent.mkdir(parents=True)
    makefile.write_text(MAKEFILE.replace("./Makefile", "./gone"))
    with pytest.raises(RuntimeError, match="gone"):
        stage(makefile, tmp_path / "out", "3.11", tmp_path)


def test_what_is_not_followed() -> None:
    """A conditional dependency and an unknown filespec are refused, not guessed."""
    with pytest.raises(ValueError, match="IPV6"):
        dependencies("+IPV6:kmod")
    with pytest.raises(ValueError, match="0755"):
        parse_filespec("=|0755|/usr")
