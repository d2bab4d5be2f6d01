"""The frame, style and small pieces of the sandbox's web pages."""

import html
import re
from datetime import datetime

from .answers import HTML, Answer

_CSP = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFETY = (("Content-Security-Policy", _CSP), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6066; --line: #d5d9de; --ground: #f1f3f5; --card: #fff;
  --link: #0b57b8; --note: #fff3cd; --note-ink: #4d3b00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #a6adb4; --line: #3a4047; --ground: #15181b;
  --card: #202428; --link: #8ab8f5; --note: #3b3212; --note-ink: #f6e3a8 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
.banner { margin: 0; padding: .5rem 1rem; background: var(--note); color: var(--note-ink); text-align: center }
main { max-width: 42rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 0 .5rem }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem }
article header, .meta { color: var(--soft); font-size: .875rem }
article header strong { color: var(--ink); font-size: 1rem; display: block }
.words { white-space: pre-wrap; margin: .75rem 0 }
figure { margin: .75rem 0 }
figure img { display: block; max-width: 100%; height: auto; border-radius: .25rem; background: var(--ground) }
figcaption { color: var(--soft); font-size: .875rem }
a { color: var(--link) }
.card { display: block; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; margin: .75rem 0 }
.card span { display: block; color: var(--soft); font-size: .875rem }
pre { white-space: pre-wrap; margin: .75rem 0; font: .875rem/1.5 ui-monospace, monospace }
ul.plain { list-style: none; padding: 0 }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
"""


def page(title: str, body: str, status: int = 200) -> Answer:
    """Return a whole page around `body`, which is HTML; `title` is text."""
    document = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="/_sandbox/style.css"></head>\n'
        '<body><p class="banner" role="note"><strong>This is a sandbox, not Facebook.</strong> '
        f"Nothing here is public; it vanishes when the sandbox stops.</p>\n<main>{body}</main></body></html>\n"
    )
    return Answer(status, document.encode(), HTML, SAFETY)


def stylesheet() -> Answer:
    """Return the style of all pages."""
    return Answer(200, STYLE.encode(), "text/css; charset=UTF-8", (("Cache-Control", "max-age=300"),))


def not_found() -> Answer:
    """Return the page for what is not there."""
    return page("Not found", "<h1>There is nothing here</h1><p><a href='/'>Everything the sandbox shows</a></p>", 404)


def moment(at: datetime) -> str:
    """Return a time element that names its zone."""
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at.day} {at:%B %Y, %H:%M} UTC</time>'


def linked(text: str) -> str:
    """Return text as HTML, its web addresses clickable, its line breaks left to the style."""
    pieces, end = [], 0
    for match in _LINK.finditer(text):
        pieces += [html.escape(text[end : match.start()]), anchor(match[0], match[0])]
        end = match.end()
    return "".join([*pieces, html.escape(text[end:])])


def anchor(address: str, words: str) -> str:
    """Return a link; `address` and `words` are text."""
    return f'<a href="{html.escape(address)}" rel="nofollow noreferrer">{html.escape(words)}</a>'
