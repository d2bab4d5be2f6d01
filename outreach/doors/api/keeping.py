"""Running, for programs: channels, templates, safe mode, alarms, and what the community wishes."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from outreach.access import Visitor
from outreach.alarms.words import trial_note
from outreach.doors import shapes
from outreach.doors.api import asked, kept
from outreach.doors.api.frame import Api, Name
from outreach.doors.api.once import Call, Done
from outreach.doors.api.problems import Problem, standing
from outreach.list_habits import read_habits
from outreach.model import BadInput
from outreach.model import Problem as Fault
from outreach.roles import Verb
from outreach.store import alarms, channels
from outreach.wishes import read_wishes
from outreach.wording import Template


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["running"])
    _add_channels(router, api)
    _add_following(router, api)
    _add_habits(router, api)
    _add_templates(router, api)
    _add_safe_mode(router, api)
    _add_alarms(router, api)
    _add_settings(router, api)
    return router


# Channels


def _add_channels(router: APIRouter, api: Api) -> None:
    @router.get("/channels", summary="List the channels and how they stand")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Channels:
        return kept.Channels.of({"channels": [_channel(row, _known(api, row.name)) for row in api.desk.channels()]})

    @router.post(
        "/channels/{name}/check",
        response_model=kept.Channel,
        summary="Find out, without publishing anything, whether a channel would let a post out now",
    )
    def check(name: Name, call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.Channel:
            api.channel(name)
            is_set_up = name in {target.name for target in api.house.targets}
            return _one(api, name, api.house.new_preflight().of_channel(name).problems if is_set_up else _GONE)

        return api.do(call, work)

    @router.post(
        "/channels/{name}/send-a-test",
        response_model=kept.Tested,
        summary="Queue one test mail to everybody on a list, to see what becomes of it",
    )
    def send_a_test(name: Name, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> kept.Tested:
            api.channel(name)
            return kept.Tested(announcement=api.desk.send_a_test(name, person=call.person))

        return api.do(call, work)

    @router.post("/channels/{name}/pause", response_model=kept.Channel, summary="Let nothing out on a channel")
    def pause(name: Name, why: asked.Why, call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.Channel:
            api.channel(name)
            api.desk.pause_channel(name, reason=why.reason.strip(), person=call.person)
            return _one(api, name, _known(api, name))

        return api.do(call, work, done=_done(api, call, name, "pause channel"))

    @router.post("/channels/{name}/resume", response_model=kept.Channel, summary="Let posts out on a channel again")
    def resume(name: Name, call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.Channel:
            api.channel(name)
            api.desk.resume_channel(name, person=call.person)
            return _one(api, name, _known(api, name))

        return api.do(call, work, done=_done(api, call, name, "resume channel"))


def _add_following(router: APIRouter, api: Api) -> None:
    @router.post(
        "/channels/{name}/follow",
        response_model=kept.Followed,
        summary="Let a Page tell by itself what happens on it, besides whatever else it tells",
    )
    def follow(name: Name, call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.Followed:
            api.channel(name)
            own = api.house.new_channels().get(name)
            return kept.Followed(fields=list(api.desk.follow(name, own, person=call.person)))

        return api.do(call, work)


def _add_habits(router: APIRouter, api: Api) -> None:
    @router.get("/channels/{name}/habits", summary="Show what people have said of a list")
    def habits(name: Name, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Habits:
        api.channel(name)
        return kept.Habits.of(api.desk.habits(name).laid_out())

    @router.put("/channels/{name}/habits", summary="Say what a list does with mails; what is left out is not said")
    def set_habits(
        name: Name, wanted: asked.WantedHabits, who: Annotated[Visitor, Depends(api.gate.may(Verb.RUN))]
    ) -> kept.Habits:
        api.channel(name)
        api.desk.set_habits(name, read_habits(wanted.model_dump()), person=who.email)
        return kept.Habits.of(api.desk.habits(name).laid_out())


_GONE = (Fault("It is not set up any more."),)


def _known(api: Api, name: str) -> Sequence[Fault]:
    if name not in {target.name for target in api.house.targets}:
        return _GONE
    found = api.desk.check_of_channel(name)
    return found.problems if found else ()


def _channel(row: channels.ChannelRow, faults: Sequence[Fault]) -> dict[str, Any]:
    return shapes.channel(row, [fault.sentence() for fault in faults])


def _one(api: Api, name: str, faults: Sequence[Fault]) -> kept.Channel:
    row = next(row for row in api.desk.channels() if row.name == name)
    return kept.Channel.of(_channel(row, faults))


def _done(api: Api, call: Call, name: str, kind: str) -> Done | None:
    row = next((row for row in api.desk.channels() if row.name == name), None)
    return Done(call.sign(kind, channel_id=row.id), lambda _: _one(api, name, _known(api, name))) if row else None


# Templates


def _add_templates(router: APIRouter, api: Api) -> None:
    @router.get("/templates", summary="List the templates")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Templates:
        try:
            return kept.Templates(templates=[_template(one) for one in api.house.library.all()])
        except BadInput as bad:
            raise Problem("not-possible-now", str(bad), None, bad.next_step or None) from None

    @router.get("/templates/{name}", summary="Show one template with the fields that it asks for")
    def show(name: Name, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Template:
        try:
            is_there = name in api.house.library.names()
            if is_there:
                return _template(api.house.library.get(name))
        except BadInput as bad:
            raise Problem("not-possible-now", str(bad), None, bad.next_step or None) from None
        raise Problem("not-there", f"There is no template {name!r}.", "name", "See them at /templates.")


def _template(of: Template) -> kept.Template:
    fields = [
        {
            "name": field.name,
            "type": field.type,
            "help": field.help,
            "example": field.example,
            "optional": field.optional,
            "choices": list(field.choices),
        }
        for field in of.fields
    ]
    return kept.Template.of({"name": of.name, "title": of.title, "about": of.about, "fields": fields})


# Safe mode


def _add_safe_mode(router: APIRouter, api: Api) -> None:
    @router.get("/safe-mode", summary="Tell whether safe mode is on: while it is, nothing goes out")
    def show(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.SafeMode:
        return _safe_mode(api)

    @router.post("/safe-mode/on", response_model=kept.SafeMode, summary="Stop everything at once, on any channel")
    def on(why: asked.Why, call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.SafeMode:
            api.desk.stop_everything(reason=why.reason, person=call.person)
            return _safe_mode(api)

        return api.do(call, work, done=Done(call.sign("safe mode on"), lambda _: _safe_mode(api)))

    @router.post(
        "/safe-mode/off",
        response_model=kept.SafeMode,
        summary="Let posts out again: your word that you have looked through the queue",
    )
    def off(call: Annotated[Call, Depends(api.posts(Verb.RUN))]) -> Response:
        def work() -> kept.SafeMode:
            try:
                api.desk.let_out_again(person=call.person)
            except BadInput as bad:
                raise standing(bad) from None
            return _safe_mode(api)

        return api.do(call, work, done=Done(call.sign("safe mode off"), lambda _: _safe_mode(api)))


def _safe_mode(api: Api) -> kept.SafeMode:
    mode = api.desk.safe_mode()
    if mode is None:
        return kept.SafeMode(on=False, cause=None, reason=None, since=None)
    return kept.SafeMode(on=True, cause=str(mode.cause), reason=mode.reason, since=shapes.instant(mode.since))


# Alarms


def _add_alarms(router: APIRouter, api: Api) -> None:
    @router.get("/alarms", summary="List what is wrong now and what was lately, each with its next step")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Alarms:
        found = api.house.alarms.look()
        with api.house.store.read() as tx:
            known = {row.cause: row for row in alarms.open_ones(tx)}
            over = alarms.recent(tx, most=20)
        now = [
            {
                "kind": str(alarm.kind),
                "message": alarm.message,
                "next": alarm.next_step,
                **_when(known.get(alarm.cause)),
            }
            for alarm in found
        ]
        before = [{"kind": str(r.kind), "message": r.message, "next": r.next_step, **_when(r)} for r in over]
        return kept.Alarms.of({"now": now, "over": before})

    @router.post("/alarms/test", response_model=kept.Routes, summary="Send a test alarm by every route that is set up")
    def test(call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Routes:
            note = trial_note(api.house.settings.OUTREACH_COMMUNITY)
            answers = [(route.name, route.tell(note)) for route in api.house.routes.all]
            found = [{"route": name, "ok": problem is None, "problem": problem} for name, problem in answers]
            return kept.Routes.of({"routes": found})

        return api.do(call, work)


def _when(row: alarms.AlarmRow | None) -> dict[str, Any]:
    at = (row.raised_at, row.told_at, row.ended_at) if row else (None, None, None)
    return dict(zip(("raised_at", "told_at", "ended_at"), map(shapes.instant, at), strict=True))


# Settings


def _add_settings(router: APIRouter, api: Api) -> None:
    house = api.house

    @router.get("/settings", summary="Show how the community is set up, without any secret")
    def show(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Settings:
        return _settings(api)

    @router.put("/settings/wishes", summary="Change what the community wishes of its page")
    def wish(wanted: asked.WantedWishes, who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]) -> kept.Settings:
        wishes = read_wishes(api.desk.wishes().laid_out() | wanted.model_dump(exclude_none=True))
        api.desk.set_wishes(wishes, person=who.email)
        return _settings(api)

    @router.put("/settings/approval", summary="Ask for somebody else's approval from now on, or no more")
    def approval(
        wanted: asked.WantedApproval, who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]
    ) -> kept.Settings:
        if house.settings.OUTREACH_APPROVAL:
            step = "Take that setting out, or change it there."
            raise Problem("not-possible-now", "OUTREACH_APPROVAL says it already.", "approval", step)
        api.desk.ask_for_approval(wanted.approval == "required", person=who.email)
        return _settings(api)


def _settings(api: Api) -> kept.Settings:
    with api.house.store.read() as tx:
        community = channels.community(tx, api.house.community.id)
    about = {"community": community.name, "time_zone": community.time_zone, "approval": community.approval}
    return kept.Settings.of(about | {"wishes": api.desk.wishes().laid_out()})
