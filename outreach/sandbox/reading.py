"""Reads: single objects, several by `ids=`, lists of a Page, and what a token is."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from .calls import Call, Done
from .error_table import GraphError, error_named
from .fields import Wish, read_fields
from .paging import cursor, cut_page, hollow_page, list_body
from .permissions import require_scope
from .records import Comment, Page, Photo, Post, PostState
from .shapes import Node, default_wishes, nonexisting, shape
from .tokens import Kind, Token, TokenBook
from .world import World

PAGE_LISTS = {"feed", "posts", "published_posts", "scheduled_posts", "photos"}


def read_object(world: World, call: Call) -> Done:
    """`GET /{id}`."""
    return Done(shaped(world, find_node(world, call.segments[0], call.token), call))


def read_several(world: World, call: Call) -> Done:
    """`GET /?ids=a,b`."""
    ids = [word.strip() for word in (call.params.text("ids") or "").split(",") if word.strip()]
    if not ids:
        raise GraphError(100, "Unsupported get request. Please name an object, or ids", subcode=33)
    return Done({node_id: shaped(world, find_node(world, node_id, call.token), call) for node_id in ids})


def read_me(world: World, call: Call) -> Done:
    """`GET /me`: the person, or the Page the token speaks for."""
    return Done(shaped(world, find_node(world, "me", call.token), call))


def read_list(world: World, call: Call) -> Done:
    """`GET /{page}/{list}` and `GET /{post}/comments`, newest posts first."""
    node = find_node(world, call.segments[0], call.token)
    edge = call.segments[1]
    items = _items(world, node, edge, call)
    hollow = hollow_page(call.params.values, most=world.rules.hollow_pages)
    if hollow is not None:
        return Done({"data": [], "paging": {"cursors": {"after": hollow}, "next": next_address(world, call, hollow)}})
    shown, has_more = cut_page(items, call.params.values, is_newest_first=edge != "comments")
    ranked = [(item.rank, shaped(world, item, call)) for item in shown]
    next_url = next_address(world, call, cursor(shown[-1].rank)) if shown and has_more else None
    return Done(list_body(ranked, next_url=next_url, has_more=has_more))


def inspect_token(book: TokenBook, world: World, call: Call) -> Done:
    """`GET /debug_token`: facts about `input_token`, dead ones too."""
    text = call.params.text("input_token")
    if text is None:
        raise GraphError(100, "(#100) The parameter input_token is required")
    token = book.find(text)
    if token is None:
        return Done(
            {"data": {"is_valid": False, "scopes": [], "error": {"code": 190, "message": "Invalid OAuth access token"}}}
        )
    return Done({"data": _token_facts(book, world, token)})


def find_node(world: World, node_id: str, token: Token) -> Node:
    """Return the object of an id (or `me`) that this token may read; raises `GraphError` otherwise."""
    if node_id == "me":
        return _me(world, token)
    if node_id in world.pages:
        return world.pages[node_id]
    require_scope(token, "pages_read_engagement", code=10)
    if node_id in world.posts:
        return world.post_or_refuse(node_id)
    if node_id == world.user.id:
        return world.user
    found = world.photos.get(node_id) or world.comments.get(node_id)
    if found is None:
        raise error_named("100_33")
    return found


def _me(world: World, token: Token) -> Node:
    if token.kind is Kind.APP:
        raise GraphError(2500, "An active access token must be used to query information about the current user.")
    return world.pages[token.page_id] if token.page_id else world.user


def _items(world: World, node: Node, edge: str, call: Call) -> Sequence[Post | Photo | Comment]:
    if isinstance(node, Post) and edge == "comments":
        return [world.comments[comment_id] for comment_id in node.comment_ids]
    if not isinstance(node, Page) or edge not in PAGE_LISTS:
        raise nonexisting(edge, type(node).__name__)
    require_scope(call.token, "pages_read_engagement", code=10)
    if edge == "feed":
        require_scope(call.token, "pages_read_user_content", code=10)
    if edge == "photos":
        return [photo for photo in world.photos.values() if photo.page_id == node.id and photo.post_id is not None]
    if edge == "scheduled_posts":
        return [p for p in world.posts.values() if p.page_id == node.id and p.state is PostState.SCHEDULED]
    return [post for post in world.listed(node.id) if world.visible(post)]


def _wishes(call: Call) -> tuple[Wish, ...]:
    text = call.params.text("fields")
    return read_fields(text) if text else ()


def shaped(world: World, node: Node, call: Call) -> dict[str, Any]:
    return shape(world, node, _wishes(call) or default_wishes(node), call.token)


def next_address(world: World, call: Call, after: str) -> str:
    """Return the address of the next page of a list, the token inside it as at Facebook."""
    kept: dict[str, Any] = {
        name: call.params.values[name] for name in ("fields", "limit") if name in call.params.values
    }
    query = {"access_token": call.token.text, "pretty": "0", **kept, "after": after}
    return f"{world.base_url}/{call.version}/{'/'.join(call.segments)}?{urlencode(query)}"


def _token_facts(book: TokenBook, world: World, token: Token) -> dict[str, Any]:
    subcode = token.subcode_of_death(world.clock.now())
    facts: dict[str, Any] = {
        "app_id": book.app_id,
        "type": token.kind.value,
        "application": "Announcements",
        "data_access_expires_at": int(token.data_access_expires_at.timestamp()),
        "expires_at": int(token.expires_at.timestamp()) if token.expires_at else 0,
        "is_valid": subcode is None,
        "issued_at": int(token.issued_at.timestamp()),
        "scopes": list(token.scopes),
        "granular_scopes": [_granular(scope, token) for scope in token.scopes],
    }
    if token.user_id:
        facts["user_id"] = token.user_id
    if token.page_id:
        facts["profile_id"] = token.page_id
    if subcode is not None:
        facts["error"] = {"code": 190, "message": error_named(f"190_{subcode}").message, "subcode": subcode}
    return facts


def _granular(scope: str, token: Token) -> dict[str, Any]:
    if not scope.startswith("pages_"):
        return {"scope": scope}
    if token.page_id is not None:
        return {"scope": scope, "target_ids": [token.page_id]}
    ticked = token.grant.pages if token.grant else None
    return {"scope": scope, "target_ids": sorted(ticked)} if ticked else {"scope": scope}
