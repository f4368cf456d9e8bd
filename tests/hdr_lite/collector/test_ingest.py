"""/v1/* of a collector that runs: what devices are promised, and what they may not."""

import ssl
import zlib

import msgpack
import pytest

from hdr_lite.records import batch as words
from tests.collector.payloads import payload
from tests.collector.server import Device, Person, Server


def stored(admin: Person, device: Device) -> list[str]:
    """Ids of the alerts kept of a device, oldest first."""
    page = admin.get(f"/api/alerts?device={device.id}&limit=500").json()
    assert page["next"] == 0
    return [alert["id"] for alert in reversed(page["items"])]


def alerts(first: int, after: int) -> list[tuple[int, dict]]:
    return [(n, payload(n)) for n in range(first, after)]


def test_ca_is_told_and_is_what_the_token_says(server: Server, admin: Person):
    """A device that knows the token alone can check the CA."""
    pem = server.request("GET", words.CA_PATH).body

    assert words.digest_text(ssl.PEM_cert_to_DER_cert(pem.decode())) == admin.token().ca


def test_batch_is_stored_once_however_often_it_is_sent(device: Device, admin: Person):
    """A repeat, a part that is known and a part that is new: each alert is there once."""
    assert device.batch(1, alerts(1, 4), 4).msgpack() == {"next": 4}
    assert device.batch(1, alerts(1, 4), 4).msgpack() == {"next": 4}
    assert device.batch(2, alerts(2, 7), 7).msgpack() == {"next": 7}
    assert device.batch(1, alerts(1, 2), 2).msgpack() == {"next": 7}
    assert stored(admin, device) == [f"a{n:08d}" for n in range(1, 7)]


def test_gap_is_asked_for(device: Device, admin: Person):
    """What begins beyond the cursor is not taken."""
    answer = device.batch(3, alerts(3, 4), 4)
    assert (answer.status, answer.msgpack()) == (409, {"next": 1})
    assert device.batch(1, alerts(1, 3), 3).status == 200
    answer = device.batch(9, [], 9)
    assert (answer.status, answer.msgpack()) == (409, {"next": 3})
    assert stored(admin, device) == ["a00000001", "a00000002"]


def test_numbers_that_the_spool_dropped_are_counted(device: Device, admin: Person):
    """Numbers that a batch leaves out count as dropped, once."""
    for _ in range(2):
        assert device.batch(1, [(3, payload(3)), (6, payload(6))], 9).msgpack() == {"next": 9}
    known = admin.get(f"/api/devices/{device.id}").json()
    assert (known["alerts"], known["dropped"], known["refused"]) == (2, 6, 0)


def test_new_epoch_begins_at_one(device: Device, admin: Person):
    """A spool that was begun anew has its own cursor."""
    assert device.batch(1, alerts(1, 3), 3).status == 200
    device.epoch = "fedcba9876543210"
    # What it tells again under another number, after an engine died, is known.
    assert device.batch(1, [(1, payload(2)), (2, payload(11))], 3).msgpack() == {"next": 3}
    assert stored(admin, device) == ["a00000001", "a00000002", "a00000011"]
    assert admin.get(f"/api/devices/{device.id}").json()["dropped"] == 0


def test_malformed_alert_keeps_nothing_else_from_coming(device: Device, admin: Person):
    """It is counted and left out; the cursor goes over it."""
    wrong = payload(2)
    wrong["alert"]["Source"] = [{"IP": "<script>"}]
    batch = [(1, payload(1)), (2, wrong), (3, {"alert": 7}), (4, payload(4))]
    assert device.batch(1, batch, 5).msgpack() == {"next": 5}
    assert stored(admin, device) == ["a00000001", "a00000004"]
    assert admin.get(f"/api/devices/{device.id}").json()["refused"] == 2


def test_nothing_is_taken_without_the_right_signature(
    server: Server, device: Device, admin: Person
):
    """Another's name, another's secret, another number, another body: 401."""
    other = Device(server, admin.token())
    body = zlib.compress(msgpack.packb({"next": 2, "alerts": [[1, payload(1)]]}))
    good = device.headers(1, body)
    for change in (
        {words.DEVICE_HEADER: other.id},
        {words.DEVICE_HEADER: "f" * 32},
        {words.SIGNATURE_HEADER: other.headers(1, body)[words.SIGNATURE_HEADER]},
        {words.SIGNATURE_HEADER: ""},
        {words.EPOCH_HEADER: "f" * 16},
        {words.FIRST_HEADER: "0"},
    ):
        assert server.request("POST", words.BATCH_PATH, body, {**good, **change}).status == 401
    assert server.request("POST", words.BATCH_PATH, body + b"x", good).status == 401
    assert stored(admin, device) == stored(admin, other) == []
    assert server.request("POST", words.BATCH_PATH, body, good).status == 200


@pytest.mark.parametrize("header", ["HDR-Device", "HDR-Epoch", "HDR-First"])
@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 40, "\xe4" * 16])
def test_headers_that_are_none(server: Server, device: Device, header: str, value: str):
    """400, whatever is signed."""
    headers = {**device.headers(1, b"body"), header: value}
    assert server.request("POST", words.BATCH_PATH, b"body", headers).status == 400


def test_secret_is_rotated_when_the_new_one_is_used(device: Device):
    """The old one holds until then, so that an answer may be lost; then no more."""
    old = device.secret
    device.rotate()
    assert device.batch(1, alerts(1, 2), 2).status == 200
    new = device.rotate()
    assert device.batch(2, alerts(2, 3), 3).status == 200
    device.secret = new
    assert device.batch(3, alerts(3, 4), 4).status == 200
    device.secret = old
    assert device.batch(4, alerts(4, 5), 5).status == 401


def test_rotation_asked_for_with_a_secret_that_was_never_used(device: Device):
    """Asking with it is using it: whichever answer is lost, the device is not locked out."""
    device.secret = device.rotate()
    new = device.rotate()  # the answer may be lost
    assert device.batch(1, alerts(1, 2), 2).status == 200
    device.secret = new
    assert device.batch(2, alerts(2, 3), 3).status == 200


def test_revoked_device_is_told_so(device: Device, admin: Person):
    """At once, and for good."""
    assert device.batch(1, alerts(1, 2), 2).status == 200
    assert admin.send("POST", f"/api/devices/{device.id}/revoke").status == 204
    assert device.batch(2, alerts(2, 3), 3).status == 403
    assert stored(admin, device) == ["a00000001"]


def test_token_is_good_once(server: Server, admin: Person):
    """Used, withdrawn, unknown, or with another's secret: 403 with a reason."""
    token = admin.token()
    Device(server, token)

    def reason(token_id: str, secret: str) -> str:
        body = msgpack.packb({"token": token_id, "secret": secret})
        answer = server.request("POST", words.ENROL_PATH, body)
        assert answer.status == 403
        return answer.msgpack()["reason"]

    assert reason(token.id, token.secret) == "this token was used"
    second, third = admin.token(), admin.token()
    assert admin.send("DELETE", f"/api/tokens/{second.id}").status == 204
    assert reason(second.id, second.secret) == "this token was withdrawn"
    assert reason(third.id, second.secret) == "this token is unknown"
    assert reason("ffffffff", third.secret) == "this token is unknown"


def test_bodies_are_bounded(device: Device):
    """Over 1 MB as sent, or over 8 MB expanded: 413, and a bomb is not expanded."""
    assert device.raw(1, bytes(words.MAX_BODY + 1)).status == 413
    bomb = zlib.compress(bytes(200 << 20), 9)
    assert len(bomb) < words.MAX_BODY
    assert device.raw(1, bomb).status == 413
    many = {"next": 6000, "alerts": [[n, 0] for n in range(1, 6000)]}
    assert device.raw(1, zlib.compress(msgpack.packb(many))).status == 413


def nested(depth: int) -> bytes:
    """Arrays in arrays."""
    return b"\x91" * depth + b"\xc0"


@pytest.mark.parametrize(
    "expanded",
    [
        b"",
        b"\xc1",
        msgpack.packb({}),
        msgpack.packb({"next": -1}),
        msgpack.packb({"next": 1 << 60}),
        msgpack.packb({"next": 3, "alerts": [[2, 0], [1, 0]]}),
        msgpack.packb({"next": 3, "alerts": [[2, 0], [2, 0]]}),
        msgpack.packb({"next": 3, "alerts": [[3, 0]]}),
        msgpack.packb({"next": 3, "alerts": [[0, 0]]}),
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x82\xa4next\x01\xa6alerts" + nested(100_000),
        b"\x82\xa4next\x01\xa6health" + nested(100_000),
    ],
)
def test_bodies_that_are_no_batch(device: Device, expanded: bytes):
    """400; counts that promise more than there is, and nesting without end, are nothing."""
    assert device.raw(1, zlib.compress(expanded)).status == 400
    assert device.raw(1, zlib.compress(expanded)[:-1]).status == 400


def test_deep_alert_is_left_out(device: Device, admin: Person):
    """Nesting within an alert harms that alert only."""
    inside = b"\x81\xa5alert" + nested(400)
    body = b"\x82\xa4next\x02\xa6alerts\x91\x92\x01" + inside
    assert device.raw(1, zlib.compress(body)).msgpack() == {"next": 2}
    assert stored(admin, device) == []


def test_health_and_blocks_are_shown(device: Device, admin: Person):
    """What a device says of itself is seen, the latest only."""
    health = {
        "version": "9.9",
        "uptime": 61,
        "memory": 40 << 20,
        "blind": ["eth9 is absent"],
        "blocks": [["203.0.113.9", "block", 600, "PASSWORD_GUESSING"]],
    }
    assert device.batch(1, [], 1, health=health).msgpack() == {"next": 1}
    known = admin.get(f"/api/devices/{device.id}").json()
    assert known["health"]["blind"] == ["eth9 is absent"]
    assert known["version"] == "9.9"
    (block,) = admin.get(f"/api/blocks?device={device.id}").json()["items"]
    assert block["held"][0] == "203.0.113.9"
    assert 590 <= block["held"][2] <= 600
    assert device.batch(1, [], 1, health={**health, "blocks": []}).status == 200
    assert admin.get(f"/api/blocks?device={device.id}").json()["items"] == []
    assert admin.get(f"/api/blocks?address=203.0.113.9&device={device.id}").json()["items"] == []
