"""A Page as the public sees it: its posts, newest first."""

from html import escape
from urllib.parse import urlsplit

from .answers import Answer
from .look import SAFETY, anchor, linked, moment, not_found, page
from .records import Page, Photo, Post
from .world import World


def page_view(world: World, page_id: str) -> Answer:
    """`/page/{page id}`."""
    shown = world.pages.get(page_id)
    if shown is None:
        return not_found()
    posts = list(reversed(world.public(page_id)))
    articles = "\n".join(_article(world, shown, post) for post in posts) or "<p>No posts yet.</p>"
    return page(shown.name, f"<h1>{escape(shown.name)}</h1>\n{articles}")


def post_view(world: World, page_id: str, number: str) -> Answer:
    """`/page/{page id}/posts/{number}`, where permalinks point."""
    post = next((post for post in world.public(page_id) if post.id == f"{page_id}_{number}"), None)
    if post is None:
        return not_found()
    shown = world.pages[page_id]
    comments = "".join(_comment(world, shown, comment_id) for comment_id in post.comment_ids)
    heading = f"<h1>{anchor(f'/page/{page_id}', shown.name)}</h1>\n"
    return page(
        f"Post by {shown.name}",
        heading + _article(world, shown, post) + (f"<h2>Comments</h2>{comments}" if comments else ""),
    )


def picture(world: World, photo_id: str) -> Answer:
    """`/media/{id}`: the file of a picture or a video as it was uploaded."""
    video = world.videos.get(photo_id)
    if video is not None:
        return Answer(200, bytes(video.content), "video/mp4", SAFETY)
    photo = world.photos.get(photo_id)
    return not_found() if photo is None else Answer(200, photo.content, photo.mime, SAFETY)


def _article(world: World, shown: Page, post: Post) -> str:
    when = f'<a href="{escape(world.permalink(post))}">{moment(post.created_at)}</a>'
    words = f'<div class="words">{linked(post.message)}</div>' if post.message else ""
    pictures = "".join(_figure(world.photos[photo_id]) for photo_id in post.photo_ids)
    pictures += f'<video controls src="/media/{post.video_id}"></video>' if post.video_id else ""
    card = _card(world, post.link) if post.link else ""
    return f"<article><header><strong>{escape(shown.name)}</strong>{when}</header>{words}{pictures}{card}</article>"


def _figure(photo: Photo) -> str:
    caption = f"<figcaption>Alternative text: {escape(photo.alt)}</figcaption>" if photo.alt else ""
    return f'<figure><img src="/media/{photo.id}" alt="{escape(photo.alt or "")}" loading="lazy">{caption}</figure>'


def _card(world: World, link: str) -> str:
    host = urlsplit(link).hostname or link
    title, description = world.rules.link_cards.get(link, (link, ""))
    more = f"<span>{escape(description)}</span>" if description else ""
    return f'<div class="card"><span>{escape(host)}</span>{anchor(link, title)}{more}</div>'


def _comment(world: World, shown: Page, comment_id: str) -> str:
    comment = world.comments[comment_id]
    return f'<article><header><strong>{escape(shown.name)}</strong>{moment(comment.created_at)}</header><div class="words">{linked(comment.message)}</div></article>'
