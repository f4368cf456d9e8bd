"""Hostile requests: whatever comes, the collector answers, and never with a 5xx."""

import contextlib
import random
import zlib

import msgpack
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from hdr_lite.records import batch as words
from tests.collector.payloads import payload
from tests.collector.server import Device, Person, Server

BODIES = 2000
REQUESTS = 20  # to an operation, of each kind


@pytest.fixture(scope="module")
def hardened(tmp_path_factory):
    """A collector whose quota does not stop the fuzzing."""
    data = tmp_path_factory.mktemp("fuzz") / "data"
    with Server(data, "--alerts-per-minute", "100000000") as running:
        yield running


def test_mutated_batches(hardened: Server):
    """Bytes of a good batch changed, cut, put in or doubled, before and after compression, all
    well signed: 200, 400, 409 or 413; and a good batch is taken afterwards."""
    device = Device(hardened, Person(hardened).token())
    rng = random.Random(11)
    alerts = [[n, payload(n)] for n in range(1, 4)]
    clock = {"now": 1 << 60, "quality": "unknown"}
    health = {"version": "1", "uptime": 1, "memory": 1, "blocks": [["a", "block", 1, "r"]]}
    good = msgpack.packb({"next": 4, "alerts": alerts, "health": health, "clock": clock})
    seen: dict[int, int] = {}
    connection = hardened.connect()
    for turn in range(BODIES):
        device.epoch = f"{turn // 100 + 1:016x}"
        expanded = mutated(good, rng) if turn % 4 else rng.randbytes(rng.randrange(200))
        body = zlib.compress(expanded, 1)
        if turn % 16 == 0:
            body = mutated(body, rng)
        answer = device.raw(1, body, connection)
        seen[answer.status] = seen.get(answer.status, 0) + 1
    connection.close()
    assert set(seen) <= {200, 400, 409, 413}, seen
    assert seen[200] > 50
    assert seen[400] > 500
    device.epoch = "f" * 16
    assert device.batch(1, [(1, payload(1))], 2).status == 200


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes are others, gone, new or doubled."""
    bytes_ = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(bytes_) + 1)
        match rng.randrange(4):
            case 0 if at < len(bytes_):
                bytes_[at] = rng.choice((0, 0xC1, 0xDD, 0xDF, 0xFF, rng.randrange(256)))
            case 1:
                del bytes_[at : at + rng.randrange(20)]
            case 2:
                bytes_[at:at] = rng.randbytes(rng.randrange(20))
            case _:
                bytes_[at:at] = bytes_[at : at + rng.randrange(200)]
    return bytes(bytes_)


def operations(server: Server, headers: dict[str, str]) -> list[schemathesis.APIOperation]:
    """All of the OpenAPI document but the stream that does not end."""
    document = server.request("GET", "/api/schema", None, headers).json()
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path != "/api/live"]


@pytest.mark.timeout(600)
def test_requests_made_from_the_schema(hardened: Server):
    """schemathesis: requests that the OpenAPI document allows, and such as it does not, of an
    administrator: no answer is a 5xx, and one that the document allows is answered in time."""
    admin = Person(hardened, "admin", hardened.password)
    key = admin.send("POST", "/api/keys", {"name": "fuzz", "role": 3}).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    Device(hardened, admin.token()).batch(1, [(1, payload(1))], 2)
    asked: dict[str, int] = {}
    for operation in operations(hardened, headers):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            ask(hardened, operation, mode, headers, asked)
    assert len(asked) > 20
    assert sum(asked.values()) > 500
    assert admin.get("/api/me").status == 200


def ask(
    server: Server,
    operation: schemathesis.APIOperation,
    mode: GenerationMode,
    headers: dict[str, str],
    asked: dict[str, int],
) -> None:
    """Send some requests of one kind to one operation."""

    @settings(max_examples=REQUESTS, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        answer = case.call(
            base_url=f"https://127.0.0.1:{server.port}",
            headers=headers,
            verify=str(server.data / "ca.pem"),
        )
        case.validate_response(answer, checks=[not_a_server_error])
        name = f"{operation.method} {operation.path}"
        asked[name] = asked.get(name, 0) + 1

    with contextlib.suppress(Unsatisfiable):  # an operation that nothing wrong can be sent to
        send()


def test_mutated_enrolments(hardened: Server):
    """Random msgpack where a token is expected: 400, 403, 413, and 429 soon, so it comes last."""
    rng = random.Random(12)
    good = msgpack.packb({"token": "0" * 8, "secret": "x" * 43, "name": "n"})
    connection = hardened.connect()
    for _ in range(200):
        body = mutated(good, rng)
        answer = hardened.request("POST", words.ENROL_PATH, body, {}, connection)
        assert answer.status in (400, 403, 413, 429), answer
    connection.close()
