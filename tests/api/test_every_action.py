"""Every action of the pages is an operation of the API, through the same desk, or is the browser's alone for a reason."""

import pytest
from fastapi.routing import APIRoute

from outreach.bootstrap import House
from outreach.doors import api, web

FORM = "a help of the form; a program sends its letter whole"
OWN = "what a person does for their own account, with a password or a browser at hand"
SAME: dict[str, str] = {
    "/announcements/{number}/cancel": "POST /announcements/{number}/cancel",
    "/announcements/{number}/comment": "POST /announcements/{number}/comments",
    "/announcements/{number}/confirm": "POST /announcements/{number}/confirm",
    "/announcements/{number}/first-comment": "POST /announcements/{number}/first-comment",
    "/announcements/{number}/let-through": "POST /announcements/{number}/let-through",
    "/announcements/{number}/turn-down": "POST /announcements/{number}/turn-down",
    "/announcements/{number}/pause": "POST /announcements/{number}/pause",
    "/announcements/{number}/requeue": "POST /announcements/{number}/requeue",
    "/announcements/{number}/resume": "POST /announcements/{number}/resume",
    "/announcements/{where}/undo": "POST /announcements/{number}/undo",
    "/approvals/{number}/answer": "POST /announcements/{number}/comments",
    "/approvals/{number}/approve": "POST /announcements/{number}/approve",
    "/approvals/{number}/changes": "POST /announcements/{number}/ask-for-changes",
    "/approvals/{number}/comment": "POST /announcements/{number}/comments",
    "/approvals/{number}/pause": "POST /announcements/{number}/pause",
    "/approvals/{number}/resume": "POST /announcements/{number}/resume",
    "/calendar/move": "POST /announcements/{number}/move",
    "/channels/{name}/follow": "POST /channels/{name}/follow",
    "/channels/{name}/habits": "PUT /channels/{name}/habits",
    "/channels/{name}/pause": "POST /channels/{name}/pause",
    "/channels/{name}/resume": "POST /channels/{name}/resume",
    "/channels/{name}/send-a-test": "POST /channels/{name}/send-a-test",
    "/channels/{name}/test": "POST /channels/{name}/check",
    "/let-out-again": "POST /safe-mode/off",
    "/members/erase": "POST /erasures",
    "/members/requests": "POST /requests",
    "/members/requests/{number}/accept": "POST /requests/{number}/accept",
    "/members/requests/{number}/decline": "POST /requests/{number}/decline",
    "/members/requests/{number}/done": "POST /requests/{number}/done",
    "/members/requests/{number}/send": "POST /requests/{number}/send",
    "/members/{name}/forget": "POST /members/{name}/forget",
    "/members/{name}/import": "POST /members/{name}/import",
    "/people/invitations": "POST /invitations",
    "/people/invitations/withdraw": "POST /invitations/withdraw",
    "/people/{number}/close": "POST /people/{number}/close",
    "/people/{number}/end-second-factor": "POST /people/{number}/end-second-factor",
    "/people/{number}/reopen": "POST /people/{number}/reopen",
    "/people/{number}/reset-link": "POST /people/{number}/reset-link",
    "/people/{number}/roles": "PUT /people/{number}/roles",
    "/people/{number}/take-out": "PUT /people/{number}/roles",
    "/settings/approval": "PUT /settings/approval",
    "/settings/wishes": "PUT /settings/wishes",
    "/stop-everything": "POST /safe-mode/on",
    "/templates": "POST /templates",
    "/templates/{name}": "PUT /templates/{name}",
    "/templates/{name}/try": "POST /templates/{name}/try",
    "/templates/{name}/versions/{number}": "POST /templates/{name}/versions/{number}/put-back",
    "/webhooks": "POST /webhooks",
    "/webhooks/{number}/end": "POST /webhooks/{number}/end",
    "/webhooks/{number}/test": "POST /webhooks/{number}/test",
    "/write/collate": "POST /collations",
    "/write/{number}/weekly": "PUT /drafts/{number}/weekly",
    "/write/pictures": "POST /pictures",
    "/write/preview": "POST /preview",
    "/write/{where}/discard": "DELETE /drafts/{number}",
    "/write/{where}/edit": "PUT /announcements/{number}",
    "/write/{where}/queue": "POST /announcements",
    "/write/{where}/save": "PUT /drafts/{number}",
}
THE_BROWSERS: dict[str, str] = {
    "/account/name": OWN,
    "/account/password": OWN,
    "/account/second-factor": OWN,
    "/account/second-factor/end": OWN,
    "/account/sessions/end": OWN,
    "/account/sessions/end-others": OWN,
    "/account/tokens": "a token that could make tokens would outlive its own end",
    "/account/tokens/{number}/revoke": OWN,
    "/calendar/subscribe": "gives an address to a calendar program, which is shown once to the person",
    "/calendar/unsubscribe": "ends that address",
    "/hooks/facebook": "where Facebook tells what happens, by signed requests",
    "/channels/{name}/disconnect": "ends what a person's log-in on Facebook began",
    "/channels/{name}/visible": "says what a person saw in a private window",
    "/connect": "leads a person to Facebook's log-in",
    "/connect/{number}": "chooses a Page within that log-in; without it: outreach channels connect",
    "/join": "a form for people who have no account here",
    "/joining/{key}": "a link of a mail, opened by a person",
    "/links/{key}": "a link of a mail, opened by a person",
    "/log-in": "a program has a token",
    "/log-in/code": "a program has a token",
    "/log-in/forgotten": "a program has a token",
    "/log-out": "a program has a token",
    "/write/differences": FORM,
    "/write/{where}/form": FORM,
    "/write/{where}/here": "says who else has the form open",
    "/write/{where}/review": FORM,
    "/write/{where}/theirs": FORM,
}


@pytest.fixture
def acting(house: House) -> set[str]:
    """The addresses of the pages that change something, as they are routed."""
    app = web.create(house)
    return {path for path, methods in _routes(app) if methods - {"GET", "HEAD", "OPTIONS"}}


def _routes(app: object) -> list[tuple[str, set[str]]]:
    found: list[tuple[str, set[str]]] = []
    waiting = list(getattr(app, "routes", []))
    while waiting:
        route = waiting.pop()
        if isinstance(route, APIRoute):
            found.append((route.path, set(route.methods or ())))
        else:
            waiting += getattr(getattr(route, "original_router", None), "routes", [])
    return found


def test_every_action_of_the_pages_is_an_operation_or_has_a_reason(house: House, acting: set[str]) -> None:
    assert acting == SAME.keys() | THE_BROWSERS.keys()
    specification = api.create(house, address=str).openapi()
    operations = {f"{method.upper()} {path}" for path, of in specification["paths"].items() for method in of}
    assert set(SAME.values()) - operations == set()
