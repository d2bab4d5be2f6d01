"""`docs/graph-calls.md`, made from the table of calls and from the client's source. `python -m tests.graph_docs` writes it.

Which of the calls are made is read from the source: every path that is handed to the client's HTTP.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outreach.sandbox.call_table import CALLS, GraphCall

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "graph-calls.md"
CLIENT = ROOT / "outreach" / "channels"
NOT_GRAPH = {"_http.py", "links.py", "cards.py"}
"""Modules that ask other servers than Facebook's."""

IN_A_ROUND_ABOUT_WAY = {
    ("POST", "/{page}/videos"): "_video.py",
    ("POST", "/{video}/captions"): "_video.py",
    ("GET", "/{object}/comments"): "_first_comment.py",
    ("GET", "/{page}/insights"): "_page_figures.py",
    ("GET", "/{post}/insights"): "_page_figures.py",
    ("GET", "/dialog/oauth"): "_connecting.py",
    ("GET", "/me/accounts"): "_connecting.py",
    ("GET", "/me/permissions"): "_connecting.py",
    ("GET", "/me/businesses"): "_connecting.py",
    ("GET", "/{business}/owned_pages"): "_connecting.py",
    ("GET", "/{business}/client_pages"): "_connecting.py",
}
"""Calls whose path goes through a function of the module first, and the module that makes each."""

_METHODS = {"get": "GET", "post": "POST", "delete": "DELETE"}
_ANYTHING = "{}"


@dataclass(frozen=True, slots=True)
class Made:
    """A call in the source: where it stands, and its path with `{}` for what is filled in; None where that cannot be read."""

    where: str
    method: str
    path: str | None


def made_in(source: str, name: str) -> Iterator[Made]:
    """Give the calls that a module makes. What only hands on a path that it was given is none of its own."""
    for function in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        given = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        known = _assigned(function)
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            method = _method_of(call)
            if method is None or not call.args:
                continue
            path, is_handed_on = _path_of(call.args[0], given, known)
            if not is_handed_on:
                yield Made(f"{name}:{call.lineno}", method, path)


def _method_of(call: ast.Call) -> str | None:
    """A method of HTTP, asked of something called http, or of the channel's own `_get` and `_post`."""
    if not isinstance(call.func, ast.Attribute):
        return None
    name, asked = call.func.attr, ast.unparse(call.func.value).rpartition(".")[2].lstrip("_")
    is_own = name.startswith("_") and asked == "self"
    return _METHODS.get(name.lstrip("_")) if is_own or asked == "http" else None


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _path_of(value: ast.expr, given: set[str], known: dict[str, ast.expr]) -> tuple[str | None, bool]:
    match value:
        case ast.Name(id=name) if name in given:
            return None, True
        case ast.Name(id=name) if name in known:
            return _path_of(known[name], given, known)
        case ast.Constant(value=str(text)):
            return (text if text.startswith("/") else f"/{_ANYTHING}/{text}"), False
        case ast.JoinedStr(values=parts):
            filled = [p.value for p in parts if isinstance(p, ast.FormattedValue)]
            if any(isinstance(each, ast.Name) and each.id in given for each in filled) and len(filled) == len(
                [p for p in parts if not isinstance(p, ast.Constant) or p.value != "/"]
            ):
                return None, True
            return "".join(p.value if isinstance(p, ast.Constant) else _ANYTHING for p in parts), False  # type: ignore[misc]
        case ast.IfExp(body=body, orelse=orelse):
            either = [_path_of(each, given, known) for each in (body, orelse)]
            return None, all(is_handed_on for _, is_handed_on in either)
    return None, False


def every_call() -> list[Made]:
    """Give all calls of the client's source."""
    modules = sorted(file for file in CLIENT.rglob("*.py") if file.name not in NOT_GRAPH)
    return [made for file in modules for made in made_in(file.read_text(encoding="utf-8"), file.name)]


def is_of(made: Made, call: GraphCall) -> bool:
    """Tell whether a call of the source may be one of the table's."""
    if made.path is None or made.method != call.method:
        return False
    own, theirs = (tuple(p for p in path.split("/") if p) for path in (made.path, call.edge))
    pairs = list(zip(own, theirs, strict=False))
    return len(own) == len(theirs) and all(mine == other or (mine == _ANYTHING and other[0] == "{") for mine, other in pairs)  # fmt: skip


def is_made(call: GraphCall, found: list[Made]) -> bool:
    """Tell whether the client makes a call, in plain sight or in a round about way."""
    return (call.method, call.edge) in IN_A_ROUND_ABOUT_WAY or any(is_of(made, call) for made in found)


def words_of(module: str) -> str:
    """Give every text that stands in a module of the client, but for what describes it."""
    tree = ast.parse((CLIENT / module).read_text(encoding="utf-8"))
    bodies = (n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef))
    told = {id(body.body[0].value) for body in bodies if isinstance(body.body[0], ast.Expr)}
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return "\n".join(str(text.value) for text in texts if id(text) not in told)


def document() -> str:
    """Make the whole of `docs/graph-calls.md`."""
    found = every_call()
    rows = [_row(call) for call in CALLS if is_made(call, found)]
    return "\n".join(
        [
            "# Every call to the Graph API",
            "",
            "Made from `outreach/sandbox/call_table.py` and the source of the channel by `python -m tests.graph_docs`; a test",
            "compares. No other call is made: a test that makes one fails. Each carries the token in its `Authorization`",
            "header, and `appsecret_proof` where the app's secret is set.",
            "",
            "| call | parameters it may carry | permission | version | Facebook's documentation |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(call: GraphCall) -> str:
    parameters = ", ".join(f"`{name}` {kind}" for name, kind in call.parameters.items()) or "–"
    return f"| `{call.method} {call.edge}` | {parameters} | {call.permission} | {call.seen_in} | {call.rests_on} |"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
