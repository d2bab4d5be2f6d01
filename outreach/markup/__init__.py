"""One announcement in Markdown, as text for a Page, as text and HTML for a mail; and what to check before it leaves."""

from outreach.markup.hypertext import to_html
from outreach.markup.lint import (
    FACEBOOK_MAX_CHARS,
    check_images,
    check_links,
    check_mentions,
    command_line,
    facebook_length,
)
from outreach.markup.reading import addresses, links
from outreach.markup.text import to_mail_text, to_plain

__all__ = [
    "FACEBOOK_MAX_CHARS",
    "addresses",
    "check_images",
    "check_links",
    "check_mentions",
    "command_line",
    "facebook_length",
    "links",
    "to_html",
    "to_mail_text",
    "to_plain",
]
