"""Tokens, users, keys, and the audit log through the API."""

import pytest

from tests.collector.server import Device, Person, Server


def test_token_is_told_once(server: Server, admin: Person):
    """Lists show what became of it, never its secret."""
    token = admin.token("attic")
    device = Device(server, token, name="")
    listed = admin.get("/api/tokens")
    assert token.secret.encode() not in listed.body
    (entry,) = [t for t in listed.json() if t["id"] == token.id]
    assert (entry["device"], entry["by"], entry["note"]) == (device.id, "admin", "attic")
    assert entry["used"] >= entry["created"]
    assert admin.get(f"/api/devices/{device.id}").json()["name"] == "attic"
    assert admin.send("DELETE", f"/api/tokens/{token.id}").status == 404  # it was used


def test_last_administrator_stays(admin: Person):
    """Neither removed nor made less, as long as there is no other."""
    assert admin.send("DELETE", "/api/users/admin").status == 409
    assert admin.send("POST", "/api/users", {"name": "admin", "role": 1}).status == 409
    assert admin.send("POST", "/api/users", {"name": "second", "role": 3}).status == 201
    assert admin.send("DELETE", "/api/users/second").status == 204
    assert admin.send("DELETE", "/api/users/second").status == 404


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("users", {"name": "Anna", "role": 1}),
        ("users", {"name": "a b", "role": 1}),
        ("users", {"name": "anna\n", "role": 1}),
        ("users", {"name": "anna", "role": 4}),
        ("users", {"name": "anna", "role": 1, "password": "short"}),
        ("tokens", {"hours": 0}),
        ("tokens", {"hours": 1e9}),
        ("tokens", {"note": "x" * 101}),
        ("keys", {"name": "", "role": 1}),
        ("keys", {"name": "x", "role": 1, "days": -1}),
    ],
)
def test_nonsense_is_refused(admin: Person, path: str, content: dict):
    """400."""
    assert admin.send("POST", f"/api/{path}", content).status == 400


def test_what_is_done_is_noted(server: Server, admin: Person):
    """Who, what, about what, whence; newest first, in pages."""
    device = Device(server, admin.token())
    assert admin.send("POST", f"/api/devices/{device.id}/name", {"name": "cellar"}).status == 204
    assert admin.send("POST", f"/api/devices/{device.id}/revoke").status == 204
    page = admin.get("/api/audit?limit=2").json()
    assert [(e["who"], e["action"], e["about"], e["address"]) for e in page["items"]] == [
        ("admin", "device revoked", device.id, "127.0.0.1"),
        ("admin", "device renamed", f"{device.id} cellar", "127.0.0.1"),
    ]
    (older,) = admin.get(f"/api/audit?limit=1&before={page['next']}").json()["items"]
    assert older["action"] == "token made"
