"""Reads Markdown: CommonMark with tables, strikethrough and bare http(s) addresses as links; HTML in it is just text.

Whatever it is given, it returns or raises `BadInput`: for text that is too long or nested too deeply to be an
announcement, or that holds half a character.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from outreach.model import BadInput

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_CHARS = 100_000
MAX_BRACKETS = 5_000
MAX_LEVEL = 30


def links(markdown: str) -> tuple[str, ...]:
    """List every link target as its author wrote it, in order of appearance, bare addresses included."""
    inline = (token for block in parse(markdown) for token in block.children or [])
    return tuple(href(token) for token in inline if token.type == "link_open")


def parse(markdown: str, env: dict[str, Any] | None = None) -> "list[Token]":
    """Parse Markdown into tokens whose text holds no control characters. `env` collects the link definitions."""
    _check_size(markdown)
    tokens = parser().parse(tame(markdown, line_end="\n"), {} if env is None else env)
    for block in tokens:
        for token in _with_children(block):
            _check_level(token, block)
            _tame_token(token)
    return tokens


def _with_children(token: "Token") -> "Iterator[Token]":
    """Give a token and all in it: an image holds the tokens of its alternative text."""
    yield token
    for child in token.children or []:
        yield from _with_children(child)


def _check_size(markdown: str) -> None:
    """Refuse what would keep the parser busy for seconds."""
    for what, number, most in (
        ("characters", len(markdown), MAX_CHARS),
        ("square brackets", markdown.count("["), MAX_BRACKETS),
    ):
        if number > most:
            raise BadInput(f"The text has {number:,} {what}.", next_step=f"Keep it to {most:,}.")


def _check_level(token: "Token", block: "Token") -> None:
    """Refuse what is nested deeper than the parser reads: it would drop the rest in silence."""
    if token.level > MAX_LEVEL:
        raise BadInput(
            "The text is nested too deeply (lists, quotes or emphasis).",
            where=f"line {block.map[0] + 1}" if block.map else "",
            next_step="Take out some levels.",
        )


def _tame_token(token: "Token") -> None:
    """Tame what entities such as `&#13;` brought in after the source was tamed."""
    if token.type == "text":
        token.content = tame(token.content)
    for name, value in token.attrs.items():
        token.attrs[name] = tame(value) if isinstance(value, str) else value


_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def tame(text: str, *, line_end: str = " ") -> str:
    """Replace everything that some reader takes for a line end, and show other control characters as unreadable."""
    if _SURROGATES.search(text):
        raise BadInput("The text holds half a character (a lone surrogate).", next_step="Type the odd character again.")
    return _CONTROLS.sub("\ufffd", _LINE_ENDS.sub(line_end, text))


@cache
def parser() -> "MarkdownIt":
    """Build the one parser."""
    from markdown_it import MarkdownIt  # here for start-up time: 25 ms

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_LEVEL + 2}).enable(["table", "strikethrough"])
    made.inline.ruler.before("autolink", "bare_link", _bare_link)
    # Targets stay as written, and none is passed over here: it would be mere text, which no check sees.
    made.normalizeLink = made.normalizeLinkText = str  # type: ignore[method-assign, assignment]
    made.validateLink = lambda _url: True  # type: ignore[method-assign, assignment]
    return made


_SCHEME = re.compile(r"(?<![^\W_])https?$", re.IGNORECASE)
# Ends at blanks, brackets and quotation marks (CJK ones too); round brackets belong to it in pairs.
_STOPS = r"\s<>()\[\]\"`\\“”„‘’«»\u3000-\u303f\uff00-\uffef"
_ADDRESS = re.compile(rf"https?://(?=[^\W_])(?:[^{_STOPS}]|\([^{_STOPS}]*\))+", re.IGNORECASE)

_AFTER = ".,;:!?'*_~"


def addresses(text: str) -> tuple[str, ...]:
    """List the web addresses that stand in a plain text, in order of appearance."""
    return tuple(found[0].rstrip(_AFTER) for found in _ADDRESS.finditer(text))


def _bare_link(state: "StateInline", silent: bool) -> bool:
    """Rule for the inline parser: at the colon of a bare address, make a link of it, or plain text inside a link."""
    scheme = _SCHEME.search(state.src[max(0, state.pos - 6) : state.pos])
    found = scheme and _ADDRESS.match(state.src, state.pos - len(scheme[0]), state.posMax)
    if not scheme or not found:
        return False
    address = found[0].rstrip(_AFTER)
    rest = address[len(scheme[0]) :]
    if not silent and state.linkLevel:
        state.pending += rest
    elif not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs["href"] = address
        state.push("text", "", 0).content = address
        state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def href(token: "Token") -> str:
    """Say where a link token leads, as its author wrote it."""
    return str(token.attrs["href"])


@dataclass(frozen=True, slots=True)
class Node:
    """A block and the blocks in it."""

    token: "Token"
    children: "list[Node]" = field(default_factory=list)


def tree(tokens: "Sequence[Token]") -> list[Node]:
    """Nest the flat tokens of `parse`."""
    stack: list[list[Node]] = [[]]
    for token in tokens:
        if token.nesting < 0:
            stack.pop()
            continue
        node = Node(token)
        stack[-1].append(node)
        if token.nesting > 0:
            stack.append(node.children)
    return stack[0]
