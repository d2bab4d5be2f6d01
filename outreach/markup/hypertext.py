"""Writes Markdown as the HTML of a mail."""

import html
import re
from functools import cache
from typing import TYPE_CHECKING

from outreach.markup.reading import parse, parser, tame
from outreach.markup.text import inline

if TYPE_CHECKING:
    from markdown_it.token import Token
    from nh3 import Cleaner

MAX_LINE = 800


def to_html(markdown: str, *, title: str, lang: str = "en") -> str:
    """Write Markdown as a complete HTML document for a mail: sanitised, styled inline, fetching nothing.

    The same input gives the same bytes. Lines stay under 900 characters but for a longer word or a line of code.
    """
    from css_inline import CSSInliner  # here for start-up time: 9 ms

    tokens = parse(markdown)
    _put_text_for_images(tokens)
    body = _cleaner().clean(parser().renderer.render(tokens, parser().options, {}))
    page = _PAGE.format(lang=html.escape(tame(lang)), title=html.escape(tame(title)), style=_STYLE, body=body)
    return _folded(CSSInliner(load_remote_stylesheets=False).inline(page))


_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body dir="auto">
{body}</body>
</html>
"""
# No colours: the reader's own, light or dark, are the ones that can be read.
_STYLE = """
html { color-scheme: light dark }
body { font-family: sans-serif; line-height: 1.5; max-width: 42em }
blockquote { border-left: 3px solid; margin-left: 0; padding-left: 1em }
pre, code { font-family: monospace }
pre { white-space: pre-wrap }
table { border-collapse: collapse }
th, td { border: 1px solid; padding: 0.25em 0.5em }
"""
_TAGS = "a blockquote br code em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul"


def _put_text_for_images(tokens: "list[Token]") -> None:
    """Let the alternative text stand for each image, so that reading the mail fetches nothing."""
    for token in (token for block in tokens for token in block.children or [] if token.type == "image"):
        token.content = inline(token.children or [])
        token.type, token.tag, token.children = "text", "", None


@cache
def _cleaner() -> "Cleaner":
    from nh3 import Cleaner  # here for start-up time: not needed before the parser is

    return Cleaner(
        tags=set(_TAGS.split()),
        attributes={"a": {"href", "title"}, "ol": {"start"}, "td": {"style"}, "th": {"style"}},
        attribute_filter=lambda _tag, name, value: value.replace(" ", "%20") if name == "href" else value,
        filter_style_properties={"text-align"},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
    )


def _folded(page: str) -> str:
    parts = re.split(r"(<pre\b.*?</pre>)", page, flags=re.DOTALL)
    return "".join(part if number % 2 else _fold(part) for number, part in enumerate(parts))


def _fold(part: str) -> str:
    """Break long lines at blanks, which HTML outside `pre` reads the same."""
    return "\n".join(piece for line in part.split("\n") for piece in _pieces(line))


def _pieces(line: str) -> list[str]:
    pieces = []
    while len(line) > MAX_LINE:
        cut = line.rfind(" ", 1, MAX_LINE)
        cut = line.find(" ", MAX_LINE) if cut < 0 else cut
        if cut < 0:
            break
        pieces.append(line[:cut])
        line = line[cut + 1 :]
    return [*pieces, line]
