"""What a person granted, and the business portfolios through which some Pages are reached."""

from dataclasses import dataclass
from typing import Any

from .calls import Call, Done
from .error_table import error_named
from .fields import Wish, read_fields
from .paging import cursor, cut_page, list_body
from .permissions import require_scope
from .reading import next_address
from .records import Page
from .shapes import nonexisting, shape
from .tokens import Kind
from .world import World

_DEFAULT = tuple(Wish(name) for name in ("access_token", "category", "category_list", "name", "tasks"))
BUSINESS = {"id": "100070000000000007", "name": "Society"}


@dataclass(slots=True)
class _Placed:
    rank: int
    page: Page


def read_accounts(world: World, call: Call) -> Done:
    """`GET /me/accounts`: the Pages of the person who granted the token, but for those that only a portfolio has."""
    if call.token.kind not in {Kind.USER, Kind.SYSTEM}:
        raise nonexisting("accounts", "Page")
    shown = [page for page in world.pages.values() if page.id not in world.rules.portfolio]
    return _listed(world, call, shown)


def read_permissions(_world: World, call: Call) -> Done:
    """`GET /me/permissions`: each permission that was asked for, granted or declined."""
    if call.token.kind is not Kind.USER:
        raise nonexisting("permissions", "Page")
    declined = call.token.grant.declined if call.token.grant else ()
    rows = [(scope, "granted") for scope in call.token.scopes] + [(scope, "declined") for scope in declined]
    return Done({"data": [{"permission": scope, "status": status} for scope, status in rows]})


def read_businesses(world: World, call: Call) -> Done:
    """`GET /me/businesses`: one portfolio, if the sandbox has Pages in it."""
    require_scope(call.token, "business_management", code=200)
    return Done({"data": [BUSINESS] if world.rules.portfolio else []})


def read_owned(world: World, call: Call) -> Done:
    """`GET /{business}/owned_pages` and `client_pages`."""
    require_scope(call.token, "business_management", code=200)
    if call.segments[0] != BUSINESS["id"]:
        raise error_named("100_33")
    edge = call.segments[1]
    shown = [page for page in world.pages.values() if world.rules.portfolio.get(page.id) == edge]
    return _listed(world, call, shown)


def _listed(world: World, call: Call, pages: list[Page]) -> Done:
    text = call.params.text("fields")
    wishes = read_fields(text) if text else _DEFAULT
    placed = [_Placed(rank, page) for rank, page in enumerate(pages, 1)]
    part, has_more = cut_page(placed, call.params.values, is_newest_first=False)
    ranked: list[tuple[int, Any]] = [(each.rank, shape(world, each.page, wishes, call.token)) for each in part]
    next_url = next_address(world, call, cursor(part[-1].rank)) if part and has_more else None
    return Done(list_body(ranked, next_url=next_url, has_more=has_more))
