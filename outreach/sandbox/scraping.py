"""Reading the page behind a link anew: `POST /?id=URL&scrape=true`. The sandbox fetches nothing, it only takes note."""

from urllib.parse import urlsplit

from .calls import Call, Done
from .error_table import GraphError, error_named
from .shapes import graph_time
from .world import World


def scrape(world: World, call: Call) -> Done:
    """Answer as if the page had been read; a link that cannot be reached is refused as in a post."""
    link = call.params.text("id")
    if link is None or not call.params.flag("scrape", default=False):
        raise GraphError(100, "(#100) Unsupported post request. Please name a URL in id, and scrape=true", subcode=33)
    if urlsplit(link).scheme not in {"http", "https"} or not urlsplit(link).hostname:
        raise error_named("1500")
    if link in world.rules.dead_links:
        raise error_named("1609005")
    title, about = world.rules.link_cards.get(link, (urlsplit(link).hostname or link, ""))
    told = {"url": link, "type": "website", "title": title, "description": about, "id": world.next_id()}
    return Done(told | {"updated_time": graph_time(world.clock.now())})
