"""The fields of each kind of object, and how an answer is cut down to the wished ones."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .error_table import GraphError
from .fields import Wish
from .paging import cut_page, list_body
from .permissions import require_scope
from .records import Comment, Page, Photo, Post, PostState, User
from .tokens import Token
from .world import World

Node = Page | Post | Photo | Comment | User

EMPTY_POST_FIELDS = frozenset(
    {"story", "shares", "message_tags", "place", "targeting", "feed_targeting", "application", "parent_id", "icon",
     "call_to_action", "properties", "with_tags", "backdated_time", "admin_creator", "event", "instagram_eligibility"}
)  # fmt: skip
ATTACHMENT_FIELDS = frozenset(
    {
        "media_type",
        "target",
        "type",
        "url",
        "unshimmed_url",
        "title",
        "description",
        "media",
        "subattachments",
        "description_tags",
    }
)


def graph_time(at: datetime) -> str:
    """Format a moment as the Graph API does, offset without a colon."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def shape(world: World, node: Node, wishes: tuple[Wish, ...], token: Token) -> dict[str, Any]:
    """Return the wished fields of an object; `id` always, empty ones never. Raises `GraphError` 100 for unknown ones."""
    shaped: dict[str, Any] = {}
    facts = _facts(world, node, token)
    for wish in wishes:
        value = _value(world, node, wish, token, facts)
        if value is not None:
            shaped[wish.name] = value
    shaped["id"] = node.id
    return shaped


def default_wishes(node: Node) -> tuple[Wish, ...]:
    """Return what an object shows when nothing is wished."""
    names: tuple[str, ...] = ("name",)
    match node:
        case Post():
            names = ("created_time", "message", "story")
        case Photo():
            names = ("created_time", "name")
        case Comment():
            names = ("created_time", "from", "message")
    return tuple(Wish(name) for name in names)


def _value(world: World, node: Node, wish: Wish, token: Token, facts: dict[str, Any]) -> Any:
    if isinstance(node, Post) and wish.name in {"comments", "reactions", "likes"}:
        return _edge(world, node, wish, token)
    if isinstance(node, Post) and wish.name == "attachments":
        return _attachments(world, node, wish)
    if wish.name not in facts:
        raise nonexisting(wish.name, type(node).__name__)
    return _narrowed(facts[wish.name], wish.inner)


def nonexisting(name: str, kind: str) -> GraphError:
    """Return the error for a field (or edge) that an object of this kind does not have."""
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")


def _narrowed(value: Any, inner: tuple[Wish, ...]) -> Any:
    if not inner or value is None:
        return value
    if isinstance(value, list):
        return [_narrowed(entry, inner) for entry in value]
    if isinstance(value, dict) and set(value) == {"data"}:
        return {"data": _narrowed(value["data"], inner)}
    if isinstance(value, dict):
        return {wish.name: _narrowed(value[wish.name], wish.inner) for wish in inner if wish.name in value}
    return value


def _edge(world: World, post: Post, wish: Wish, token: Token) -> dict[str, Any]:
    if world.rules.counts_need_user_content:
        require_scope(token, "pages_read_user_content", code=10)
    comments = [world.comments[comment_id] for comment_id in post.comment_ids] if wish.name == "comments" else []
    is_newest_first = wish.arguments.get("order") == "reverse_chronological"
    shown, has_more = cut_page(comments, wish.arguments, is_newest_first=is_newest_first)
    body = list_body(
        [(comment.rank, shape(world, comment, wish.inner or default_wishes(comment), token)) for comment in shown],
        next_url=None,
        has_more=has_more,
    )
    if wish.arguments.get("summary", "false") not in {"false", "0"}:
        body["summary"] = _summary(
            wish, len(comments) if wish.name == "comments" else world.audience.reaction_count(post.id)
        )
    return body


def _summary(wish: Wish, count: int) -> dict[str, Any]:
    if wish.name == "comments":
        return {"order": "chronological", "total_count": count, "can_comment": True}
    return {"total_count": count, "viewer_reaction": "NONE"} if wish.name == "reactions" else {"total_count": count}


def _attachments(world: World, post: Post, wish: Wish) -> dict[str, Any] | None:
    for inner in wish.inner:
        if inner.name not in ATTACHMENT_FIELDS:
            raise nonexisting(inner.name, "StoryAttachment")
    attachment = _attachment(world, post)
    return None if attachment is None else {"data": [_narrowed(attachment, wish.inner)]}


def _attachment(world: World, post: Post) -> dict[str, Any] | None:
    photos = [world.photos[photo_id] for photo_id in post.photo_ids]
    if len(photos) == 1:
        return _photo_attachment(world, photos[0])
    if photos:
        return {
            "media_type": "album", "type": "album", "url": world.permalink(post),
            "target": {"id": post.id.partition("_")[2], "url": world.permalink(post)},
            "media": {"image": {"src": world.picture_url(photos[0])}},
            "subattachments": {"data": [_photo_attachment(world, photo) for photo in photos]},
        }  # fmt: skip
    return _link_attachment(world, post.link) if post.link else None


def _photo_attachment(world: World, photo: Photo) -> dict[str, Any]:
    url = world.picture_url(photo)
    return {
        "media_type": "photo", "type": "photo", "url": url, "target": {"id": photo.id, "url": url},
        "media": {"image": {"src": url}}, **({"description": photo.caption} if photo.caption else {}),
    }  # fmt: skip


def _link_attachment(world: World, link: str) -> dict[str, Any]:
    title, description = world.rules.link_cards.get(link, (urlsplit(link).hostname or link, ""))
    card: dict[str, Any] = {
        "media_type": "link",
        "type": "share",
        "url": link,
        "unshimmed_url": link,
        "target": {"url": link},
    }
    return card | {"title": title} | ({"description": description} if description else {})


def _author(world: World, page_id: str) -> dict[str, str]:
    return {"name": world.pages[page_id].name, "id": page_id}


def _status_type(post: Post) -> str:
    if post.photo_ids:
        return "added_photos"
    return "shared_story" if post.link else "mobile_status_update"


def _full_picture(world: World, post: Post) -> str | None:
    return world.picture_url(world.photos[post.photo_ids[0]]) if post.photo_ids else None


def _post_facts(world: World, post: Post) -> dict[str, Any]:
    return dict.fromkeys(EMPTY_POST_FIELDS) | {
        "id": post.id,
        "message": post.message,
        "created_time": graph_time(post.created_at),
        "updated_time": graph_time(post.updated_at),
        "permalink_url": world.permalink(post),
        "is_published": post.state is PostState.PUBLISHED,
        "is_hidden": post.is_hidden,
        "scheduled_publish_time": int(post.due_at.timestamp()) if post.due_at else None,
        "status_type": _status_type(post),
        "full_picture": _full_picture(world, post),
        "picture": _full_picture(world, post),
        "from": _author(world, post.page_id),
        "privacy": {"value": "EVERYONE", "description": "Public"},
        "shares": {"count": shares} if (shares := world.audience.shares[post.id]) else None,
    }


def _photo_facts(world: World, photo: Photo) -> dict[str, Any]:
    url = world.picture_url(photo)
    return {
        "id": photo.id,
        "name": photo.caption,
        "created_time": graph_time(photo.created_at),
        "updated_time": graph_time(photo.created_at),
        "alt_text": photo.alt,
        "alt_text_custom": photo.alt,
        "link": url,
        "picture": url,
        "images": [{"source": url}],
        "page_story_id": photo.post_id,
        "from": _author(world, photo.page_id),
    }


def _comment_facts(world: World, comment: Comment) -> dict[str, Any]:
    post = world.posts[comment.post_id]
    visitor = world.audience.visitors.get(comment.id)
    return {
        "id": comment.id,
        "message": comment.message,
        "created_time": graph_time(comment.created_at),
        "from": {"name": visitor, "id": "1000000001"} if visitor else _author(world, post.page_id),
        "comment_count": 0,
        "like_count": 0,
        "permalink_url": f"{world.permalink(post)}?comment_id={comment.id.partition('_')[2]}",
    }


def _page_facts(world: World, page: Page, token: Token) -> dict[str, Any]:
    may_act = token.user_id is not None and token.page_id in {None, page.id}
    return {
        "id": page.id,
        "name": page.name,
        "category": "Community",
        "category_list": [{"id": "2612", "name": "Community"}],
        "link": f"{world.base_url}/page/{page.id}",
        "is_published": True,
        "fan_count": world.rules.followers,
        "followers_count": world.rules.followers,
        "tasks": list(world.rules.tasks_by_page.get(page.id, world.rules.tasks)) if may_act else None,
        "access_token": _token_of(world, page, token) if may_act else None,
    }


def _token_of(world: World, page: Page, token: Token) -> str | None:
    """A token that a dialog gave opens what was ticked there; any other the Page's own."""
    if token.page_id is not None and token.grant is not None:
        return token.text
    if token.grant is None or world.book is None:
        return page.token
    return world.book.of_page(token, page.id, world.clock.now())


def _facts(world: World, node: Node, token: Token) -> dict[str, Any]:
    match node:
        case Post():
            return _post_facts(world, node)
        case Photo():
            return _photo_facts(world, node)
        case Comment():
            return _comment_facts(world, node)
        case Page():
            return _page_facts(world, node, token)
        case User():
            return {"id": node.id, "name": node.name}
