"""Describing: the specification (OpenAPI), with an example and every refusal of each operation, readable with a token or a session."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from outreach.doors.api import told
from outreach.doors.api.problems import KINDS, MEDIA_TYPE

_ABOUT = """
The same verbs as on the page and in the command line, for programs.

**Tokens.** Make one on the page under Account and send it as `Authorization: Bearer outreach_…`. A token may what its scopes
*and* the roles of its person both allow. It has 600 requests a minute; every answer says in `RateLimit-Limit`,
`RateLimit-Remaining` and `RateLimit-Reset` (seconds) what is left.

**Every POST needs an `Idempotency-Key`.** The same key with the same request gives the same answer again for 24 hours
(with `Idempotent-Replayed: true`), with another request it is refused (422). While the first is being worked on, a repeat
is 409 with `Retry-After`. When the service ended in the middle of one, a repeat after two minutes looks in the history first:
what was done is answered as it stands, and is not done again.

**Refusals** are problem+json (RFC 9457) with `type`, `title`, `status`, `detail`, `where` and `next`.

**Lists** come in parts: send `next` of one answer as `cursor` of the next request.
"""
_SAID = {
    400: "The body is no JSON, or the key is missing",
    401: "No token, or one that opens nothing",
    403: "The token's scopes or the person's roles do not reach that far",
    404: "There is nothing like that in this community",
    409: "It does not stand so that this is possible",
    413: "The body is too large",
    415: "The body is not marked as JSON",
    422: "What was sent cannot be used",
    429: "Too many requests",
    503: "The database cannot be used now",
}
_PACE = {
    "RateLimit-Limit": "requests a minute",
    "RateLimit-Remaining": "what is left of them",
    "RateLimit-Reset": "seconds until all are back",
}


def add(app: FastAPI) -> None:
    """Give the app its specification; it is served by who knows sessions too."""
    app.openapi = cache(lambda: _specified(app))  # type: ignore[method-assign]


def _specified(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title="outreach", version="1", description=_ABOUT, routes=app.routes, servers=[{"url": "/api/v1"}]
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= models_json_schema([(told.Problem, "validation")], ref_template="#/components/schemas/{model}")[1][
        "$defs"
    ]
    for path, item in made["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation, schemas)
    return made


def _complete(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    operation["operationId"] = _operation_id(path, method)
    answers = operation["responses"]
    for status, answer in answers.items():
        if status.startswith("2"):
            answer |= {"headers": _headers(method), "description": "Done"}
            shown = answer["content"]["application/json"]
            shown["example"] = example_of(shown["schema"], schemas)
    if body := operation.get("requestBody"):
        sent = body["content"]["application/json"]
        sent["example"] = example_of(sent["schema"], schemas)
    for status in _refusals(path, method, operation):
        kept = {} if status == 422 else answers.get(str(status), {})
        answers[str(status)] = {"description": _SAID[status]} | kept | _refusal(status)


def _telling(schemas: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Telling"}
    headers = {"Outreach-Signature": _SIGNED, "Outreach-Id": "the `id` of the body"}
    return {
        "operationId": "told",
        "tags": ["webhooks"],
        "summary": "What an address of yours is sent",
        "description": _KEPT_AT,
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
            for name, about in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example_of(schema, schemas)}},
        },
        "responses": {"2XX": {"description": "It is taken"}, "410": {"description": "Nothing more is wanted"}},
    }


_SIGNED = (
    "`t=…,v1=…`: `v1` is the HMAC-SHA256 in hexadecimal digits, with the webhook's secret as its key, of the text of `t`"
    " (seconds since 1970), a full stop, and the body as it came. Refuse what does not match or is older than five minutes."
)
_KEPT_AT = (
    "Answer with any status from 200 to 299 within 10 seconds. Otherwise it comes again after 1, 2, 5, 10, 30 minutes and"
    " so on for a good day; after a week in which nothing was taken the webhook is ended. No redirect is followed."
)


def _operation_id(path: str, method: str) -> str:
    words = [part for part in path.strip("/").split("/") if not part.startswith("{")]
    tail = "-one" if path.endswith("}") else ""
    return f"{method}-{'-'.join(words)}{tail}"


def _refusals(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    found = [401, 403, 429, 503]
    if "{" in path:
        found.append(404)
    if method != "get":
        found += [404, 409, 413]
    if method == "post" or "requestBody" in operation:
        found.append(400)
    if "requestBody" in operation:
        found.append(415)
    if method == "get" and ("templates" in path):
        found.append(409)
    if method != "get" or operation.get("parameters"):
        found.append(422)
    return sorted(set(found))


def _refusal(status: int) -> dict[str, Any]:
    kind, (_, title) = next((kind, told) for kind, told in KINDS.items() if told[0] == status)
    shown = {"type": f"urn:outreach:problem:{kind}", "title": title, "status": status, "detail": _SAID[status]}
    example = shown | {"where": None, "next": "See the addresses at /docs."}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = _header("how to say who calls", kind="string", required=True)
    if status == 429:
        headers["Retry-After"] = _header("seconds to wait", required=True)
    return {"content": content} | ({"headers": headers} if headers else {})


def _headers(method: str) -> dict[str, Any]:
    told_of = {name: _header(about, required=True) for name, about in _PACE.items()}
    if method == "post":
        told_of["Idempotent-Replayed"] = _header("`true` where it is the answer of an earlier request", kind="string")
    return told_of


def _header(about: str, *, kind: str = "integer", required: bool = False) -> dict[str, Any]:
    return {"description": about, "required": required, "schema": {"type": kind}}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Make an example of a schema out of those of its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "properties" in schema:
        shown = {name: part for name, part in schema["properties"].items() if _is_shown(name, part, schema)}
        return {name: example_of(part, schemas) for name, part in shown.items()}
    if options := schema.get("anyOf"):
        return example_of(options[0], schemas)
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return schema.get("default")


def _is_shown(name: str, part: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Leave out what need not be sent and would be empty: an example is to be short."""
    shown = part.get("examples", [part])[0]
    return name in whole.get("required", ()) or shown not in (None, [], {}, part)
