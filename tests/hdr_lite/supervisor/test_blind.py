"""What cannot be seen, asked of the kernel in a namespace of the test's own."""

import os
import shutil
import struct
import subprocess
import sys

import pytest

from hdr_lite.supervisor import blind
from tests.program import ROOT

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"
)


def inside(script: str) -> str:
    """What a shell script prints in a network namespace of its own; $BLIND asks."""
    ask = (
        "import sys; from hdr_lite.supervisor.blind import *;"
        "print(inside_interfaces(['192.168.0.0/16']), blind_spots(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "ASK": ask}
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", "mount -t sysfs none /sys\n" + script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@needs_root
def test_interfaces() -> None:
    """Absent, down, without address: a sentence each; with an address there is nothing to say."""
    assert inside(
        """
        for n in a b c; do ip link add ${n}0 type veth peer name ${n}1; done
        ip link set b0 up; sysctl -qw net.ipv6.conf.b0.disable_ipv6=1
        ip link set c0 up; ip addr add 192.168.3.1/24 dev c0
        $PYTHON -c "$ASK" a0 b0 c0 d0
        """
    ) == (
        "['c0'] ['a0: is down', 'b0: has no address: who is its own and who is a gateway is not "
        "known', 'd0: there is no such interface now']"
    )


@needs_root
@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
def test_flowtables() -> None:
    """A flowtable is found with its name; only one with hardware offload blinds."""
    script = """
        ip link add c0 type veth peer name c1; ip link set c0 up
        nft add table inet t || exit 0
        nft "add flowtable inet t fast { hook ingress priority 0; devices = { c0 }; }" || exit 0
        $PYTHON -c "from hdr_lite.supervisor.blind import *; print(list(flowtables()))"
        """
    said = inside(script)
    if not said:
        pytest.skip("this kernel has no flowtables")
    assert said == "[('t fast', 0)]"


def test_answers_of_the_kernel() -> None:
    """Messages are taken apart within their lengths; the flag of hardware is the last bit."""

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)

    body = bytes(4) + attribute(1, b"inet\0") + attribute(2, b"ft\0") + attribute(7, b"\0\0\0\1")
    message = struct.pack("=IHHII", 16 + len(body), 0xA16, 0, 1, 0) + body
    done = struct.pack("=IHHII", 20, 3, 0, 1, 0) + bytes(4)
    assert blind._parse(message + done) == (False, [("inet ft", 1)])
    assert blind._parse(message) == (True, [("inet ft", 1)])
    for cut in range(len(message)):
        assert blind._parse(message[:cut])[1] == []


@needs_root
def test_memory_is_volatile() -> None:
    """What lies in a file system of memory is volatile, also behind a link; what is below a mount
    on a disk is not; the longest mount decides."""
    assert (
        inside(
            """
        cd "$(mktemp -d)"
        trap 'umount -R a; rm -r "$PWD"' EXIT
        mkdir a disk && ln -s a/b link
        mount -t tmpfs none a && mkdir -p a/b a/disk && mount --bind disk a/disk
        ask='import sys; from pathlib import Path; from hdr_lite.supervisor.blind import *;'
        $PYTHON -c "$ask print([is_volatile(Path(p)) for p in sys.argv[1:]])" \
            a link/new a/disk disk
        """
        )
        == "[True, True, False, False]"
    )
