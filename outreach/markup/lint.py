"""Checks what an announcement says before a channel does: links, images, mentions, length, list commands."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from outreach.markup.reading import href, parse
from outreach.model import BadInput

if TYPE_CHECKING:
    from markdown_it.token import Token

# What other schedulers refuse above; no page of Meta's that was seen states a limit.
FACEBOOK_MAX_CHARS = 63206

# Links and images in the Markdown.


def check_links(markdown: str) -> None:
    """Raise `BadInput` for the first link that is no http, https or mailto address, with its line in `where`."""
    for target, line in _targets(markdown):
        if not _is_address(target):
            raise BadInput(
                f"The link “{target}” is not a web or mail address.",
                where=f"line {line}",
                next_step="Write it in full and without blanks: https://… or mailto:name@….",
            )


def check_images(markdown: str) -> None:
    """Raise `BadInput` for the first image in the text: nothing but its alternative text would be sent."""
    for block in parse(markdown):
        for number, token in enumerate(block.children or []):
            if token.type == "image":
                raise BadInput(
                    f"The image “{token.attrs['src']}” in the text would not be sent.",
                    where=f"line {_line_of(block) + _breaks(block, number)}",
                    next_step="Put it among the announcement's pictures.",
                )


def _targets(markdown: str) -> Iterator[tuple[str, int]]:
    """Give each link's target and line, then those of definitions, whose text vanishes even when no link uses them."""
    env: dict[str, Any] = {}
    for block in parse(markdown, env):
        yield from _targets_in(block)
    for definition in env.get("references", {}).values():
        yield definition["href"], definition["map"][0] + 1


_LOOKS_LIKE_A_LINK = re.compile(r"(?:\]\(|<(?=https?:|mailto:))([^()<>\n]*)[)>]")


def _targets_in(block: "Token") -> list[tuple[str, int]]:
    """Give the targets in one block, and what a blank in `[text](target)` or `<target>` keeps from being one."""
    text = ""
    found: list[tuple[int, str]] = []
    for token in block.children or []:
        if token.type == "link_open":
            found.append((len(text), href(token)))
        text += "\n" if token.type in _BREAKS else token.content if token.type == "text" else ""
    found += [(match.start(1), match[1]) for match in _LOOKS_LIKE_A_LINK.finditer(text) if " " in match[1].strip()]
    return [(target, _line_of(block) + text.count("\n", 0, at)) for at, target in sorted(found)]


_BREAKS = {"softbreak", "hardbreak"}


def _line_of(block: "Token") -> int:
    return block.map[0] + 1 if block.map else 1


def _breaks(block: "Token", before: int) -> int:
    return sum(token.type in _BREAKS for token in (block.children or [])[:before])


_MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def _is_address(target: str) -> bool:
    if re.search(r"[\s\x00-\x1f\x7f]", target):
        return False
    try:
        url = urlsplit(target)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    if url.scheme == "mailto":
        return all(_MAIL_ADDRESS.fullmatch(address) for address in url.path.split(","))
    return url.scheme in {"http", "https"} and has_host


# What the Page is sent.


def facebook_length(text: str) -> int:
    """Count UTF-16 units: never fewer than code points, and which of the two Facebook counts is not known."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_mentions(text: str) -> None:
    """Raise `BadInput` for a literal `@[` before a digit, which the Page would publish as a mention of another Page."""
    found = re.search(r"@\[[0-9]+", text)
    if found:
        raise BadInput(
            f"“{found[0]}” would mention another Page.",
            where=f"line {text.count(chr(10), 0, found.start()) + 1}",
            next_step="Write the name without “@[”.",
        )


# What the list server is sent.

# Mailman's own rule (2.1 and 3): the fewest and the most words after the command for the post to be held.
_MAILMAN = {
    "confirm": (1, 1),
    "help": (0, 0),
    "info": (0, 0),
    "lists": (0, 0),
    "options": (0, 0),
    "password": (2, 2),
    "remove": (0, 0),
    "set": (3, 3),
    "subscribe": (0, 3),
    "unsubscribe": (0, 1),
    "who": (0, 2),
}
_ALONE = "confirm end get index join leave password query quit review set signoff stop sub unsub which"
# Which lines LISTSERV takes for commands is not published. Many of its commands are ordinary words, so with words after
# it one counts only where these can hardly be prose: the name of a list, or options. Sympa's rule is in rows 1 and 2.
_VERBS = "get index info join leave query review stats sub subscribe unsub unsubscribe who"
_NAME = r"(?:list|listname|[^\W_]{2,}[-_@][\w.@-]*\w)"
_OPTION = "ack|conceal|digests?|mail|msgack|noack|noconceal|nodigests?|nohtml|nomail|nomime|nopost|norepro|repro"
_FORMS = [
    re.compile(form)
    for form in (
        r"(?i:signoff) \S+(?: \S+)?",
        rf"(?i:set \S+(?: (?:{_OPTION}))+)",
        rf"(?:{'|'.join((_VERBS + ' ' + _VERBS.upper()).split())}) {_NAME}",
        rf"(?:JOIN|SUB|SUBSCRIBE) {_NAME}(?: \S+)+",
        rf"(?:get|GET) \S+ {_NAME}",
        r"(?i:(?:quiet )?(?:add|del|delete) \S+ \S+@\S+(?: \S+)*)",
    )
]
_MAX_WORDS = 8
_MAX_LINES = 10


def command_line(subject: str, text: str) -> str | None:
    """Find the first line that a list server may take for a command and so hold or refuse the post, or None.

    Looks at the subject and the first ten lines of `text` that are not blank, as Mailman does. `text` is the mail's
    text as it leaves: wrapping can put a bare word on a line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in (subject.strip(), *lines[:_MAX_LINES]) if _is_command(line)), None)


def _is_command(line: str) -> bool:
    words = line.split()
    if not words or len(words) > _MAX_WORDS:
        return False
    verb, arguments = words[0].lower(), len(words) - 1
    fewest, most = _MAILMAN.get(verb, (1, 0))
    is_bare = not arguments and verb in _ALONE.split()
    return is_bare or fewest <= arguments <= most or any(form.fullmatch(" ".join(words)) for form in _FORMS)
