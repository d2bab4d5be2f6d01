"""The specification, tried out by Schemathesis in a process of its own, since it keeps a gigabyte: `python -m tests.api.specified`.

Its arguments are a part of the operations, an empty database that is up to date, and a folder to work in.
"""

import itertools
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis import BaseSchema
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from starlette.types import ASGIApp, Receive, Scope, Send

from outreach.bootstrap import House
from outreach.doors import api
from outreach.doors.api.asking import Pace
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.api.conftest import SCOPES, visitor
from tests.doors.place import Place
from tests.work.clocks import StillClock

# What these take obeys rules that no schema can say: a cursor has to be one of ours, a letter has to make sense.
RULED = re.compile(
    r"GET /(queue|history|audit)|GET .*/(preview|habits)|(POST|PUT) .*(announcements|drafts|preview|confirm|invitations|webhooks|templates|pictures|send-a-test|follow|habits|members|requests|erasures|collations).*"
)


PARTS: dict[str, dict[str, Any]] = {
    "what is read": {"method": "GET"},
    "what is changed": {"method": ["PUT", "DELETE"]},
    "what is done to announcements": {"method": "POST", "path_regex": "^/announcements"},
    "what else is done": {"method": "POST", "path_regex": "^/(?!announcements)"},
}


@contextmanager
def specified(folder: Path, database: Path) -> Iterator[BaseSchema]:
    """The API of an install, in this process, without a limit of requests."""
    with Sandbox() as box:
        place = Place(folder, box, database=database)
        place.json("init")
        house = House(read_settings(place.settings), StillClock())
        with house.store.write() as tx:
            # A number that is not tried: who asks should not take the roles from themselves.
            tx.exec_driver_sql(
                "INSERT INTO people (id, email, name, created_at) VALUES (987654, 'a@example.org', '', 0)"
            )
        token = house.access.new_token(visitor(house, "a@example.org"), name="a test", scopes=SCOPES)
        pace = Pace(house.clock.elapsed_s, 0)
        app = FastAPI(openapi_url=None)
        programs = api.create(house, address=str, pace=pace)
        app.mount("/api/v1", programs)
        app.add_api_route("/openapi.json", programs.openapi, include_in_schema=False)
        app.add_middleware(KeysOfTheirOwn)
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=config(token))
        house.close()


def config(token: str) -> SchemathesisConfig:
    generation = GenerationConfig(max_examples=1, deterministic=True, database="none")
    project = ProjectConfig(
        headers={"Authorization": f"Bearer {token}"}, generation=generation, continue_on_failure=True
    )
    project.phases.stateful.enabled = False
    project.phases.fuzzing.enabled = False  # one random case beside hundreds that are laid out
    return SchemathesisConfig(projects=ProjectsConfig(default=project))


class KeysOfTheirOwn:
    """Gives each request a key that none had before, unless its key is what is tried: to come twice is tried elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._keys = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [(name, self._fresh(name, value)) for name, value in scope["headers"]]
        await self._app(scope, receive, send)

    def _fresh(self, name: bytes, value: bytes) -> bytes:
        is_good = name == b"idempotency-key" and re.fullmatch(rb"[!-~]{1,200}", value)
        return f"key-{next(self._keys)}".encode() if is_good else value


def try_out(part: str, database: Path, folder: Path) -> list[str]:
    """Try the operations of a part; give what was not as it is specified."""
    tried, failures = set[str](), list[str]()
    with specified(folder, database) as whole:
        schema = whole.include(**PARTS[part])
        for event in from_schema(schema).execute():
            match event:
                case events.NonFatalError() | events.FatalError():
                    failures.append(str(event))
                case events.ScenarioFinished():
                    tried.add(str(event.label))
                    failures += failures_of(event.recorder)
        left_out = {str(op.ok().label) for op in schema.get_all_operations()} - tried  # type: ignore[union-attr]
    return failures + [f"{label} was not tried" for label in sorted(left_out)]


def failures_of(recorder: ScenarioRecorder) -> Iterator[str]:
    """What was not as it is specified, each with the request and the answer."""
    for number, checks in recorder.checks.items():
        case, answer = recorder.cases[number].value, recorder.interactions[number].response
        is_ruled = RULED.fullmatch(case.operation.label) and answer is not None and answer.status_code == 422
        for check in checks:
            if check.failure_info is None or (is_ruled and check.name == "positive_data_acceptance"):
                continue
            yield f"{check.name}: {check.failure_info.failure} at {case.as_curl_command()}: {answer and answer.text}"


if __name__ == "__main__":
    found = try_out(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
