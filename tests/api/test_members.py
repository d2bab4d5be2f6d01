"""Members of lists through the API: the same desk, the same refusals."""

import re
from email import message_from_bytes
from email.policy import default

import pytest

from outreach.bootstrap import House
from outreach.roles import Role
from outreach.sandbox import Sandbox
from tests.api.conftest import Program, Programs

CLEO = "cleo@example.org"


def test_a_roster_goes_in_and_out(ann: Program) -> None:
    table = "address,name,status\ncleo@example.org,Cleo,digest\n"
    assert ann.post("/members/listserv/import", {"text": table}).json() == {"members": 1, "notes": []}
    told = ann.get("/members/listserv", search="cle").json()
    assert (told["count"], told["members"]) == (1, [{"address": CLEO, "name": "Cleo", "status": "digest"}])
    assert ann.post("/erasures", {"address": CLEO}).json() == {"erased": 1}
    assert ann.post("/erasures", {"address": CLEO}).status_code == 404
    assert ann.post("/members/listserv/forget").json()["count"] is None
    assert ann.get("/members/facebook").status_code == 404


def test_a_roster_that_cannot_be_read_is_refused_with_its_line(ann: Program) -> None:
    answer = ann.post("/members/listserv/import", {"text": "address\nnobody\n"})
    assert (answer.status_code, "line 2" in answer.text) == (422, True)


def test_a_request_is_asked_confirmed_and_declined(ann: Program, house: House, box: Sandbox) -> None:
    box.mail.open_to_everybody()
    asked = ann.post("/requests", {"list": "listserv", "address": CLEO, "name": "Cleo"})
    assert (asked.status_code, asked.json()["requests"][0]["state"]) == (201, "unconfirmed")
    assert ann.post("/requests/1/accept").status_code == 409
    text = str(message_from_bytes(box.mail.mailbox(CLEO)[-1], policy=default).get_content())
    house.membership.confirm(re.findall(r"/joining/(\S+)", text)[0])
    accepted = ann.post("/requests/1/accept").json()
    assert (accepted["state"], accepted["way"], accepted["prepared"]["to"]) == (
        "accepted",
        "owner",
        box.list_address.replace("@", "-owner@"),
    )
    assert ann.post("/requests/1/send").json()["note"].endswith("was asked by mail.")
    assert ann.post("/requests/1/decline", {"why": "It is closed."}).json()["state"] == "declined"
    assert ann.get("/requests").json() == {"requests": []}
    assert ann.post("/requests/2/done").status_code == 404


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.APPROVER])
def test_who_does_not_decide_on_members_sees_none(program: Programs, role: Role) -> None:
    other = program("other@example.org", roles=frozenset({role}))
    assert [other.get(path).status_code for path in ("/members/listserv", "/requests")] == [403, 403]
