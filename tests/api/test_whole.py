"""The API is whole: every verb of the desk that changes something, every answer in the contract's shape, all of it described."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import requests
import schemathesis

from outreach.access.managing import SCOPES
from outreach.bootstrap import House
from outreach.contract import POST_KEYS
from outreach.desk import Desk
from outreach.doors import api, shapes
from outreach.doors.api.asking import SCOPE_OF
from outreach.doors.api.kept import Role_
from outreach.doors.api.told import State_
from outreach.model import State
from outreach.roles import Role, Verb
from tests.api.conftest import Program, Programs
from tests.api.test_verbs import kind, queued
from tests.web.visitors import member

ROUTES = "\n".join(file.read_text(encoding="utf-8") for file in Path(api.__file__).parent.glob("*.py"))


def changes_something(name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a method of the desk writes, itself or through others of its own."""
    method = getattr(Desk, name, None)
    if name in seen or not inspect.isfunction(method):
        return False
    body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(method)).replace("@staticmethod\n", ""))
    called = {ast.unparse(node.func) for node in ast.walk(body) if isinstance(node, ast.Call)}
    if "self._store.write" in called:
        return True
    own = {call.removeprefix("self.") for call in called if re.fullmatch(r"self\.\w+", call)}
    return any(changes_something(other, seen | {name}) for other in own)


VERBS = sorted(name for name in dir(Desk) if not name.startswith("_") and changes_something(name))


def test_the_verbs_of_the_desk_are_found() -> None:
    assert {"add", "edit", "approve", "cancel", "pause", "resume_channel", "undo", "stop_everything"} <= set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_desk_that_changes_something_is_in_the_api(name: str) -> None:
    assert re.search(rf"\bdesk\.{name}\(", ROUTES), f"no route of the API calls desk.{name}"


def test_answers_have_exactly_the_keys_of_the_contract(ann: Program, house: House) -> None:
    queued(ann)
    listed = ann.get("/queue").json()["posts"][0]
    assert tuple(listed) == POST_KEYS
    assert listed == shapes.post(house.desk.queue()[0])
    shown = ann.get("/announcements/1").json()
    about, _ = house.desk.show("1")
    assert shown["announcement"] == shapes.announcement(about)
    assert set(shown["posts"][0]) == {
        *POST_KEYS,
        "history",
        "problems",
        "checked_at",
        "if_sent_again",
        "figures",
        "first_comment",
    }
    previewed = ann.get("/announcements/1/preview").json()["previews"]
    assert previewed == [shapes.preview(one) for one in house.desk.preview("1")]
    channels = ann.get("/channels").json()["channels"]
    assert channels == [shapes.channel(row, ()) for row in house.desk.channels()]


def test_the_words_of_the_shapes_are_those_of_the_house() -> None:
    assert get_args(State_) == tuple(map(str, State))
    assert get_args(Role_) == tuple(map(str, Role))
    assert set(SCOPE_OF) == set(Verb)
    assert set(SCOPE_OF.values()) == set(SCOPES) - {"calendar"}


def operations(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{m.upper()} {path}": op for path, item in spec["paths"].items() for m, op in item.items()}


def test_the_specification_is_valid_and_every_operation_is_described(ann: Program) -> None:
    spec = ann.get("/openapi.json").json()
    schemathesis.openapi.from_dict(spec).validate()
    assert spec["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    found = operations(spec)
    assert len({op["operationId"] for op in found.values()}) == len(found) > 50
    for name, op in found.items():
        assert op["summary"], name
        assert op["security"] == [{"token": []}], name
        assert {"401", "403", "429", "503"} <= set(op["responses"]), name
        for status, answer in op["responses"].items():
            ((media, shown),) = answer["content"].items()
            assert media == ("application/json" if status < "3" else "application/problem+json"), name
            assert shown["example"] is not None, name
        if body := op.get("requestBody"):
            assert "example" in body["content"]["application/json"], name


def test_every_post_needs_a_key_and_nothing_else_does(ann: Program) -> None:
    for name, op in operations(ann.get("/openapi.json").json()).items():
        needed = [p["name"] for p in op.get("parameters", ()) if p["in"] == "header" and p["required"]]
        assert needed == (["Idempotency-Key"] if name.startswith("POST") else []), name
        if name.startswith("POST"):
            answer = ann.ask("POST", name.split()[1].replace("{number}", "1").replace("{name}", "facebook"), {})
            assert answer.status_code in (400, 422), name
    assert kind(ann.ask("POST", "/safe-mode/off")) == (400, "key-missing")


def test_the_specification_and_its_page_are_for_who_is_known(address: str, house: House, program: Programs) -> None:
    for path in ("/api/v1/openapi.json", "/docs"):
        answer = requests.get(address + path, timeout=30, allow_redirects=False)
        assert answer.status_code in (401, 303)
    assert requests.get(f"{address}/api/v1/openapi.json", timeout=30).headers["www-authenticate"]
    assert member(house, address).get("/api/v1/openapi.json").status_code == 200
    assert program(scopes=("read",)).get("/openapi.json").status_code == 200
    page = member(house, address).get("/docs")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert not re.search(r"https?://", page.text)


def test_every_example_that_can_be_sent_as_it_is_is_understood(ann: Program) -> None:
    for name, op in operations(ann.get("/openapi.json").json()).items():
        method, path = name.split()
        body = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if body is None or method != "POST":
            continue
        answer = ann.post(path.replace("{number}", "12").replace("{name}", "facebook"), body)
        assert answer.status_code in (200, 201, 404, 409, 422), name
        if answer.status_code == 422:
            assert "errors" not in answer.json(), (name, answer.text)


def test_a_stranger_sees_nothing(address: str) -> None:
    stranger = Program(address, None)
    for name in api_paths():
        method, path = name.split()
        answer = stranger.ask(method, path.replace("{number}", "1").replace("{name}", "x"), {"said": "x"})
        assert answer.status_code == 401, name


def api_paths() -> list[str]:
    found = re.findall(r'@router\.(get|post|put|delete)\(\s*"([^"]+)"', ROUTES)
    assert len(found) > 50
    return [f"{method.upper()} {path}" for method, path in found]
