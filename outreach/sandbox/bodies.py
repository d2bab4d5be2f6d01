"""Parameters of a request, wherever a client put them: query, form, multipart or JSON."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .error_table import GraphError
from .web import MAX_BODY, Request

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off", ""}


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part; the field name does not matter to Facebook."""

    field: str
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Params:
    """Named values of one request (text, or whatever JSON held) and its files."""

    values: dict[str, Any]
    files: tuple[Upload, ...] = field(default=())

    def text(self, name: str) -> str | None:
        """Return a value as text, `None` when absent or empty."""
        value = self.values.get(name)
        return None if value is None or value == "" else str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean in any spelling; raises `GraphError` for anything else."""
        value = self.values.get(name)
        if value is None:
            return default
        word = str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise GraphError(100, f"(#100) Param {name} must be a boolean")
        return word in _TRUE

    def structure(self, name: str) -> Any:
        """Return a nested value: JSON text or JSON itself; `None` when absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        return _decoded(name, value)

    def items(self, name: str) -> list[Any]:
        """Return a list given as `name=[…]` or as `name[0]=…`, `name[1]=…`, in order."""
        whole = self.structure(name)
        if isinstance(whole, list):
            return [_decoded(name, entry) if isinstance(entry, str) else entry for entry in whole]
        if isinstance(whole, dict):
            return [whole]
        keys = sorted((key for key in self.values if key.startswith(name + "[")), key=_position)
        return [
            _decoded(name, self.values[key]) if isinstance(self.values[key], str) else self.values[key] for key in keys
        ]


def read_params(request: Request) -> Params:
    """Gather query and body; the body wins. Raises `GraphError` for a body that cannot be parsed."""
    values: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True))
    if not request.body:
        return Params(values)
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("multipart/form-data"):
        return _read_multipart(request, values)
    if kind.startswith("application/json"):
        values |= _read_json(request.body)
    else:
        values |= dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return Params(values)


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise GraphError(100, "(#100) The request body is not a JSON object")
    return value


def _read_multipart(request: Request, values: dict[str, Any]) -> Params:
    import python_multipart  # costs start-up time; most requests carry no file

    files: list[Upload] = []

    def on_field(part: Any) -> None:
        values[part.field_name.decode()] = (part.value or b"").decode("utf-8", "replace")

    def on_file(part: Any) -> None:
        part.file_object.seek(0)
        files.append(
            Upload(
                part.field_name.decode(), (part.file_name or b"").decode("utf-8", "replace"), part.file_object.read()
            )
        )

    headers = {"Content-Type": request.headers["content-type"].encode("latin-1")}
    try:
        parser = python_multipart.create_form_parser(headers, on_field, on_file, {"MAX_MEMORY_FILE_SIZE": MAX_BODY})
        parser.write(request.body)
        parser.finalize()
    except python_multipart.exceptions.FormParserError as broken:
        raise GraphError(100, "(#100) The multipart body cannot be parsed") from broken
    return Params(values, tuple(files))


def _decoded(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as broken:
        raise GraphError(100, f"(#100) Param {name} must be valid JSON") from broken


def _position(key: str) -> int:
    inside = key.partition("[")[2].rstrip("]")
    return int(inside) if inside.isdigit() else 0
