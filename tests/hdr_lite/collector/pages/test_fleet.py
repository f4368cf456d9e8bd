"""Devices and enrolment."""

import hashlib
import re

from hdr_lite.collector import clock
from hdr_lite.collector.store import Newcomer
from hdr_lite.records.batch import read_token
from tests.collector import sample
from tests.collector.visit import CA_DIGEST, OPERATOR, Site, read, visit


def test_list_says_how_each_is(tmp_path):
    """Version, state, memory, drops, blind spots, last seen."""

    async def test(site: Site) -> None:
        await sample.fill(site.store, clock.now(), 20)
        text = read(await site.viewer.get("/devices")).text
        for words in ("Farm Zwolle GL-MT300N silent", "troubled", "1 spot", "36 MB", "120 dropped"):
            assert words in text

    visit(tmp_path, test)


def test_list_comes_in_pages(tmp_path):
    """A browser never gets all of a fleet."""

    async def test(site: Site) -> None:
        for number in range(120):
            await sample.enrol(site.store, number, f"Site {number}", "", clock.now())
        path, seen, most = "/devices", [], 0
        while path:
            page = read(await site.viewer.get(path))
            here = [link for link in page.links if link.startswith("/devices/")]
            seen, most = seen + here, max(most, len(here))
            path = next((link for link in page.links if "before=" in link), "")
        assert len(set(seen)) == len(seen) == 120
        assert most == 50

    visit(tmp_path, test)


def test_device_tells_what_it_cannot_see(tmp_path):
    """Blind spots, trouble, drops, whom it holds; for a viewer without any form for changes."""

    async def test(site: Site) -> None:
        await sample.fill(site.store, clock.now(), 40)
        answer = await site.viewer.get(f"/devices/{sample.device_id(3)}")
        text = read(answer).text
        for words in ("br-guest: no rule logs its packets", "nflog 120", "School Brno", "limited"):
            assert words in text
        assert "Rename" not in text
        assert answer.text.count("<form") == 1  # to log out
        assert "flushed by another program" in read(
            await site.viewer.get(f"/devices/{sample.device_id(5)}")
        ).text  # fmt: skip

    visit(tmp_path, test)


def test_rename_and_revoke(tmp_path):
    """Each by whoever may, with a line in the audit log."""

    async def test(site: Site) -> None:
        device = await sample.enrol(site.store, 0, "Kiel", "", clock.now())
        answer = await site.operator.post(f"/devices/{device}/rename", name=" Kiel \u202e East ")
        assert answer.headers["location"] == f"/devices/{device}?done=renamed"
        renamed = await site.store.device(device)
        assert renamed is not None
        assert renamed.name == "Kiel East"
        assert (await site.operator.post(f"/devices/{device}/rename", name=" ")).status_code == 400
        assert (await site.operator.post("/devices/0/rename", name="x")).status_code == 404

        assert (await site.operator.post(f"/devices/{device}/revoke")).status_code == 403
        answer = await site.admin.post(f"/devices/{device}/revoke")
        assert "its secret is forgotten" in read(
            await site.admin.get(answer.headers["location"])
        ).text  # fmt: skip
        keys = await site.store.keys(device)
        assert keys is not None
        assert keys.revoked
        assert (await site.admin.post("/devices/0/revoke")).status_code == 404

        log = [(e.who, e.action) for e in (await site.store.events()).items]
        assert log == [("anna", "device revoked"), (OPERATOR, "device renamed")]

    visit(tmp_path, test)


def test_token_is_made_shown_once_and_of_use_once(tmp_path):
    """The command has the address that the browser used and a token that enrols a device."""

    async def test(site: Site) -> None:
        answer = await site.operator.post("/enrolment", note="Kiel", hours="4")
        assert answer.headers["cache-control"] == "no-store"
        match = re.search(r"hdr-lite enrol (\S+) --token (\S+)", read(answer).text)
        assert match is not None
        assert match[1] == "https://collector.test:8443"
        token = read_token(match[2])
        assert token.ca == CA_DIGEST
        assert token.secret not in (await site.operator.get("/enrolment")).text

        digest = hashlib.sha256(token.secret.encode()).digest()
        newcomer = Newcomer("a" * 32, b"s" * 32, "", "", "")
        assert await site.store.enrol(token.id, digest, newcomer, clock.now()) == ""
        assert "used just now" in read(await site.operator.get("/enrolment")).text
        assert (await site.operator.post(f"/enrolment/{token.id}/withdraw")).status_code == 404

    visit(tmp_path, test)


def test_token_is_withdrawn(tmp_path):
    """And enrols nobody then."""

    async def test(site: Site) -> None:
        await site.operator.post("/enrolment", note="", hours="1")
        (token,) = await site.store.invitations()
        answer = await site.operator.post(f"/enrolment/{token.id}/withdraw")
        assert answer.headers["location"] == "/enrolment"
        assert (await site.store.invitations())[0].withdrawn
        assert "withdrawn" in read(await site.operator.get("/enrolment")).text

    visit(tmp_path, test)


def test_times_of_tokens_are_bounded(tmp_path):
    """Whatever a form sends."""

    async def test(site: Site) -> None:
        for hours in ("", "0", "169", "-1", "1.5", "9" * 50):
            answer = await site.operator.post("/enrolment", note="", hours=hours)
            assert answer.status_code == 400, hours
        assert await site.store.invitations() == []

    visit(tmp_path, test)


def test_address_that_a_shell_would_read_is_not_repeated(tmp_path):
    """The host is the browser's word: somebody pastes it into a root shell."""

    async def test(site: Site) -> None:
        for host in ("a;reboot", "$(reboot)", "a b", "a/b", "`x`"):
            answer = await site.operator.client.post(
                "/enrolment",
                data={"csrf": site.operator.csrf, "hours": "1"},
                headers={"Host": host, "Origin": f"https://{host}"},
            )
            if answer.status_code == 200:
                assert "hdr-lite enrol https://COLLECTOR --token" in answer.text

    visit(tmp_path, test)
