"""The collector as a process: killed while devices send, started twice, without TLS."""

import http.client
import socket
import threading
from pathlib import Path

import pytest

from hdr_lite.collector.serving import Place, ca_of, lock, make_store, run
from hdr_lite.collector.settings import Settings
from hdr_lite.config import UserError
from tests.collector.payloads import payload
from tests.collector.server import Device, Person, Server

DEVICES = 4
ALERTS = 400


def deliver(device: Device, acknowledged: list[int]) -> None:
    """All alerts, as a device does: again until they are acknowledged, from where it is told."""
    first = 1
    while first <= ALERTS:
        after = min(first + 7, ALERTS + 1)
        try:
            answer = device.batch(first, [(n, payload(n)) for n in range(first, after)], after)
        except (OSError, http.client.HTTPException):
            continue
        assert answer.status in (200, 409), answer
        first = answer.msgpack()["next"]
        if answer.status == 200:
            acknowledged.append(first)


@pytest.mark.timeout(600)
def test_killed_while_devices_send(tmp_path: Path):
    """SIGKILL, five times: what was acknowledged is there, and everything is there once."""
    server = Server(tmp_path / "data")
    server.start()
    admin = Person(server)
    devices = [Device(server, admin.token()) for _ in range(DEVICES)]
    acknowledged: list[list[int]] = [[] for _ in devices]
    threads = [
        threading.Thread(target=deliver, args=pair)
        for pair in zip(devices, acknowledged, strict=True)
    ]
    for thread in threads:
        thread.start()
    kills = 0
    while kills < 5 and any(thread.is_alive() for thread in threads):
        so_far = sum(map(len, acknowledged))
        while sum(map(len, acknowledged)) < so_far + 3 and any(t.is_alive() for t in threads):
            threads[0].join(0.005)
        server.kill()
        kills += 1
        at_death = [max(told, default=1) for told in acknowledged]
        server.start()
        for device, told in zip(devices, at_death, strict=True):
            answer = device.batch(ALERTS * 9, [], ALERTS * 9)
            assert answer.status == 409
            assert answer.msgpack()["next"] >= told, "an acknowledged alert is lost"
    for thread in threads:
        thread.join()
    assert kills >= 3
    admin = Person(server, "admin", server.password)
    for device in devices:
        page = admin.get(f"/api/alerts?device={device.id}&limit=500").json()
        assert sorted(a["id"] for a in page["items"]) == [f"a{n:08d}" for n in range(1, ALERTS + 1)]
    server.stop()


def test_secrets_are_not_said(server: Server, admin: Person, device: Device):
    """Neither tokens nor secrets are in what the process prints."""
    token = admin.token()
    device.batch(1, [(1, {"alert": 1})], 2)
    device.raw(1, b"nonsense")
    said = "".join(server.said)
    assert token.secret not in said
    assert device.secret.hex() not in said


def test_one_collector_for_a_directory(tmp_path: Path):
    """A second one is refused before it touches anything."""
    with lock(tmp_path), pytest.raises(UserError, match="runs already"):
        run(Place(tmp_path), lambda ca, digest: Settings(ca, digest), lambda *_: None)


@pytest.mark.parametrize("host", ["::", "0.0.0.0", "192.0.2.1", "example.org"])
def test_without_tls_on_loopback_only(tmp_path: Path, host: str):
    """Passwords do not go over a network in the clear."""
    with pytest.raises(UserError, match="loopback"):
        run(Place(tmp_path, host=host, plain=True), Settings, lambda *_: None)


def test_all_addresses(tmp_path: Path):
    """By default devices reach it over IPv4 and over IPv6."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as free:
        port = free.getsockname()[1]
    with Server(tmp_path / "data", "--listen", f"[::]:{port}"):
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), 60).close()


def test_behind_a_proxy(tmp_path: Path):
    """Without TLS of its own; the proxy's word on the client is believed, others' is not."""
    with Server(tmp_path / "data", "--plain", "--proxy", "127.0.0.1") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        body = b'{"user": "admin", "password": "wrong password"}'
        headers = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.77"}
        for _ in range(10):
            connection.request("POST", "/api/login", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 401
        for whence, status in (("192.0.2.77", 429), ("192.0.2.78", 401)):
            connection.request("POST", "/api/login", body, {**headers, "X-Forwarded-For": whence})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()


def test_what_devices_pin(tmp_path: Path):
    """Its own CA, another, or the system's trust."""
    assert ca_of(Place(tmp_path, plain=True)) == ("", "-")
    assert ca_of(Place(tmp_path, certificate=tmp_path / "x")) == ("", "-")
    with pytest.raises(UserError, match="the first 'collector serve'"):
        ca_of(Place(tmp_path))
    with pytest.raises(UserError, match="no storage"):
        make_store("mysql://", tmp_path)
