"""The service does without OpenSSL."""

import subprocess
import sys

PROGRAM = """
import hdr_lite.cli.daemon, hashlib
print(hashlib.sha1(b"").hexdigest(), "libcrypto" in open("/proc/self/maps").read())
"""


def test_the_service_does_not_map_libcrypto() -> None:
    """Digests are there, and are Python's own."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "da39a3ee5e6b4b0d3255bfef95601890afd80709 False\n", done.stderr
