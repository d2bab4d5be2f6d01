"""The `fields=` language: names, arguments and expansion, as in `id,comments.limit(0).summary(true){message}`."""

import re
from dataclasses import dataclass, field

from .error_table import GraphError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARGUMENT = re.compile(r"\.([a-z_]+)\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Wish:
    """One wished field with its arguments, and what is wished of its value."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    inner: tuple["Wish", ...] = ()


def read_fields(text: str) -> tuple[Wish, ...]:
    """Parse a whole `fields` value; raises `GraphError` 2500 for a syntax error."""
    wishes, end = _read_list(text, 0)
    if end != len(text):
        raise _syntax_error(end)
    return wishes


def _read_list(text: str, at: int) -> tuple[tuple[Wish, ...], int]:
    wishes = []
    while True:
        wish, at = _read_wish(text, at)
        wishes.append(wish)
        if at >= len(text) or text[at] != ",":
            return tuple(wishes), at
        at += 1


def _read_wish(text: str, at: int) -> tuple[Wish, int]:
    at = _skip_spaces(text, at)
    name = _NAME.match(text, at)
    if name is None:
        raise _syntax_error(at)
    arguments, at = _read_arguments(text, name.end())
    if at >= len(text) or text[at] != "{":
        return Wish(name[0], arguments), _skip_spaces(text, at)
    inner, at = _read_list(text, at + 1)
    if at >= len(text) or text[at] != "}":
        raise _syntax_error(at)
    return Wish(name[0], arguments, inner), _skip_spaces(text, at + 1)


def _read_arguments(text: str, at: int) -> tuple[dict[str, str], int]:
    arguments = {}
    while match := _ARGUMENT.match(text, at):
        arguments[match[1]] = match[2]
        at = match.end()
    return arguments, at


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at] == " ":
        at += 1
    return at


def _syntax_error(at: int) -> GraphError:
    return GraphError(2500, f"Syntax error at character {at}: expected the name of a field")
