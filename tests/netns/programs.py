"""Programs that run beside each other in the router's tests, and the router's rules."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hdr_lite.sources.nflog import FirstPackets, log_rules
from tests.netns import router as names
from tests.netns.network import Namespace
from tests.netns.router import Routed
from tests.program import ROOT

RULES = f"""
table ip nat {{
    chain leaving {{
        type nat hook postrouting priority 100
        oifname wan0 ip saddr {names.LAN4} masquerade
    }}
    chain entering {{
        type nat hook prerouting priority -100
        iifname wan0 tcp dport 8443 dnat to {names.LAN4}:80
    }}
}}
table inet fw {{
    chain local {{
        type filter hook input priority 0
        tcp dport 7 drop
    }}
    chain passing {{
        type filter hook forward priority 0
        tcp dport 7 drop
    }}
}}
"""


def translate(net: Routed) -> None:
    """Masquerade, a forwarded port and a port that is dropped."""
    net.nft(RULES)


def log_first_packets(net: Routed) -> None:
    """A table of our own with the rules that log."""
    net.nft(log_rules(FirstPackets(), "hdr_lite"))


class Program:
    """A program in a namespace that says ``ready`` and ends when its input is closed."""

    def __init__(self, namespace: Namespace, module: str, *arguments: str, **settings: str) -> None:
        command = (sys.executable, "-m", f"tests.netns.{module}", *arguments)
        self._process = subprocess.Popen(
            namespace.words(*command),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def finish(self) -> str:
        """Close its input; what it said after that."""
        out, _ = self._process.communicate(timeout=30)
        assert self._process.returncode == 0
        return out

    def pause(self) -> None:
        """Stop it, as a busy machine would."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Make sure that it is gone."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def running(
    namespace: Namespace, module: str, *arguments: str, **settings: str
) -> Iterator[Program]:
    """That program, gone at the end whatever happens."""
    program = Program(namespace, module, *arguments, **settings)
    try:
        yield program
    finally:
        program.kill()


def talk(namespace: Namespace, *words: str) -> None:
    """Run one of :mod:`tests.netns.talk`'s talks to its end."""
    command = (sys.executable, "-m", "tests.netns.talk", *words)
    namespace.run("env", f"PYTHONPATH={ROOT}", *command)
