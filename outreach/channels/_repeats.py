"""What each kind of list server does with a mail that it was sent before, in the words that a person decides by."""

from collections.abc import Mapping

from outreach.settings import ListServer

_EVERYBODY_TWICE = "notices no repeat: if the first mail went out, everybody on the list gets it a second time."

IF_SENT_AGAIN: Mapping[ListServer, str] = {
    # It compares a checksum of the body, unless the list's owner has switched that off (Loopcheck= NoCRC).
    "listserv": "LISTSERV compares the text with what it sent before and, unless the list's owner switched that off, sends"
    " a repeat back to you alone, which also tells that the first mail went out.",
    # It remembers Message-IDs for a day, in memory only, and says nothing of what it drops.
    "sympa": "Sympa drops a repeat without a word for 24 hours, unless it was restarted meanwhile; after that everybody on"
    " the list gets it a second time.",
    "mailman": f"Mailman {_EVERYBODY_TWICE}",
    "mlmmj": f"mlmmj {_EVERYBODY_TWICE}",
    "other": "If the first mail went out, expect everybody on the list to get it a second time.",
    "auto": "What this list server does with a repeat is not known (LISTSERV_KIND says it): if the first mail went out,"
    " expect everybody on the list to get it a second time.",
}

BY_HABIT: Mapping[str, str] = {
    "message-id": "The list drops a mail whose Message-ID it has seen, as somebody has said of it, so a repeat does no harm.",
    "body": "The list sends a text that it has sent before back to you alone, as somebody has said of it, which also tells"
    " that the first mail went out.",
    "none": f"The list, as somebody has said of it, {_EVERYBODY_TWICE}",
}
"""The same, where a person has said by what a list recognises a repeat."""
