"""What people's programs get: alerts, evidence, attackers, overview, export, the live stream."""

import json
import time
from contextlib import closing

import pytest

from hdr_lite.records.evidence import ThreatLevel
from tests.collector.payloads import payload
from tests.collector.server import Device, Person


@pytest.fixture
def told(device: Device) -> Device:
    """A device that has told three alerts, now."""
    now = time.time_ns()
    alerts = [
        (1, payload(1, ts=now, attacker="198.51.100.1")),
        (2, payload(2, ts=now, attacker="198.51.100.1", with_evidence=False)),
        (3, payload(3, ts=now, attacker="2001:db8::5", level=ThreatLevel.CRITICAL)),
    ]
    assert device.batch(1, alerts, 4).status == 200
    return device


def test_alert_with_its_evidence(told: Device, admin: Person):
    """In words; and what is missing is counted."""
    page = admin.get(f"/api/alerts?device={told.id}").json()
    assert [a["id"] for a in page["items"]] == ["a00000003", "a00000002", "a00000001"]
    one = admin.get(f"/api/alerts/{page['items'][2]['number']}").json()
    assert one["alert"] == page["items"][2]
    (evidence,) = one["evidence"]
    assert (evidence["description"], evidence["victim"], evidence["port"]) == (
        "finding 1",
        "192.0.2.5",
        22,
    )
    assert one["missing"] == 0
    two = admin.get(f"/api/alerts/{page['items'][1]['number']}").json()
    assert (two["evidence"], two["missing"]) == ([], 1)


def test_filters_by_query(told: Device, admin: Person):
    """The parameters are the storage's filters."""
    for query, expected in (
        ("attacker=198.51.100.1", 2),
        ("attacker=2001:db8::5&level=critical", 1),
        ("family=scan&limit=2", 2),
        (f"since={time.time_ns() // 1_000_000 + 60_000}", 0),
    ):
        items = admin.get(f"/api/alerts?device={told.id}&{query}").json()["items"]
        assert len(items) == expected, query


@pytest.mark.parametrize(
    "path",
    ["alerts?level=awful", "alerts?limit=0", "alerts?limit=501", "alerts?before=-1",
     "alerts?since=x", "overview?step=1", "overview?step=300000&since=1", "blocks?limit=9999",
     "attackers?since=99999999999999999999"],
)  # fmt: skip
def test_parameters_that_are_none(admin: Person, path: str):
    """400."""
    assert admin.get(f"/api/{path}").status == 400


def test_attacker_across_devices(told: Device, admin: Person):
    """Sums, and which devices."""
    seen = admin.get("/api/attackers/2001:db8::5").json()
    assert seen["attacker"]["level"] == "critical"
    assert told.id in [at["device"] for at in seen["devices"]]
    assert admin.get("/api/attackers/192.0.2.200").status == 404
    assert admin.get("/api/attackers?limit=1").json()["items"][0]["alerts"] >= 1


def test_overview_is_of_the_last_day(told: Device, admin: Person):
    """Unless said otherwise."""
    view = admin.get("/api/overview").json()
    assert sum(bucket["alerts"] for bucket in view["buckets"]) >= 3
    assert {bucket["level"] for bucket in view["buckets"]} == {"high", "critical"}
    assert told.id in [count["device"] for count in view["devices"]]


def test_export_is_stix(told: Device, admin: Person):
    """A bundle, its media type, and where it goes on."""
    answer = admin.get(f"/api/export/stix?device={told.id}&limit=2")
    assert answer.headers["content-type"] == "application/stix+json;version=2.1"
    kinds = [thing["type"] for thing in answer.json()["objects"]]
    assert kinds.count("sighting") == 2
    rest = admin.get(f"/api/export/stix?device={told.id}&before={answer.headers['hdr-next']}")
    assert [o["type"] for o in rest.json()["objects"]].count("sighting") == 1
    assert rest.headers["hdr-next"] == "0"


def test_live_stream_tells_what_comes(device: Device, admin: Person):
    """An alert that arrives while one listens is told within seconds."""
    with closing(admin.server.connect()) as connection:
        connection.request("GET", "/api/live", headers={"Cookie": admin.cookie})
        with closing(connection.getresponse()) as stream:
            assert stream.status == 200
            assert stream.readline().startswith(b":")  # it listens now
            assert device.batch(1, [(1, payload(77))], 2).status == 200
            lines = [b""]
            while not lines[-1].startswith(b"data:"):
                lines.append(stream.readline())
                assert lines[-1], "the stream ended"
    told = json.loads(lines[-1].removeprefix(b"data:"))
    assert (told["id"], told["device"]) == ("a00000077", device.id)
    assert b"event: alert\r\n" in lines


def test_openapi_document_names_all(admin: Person):
    """Each path with what it takes and gives."""
    schema = admin.get("/api/schema").json()
    paths = schema["paths"]
    assert {"/api/alerts", "/api/devices/{device}", "/api/tokens", "/api/live"} <= set(paths)
    assert not [path for path in paths if path.startswith("/v1")]
    parameters = {p["name"] for p in paths["/api/alerts"]["get"]["parameters"]}
    assert {
        "since",
        "until",
        "device",
        "attacker",
        "type",
        "family",
        "level",
        "before",
    } <= parameters
