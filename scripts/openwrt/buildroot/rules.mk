# What stands in for OpenWrt's build root where a package is made without it: the Makefiles of our
# feed include this and its neighbours by the names the real ones have there. They tell what a
# Makefile declares in files below $(OUT), a folder per package, and stage what it installs.
INCLUDE_DIR := $(TOPDIR)/include
STAGING_DIR := $(OUT)/staging

empty :=
space := $(empty) $(empty)
comma := ,

INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_SUID := install -m4755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
CP := cp -fpR
LN := ln -sf
SED := sed -i -e
FIND := find
