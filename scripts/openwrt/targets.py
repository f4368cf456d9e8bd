"""What each architecture is called, and how its code is made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """An architecture: OpenWrt's name, and what Zig's compiler is told.

    ``libpcap`` is the name under which that system's loader finds the library.
    """

    name: str
    triple: str
    cpu: str
    big_endian: bool = False
    libpcap: str = "libpcap.so.1"


#: OpenWrt's, by the names of its package feeds. The small MIPS routers and arm_cortex-a7 have no
#: floating point unit: "eabi" without "hf" is the soft-float convention of their libraries.
TARGETS = {
    target.name: target
    for target in (
        Target("mips_24kc", "mips-linux-musleabi", "mips32r2+soft_float", big_endian=True),
        Target("mipsel_24kc", "mipsel-linux-musleabi", "mips32r2+soft_float"),
        Target("arm_cortex-a7", "arm-linux-musleabi", "cortex_a7-neon-vfp4-vfp3-vfp2+soft_float"),
        Target("aarch64_cortex-a53", "aarch64-linux-musl", "cortex_a53"),
        Target("x86_64", "x86_64-linux-musl", "x86_64"),
    )
}
