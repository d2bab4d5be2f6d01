"""The Pages that a person may choose from, and whether the chosen one can be published on: the acceptance test."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outreach import when
from outreach.channels._graph_answers import id_in, redacted
from outreach.channels._graph_errors import look_up
from outreach.channels._token_facts import NEEDED, TASK, TokenFacts, Wanted
from outreach.model import Problem

MOST_OFFERS = 2000
AGAIN = "Press Connect a Page again"
IN_WORDS = {
    "pages_manage_posts": "Create and manage content on your Page",
    "pages_read_engagement": "Read content posted on the Page",
    "pages_show_list": "Show a list of the Pages you manage",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A Page that Facebook lists. Without a `token` it was not ticked; `tasks` None: Facebook does not say."""

    id: str
    name: str
    token: str = field(default="", repr=False)
    tasks: frozenset[str] | None = None

    @property
    def hindrance(self) -> Problem | None:
        """What keeps it from being chosen, as far as the list says."""
        if not self.token:
            step = f"{AGAIN}; in Facebook's dialog choose Edit settings and tick {self.name or self.id}."
            return Problem(f"{self.name or self.id} was not ticked in Facebook's dialog.", step)
        if self.tasks is not None and TASK not in self.tasks:
            step = (
                "Ask somebody with full control of the Page to give you access to its Content"
                " (the Page, Settings, Page access), then connect it again."
            )
            return Problem(f"You may not create content on {self.name or self.id}.", step)
        return None


def offers_in(rows: Iterable[Any]) -> Iterator[Offer]:
    """Read the entries of a list; what is no Page is left out."""
    for row in rows:
        found = id_in(row)
        if found is None or "_" in found:
            continue
        name, token, tasks = row.get("name"), row.get("access_token"), row.get("tasks")
        yield Offer(
            id=found,
            name=redacted(name)[:200].strip() if isinstance(name, str) else "",
            token=token if isinstance(token, str) and token.isprintable() else "",
            tasks=frozenset(str(task) for task in tasks) if isinstance(tasks, list) else None,
        )


def merged(offers: Iterable[Offer]) -> list[Offer]:
    """Give each Page once, with its token where one list has it."""
    found: dict[str, Offer] = {}
    for offer in offers:
        if offer.id not in found or (offer.token and not found[offer.id].token):
            found[offer.id] = offer
    return list(found.values())


def problems_of(offer: Offer, facts: TokenFacts, wanted: Wanted, *, now: datetime) -> Sequence[Problem]:
    """Say everything that keeps a token from being kept: each names the box to tick or the person to ask."""
    if not facts.is_valid:
        code, subcode = facts.error
        row = look_up(190 if code is None else code, subcode)
        return [Problem(f"Facebook does not accept the Page's token: {row.sentence}", f"{AGAIN}.")]
    of_kind = list(_of_kind(facts, wanted))
    return of_kind or [*_of_permissions(facts), *_of_its_end(facts, now), *_of_tasks(offer)]


def _of_kind(facts: TokenFacts, wanted: Wanted) -> Iterator[Problem]:
    if facts.kind and facts.kind != "PAGE":
        yield Problem(f"This is not the token of a Page, but of kind {facts.kind}.", f"{AGAIN}, and tick the Page.")
    elif facts.profile_id and facts.profile_id != wanted.page_id:
        yield Problem(f"Facebook gave the token of another Page ({facts.profile_id}).", f"{AGAIN}.")
    if facts.app_id and facts.app_id != wanted.app_id:
        step = "Make it with the app of FACEBOOK_APP_ID, or set FACEBOOK_APP_ID and FACEBOOK_APP_SECRET to that app."
        yield Problem(f"The token was made with another app ({facts.app_id}).", step)


def _of_permissions(facts: TokenFacts) -> Iterator[Problem]:
    if facts.scopes is None:
        yield Problem("Facebook does not say what the token may do.", "A check of the channel tells.", is_warning=True)
        return
    for scope in NEEDED:
        if scope not in facts.scopes:
            step = f"{AGAIN}; in Facebook's dialog leave “{IN_WORDS[scope]}” on."
            yield Problem(f"The permission {scope} was not given.", step)
        elif scope in facts.elsewhere:
            step = f"{AGAIN}; in Facebook's dialog tick this Page below “{IN_WORDS[scope]}”."
            yield Problem(f"The permission {scope} was given for other Pages, not for this one.", step)


def _of_its_end(facts: TokenFacts, now: datetime) -> Iterator[Problem]:
    if facts.expires_at is not None:
        shown = when.show(facts.expires_at, "UTC")
        told = f"The token {'ran' if facts.expires_at <= now else 'runs'} out on {shown}: it was made from a short-lived log-in."
        yield Problem(told, f"{AGAIN}. A token that is pasted has to be a person's, or one that never ends.")


def _of_tasks(offer: Offer) -> Iterator[Problem]:
    hindrance = offer.hindrance
    if hindrance is not None:
        yield hindrance
