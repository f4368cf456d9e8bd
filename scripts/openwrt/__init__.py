"""OpenWrt packages from the tree, without OpenWrt's build root (scripts/build-ipk).

In the order of the work:

- ``targets``    the architectures: what the compiler and OpenWrt call each
- ``headers``    Python's and libpcap's headers for a target, made of this machine's
- ``extension``  the C part, cross-compiled by Zig against musl
- ``feed``       the feed's own Makefiles, read and run by make with ``buildroot`` around them
- ``tree``       the Python part as ``pip`` would install it, and as a package carries it
- ``ipk``        control files and the archive that opkg takes
- ``apk``        the same for apk, where that program is
"""
