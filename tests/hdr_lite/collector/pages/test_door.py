"""What comes in by forms, and refusals."""

import pytest

from hdr_lite.collector.pages.door import name_of, our_path
from hdr_lite.collector.store import Unavailable
from tests.collector.visit import Site, read, visit


@pytest.mark.parametrize("path", ["/", "/alerts?level=high&before=5", "/devices/abc"])
def test_after_a_login_to_a_page_of_ours(path: str):
    """The one that was asked for."""
    assert our_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "/a b",
     "/a\r\nSet-Cookie: x", "javascript:alert(1)", "/" + "a" * 600],
)  # fmt: skip
def test_never_elsewhere(path: str):
    """A link to our login page sends nobody to another site."""
    assert our_path(path) == "/"


def test_names_are_one_line_that_shows():
    """Control characters, breaks and length."""
    assert name_of("  Kiel\n\u202eEast\x00 ") == "Kiel East"
    assert len(name_of("x" * 5000)) == 100


def test_who_is_not_logged_in_gets_the_page_after_it(tmp_path):
    """The address that was asked for is carried along; that of a form is not."""

    async def test(site: Site) -> None:
        answer = await site.nobody.get("/alerts?level=high")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Falerts%3Flevel%3Dhigh"
        answer = await site.nobody.post("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")

    visit(tmp_path, test)


def test_refusals_are_pages(tmp_path, monkeypatch):
    """With the way back, the policy, and no word of what is inside."""

    async def gone(*_: object, **__: object) -> None:
        raise Unavailable("disk I/O error at /var/lib")

    async def test(site: Site) -> None:
        for path, status, text in (
            ("/alerts/5", 404, "no such alert"),
            ("/devices/" + "0" * 32, 404, "no such thing"),
            ("/alerts?before=x", 400, "cannot be done"),
            ("/alerts?attacker=" + "a" * 65, 400, "cannot be done"),
            ("/users", 403, "role admin"),
        ):
            answer = await site.viewer.get(path)
            assert answer.status_code == status, path
            assert text in read(answer).text, path
            assert "script-src 'self'" in answer.headers["content-security-policy"]
        monkeypatch.setattr(site.store, "devices", gone)
        answer = await site.viewer.get("/devices")
        assert answer.status_code == 503
        assert "disk" not in answer.text

    visit(tmp_path, test)


def test_an_address_that_is_none(tmp_path):
    """A page to people, with the policy and the way back; JSON to programs."""

    async def test(site: Site) -> None:
        for who in (site.nobody, site.viewer):
            answer = await who.get("/nothing/here")
            assert answer.status_code == 404
            assert "no such thing" in read(answer).text
            assert "script-src 'self'" in answer.headers["content-security-policy"]
        for path in ("/api/nothing", "/v1/nothing", "/api/attackers/192.0.2.200"):
            answer = await site.viewer.get(path)
            assert answer.status_code == 404
            assert answer.json()["status_code"] == 404

    visit(tmp_path, test)
