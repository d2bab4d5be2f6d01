"""Refusing: whatever goes wrong under `/api/v1` is answered as problem+json, never as a page and never as a traceback."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from outreach.doors.api.problems import Problem, answer, of_refusal, of_status
from outreach.model import BadInput
from outreach.store import StoreTrouble, explained

log = logging.getLogger(__name__)

_KEY = ("header", "idempotency-key")


def add(app: FastAPI) -> None:
    """Answer everything that routes raise."""

    @app.exception_handler(Problem)
    def problem(request: Request, found: Problem) -> Response:
        return answer(found, request)

    @app.exception_handler(BadInput)
    def bad_input(request: Request, bad: BadInput) -> Response:
        return answer(of_refusal(bad), request)

    @app.exception_handler(StoreTrouble)
    def store_trouble(request: Request, trouble: StoreTrouble) -> Response:
        bad = explained(trouble)
        log.error("the API could not use the database: %s", bad.message)
        waits = {"Retry-After": "30"}
        step = "Ask again with the same key: what is done already is not done twice."
        return answer(Problem("database", "The database cannot be used now.", None, step, headers=waits), request)

    @app.exception_handler(RequestValidationError)
    def not_readable(request: Request, trouble: RequestValidationError) -> Response:
        return answer(_of_errors(trouble.errors(), request), request)

    @app.exception_handler(HTTPException)
    def refused(request: Request, trouble: HTTPException) -> Response:
        if trouble.status_code == 400:
            return answer(_no_json(), request)
        found = of_status(trouble.status_code)
        if trouble.status_code == 405:
            found.headers["Allow"] = ", ".join(_allowed(app, request))
        return answer(found, request)

    @app.exception_handler(500)
    def broken(request: Request, trouble: Exception) -> Response:
        log.exception("the API failed at %s %s", request.method, request.url.path, exc_info=trouble)
        said = "The service failed at this request; the log says more."
        step = "Look how things stand before you send it with another key."
        return answer(Problem("broken", said, None, step), request)


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """Give the methods of an address: of all its routes, not only of the one that came nearest."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    items = [item for template, item in app.openapi()["paths"].items() if compile_path(template)[0].match(path)]
    return sorted({method.upper() for item in items for method in item})


def _no_json() -> Problem:
    return Problem("bad-json", "The body cannot be read as JSON.", "body", "Send JSON in UTF-8.")


def _of_errors(errors: Sequence[Any], request: Request) -> Problem:
    for error in errors:
        if tuple(map(str.lower, map(str, error["loc"]))) == _KEY and error["type"] == "missing":
            said = "A POST needs an Idempotency-Key, so that it is never carried out twice."
            step = (
                "Send a text of your own that names this request, such as a UUID, and the same one when you repeat it."
            )
            return Problem("key-missing", said, "Idempotency-Key", step)
    first = errors[0]
    if first["type"] == "json_invalid":
        return _no_json()
    if first["loc"] == ("body",) and _is_no_json(request):
        return Problem(
            "no-json", "The body is not marked as JSON.", "Content-Type", "Send Content-Type: application/json."
        )
    if first["loc"][0] == "path":
        return Problem("not-there", "There is nothing like that.", str(first["loc"][-1]), "See the addresses at /docs.")
    return _first_of(errors)


def _is_no_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json"))


def _first_of(errors: Sequence[Any]) -> Problem:
    told = [{"where": _where(error["loc"]), "message": _plain(error["msg"])} for error in errors[:20]]
    first = told[0]
    return Problem(
        "bad-input", f"{first['message']}.", first["where"], "See at /docs what it takes.", more={"errors": told}
    )


def _where(loc: Sequence[Any]) -> str:
    return ".".join(str(part) for part in loc[1:]) or str(loc[0])


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")
