"""The extension module; everything else about the package is in pyproject.toml."""

import os
from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("hdr_lite/native")
SOURCES = sorted(
    str(path)
    for part in ("core", "capture", "netlink", "binding")
    for path in (NATIVE / part).glob("*.c")
)
HEADERS = sorted(str(path) for path in NATIVE.glob("*/*.h"))

setup(
    ext_modules=[
        Extension(
            "hdr_lite.native._native",
            sources=SOURCES,
            depends=HEADERS,
            include_dirs=[str(NATIVE / "core")],
            libraries=["pcap"],
            extra_compile_args=[
                "-std=c11",
                "-O2",
                "-D_DEFAULT_SOURCE",
                "-fvisibility=hidden",
                "-ffp-contract=off",
                "-ffunction-sections",
                *(["-Werror"] if os.environ.get("HDR_LITE_STRICT") else []),
                "-Wall",
                "-Wextra",
            ],
            extra_link_args=["-Wl,--gc-sections"],
        )
    ]
)
