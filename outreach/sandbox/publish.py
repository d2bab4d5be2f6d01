"""Writes on a Page: posts, photos, comments, edits and deletions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from .calls import Call, Done
from .error_table import GraphError, error_named
from .permissions import page_to_publish_on, require_scope
from .records import Page, Photo, Post, PostState
from .videos import Video, staged_video
from .world import World

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


def create_post(world: World, call: Call) -> Done:
    """`POST /{page}/feed`."""
    page = page_to_publish_on(world, call)
    message, link = call.params.text("message"), call.params.text("link")
    photo_ids = _attached(world, call, page)
    video = _attached_video(world, call, page)
    if message is None and link is None and not photo_ids and video is None:
        raise GraphError(100, "(#100) The post needs a message, a link or attached media")
    _check_text(world, message)
    _check_link(world, link)
    call.params.structure("targeting")
    due_at = _due_at(world, call, has_photos=bool(photo_ids))
    _check_duplicate(world, page, message)
    is_public = due_at is None and call.params.flag("published", default=True)
    post = world.add_post(
        page.id,
        message=message,
        link=None if photo_ids else link,
        photo_ids=photo_ids,
        due_at=due_at,
        is_public=is_public,
    )
    if video is not None:
        post.video_id, video.post_id = video.id, post.id
    return Done({"id": post.id}, wrote=True, post_id=post.id)


def create_photo(world: World, call: Call) -> Done:
    """`POST /{page}/photos`: staged with `published=false`, else a post of its own."""
    page = page_to_publish_on(world, call)
    content = _picture(world, call)
    mime = _checked_type(world, content)
    caption = call.params.text("caption") or call.params.text("message") or call.params.text("name")
    _check_text(world, caption)
    due_at = _due_at(world, call, has_photos=False)
    is_staged = due_at is None and not call.params.flag("published", default=True)
    alt, is_temporary = call.params.text("alt_text_custom"), call.params.flag("temporary", default=False)
    photo = world.add_photo(page.id, content=content, mime=mime, caption=caption, alt=alt, is_temporary=is_temporary)
    if is_staged:
        return Done({"id": photo.id}, wrote=True)
    post = world.add_post(
        page.id, message=caption, link=None, photo_ids=(photo.id,), due_at=due_at, is_public=due_at is None
    )
    return Done({"id": photo.id, "post_id": post.id}, wrote=True, post_id=post.id)


def create_comment(world: World, call: Call) -> Done:
    """`POST /{post}/comments`, written as the Page."""
    post = _own_post(world, call, scope="pages_manage_engagement")
    message = call.params.text("message")
    if message is None:
        raise GraphError(100, "(#100) The comment needs a message")
    comment = world.add_comment(post, message)
    return Done({"id": comment.id}, wrote=True, post_id=post.id)


def edit_post(world: World, call: Call) -> Done:
    """`POST /{post}`: new text, a new time, hiding, or publishing what was not public."""
    post = _own_post(world, call, scope="pages_manage_posts")
    if not world.rules.may_edit:
        raise GraphError(200, "(#200) Only the app that created the post can edit it")
    message = call.params.text("message")
    _check_text(world, message)
    due_at = _due_at(world, call, has_photos=False, is_edit=True)
    post.message = message if message is not None else post.message
    post.is_hidden = call.params.flag("is_hidden", default=post.is_hidden)
    post.updated_at = world.clock.now()
    if due_at is not None and post.state is not PostState.PUBLISHED:
        post.due_at, post.state = due_at, PostState.SCHEDULED
        world.expect(due_at)
    if post.state is not PostState.PUBLISHED and call.params.flag("is_published", default=False):
        world.publish(post, world.clock.now())
    return Done({"success": True}, wrote=True, post_id=post.id)


def delete_object(world: World, call: Call) -> Done:
    """`DELETE` a post, or a staged photo; a second time answers 100/33."""
    photo = world.photos.get(call.segments[0])
    if photo is not None and photo.post_id is None and photo.page_id == call.token.page_id:
        del world.photos[photo.id]
        return Done({"success": True}, wrote=True)
    post = _own_post(world, call, scope="pages_manage_posts")
    if not world.rules.may_delete:
        raise GraphError(200, "(#200) Only select developers can perform this operation using the API")
    world.remove_post(post)
    return Done({"success": True}, wrote=True, post_id=post.id)


def _own_post(world: World, call: Call, *, scope: str) -> Post:
    post = world.posts.get(call.segments[0])
    if post is None:
        raise error_named("100_33")
    require_scope(call.token, scope, code=200)
    if call.token.page_id != post.page_id:
        raise error_named("200")
    return post


def _check_text(world: World, message: str | None) -> None:
    if message is not None and len(message) > world.rules.max_message_chars:
        raise GraphError(100, "(#100) Name parameter too long")


def _check_link(world: World, link: str | None) -> None:
    if link is None:
        return
    parts = urlsplit(link)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise error_named("1500")
    if parts.hostname == "facebook.com" or parts.hostname.endswith(".facebook.com"):
        raise error_named("1609008")
    if link in world.rules.dead_links:
        raise error_named("1609005")


def _check_duplicate(world: World, page: Page, message: str | None) -> None:
    name = world.rules.duplicates
    posts = world.listed(page.id) if name else []
    if name is None or not posts or message is None or posts[-1].message != message:
        return
    if world.clock.now() - posts[-1].created_at <= timedelta(seconds=world.rules.duplicate_window_s):
        raise error_named(name)


def _attached(world: World, call: Call, page: Page) -> tuple[str, ...]:
    ids = tuple(_media_id(item) for item in call.params.items("attached_media"))
    if len(set(ids)) != len(ids):
        raise GraphError(100, "(#100) The same photo is attached twice")
    return tuple(_staged(world, page, photo_id).id for photo_id in ids if photo_id not in world.videos)


def _attached_video(world: World, call: Call, page: Page) -> Video | None:
    ids = [_media_id(item) for item in call.params.items("attached_media")]
    found = [video for each in ids if (video := staged_video(world, page, each))]
    if found and len(ids) > 1:
        raise GraphError(100, "(#100) A video cannot stand beside other media")
    return found[0] if found else None


def _media_id(item: Any) -> str:
    if not isinstance(item, dict) or "media_fbid" not in item:
        raise GraphError(100, "(#100) Each of attached_media must carry media_fbid")
    return str(item["media_fbid"])


def _staged(world: World, page: Page, photo_id: str) -> Photo:
    photo = world.photos.get(photo_id)
    if photo is None or photo.page_id != page.id:
        raise GraphError(100, f"(#100) The photo {photo_id} does not exist or belongs to somebody else")
    if photo.post_id is not None:
        raise GraphError(100, f"(#100) The photo {photo_id} is part of a post already")
    return photo


def _due_at(world: World, call: Call, *, has_photos: bool, is_edit: bool = False) -> datetime | None:
    value = call.params.text("scheduled_publish_time")
    if value is None:
        return None
    due_at = _moment(value, integers_only=call.op != "feed")
    if not is_edit and call.params.flag("published", default=True):
        raise GraphError(100, "(#100) A scheduled post must be sent with published=false")
    ahead_s = (due_at - world.clock.now()).total_seconds()
    if not world.rules.schedule_min_s - 1 <= ahead_s <= world.rules.schedule_max_s:
        raise error_named("100_schedule")
    if has_photos and call.params.text("unpublished_content_type") != "SCHEDULED":
        raise GraphError(100, "(#100) Scheduled media needs unpublished_content_type=SCHEDULED")
    return due_at


def _moment(value: str, *, integers_only: bool) -> datetime:
    try:
        if value.isdigit():
            return datetime.fromtimestamp(int(value), UTC)
        moment = None if integers_only else datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise error_named("100_schedule")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _picture(world: World, call: Call) -> bytes:
    if call.params.files:
        return call.params.files[0].content
    url = call.params.text("url")
    if url is None:
        raise error_named("324")
    if url not in world.rules.pictures_by_url:
        raise error_named("324_2069019")
    return world.rules.pictures_by_url[url]


def _checked_type(world: World, content: bytes) -> str:
    mime = next((mime for magic, mime in _MAGIC if content.startswith(magic)), None)
    if mime is None:
        raise error_named("324_2069019")
    if len(content) > world.rules.max_photo_bytes:
        raise error_named("100_1366046")
    return mime
