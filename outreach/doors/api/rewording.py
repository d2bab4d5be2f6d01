"""Templates changed by programs, and pictures given by them: the same functions as the page, every version kept."""

import base64
import binascii
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.api import reworded
from outreach.doors.api.frame import Api, Name
from outreach.doors.api.once import Call
from outreach.doors.api.problems import Problem
from outreach.model import BadInput
from outreach.rewording import ChangedOnDisk, Opened, Rewording, base_of
from outreach.roles import Verb
from outreach.store.versions import Kept

Nth = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
MOST_PICTURE_BYTES = 8_000_000


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["templates and pictures"])
    _add_reading(router, api)
    _add_changing(router, api)
    _add_trying(router, api)
    _add_pictures(router, api)
    return router


def _add_reading(router: APIRouter, api: Api) -> None:
    @router.get("/templates/{name}/versions", summary="Show what a template says, its faults, and its versions")
    def versions(name: Name, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> reworded.Text:
        return _text(_open(api, name))

    @router.get("/templates/{name}/versions/{number}", summary="Show one version of a template")
    def version(
        name: Name, number: Nth, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]
    ) -> reworded.Version:
        found = _version(api, name, number)
        told = {"version": found.version, "person": found.person, "at": shapes.instant(found.at)}
        return reworded.Version.of(told | {"text": found.text})


def _add_changing(router: APIRouter, api: Api) -> None:
    rewording = api.house.rewording

    @router.post(
        "/templates",
        status_code=201,
        response_model=reworded.Text,
        summary="Make a template that says what another says",
    )
    def make(wanted: reworded.NewTemplate, call: Annotated[Call, Depends(api.posts(Verb.WORD))]) -> Response:
        def work() -> reworded.Text:
            _open(api, wanted.like)
            rewording.make(wanted.name, like=wanted.like, person=call.person)
            return _text(_open(api, wanted.name))

        return api.do(call, work, status=201)

    @router.put("/templates/{name}", summary="Make a template say something else, on top of the text that was read")
    def save(
        name: Name, wanted: reworded.NewText, who: Annotated[Visitor, Depends(api.gate.may(Verb.WORD))]
    ) -> reworded.Text:
        _open(api, name)
        try:
            rewording.save(name, wanted.text, base=wanted.base, person=who.email)
        except ChangedOnDisk as changed:
            raise _changed(changed) from None
        return _text(_open(api, name))


def _add_trying(router: APIRouter, api: Api) -> None:
    rewording = api.house.rewording

    @router.post(
        "/templates/{name}/versions/{number}/put-back",
        response_model=reworded.Text,
        summary="Make an earlier version of a template the newest",
    )
    def put_back(
        name: Name, number: Nth, wanted: reworded.OnTop, call: Annotated[Call, Depends(api.posts(Verb.WORD))]
    ) -> Response:
        def work() -> reworded.Text:
            _version(api, name, number)
            try:
                rewording.put_back(name, number, base=wanted.base, person=call.person)
            except ChangedOnDisk as changed:
                raise _changed(changed) from None
            return _text(_open(api, name))

        return api.do(call, work)

    @router.post(
        "/templates/{name}/try",
        response_model=reworded.Tried,
        summary="See how a text reads as a template; nothing is kept",
    )
    def tried(name: Name, wanted: reworded.AText, call: Annotated[Call, Depends(api.posts(Verb.WORD))]) -> Response:
        def work() -> reworded.Tried:
            _open(api, name)
            return _tried(rewording, name, wanted.text)

        return api.do(call, work)


def _add_pictures(router: APIRouter, api: Api) -> None:
    @router.post(
        "/pictures",
        status_code=201,
        response_model=reworded.Picture,
        summary="Give a picture for letters: kept as every channel takes it, without its place",
    )
    def take(wanted: reworded.NewPicture, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> reworded.Picture:
            name = api.desk.take_picture(_bytes_of(wanted.data), name=wanted.file)
            return _picture(api, name)

        return api.do(call, work, status=201)


def _bytes_of(data: str) -> bytes:
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        step = "Send the bytes of the file in base64, with padding and without line breaks."
        raise Problem("bad-input", "The data is no base64.", "data", step) from None
    if len(found) > MOST_PICTURE_BYTES:
        raise Problem(
            "too-large", f"The picture is larger than {MOST_PICTURE_BYTES / 1e6:g} MB.", "data", "Make it smaller."
        )
    return found


def _picture(api: Api, name: str) -> reworded.Picture:
    from PIL import Image  # start-up time

    data = (api.house.media / name).read_bytes()
    with Image.open(BytesIO(data)) as opened:
        width, height = opened.size
    sha256 = name.partition(".")[0]
    return reworded.Picture.of({"file": name, "sha256": sha256, "bytes": len(data), "width": width, "height": height})


def _open(api: Api, name: str) -> Opened:
    try:
        return api.house.rewording.open(name)
    except BadInput as bad:
        raise Problem("not-there", bad.message, "name", "See them at /templates.") from None


def _version(api: Api, name: str, number: int) -> Kept:
    _open(api, name)
    try:
        return api.house.rewording.version(name, number)
    except BadInput as bad:
        raise Problem("not-there", bad.message, "number", bad.next_step) from None


def _text(opened: Opened) -> reworded.Text:
    kept = [{"version": v.version, "person": v.person, "at": shapes.instant(v.at)} for v in opened.versions]
    faults = [_fault(bad) for bad in opened.tried.faults]
    told = {"name": opened.name, "text": opened.text, "base": opened.base, "by_hand": opened.is_by_hand}
    return reworded.Text.of(told | {"faults": faults, "versions": kept})


def _tried(rewording: Rewording, name: str, text: str) -> reworded.Tried:
    found = rewording.tried(name, text)
    samples = [
        {
            "channel": sample.channel,
            "title": sample.title,
            "text": sample.text,
            "problem": _fault(sample.problem) if sample.problem else None,
        }
        for sample in found.samples
    ]
    return reworded.Tried.of({"faults": [_fault(bad) for bad in found.faults], "samples": samples})


def _fault(bad: BadInput) -> dict[str, str | None]:
    return {"message": bad.message, "where": bad.where or None, "next": bad.next_step or None}


def _changed(changed: ChangedOnDisk) -> Problem:
    theirs = {"text": changed.theirs, "base": base_of(changed.theirs)}
    return Problem("changed-meanwhile", changed.message, changed.where, changed.next_step, more={"theirs": theirs})
