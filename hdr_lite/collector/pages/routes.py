"""All pages, as the application takes them."""

from litestar import Router

from hdr_lite.collector.accounts import at_least
from hdr_lite.collector.pages import fleet, people, reports
from hdr_lite.collector.pages.door import REFUSALS
from hdr_lite.collector.pages.render import static
from hdr_lite.collector.store import Role

_ANYBODY = [static, people.login, people.log_in]
_VIEWERS = [
    reports.overview, reports.alerts, reports.alert, reports.attackers, reports.attacker,
    reports.blocks, fleet.devices, fleet.device, people.log_out, people.account,
    people.change_password,
]  # fmt: skip
_OPERATORS = [fleet.rename, fleet.enrolment, fleet.make, fleet.withdraw]
_ADMINS = [
    fleet.revoke, people.users, people.add_user, people.change_role, people.reset_password,
    people.remove_user, people.add_key, people.remove_key, people.audit,
]  # fmt: skip


def pages() -> list[Router]:
    """By role; logging in needs none."""
    roles = ((_VIEWERS, Role.VIEWER), (_OPERATORS, Role.OPERATOR), (_ADMINS, Role.ADMIN))
    return [
        Router("/", route_handlers=_ANYBODY, exception_handlers=REFUSALS, include_in_schema=False),
        *(
            Router(
                "/",
                route_handlers=handlers,
                guards=[at_least(role)],
                exception_handlers=REFUSALS,
                include_in_schema=False,
            )
            for handlers, role in roles
        ),
    ]
