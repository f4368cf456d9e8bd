"""``python -m tests.netns.replay SCENARIO INTERFACE [--flood]``: send a scenario's frames.

At their own pace, or as fast as the interface takes them. The scenario is the generator's, with
seed 1.
"""

import socket
import sys
import time

from tests.traffic.scenarios import build
from tests.traffic.timeline import SECOND


def replay(scenario: str, interface: str, *, flood: bool = False) -> int:
    """Send the frames; how many."""
    frames = build(scenario).frames()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        began, first = time.monotonic(), frames[0][0]
        for at, frame in frames:
            early = (at - first) / SECOND - (time.monotonic() - began)
            if early > 0 and not flood:
                time.sleep(early)
            wire.send(frame)
    return len(frames)


if __name__ == "__main__":
    print(replay(sys.argv[1], sys.argv[2], flood="--flood" in sys.argv))
