"""Who may see and do what: every page and form there is."""

import pytest

from hdr_lite.collector import clock
from hdr_lite.collector.pages.routes import pages
from hdr_lite.collector.store import Role
from tests.collector import sample
from tests.collector.visit import Site, visit

ID = sample.device_id(0)
#: (method, path as it is declared, path to ask for, least role)
ALL = [
    ("GET", "/", "/", Role.VIEWER),
    ("GET", "/alerts", "/alerts", Role.VIEWER),
    ("GET", "/alerts/{number:int}", "/alerts/1", Role.VIEWER),
    ("GET", "/attackers", "/attackers", Role.VIEWER),
    ("GET", "/attacker", "/attacker?address=203.0.113.5", Role.VIEWER),
    ("GET", "/blocks", "/blocks", Role.VIEWER),
    ("GET", "/devices", "/devices", Role.VIEWER),
    ("GET", "/devices/{id:str}", f"/devices/{ID}", Role.VIEWER),
    ("GET", "/account", "/account", Role.VIEWER),
    ("POST", "/account/password", "/account/password", Role.VIEWER),
    ("POST", "/logout", "/logout", Role.VIEWER),
    ("POST", "/devices/{id:str}/rename", f"/devices/{ID}/rename", Role.OPERATOR),
    ("GET", "/enrolment", "/enrolment", Role.OPERATOR),
    ("POST", "/enrolment", "/enrolment", Role.OPERATOR),
    ("POST", "/enrolment/{token:str}/withdraw", "/enrolment/0000beef/withdraw", Role.OPERATOR),
    ("POST", "/devices/{id:str}/revoke", f"/devices/{ID}/revoke", Role.ADMIN),
    ("GET", "/users", "/users", Role.ADMIN),
    ("POST", "/users", "/users", Role.ADMIN),
    ("POST", "/users/role", "/users/role", Role.ADMIN),
    ("POST", "/users/password", "/users/password", Role.ADMIN),
    ("POST", "/users/remove", "/users/remove", Role.ADMIN),
    ("POST", "/keys", "/keys", Role.ADMIN),
    ("POST", "/keys/{key:str}/remove", "/keys/0000beef/remove", Role.ADMIN),
    ("GET", "/audit", "/audit", Role.ADMIN),
]
OPEN = {("GET", "/login"), ("POST", "/login"), ("GET", "/static/{version:str}/{name:str}")}


def test_nothing_is_left_out_of_the_table():
    """A page that is added has to be added here."""
    served = {
        (method, route.path)
        for router in pages()
        for route in router.routes
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    assert served == OPEN | {(method, path) for method, path, _, _ in ALL}


@pytest.mark.parametrize(("method", "declared", "path", "least"), ALL)
def test_roles_decide(tmp_path, method: str, declared: str, path: str, least: Role):
    """Nobody is sent to the login, too low a role is refused, enough is let in; without the
    session's secret, or from another site, no form is taken whoever sends it."""

    async def test(site: Site) -> None:
        await sample.enrol(site.store, 0, "Kiel", "", clock.now())
        before = await site.store.events()
        visitors = {
            Role.VIEWER: site.viewer,
            Role.OPERATOR: site.operator,
            Role.ADMIN: site.admin,
        }
        if method == "POST":
            for visitor in visitors.values():
                answer = await visitor.client.post(path, data={"csrf": "x" * 43, "name": "Graz"})
                assert answer.status_code == 403
                answer = await visitor.client.post(
                    path,
                    data={"csrf": visitor.csrf, "name": "Graz"},
                    headers={"Origin": "https://elsewhere.example"},
                )
                assert answer.status_code == 403
        ask = "get" if method == "GET" else "post"
        answer = await getattr(site.nobody, ask)(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
        for role, visitor in visitors.items():
            if role < least:
                assert (await getattr(visitor, ask)(path)).status_code == 403, role
        assert await site.store.events() == before
        for role, visitor in visitors.items():
            if role >= least:
                assert (await getattr(visitor, ask)(path)).status_code != 403, role

    visit(tmp_path, test)


def test_menu_shows_what_the_role_may(tmp_path):
    """No link to a page that would be refused."""

    async def test(site: Site) -> None:
        for visitor, hidden in (
            (site.viewer, ("/enrolment", "/users", "/audit")),
            (site.operator, ("/users", "/audit")),
            (site.admin, ()),
        ):
            text = (await visitor.get("/")).text
            for path in ("/enrolment", "/users", "/audit"):
                assert (f'href="{path}"' in text.split("</nav>")[0]) == (path not in hidden)

    visit(tmp_path, test)
