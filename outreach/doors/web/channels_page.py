"""Channels: how each is, pausing and resuming with a reason, asking one without publishing, and stopping everything."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.desk import Overtaken
from outreach.desk.running import MOST_REASON, key_of_channel, key_of_safe_mode, read_reason
from outreach.doors.web import given, growth, page_news, usage_chart
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.list_habits import DEDUPE, MOST_LEAD_H, ListHabits, read_habits
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.watch.preflight import DAILY


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_looking(router, site)
    _add_pausing(router, site)
    _add_asking(router, site)
    _add_trying(router, site)
    _add_habits(router, site)
    _add_stopping(router, site)
    return router


def _add_looking(router: APIRouter, site: Site) -> None:
    @router.get("/channels")
    def channels(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        return _page(request, site, visitor)


def _add_pausing(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.post("/channels/{name}/pause")
    def pause(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        _check(site, name)
        try:
            reason = read_reason(form.text("reason"))
            desk.pause_channel(name, reason=reason, person=form.visitor.email, seen=form.text("seen"))
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of=name, typed=form.text("reason"))
        return site.go(f"/channels#{name}", notice=f"{name} is paused: nothing goes out on it until it is resumed.")

    @router.post("/channels/{name}/resume")
    def resume(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        _check(site, name)
        try:
            reason = read_reason(form.text("reason"))
            desk.resume_channel(name, person=form.visitor.email, reason=reason, seen=form.text("seen"))
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of=name, typed=form.text("reason"))
        return site.go(f"/channels#{name}", notice=f"{name} is ready: posts go out on it again.")


def _add_asking(router: APIRouter, site: Site) -> None:
    asked = _Asked()

    @router.post("/channels/{name}/test")
    def test(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        _check(site, name)
        try:
            with asked.alone(name):
                found = site.house.new_preflight().of_channel(name)
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of=name, status_code=409)
        grave = [problem for problem in found.problems if not problem.is_warning]
        said = f"{name} would let a post out now." if not grave else f"{name} would let nothing out now: see below."
        return site.go(f"/channels#{name}", notice=said)


def _add_trying(router: APIRouter, site: Site) -> None:
    @router.post("/channels/{name}/send-a-test")
    def send(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        _check(site, name)
        try:
            number = site.house.desk.send_a_test(name, person=form.visitor.email)
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of=name, status_code=409)
        return site.go(f"/announcements/{number}", notice="The test is queued. This page shows what becomes of it.")


def _add_habits(router: APIRouter, site: Site) -> None:
    @router.post("/channels/{name}/habits")
    def habits(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        _check(site, name)
        typed = {each: form.text(each).strip()[:40] for each in ListHabits.__slots__}
        try:
            site.house.desk.set_habits(name, read_habits(typed), person=form.visitor.email)
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, habits_of=name, typed_habits=typed)
        return site.go(
            f"/channels#{name}",
            notice=f"What {name} does with mails is noted. It counts for what is queued from now on.",
        )


def _add_stopping(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.post("/stop-everything")
    def stop(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        try:
            reason = read_reason(form.text("reason"))
            desk.stop_everything(reason=reason, person=form.visitor.email, seen=form.text("seen"))
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of="everything", typed=form.text("reason"))
        return site.go("/channels", notice="Everything is stopped: nothing goes out on any channel.")

    @router.post("/let-out-again")
    def let_out(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        try:
            reason = read_reason(form.text("reason"))
            desk.let_out_again(reason=reason, person=form.visitor.email, seen=form.text("seen"))
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, of="everything", typed=form.text("reason"))
        return site.go("/channels", notice="Posts go out again when they are due.")


class _Asked:
    """Which channels are being asked right now: ten clicks are not ten questions to Facebook."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        with self._lock:
            if name in self._names:
                raise BadInput(f"{name} is being asked already.", next_step="Look again in half a minute.")
            self._names.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._names.discard(name)


def _check(site: Site, name: str) -> None:
    if name not in {row.name for row in site.house.desk.channels()}:
        raise NotThere("There is no such channel.", next_step="Go back to the channels.")


def _page(request: Request, site: Site, visitor: Visitor, **shown: Any) -> Response:
    house = site.house
    bad = shown.get("bad")
    if bad is not None:
        shown.setdefault("status_code", 409 if isinstance(bad, Overtaken) else 422)
    set_up = {target.name for target in house.targets}
    shown_by_lists, limits_named = house.desk.what_lists_show(), house.desk.limits_named()
    mode = house.desk.safe_mode()
    rows = [
        {
            "row": row,
            "is": is_,
            "seen": key_of_channel(row),
            "is_set_up": row.name in set_up,
            "shown": shown_by_lists.get(row.name),
            "limit_kb": limits_named.get(row.name),
            "standing": house.connecting.standing() if row.name == house.connecting.channel else None,
            "habits": house.desk.habits(row.name) if row.kind == "listserv" else None,
            "figures": house.desk.figures_stand(row.name),
            "growth": growth.of_channel(house.desk, row.name) if row.name in set_up else None,
            "settings": given.of_kind(house.settings, house.secrets_since, row.kind),
            "used": usage_chart.shown(is_.usage, now=house.clock.now(), zone=house.settings.OUTREACH_TIME_ZONE),
            "next_check": is_.check.at + DAILY if is_.check else None,
        }
        for row, is_ in house.desk.how_channels_are()
    ]
    more = {
        "limits": house.limits,
        "safe_mode": mode,
        "seen_mode": key_of_safe_mode(mode),
        "now": house.clock.now(),
        "soon": timedelta(days=21),
        "most_reason": MOST_REASON,
        "dedupe": DEDUPE,
        "most_lead_h": MOST_LEAD_H,
        "hook": house.settings.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value() and site.public_address(page_news.PATH),
        "has_mailbox": house.settings.unseen_after is not None,
    }
    return site.draw(request, "channels.html", visitor, rows=rows, **more, **shown)
