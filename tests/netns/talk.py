"""What hosts say to each other in the router's tests.

``python -m tests.netns.talk serve|lan|outside|hold|... ADDRESS...``. A server's ports have a
behaviour each; ``serve`` says ``ready`` and serves until standard input closes.
"""

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

MEGABYTE = 1 << 20
DOWNLOAD, UPLOAD, RESETS, IS_RESET, RESETS_LATE, ECHO, CLOSED, DROPPED = (
    80,
    81,
    82,
    83,
    84,
    53,
    9,
    7,
)
CHUNK = bytes(65536)


def _reset(peer: socket.socket) -> None:
    """Close with a RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def _read(peer: socket.socket, most: int = 1 << 60) -> int:
    taken = 0
    while taken < most and (data := peer.recv(min(65536, most - taken))):
        taken += len(data)
    return taken


def _serve_download(peer: socket.socket) -> None:
    (chunks,) = struct.unpack(">I", peer.recv(4))
    for _ in range(chunks):
        peer.sendall(CHUNK)
    peer.shutdown(socket.SHUT_WR)
    _read(peer)
    peer.close()


def _serve_upload(peer: socket.socket) -> None:
    taken = _read(peer)
    peer.sendall(struct.pack(">Q", taken))
    peer.close()


def _serve_reset(peer: socket.socket) -> None:
    peer.recv(4)
    _reset(peer)


def _serve_late_reset(peer: socket.socket) -> None:
    for _ in range(48):
        peer.sendall(CHUNK)
    peer.recv(4)
    _reset(peer)


def _serve_until_reset(peer: socket.socket) -> None:
    for _ in range(48):
        peer.sendall(CHUNK)
    try:
        _read(peer)
    except ConnectionResetError:
        peer.close()


BEHAVIOUR: dict[int, Callable[[socket.socket], None]] = {
    DOWNLOAD: _serve_download,
    UPLOAD: _serve_upload,
    RESETS: _serve_reset,
    IS_RESET: _serve_until_reset,
    RESETS_LATE: _serve_late_reset,
}


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


def _echo(sock: socket.socket) -> None:
    while True:
        data, peer = sock.recvfrom(2048)
        sock.sendto(data, peer)


def serve() -> None:
    """All behaviours, IPv4 and IPv6."""
    for port, behaviour in BEHAVIOUR.items():
        listener = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024
        )
        threading.Thread(target=_accept, args=(listener, behaviour), daemon=True).start()
    for family, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((any_, ECHO))
        threading.Thread(target=_echo, args=(sock,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def download(host: str, megabytes: float, port: int = DOWNLOAD) -> None:
    """An ordinary connection with that much answered, in sixteenths (SF)."""
    chunks = int(megabytes * 16)
    with socket.create_connection((host, port), 10) as peer:
        peer.sendall(struct.pack(">I", chunks))
        assert _read(peer) == chunks * len(CHUNK)


def upload(host: str, megabytes: int) -> None:
    """An ordinary connection with that much sent (SF)."""
    with socket.create_connection((host, UPLOAD), 10) as peer:
        for _ in range(megabytes * 16):
            peer.sendall(CHUNK)
        peer.shutdown(socket.SHUT_WR)
        assert _read(peer) == 8


def is_reset(host: str, port: int, read: int) -> None:
    """A connection that the server resets, at once or after so many bytes (RSTR)."""
    with socket.create_connection((host, port), 10) as peer:
        _read(peer, read)
        time.sleep(0.2)
        peer.sendall(b"bye!")
        try:
            peer.recv(1)
        except ConnectionResetError:
            return
        raise AssertionError("it was not reset")


def resets(host: str) -> None:
    """A connection that the client resets after 3 MB (RSTO)."""
    peer = socket.create_connection((host, IS_RESET), 10)
    _read(peer, 3 * MEGABYTE)
    time.sleep(0.2)
    _reset(peer)


def refused(host: str, port: int = CLOSED) -> None:
    """REJ."""
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return
    raise AssertionError("it was not refused")


def unanswered(host: str, port: int = DROPPED) -> None:
    """S0."""
    try:
        socket.create_connection((host, port), 0.5).close()
    except TimeoutError:
        return
    raise AssertionError("it was answered")


def datagrams(host: str, count: int) -> None:
    """So many datagrams, each answered (SF)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((host, ECHO))
        for number in range(count):
            sock.send(b"x" * (100 + number))
            sock.recv(2048)


def _ones_complement(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    return ~((total >> 16) + (total & 0xFFFF)) & 0xFFFF


def ping(host: str, count: int) -> None:
    """So many echo requests, each answered."""
    v6 = ":" in host
    proto = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
    request, reply = (128, 129) if v6 else (8, 0)
    with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, proto) as sock:
        sock.settimeout(5)
        for number in range(count):
            body = struct.pack(">HH", 77, number) + b"p" * 32
            sum_ = 0 if v6 else _ones_complement(struct.pack(">BBH", request, 0, 0) + body)
            sock.sendto(struct.pack(">BBH", request, 0, sum_) + body, (host, 0))
            while sock.recv(2048)[0 if v6 else 20] != reply:
                pass


def lan(host: str) -> None:
    """All that a host of the LAN does with one outside."""
    download(host, 5)
    upload(host, 3)
    download(host, 0)
    is_reset(host, RESETS, 0)
    is_reset(host, RESETS_LATE, 3 * MEGABYTE)
    resets(host)
    refused(host)
    unanswered(host)
    datagrams(host, 3)
    datagrams(host, 40)
    ping(host, 3)
    ping(host, 3)


def outside(inside: str, router: str, forwarded: str) -> None:
    """What one outside does with a host of the LAN, with the router, and by a forwarded port."""
    download(inside, 2)
    refused(inside)
    unanswered(inside)
    refused(router)
    unanswered(router)
    ping(router, 2)
    if forwarded != "-":
        download(forwarded, 1, 8443)


def many(host: str, connections: int, megabytes: float) -> None:
    """So many downloads, eight at a time."""

    def some(count: int) -> None:
        for _ in range(count):
            download(host, megabytes)

    workers = min(8, connections)
    threads = [
        threading.Thread(target=some, args=(connections // workers,)) for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def hold(host: str) -> None:
    """An upload that begins, waits until standard input closes, sends 2 MB and ends."""
    with socket.create_connection((host, UPLOAD), 10) as peer:
        peer.sendall(b"first")
        print("ready", flush=True)
        sys.stdin.read()
        for _ in range(32):
            peer.sendall(CHUNK)
        peer.shutdown(socket.SHUT_WR)
        assert _read(peer) == 8


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    if verb == "serve":
        serve()
    elif verb == "lan":
        lan(*arguments)
    elif verb == "hold":
        hold(*arguments)
    elif verb == "datagrams":
        datagrams(arguments[0], int(arguments[1]))
    elif verb == "outside":
        outside(*arguments)
    else:
        many(arguments[0], int(arguments[1]), float(arguments[2]))
