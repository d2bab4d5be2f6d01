"""The previews: exactly what goes out on each channel, as it will look there, and what is wrong or unwise about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter

from outreach import letter as letters
from outreach import when
from outreach.advice import Planned
from outreach.channels import links as linked
from outreach.compose import Target
from outreach.desk import Counsel, Preview
from outreach.doors.web import lookalike, preview_routes
from outreach.doors.web.frame import Site
from outreach.doors.web.lookalike import Links, Look
from outreach.doors.web.wordwise import Change, differences
from outreach.fields import read_value
from outreach.model import BadInput, Letter, Post
from outreach.wording import Template

_TITLE = "Title"


@dataclass(frozen=True, slots=True)
class _Try:
    """What came of rendering a letter for one channel. `stand_ins` names what samples stand in for."""

    preview: Preview | None = None
    bad: BadInput | None = None
    stand_ins: tuple[str, ...] = ()


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    return preview_routes.routes(site, of_stored)


def looked(site: Site, letter: Letter, *, of: int | None = None) -> dict[str, Any]:
    """Give what `_previews.html` shows of a letter, however unfinished: everything is under the one name `previews`.

    `of` is the announcement that the letter is the new text of. Raises nothing for what is wrong with the letter.
    """
    try:
        targets = _targets(site, letter)
    except BadInput as bad:
        return {"previews": _shown(site, [], [bad])}
    tries = _all_at_once(site, letter, of) or {t.name: _tried(site, letter, t, of) for t in targets}
    counsels = site.house.desk.advise(letter, {name: t.preview for name, t in tries.items()}, of=of)
    looks = [_look(site, target, tries[target.name], counsels[target.name], _zone(site, letter)) for target in targets]
    return {"previews": _shown(site, looks, [])}


def of_stored(site: Site, number: int) -> dict[str, Any]:
    """Give what `_previews.html` shows of what is queued or went out, from what is stored. Raises `BadInput`."""
    desk, home = site.house.desk, site.house.settings.OUTREACH_TIME_ZONE
    found = desk.find(str(number))
    stored = {post.name: (post, desk.preview(post.name)[0]) for post in found if post.channel in _known(site)}
    waiting = [post for post, _ in stored.values() if post.state == "queued"]
    counsels = _counsels_of(site, number, waiting, {p.channel: view for p, view in stored.values()}, home)
    looks = []
    for post, view in stored.values():
        counsel = counsels.get(post.channel, Counsel(None)) if post in waiting else Counsel(None)
        target = desk.target(post.channel)
        looks.append(_of_post(_look(site, target, _Try(view), counsel, post.time_zone), post))
    return {"previews": _shown(site, looks, []) | {"is_stored": True}}


def _counsels_of(
    site: Site, number: int, waiting: Sequence[Post], views: Mapping[str, Preview], home: str
) -> dict[str, Counsel]:
    letter = letters.parse(site.house.desk.latest(number).letter)
    planned = {post.channel: Planned(post.planned_at, post.time_zone, home) for post in waiting}
    asked = {post.channel: views[post.channel] for post in waiting}
    return site.house.desk.advise(letter, asked, of=number, planned=planned)


def _of_post(look: Look, post: Post) -> Look:
    """Let the addresses lead to what is stored, which is there as long as the post is."""
    place = f"/announcements/{post.announcement}/{post.channel}"
    which = f"?occurrence={post.occurrence}" if post.occurrence > 1 else ""
    html_at = f"{place}/html{which}" if look.html_at else ""
    return replace(look, post=post, due_at=post.planned_at, html_at=html_at, raw_at=f"{place}/raw{which}")


def _known(site: Site) -> set[str]:
    return {target.name for target in site.house.targets}


def _targets(site: Site, letter: Letter) -> list[Target]:
    names = letter.to or tuple(target.name for target in site.house.targets)
    if not names:
        raise BadInput("No channel is set up.", next_step="An admin adds one under Channels.")
    return [site.house.desk.target(name) for name in dict.fromkeys(names)]


# Trying to render what may be half written


def _all_at_once(site: Site, letter: Letter, of: int | None) -> dict[str, _Try]:
    """Render a letter with which nothing is wrong, its pictures opened once for all channels; else nothing."""
    try:
        found = site.house.desk.preview_letter(letter, folder=site.house.media, of=of)
        return {preview.channel: _Try(_hashable(preview)) for preview in found}
    except BadInput:
        return {}


def _tried(site: Site, letter: Letter, target: Target, of: int | None) -> _Try:
    """Render a letter; what only lacks a title, fields or a good time is shown all the same, and says so."""
    try:
        return _Try(_rendered(site, _with_a_good_time(site, letter, target.name), target, of))
    except BadInput as bad:
        completed, stand_ins = _completed(site, letter)
        if not stand_ins:
            return _Try(bad=bad)
        try:
            timed = _with_a_good_time(site, completed, target.name)
            return _Try(_rendered(site, timed, target, of), bad, stand_ins)
        except BadInput as worse:
            return _Try(bad=worse)


def _rendered(site: Site, letter: Letter, target: Target, of: int | None) -> Preview:
    media = site.house.media
    return _hashable(site.house.desk.preview_letter(letter, folder=media, channel=target.name, of=of)[0])


def _hashable(preview: Preview) -> Preview:
    """Raise, where that is told, for what cannot be hashed: it could not be sent either."""
    preview.content.sha256()
    return preview


def _with_a_good_time(site: Site, letter: Letter, channel: str) -> Letter:
    """Set a time that cannot be used aside: it changes nothing of what is sent, and the advice names it."""
    try:
        at, zone = letter.at_on(channel) or "now", letter.zone or site.house.settings.OUTREACH_TIME_ZONE
        when.resolve(at, zone, now=site.house.clock.now())
        own = tuple(pair for pair in letter.times if pair[0] == channel)
        return replace(letter, times=own, not_after=None, grace=None)
    except BadInput:
        return replace(letter, at="now", zone=None, times=(), not_after=None, grace=None)


def _completed(site: Site, letter: Letter) -> tuple[Letter, tuple[str, ...]]:
    """Let samples stand in for what is missing or cannot be read yet, and name it."""
    template = _template(site, letter)
    missing = {f.name: f.sample() for f in template.fields if not _is_given(f, letter)} if template else {}
    fields = {name: value for name, value in letter.fields if name not in missing} | missing
    lacks_title = not letter.title.strip() and template is None
    title = _TITLE if lacks_title else letter.title
    pictures = tuple(replace(p, alt=p.alt if p.alt and p.alt.strip() else None) for p in letter.pictures)
    stand_ins = [
        *missing,
        *(["title"] if lacks_title else []),
        *(["alternative text"] if pictures != letter.pictures else []),
    ]
    return replace(letter, title=title, fields=tuple(fields.items()), pictures=pictures), tuple(stand_ins)


def _template(site: Site, letter: Letter) -> Template | None:
    try:
        return site.house.library.get(letter.template) if letter.template else None
    except BadInput:
        return None


def _is_given(field: Any, letter: Letter) -> bool:
    value = dict(letter.fields).get(field.name, "")
    is_empty = not any(part.strip() for part in ([value] if isinstance(value, str) else value))
    if is_empty:
        return bool(field.optional)
    try:
        read_value(field, value)
    except BadInput:
        return False
    return True


# Laying out


def _look(site: Site, target: Target, tried: _Try, counsel: Counsel, zone: str) -> Look:
    planned = counsel.planned
    bare = Look(
        target.name,
        target.channel.kind,
        planned.zone if planned else zone,
        bad=tried.bad,
        due_at=planned.due_at if planned else None,
        advice=counsel.advice,
        problems=counsel.problems,
        stand_ins=tried.stand_ins,
    )
    return _with_content(site, bare, tried.preview, target) if tried.preview else bare


def _with_content(site: Site, look: Look, preview: Preview, target: Target) -> Look:
    content, now_s = preview.content, site.house.clock.elapsed_s()
    sha256 = content.sha256()
    key = site.vault.sign("preview", target.name, sha256)
    site.shelf.put(key, preview, now_s=now_s)
    head, tail = lookalike.pieces(content)
    is_mail = content.message is not None
    most = int(site.house.settings.LISTSERV_SIZE_KB * 1024) if is_mail else target.channel.limits.max_chars
    return replace(
        look,
        content=content,
        sha256=sha256,
        head=head,
        tail=tail,
        photos=lookalike.photos(content.pictures),
        mail=lookalike.mail_of(content),
        size=lookalike.size_of(content, most=most),
        raw=lookalike.raw_of(preview),
        html_at=f"/previews/{key}/html" if is_mail else "",
        raw_at=f"/previews/{key}/raw",
        links_at=f"/previews/{key}/links",
        links=links_of(site, key, preview),
    )


def links_of(site: Site, key: str, preview: Preview) -> Links:
    """Say what is known of the links of a preview. Asks nobody."""
    count = len(linked.links_of(preview.content))
    found = site.shelf.looked(preview.content, now_s=site.house.clock.elapsed_s())
    if found is None:
        return Links(count)
    picture = f"/previews/{key}/card.jpg" if found.card and found.card.picture else ""
    return Links(count, True, found.problems, found.card, picture)


def _zone(site: Site, letter: Letter) -> str:
    home = site.house.settings.OUTREACH_TIME_ZONE
    try:
        return when.check_zone(letter.zone or home)
    except BadInput:
        return home


def _shown(site: Site, looks: Sequence[Look], bads: Sequence[BadInput]) -> dict[str, Any]:
    """Say once what is said of every channel."""
    common = _common([look.advice for look in looks], lambda advice: advice)
    wrong = _common([(look.bad,) if look.bad else () for look in looks], _said)
    return {
        "bads": [*bads, *wrong],
        "advice": common,
        "looks": [
            replace(
                look,
                advice=tuple(a for a in look.advice if a not in common),
                bad=None if look.bad and any(_said(look.bad) == _said(w) for w in wrong) else look.bad,
            )
            for look in looks
        ],
        "differences": _differences(looks),
        "page_name": site.house.settings.OUTREACH_COMMUNITY,
        "is_stored": False,
        "has_film": any(look.content and look.content.extras.video for look in looks),
    }


def _said(bad: BadInput) -> Any:
    return bad.message, bad.where, bad.next_step


def _common(lists: Sequence[Sequence[Any]], key: Callable[[Any], Any]) -> list[Any]:
    if not lists:
        return []
    first, *others = lists
    return [one for one in first if all(any(key(one) == key(o) for o in other) for other in others)]


def _differences(looks: Sequence[Look]) -> list[tuple[str, str, list[Change]]]:
    """Compare the first channel that has a content with each other one."""
    shown = [(look.name, look.content) for look in looks if look.content]
    if not shown:
        return []
    (first, content), *others = shown
    found = [(first, name, differences(content, other)) for name, other in others]
    return [(one, other, changes) for one, other, changes in found if changes]
