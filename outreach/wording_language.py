"""The language of wordings: Jinja over Markdown, with everything taken out that a wording does not need.

It prints a field, knows `if`, a loop over a list and a few filters. Whatever else Jinja knows is a fault when a template is
read, so that rendering cannot go wrong: nothing of Python can be reached.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from outreach.fields import Day, Person, Value
from outreach.model import BadInput

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

    from outreach.wording import Template

GIVEN = {"body": "text", "link": "url", "community": "text"}
_MAX_DEPTH = 40
_TAG_AFTER_TEXT = re.compile(r"^(?!(?:[ \t]*\{%[^%\n]*%\})+$)(.*[^-+\n])%\}$", re.MULTILINE)


def _weekday(value: Value) -> str:
    return value.weekday_name() if isinstance(value, Day) else ""


def _iso(value: Value) -> str:
    return value.isoformat() if isinstance(value, Day) else ""


def _sentence(value: Value) -> str:
    return str(value)


def _name(value: Value) -> str:
    return (value.name or value.address) if isinstance(value, Person) else ""


def _address(value: Value) -> str:
    return value.address if isinstance(value, Person) else ""


_FILTERS: dict[str, tuple[str, Callable[[Value], str]]] = {
    "weekday": ("date", _weekday),
    "iso": ("date", _iso),
    "sentence": ("list", _sentence),
    "name": ("person", _name),
    "address": ("person", _address),
}
_ALLOWED = {"Template", "Output", "TemplateData", "Const", "If", "And", "Or", "Not", "Operand"}
_OFFER = f"A wording takes fields, if, for … in a list field, and the filters {', '.join(_FILTERS)}."


@cache
def environment() -> "SandboxedEnvironment":
    """Give the one environment in which wordings are compiled."""
    # Here, not above: 45 ms that a start without a template does not need.
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # it is Markdown, not HTML
    )
    made.globals.clear()
    made.filters = {name: function for name, (_, function) in _FILTERS.items()}
    return made


def keep_line_ends(source: str) -> str:
    """Have Jinja drop the line end after a tag only where the tag has the line for itself, not at the end of a sentence."""
    return _TAG_AFTER_TEXT.sub(r"\1+%}", source)


class Inspection:
    """One wording, read node by node. What is not on the list of what a wording may hold is a fault."""

    def __init__(self, template: "Template", part: str, source: str) -> None:
        self.faults: list[BadInput] = []
        self.used: set[str] = set()
        self._template = template
        self._part = part
        self._lines = source.split("\n")
        self._fields = {f.name: f for f in template.fields}
        self._types = GIVEN | {f.name: f.type for f in template.fields}
        if part == "title":
            del self._types["body"]
        self._rules: dict[str, Callable[[Any, frozenset[str], int], None]] = {
            "Name": self._name,
            "For": self._for,
            "Filter": self._filter,
            "Compare": self._compare,
            "Getattr": self._getattr,
        }

    def read(self) -> None:
        """Collect the faults of a wording and the names it uses."""
        # Here, not above: see `environment`.
        from jinja2 import TemplateSyntaxError

        try:
            tree = environment().parse(keep_line_ends("\n".join(self._lines)))
        except TemplateSyntaxError as error:
            message = f"The wording cannot be read: {str(error.message).rstrip('.')}."
            self._fault(error.lineno, message, "Close every {{ with }}, every {% if … %} with {% endif %}.")
        except RecursionError:
            self._fault(1, "The wording is nested too deeply.", "Make it simpler.")
        else:
            self._visit(tree, frozenset(), 0)

    def _fault(self, line: int, message: str, step: str) -> None:
        self.faults.append(BadInput(message, where=self._template.where(self._part, line), next_step=step))

    def _refuse(self, node: "nodes.Node") -> None:
        line = node.lineno or 1
        shown = self._lines[line - 1].strip()
        self._fault(line, f"A wording cannot hold this: {shown[:60]}{'…' if len(shown) > 60 else ''}", _OFFER)

    def _visit(self, node: "nodes.Node", loop: frozenset[str], depth: int) -> None:
        kind = type(node).__name__
        # Python's own compiler takes each further elif for one level more.
        if depth + len(getattr(node, "elif_", ())) > _MAX_DEPTH:
            self._fault(node.lineno, "The wording is nested too deeply.", "Make it simpler.")
        elif kind in self._rules:
            self._rules[kind](node, loop, depth)
        elif kind in _ALLOWED:
            for child in node.iter_child_nodes():
                self._visit(child, loop, depth + 1)
        else:
            self._refuse(node)

    def _name(self, node: "nodes.Name", loop: frozenset[str], depth: int) -> None:
        self.used.add(node.name)
        if node.name not in loop and node.name not in self._types:
            near = get_close_matches(node.name[:40], self._types, 1)
            step = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(self._types)}."
            self._fault(node.lineno, f'Nothing is named "{node.name[:40]}" here.', step)

    def _for(self, node: "nodes.For", loop: frozenset[str], depth: int) -> None:
        self._visit(node.iter, loop, depth + 1)
        if loop:
            self._fault(node.lineno, "A wording cannot hold a loop inside a loop.", _OFFER)
        elif type(node.target).__name__ != "Name" or self._type_of(node.iter) != "list":
            self._fault(node.lineno, "A loop goes over one field of type list.", "Write {% for entry in speakers %}.")
        else:
            inner = frozenset({node.target.name})  # type: ignore[attr-defined]
            for child in node.iter_child_nodes(exclude=("iter", "target")):
                self._visit(child, inner, depth + 1)

    def _filter(self, node: "nodes.Filter", loop: frozenset[str], depth: int) -> None:
        if node.name not in _FILTERS:
            self._fault(node.lineno, f'There is no filter "{node.name[:40]}".', _OFFER)
        elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._fault(node.lineno, f"The filter {node.name} takes nothing in brackets.", "Take them out.")
        elif node.node is None or self._type_of(node.node) != _FILTERS[node.name][0]:
            wanted = _FILTERS[node.name][0]
            self._fault(node.lineno, f"The filter {node.name} is for a field of type {wanted}.", "Take it out.")
        else:
            self._visit(node.node, loop, depth + 1)

    def _compare(self, node: "nodes.Compare", loop: frozenset[str], depth: int) -> None:
        if any(operand.op not in ("eq", "ne") for operand in node.ops):
            self._refuse(node)
        field = self._fields.get(getattr(node.expr, "name", ""))
        for word in (getattr(operand.expr, "value", None) for operand in node.ops):
            if field and field.type == "choice" and word is not None and word not in field.choices:
                step = f"The choices are: {', '.join(field.choices)}."
                self._fault(node.lineno, f'"{str(word)[:40]}" is no choice of {field.name}.', step)
        for child in node.iter_child_nodes():
            self._visit(child, loop, depth + 1)

    def _getattr(self, node: "nodes.Getattr", loop: frozenset[str], depth: int) -> None:
        of_loop = bool(loop) and getattr(node.node, "name", "") == "loop"
        if not of_loop or node.attr not in ("first", "last", "index", "length"):
            self._refuse(node)

    def _type_of(self, node: "nodes.Node") -> str:
        return self._types.get(getattr(node, "name", ""), "") if type(node).__name__ == "Name" else ""
