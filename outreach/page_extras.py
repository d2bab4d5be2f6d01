"""From what a letter asks of a Page beside text, link and pictures to what is sent: checked, and plain where it is Markdown."""

import re
from dataclasses import replace

from outreach import markup
from outreach.extras import Extras
from outreach.model import BadInput, Letter

MAX_COMMENT_CHARS = 8_000
"""What clients in the wild allow of a comment; no page of Facebook's seen so far states it."""
_COUNTRY = re.compile(r"[A-Z]{2}")
_MOST_COUNTRIES = 25


def asked_for(letter: Letter) -> Extras:
    """Read what a letter asks for; its video is found later. Raises `BadInput`."""
    countries = tuple(name.upper() for name in letter.targeting)
    if wrong := [name for name in countries if not _COUNTRY.fullmatch(name)]:
        step = "Write two letters for each country, such as [US, CA]."
        raise BadInput(f"{wrong[0]!r} is no code of a country.", where="targeting", next_step=step)
    if len(countries) > _MOST_COUNTRIES:
        step = f"Name {_MOST_COUNTRIES} at most, or leave targeting out: then everybody can see it."
        raise BadInput(f"These are {len(countries)} countries.", where="targeting", next_step=step)
    place = (letter.page_place or "").strip()
    if place and not (place.isascii() and place.isdecimal() and len(place) <= 40):
        step = "Copy the number from the address of the place's page on Facebook."
        raise BadInput(f"{place!r} is not the number of a Facebook place.", where="page_place", next_step=step)
    return Extras((letter.first_comment or "").strip(), None, place, tuple(dict.fromkeys(countries)))


def as_sent(extras: Extras) -> Extras:
    """Make the first comment plain text, as the Page shows it. Raises `BadInput` for what Facebook would not take."""
    if not extras.first_comment:
        return extras
    try:
        markup.check_links(extras.first_comment)
        text = markup.to_plain(extras.first_comment).strip()
        markup.check_mentions(text)
    except BadInput as bad:
        raise BadInput(f"The first comment: {bad.message}", where="first_comment", next_step=bad.next_step) from None
    if (length := markup.facebook_length(text)) > MAX_COMMENT_CHARS:
        told = f"The first comment has {length:,} characters; Facebook takes {MAX_COMMENT_CHARS:,}."
        raise BadInput(told, where="first_comment", next_step="Shorten it.")
    return replace(extras, first_comment=text)


def form_of(extras: Extras) -> dict[str, str]:
    """Lay out what of them belongs to the post itself, as Facebook's form has it."""
    form = {"place": extras.place} if extras.place else {}
    if extras.countries:
        listed = ",".join(f'"{name}"' for name in extras.countries)
        form["targeting"] = f'{{"geo_locations":{{"countries":[{listed}]}}}}'
    return form
