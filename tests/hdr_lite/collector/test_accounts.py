"""Who may: logins, sessions, CSRF, bearer keys, roles, and what is noted of it."""

import json

import pytest

from hdr_lite.collector.accounts import COOKIE, hash_password
from hdr_lite.config import UserError
from tests.collector.server import Person, Server

JSON = {"Content-Type": "application/json"}


def login(server: Server, user: str, password: str) -> int:
    body = json.dumps({"user": user, "password": password}).encode()
    return server.request("POST", "/api/login", body, JSON).status


def test_cookie_is_for_us_only(admin: Person):
    """Over TLS, not for scripts, not from other sites; and a page is told what it may load."""
    answer = admin.server.request(
        "POST",
        "/api/login",
        json.dumps({"user": "admin", "password": admin.server.password}).encode(),
        JSON,
    )
    attributes = answer.headers["set-cookie"].split("; ")
    assert attributes[0].startswith(f"{COOKIE}=")
    assert set(attributes[1:]) == {"HttpOnly", "Path=/", "SameSite=strict", "Secure"}
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_nobody_sees_nothing(server: Server):
    """401 without a cookie or key, or with a wrong one; the schema tells nothing secret."""
    for headers in (
        {},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Authorization": "Bearer hdrk.00000000.wrong"},
        {"Authorization": "Basic YWRtaW46eA=="},
    ):
        for path in ("me", "alerts", "devices", "live", "users", "export/stix"):
            answer = server.request("GET", f"/api/{path}", None, headers)
            assert answer.status == 401, path


def test_change_needs_the_csrf_secret(server: Server, admin: Person):
    """A request with the cookie alone, or from another site, changes nothing."""
    body = json.dumps({"note": "x"}).encode()
    cookie = {"Cookie": admin.cookie, **JSON}
    before = len(admin.get("/api/tokens").json())
    for headers in (
        cookie,
        {**cookie, "X-CSRF-Token": "wrong"},
        {**cookie, "X-CSRF-Token": admin.csrf, "Origin": "https://elsewhere.example"},
    ):
        assert server.request("POST", "/api/tokens", body, headers).status == 403
    assert len(admin.get("/api/tokens").json()) == before
    ours = {"X-CSRF-Token": admin.csrf, "Origin": f"https://127.0.0.1:{server.port}"}
    assert server.request("POST", "/api/tokens", body, {**cookie, **ours}).status == 201


def test_roles(server: Server, admin: Person):
    """A viewer sees, an operator makes tokens, an administrator does the rest."""
    people = {}
    for role, name in ((1, "vera"), (2, "otto")):
        made = admin.send("POST", "/api/users", {"name": name, "role": role}).json()
        people[name] = Person(server, name, made["password"])
    vera, otto = people["vera"], people["otto"]
    assert vera.get("/api/alerts").status == otto.get("/api/alerts").status == 200
    assert vera.send("POST", "/api/tokens", {}).status == 403
    assert otto.send("POST", "/api/tokens", {}).status == 201
    device = "0" * 32
    assert vera.send("POST", f"/api/devices/{device}/name", {"name": "x"}).status == 403
    assert otto.send("POST", f"/api/devices/{device}/name", {"name": "x"}).status == 404
    assert otto.send("POST", f"/api/devices/{device}/revoke").status == 403
    for path in ("users", "keys", "audit"):
        assert otto.get(f"/api/{path}").status == 403
        assert admin.get(f"/api/{path}").status == 200


def test_key_of_a_machine(server: Server, admin: Person):
    """Its role, without CSRF, until it is removed."""
    made = admin.send("POST", "/api/keys", {"name": "siem", "role": 1}).json()
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert server.request("GET", "/api/me", None, bearer).json()["name"] == "siem"
    assert server.request("POST", "/api/tokens", b"{}", {**bearer, **JSON}).status == 403
    assert admin.send("DELETE", f"/api/keys/{made['id']}").status == 204
    assert server.request("GET", "/api/me", None, bearer).status == 401


def test_logout_and_password(server: Server, admin: Person):
    """Both end the session; a new password is what one logs in with."""
    made = admin.send("POST", "/api/users", {"name": "paula", "role": 1}).json()
    paula = Person(server, "paula", made["password"])
    assert paula.send("POST", "/api/logout").status == 204
    assert paula.get("/api/me").status == 401
    paula = Person(server, "paula", made["password"])
    change = {"old": "wrong", "new": "a better password"}
    assert paula.send("POST", "/api/me/password", change).status == 403
    change["old"] = made["password"]
    assert paula.send("POST", "/api/me/password", change).status == 204
    assert paula.get("/api/me").status == 401
    assert Person(server, "paula", change["new"]).get("/api/me").json()["name"] == "paula"


def test_short_password_is_refused():
    """Ten characters at least."""
    with pytest.raises(UserError):
        hash_password("too short")


def test_guessing_is_slowed(tmp_path):
    """Ten failures of an address, then 429 even for the right one; all are noted."""
    with Server(tmp_path / "data") as server:
        admin = Person(server)
        statuses = [login(server, "admin", "wrong") for _ in range(11)]
        assert statuses == [401] * 10 + [429]
        assert login(server, "nobody", "x") == 429
        assert login(server, "admin", server.password) == 429
        noted = [event["action"] for event in admin.get("/api/audit").json()["items"]]
        assert noted == ["login refused"] * 10 + ["login"]
