"""The requests by which a new post is made on a Page, laid out: what is sent, and what a preview shows of it."""

from collections.abc import Mapping
from typing import Any

from outreach import page_extras
from outreach.channels import _first_comment as first
from outreach.channels import _video as video
from outreach.model import Content, SentPicture


def described(content: Content, at_version: str, page_id: str) -> list[Mapping[str, Any]]:
    """Give the requests in their order, without the token and the proof."""
    where = f"{at_version}/{page_id}"
    photos: list[Mapping[str, Any]] = [
        {"method": "POST", "url": f"{where}/photos", "form": photo_form(p) | {"source": f"<{p.file}>"}}
        for p in content.pictures
    ]
    film = content.extras.video
    files = [film] if film else content.pictures
    form = feed_form(content, [f"<id of {each.file}>" for each in files])
    photos += video.described(film, at_version, where) if film else []
    post = {"method": "POST", "url": f"{where}/feed", "form": form}
    return [*photos, post, *first.described(content, at_version)]


def feed_form(content: Content, staged: list[str]) -> dict[str, str]:
    """Lay out the one visible step, with what was staged for it."""
    form = {"message": content.text} | page_extras.form_of(content.extras)
    if content.link:
        form["link"] = content.link
    for place, media_id in enumerate(staged):
        form[f"attached_media[{place}]"] = f'{{"media_fbid":"{media_id}"}}'
    return form


def photo_form(picture: SentPicture) -> dict[str, str]:
    """Lay out what stages a picture unseen."""
    form = {"published": "false"}
    if picture.alt is not None:
        form["alt_text_custom"] = picture.alt
    return form
