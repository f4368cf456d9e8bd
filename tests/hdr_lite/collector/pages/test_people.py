"""Login, users, keys, audit."""

import re

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import COOKIE, hash_password
from hdr_lite.collector.store import Role, User
from tests.collector.visit import ADMIN, OPERATOR, VIEWER, Site, Visitor, read, visit

PASSWORD = "correct horse battery"


async def newcomer(site: Site, name: str = "nora") -> None:
    """A user with a password."""
    await site.store.put_user(User(name, Role.VIEWER, clock.now(), hash_password(PASSWORD)))


async def log_in(site: Site, name: str, password: str) -> Visitor | None:
    """With that password; None: refused."""
    answer = await site.nobody.post("/login", user=name, password=password, next="/devices")
    if answer.status_code != 303:
        return None
    assert answer.headers["location"] == "/devices"
    cookie = answer.headers["set-cookie"]
    for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert flag in cookie
    site.nobody.client.cookies.clear()
    value = cookie.partition(";")[0]
    answer = await site.nobody.client.get("/account", headers={"Cookie": value})
    match = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert match is not None
    site.nobody.client.headers["Cookie"] = value
    return Visitor(site.nobody.client, match[1])


def test_login_and_logout(tmp_path):
    """A session begins and ends; the cookie is of no use after it."""

    async def test(site: Site) -> None:
        await newcomer(site)
        assert (await site.nobody.get("/login")).status_code == 200
        assert await log_in(site, "nora", "wrong") is None
        assert await log_in(site, "nobody", PASSWORD) is None
        nora = await log_in(site, "nora", PASSWORD)
        assert nora is not None
        assert (await nora.get("/login?next=/blocks")).headers["location"] == "/blocks"
        assert (await nora.post("/logout")).headers["location"] == "/login"
        answer = await nora.client.get("/devices")
        assert answer.headers["location"] == "/login?next=%2Fdevices"
        assert COOKIE.startswith("__Host-")

    visit(tmp_path, test)


def test_too_many_failures_are_told(tmp_path):
    """With how long to wait; the password is not even tried."""

    async def test(site: Site) -> None:
        answer = await site.nobody.post("/login", user="nora", password="x")
        assert answer.status_code == 403
        assert "User or password is wrong" in read(answer).text
        for _ in range(15):
            answer = await site.nobody.post("/login", user="nora", password="x")
        assert answer.status_code == 429
        assert "Too many attempts" in read(answer).text

    visit(tmp_path, test)


def test_own_password(tmp_path):
    """Is changed by who knows the present one; sessions end."""

    async def test(site: Site) -> None:
        await newcomer(site)
        nora = await log_in(site, "nora", PASSWORD)
        assert nora is not None
        answer = await nora.post("/account/password", old="wrong", new="another one here")
        assert "present password is another" in read(answer).text
        answer = await nora.post("/account/password", old=PASSWORD, new="short")
        assert "characters" in read(answer).text
        answer = await nora.post("/account/password", old=PASSWORD, new="another one here")
        assert answer.headers["location"] == "/login"
        assert (await nora.get("/devices")).status_code == 303

    visit(tmp_path, test)


def test_users_are_made_changed_and_removed(tmp_path):
    """A password is shown once and works; sessions end with a change."""

    async def test(site: Site) -> None:
        answer = await site.admin.post("/users", name="nora", role="1")
        match = re.search(r'<pre id="secret"[^>]*>([^<]+)</pre>', answer.text)
        assert match is not None
        nora = await log_in(site, "nora", match[1])
        assert nora is not None
        assert (await nora.get("/enrolment")).status_code == 403
        answer = await site.admin.post("/users/role", name="nora", role="2")
        assert answer.headers["location"] == "/users"
        user = await site.store.user("nora")
        assert user is not None
        assert user.role == Role.OPERATOR
        assert (await nora.get("/devices")).status_code == 303
        answer = await site.admin.post("/users/password", name="nora")
        assert "New password of nora" in read(answer).text
        await site.admin.post("/users/remove", name="nora")
        assert await site.store.user("nora") is None
        text = read(await site.admin.get("/audit")).text
        for words in ("user made", "user changed", "user removed", "nora: operator"):
            assert words in text

    visit(tmp_path, test)


def test_what_is_refused(tmp_path):
    """Names that are none, roles that are none, a name twice, oneself."""

    async def test(site: Site) -> None:
        for path, fields, status in (
            ("/users", {"name": "<b>", "role": "1"}, 400),
            ("/users", {"name": "nora", "role": "4"}, 400),
            ("/users", {"name": "nora"}, 400),
            ("/users", {"name": VIEWER, "role": "3"}, 400),
            ("/users/role", {"name": ADMIN, "role": "1"}, 400),
            ("/users/remove", {"name": ADMIN}, 400),
            ("/users/remove", {"name": "nobody"}, 404),
            ("/keys", {"name": "", "role": "1", "days": "5"}, 400),
            ("/keys", {"name": "siem", "role": "1", "days": "99999"}, 400),
            ("/keys/00000000/remove", {}, 404),
        ):
            answer = await site.admin.post(path, **fields)
            assert answer.status_code == status, (path, fields)
        assert [user.name for user in await site.store.users()] == [ADMIN, OPERATOR, VIEWER]

    visit(tmp_path, test)


def test_key_of_a_program(tmp_path):
    """Shown once, opens the API with its role, and is withdrawn."""

    async def test(site: Site) -> None:
        answer = await site.admin.post("/keys", name="siem", role="1", days="90")
        match = re.search(r"hdrk\.[0-9a-f]{8}\.[\w-]+", answer.text)
        assert match is not None
        bearer = {"Authorization": f"Bearer {match[0]}"}
        assert (await site.nobody.client.get("/api/alerts", headers=bearer)).status_code == 200
        assert match[0] not in (await site.admin.get("/users")).text
        (key,) = await site.store.keys_of_machines()
        await site.admin.post(f"/keys/{key.id}/remove")
        assert (await site.nobody.client.get("/api/alerts", headers=bearer)).status_code == 401

    visit(tmp_path, test)
