"""Writes Markdown as text: for a Page and for a mail."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import category, east_asian_width

from outreach.markup.reading import Node, href, parse, tree

if TYPE_CHECKING:
    from markdown_it.token import Token
Link: TypeAlias = Callable[[str, str], str]


def to_plain(markdown: str) -> str:
    """Write Markdown as text for a Page: one line per paragraph, links as `text (https://…)`, no blanks at the ends."""
    look = _Look(width=None, bullet="•", hang=2, code="", rule="———", is_underlined=False, link=_in_brackets)
    return _joined(_blocks(tree(parse(markdown)), look))


def to_mail_text(markdown: str, width: int = 72) -> str:
    """Write Markdown as text for a mail, wrapped at `width` columns, ending in exactly one line end.

    A longer word or address has a line to itself; code is never wrapped. Links are numbered and listed at the end.
    """
    notes = _Footnotes(markdown)
    look = _Look(width=width, bullet="*", hang=None, code="    ", rule="-" * width, is_underlined=True, link=notes.mark)
    lines = _blocks(tree(parse(markdown)), look)
    return _joined([*lines, "", *notes.lines()]) + "\n"


@dataclass(frozen=True, slots=True)
class _Look:
    """How one kind of text looks. `width` None: never wrapped. `hang` None: what follows a marker aligns with it."""

    width: int | None
    bullet: str
    hang: int | None
    code: str
    rule: str
    is_underlined: bool
    link: Link

    def narrower(self, columns: int) -> "_Look":
        return self if self.width is None else replace(self, width=self.width - columns)


def _joined(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _blocks(nodes: list[Node], look: _Look, *, gap: bool = True) -> list[str]:
    """Write blocks as lines, with a blank line between two if `gap`."""
    lines: list[str] = []
    for node in nodes:
        block = _block(node, look)
        lines += [""] if gap and lines and block else []
        lines += block
    return lines


def _block(node: Node, look: _Look) -> list[str]:
    match node.token.type:
        case "heading_open":
            return _heading(node, look)
        case "bullet_list_open" | "ordered_list_open":
            return _list(node, look)
        case "blockquote_open":  # "> " on the Page too: quotation marks read badly around lists and several paragraphs
            return [f"> {line}" for line in _blocks(node.children, look.narrower(2))]
        case "table_open":
            return [line for part in node.children for row in part.children for line in _row(row, look)]
        case "code_block" | "fence":
            return [look.code + line for line in node.token.content.rstrip("\n").split("\n")]
        case "hr":
            return [look.rule if look.width is None else look.rule[: max(3, look.width)]]
        case _:
            return _wrapped(_words_of(node, look), look.width)


def _heading(node: Node, look: _Look) -> list[str]:
    lines = _wrapped(_words_of(node, look), look.width)
    if lines and look.is_underlined:
        # At least three: two dashes are where a signature begins.
        lines.append(("=" if node.token.tag == "h1" else "-") * max(3, *map(_columns, lines)))
    return lines


def _list(node: Node, look: _Look) -> list[str]:
    paragraphs = [part for item in node.children for part in item.children if part.token.type == "paragraph_open"]
    is_loose = any(not part.token.hidden for part in paragraphs)
    lines: list[str] = []
    for number, item in enumerate(node.children, int(node.token.attrs.get("start", 1))):
        marker = look.bullet if node.token.type == "bullet_list_open" else f"{number}{item.token.markup}"
        lines += [""] if is_loose and lines else []
        lines += _item(item, marker, look, gap=is_loose)
    return lines


def _item(item: Node, marker: str, look: _Look, *, gap: bool) -> list[str]:
    hang = len(marker) + 1 if look.hang is None else look.hang
    first, *rest = _blocks(item.children, look.narrower(len(marker) + 1), gap=gap) or [""]
    return [f"{marker} {first}", *(" " * hang + line for line in rest)]


def _row(row: Node, look: _Look) -> list[str]:
    text = " | ".join(_words_of(cell, look) for cell in row.children)
    lines = _wrapped(text, look.width)
    if len(lines) < 2:
        return lines or [""]
    first, *rest = _wrapped(text, look.narrower(2).width)
    return [first, *(f"  {line}" for line in rest)]


def _words_of(node: Node, look: _Look) -> str:
    return "".join(inline(part.token.children or [], look.link) for part in node.children)


def inline(tokens: "Sequence[Token]", link: Link | None = None) -> str:
    """Write what stands in one block: emphasis loses its marks, a hard break is a line end, an image its alternative.

    `link` writes a link from its text and address; without it, the text stands alone.
    """
    parts: list[str] = []
    opened: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "s_open" | "s_close":  # kept: without them struck words would say that they hold
                parts.append("~~")
            case "image":
                parts.append(inline(token.children or []))
            case "link_open":
                opened.append((len(parts), href(token).replace(" ", "%20")))
            case "link_close":
                start, address = opened.pop()
                text = "".join(parts[start:])
                parts[start:] = [link(text, address) if link and address else text]
            case _:
                parts.append(token.content)
    return "".join(parts)


def _in_brackets(text: str, address: str) -> str:
    shown = _bare_mail(address)
    return shown if _says_itself(text, address) else f"{text} ({shown})"


def _bare_mail(address: str) -> str:
    return address[7:].partition("?")[0] if address[:7].lower() == "mailto:" else address


def _says_itself(text: str, address: str) -> bool:
    return text.strip() in {"", address, _bare_mail(address), re.sub("^https?://", "", address)}


class _Footnotes:
    """The web addresses behind a mail's links, numbered.

    In place, an address of 90 characters tears its sentence over three lines; a number leaves it whole. Addresses
    that are their own text stay in place, and so do mail addresses, which are short.
    """

    def __init__(self, markdown: str) -> None:
        taken = set(re.findall(r"\[(\d+)\]", markdown))
        self._free = (number for number in count(1) if str(number) not in taken)
        self._number_of: dict[str, int] = {}

    def mark(self, text: str, address: str) -> str:
        if _says_itself(text, address):
            return _bare_mail(address)
        if _bare_mail(address) != address:
            return f"{text} <{_bare_mail(address)}>"
        if address not in self._number_of:
            self._number_of[address] = next(self._free)
        return f"{text} [{self._number_of[address]}]"

    def lines(self) -> list[str]:
        return [f"[{number}] {address}" for address, number in self._number_of.items()]


def _wrapped(text: str, width: int | None) -> list[str]:
    """Break text at its line ends and, with a `width`, at blanks; a longer word is left whole."""
    lines = [line for part in text.split("\n") for line in _fill(part, width)]
    return lines if any(lines) else []


def _fill(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text.strip()]
    lines: list[str] = []
    used = 0
    for word in re.findall(r"[^ \t]+", text):
        columns = _columns(word)
        if lines and used + 1 + columns <= width:
            lines[-1] += " " + word
            used += 1 + columns
        else:
            lines.append(word)
            used = columns
    return lines or [""]


def _columns(text: str) -> int:
    """Count the columns of a fixed-width font: 2 for wide characters, 0 for combining marks and invisible joiners."""
    if text.isascii():
        return len(text)
    return sum(0 if category(c) in {"Mn", "Me", "Cf"} else 2 if east_asian_width(c) in "WF" else 1 for c in text)
