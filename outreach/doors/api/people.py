"""People, for programs: who is in the community, what they may, and who is invited."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.api import asked, kept
from outreach.doors.api.frame import Api, Number
from outreach.doors.api.once import Call, Done
from outreach.doors.api.problems import Problem, standing
from outreach.model import BadInput
from outreach.roles import Role, Verb
from outreach.store.people import PersonRow


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["people"])
    _add_people(router, api)
    _add_ways_in(router, api)
    _add_invitations(router, api)
    return router


def _add_people(router: APIRouter, api: Api) -> None:
    @router.get("/people", summary="List everybody with a role in the community")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]) -> kept.People:
        return kept.People(people=[kept.Person.of_row(row) for row in api.house.access.people()])

    @router.get("/people/{number}", summary="Show one person")
    def show(number: Number, _who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]) -> kept.Person:
        return kept.Person.of_row(_person(api, number))

    @router.put("/people/{number}/roles", summary="Make somebody's roles exactly these; none takes them out")
    def set_roles(
        number: Number, wanted: asked.WantedRoles, who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]
    ) -> kept.Person:
        person = _person(api, number)
        roles = {Role(role) for role in wanted.roles}
        try:
            api.house.access.set_roles(number, roles, by=who)
        except BadInput as bad:
            raise standing(bad) from None
        found = kept.Person.of_row(person)
        return found.model_copy(update={"roles": [str(role) for role in sorted(roles)]})


def _add_ways_in(router: APIRouter, api: Api) -> None:
    access = api.house.access

    @router.post("/people/{number}/close", response_model=kept.Person, summary="Let somebody in no more")
    def close(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Person:
            _person(api, number)
            try:
                access.close(number, by=call.visitor)
            except BadInput as bad:
                raise standing(bad) from None
            return kept.Person.of_row(_person(api, number))

        return api.do(call, work, done=_done(api, call, number, "close account"))

    @router.post("/people/{number}/reopen", response_model=kept.Person, summary="Let somebody in again")
    def reopen(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Person:
            _person(api, number)
            access.reopen(number, by=call.visitor)
            return kept.Person.of_row(_person(api, number))

        return api.do(call, work, done=_done(api, call, number, "reopen account"))

    @router.post(
        "/people/{number}/end-second-factor",
        response_model=kept.Person,
        summary="Let somebody in without a code who lost what made them",
    )
    def end_second_factor(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Person:
            _person(api, number)
            access.end_totp_of(number, by=call.visitor)
            return kept.Person.of_row(_person(api, number))

        return api.do(call, work, done=_done(api, call, number, "end second factor"))

    @router.post(
        "/people/{number}/reset-link",
        status_code=201,
        response_model=kept.Link,
        summary="Make a link by which somebody takes another password; the one before opens nothing any more",
    )
    def reset_link(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Link:
            key = access.reset_link(_person(api, number).email, by=call.visitor)
            return kept.Link(link=api.address(f"/links/{key}") if key else None)

        return api.do(call, work, status=201)


def _add_invitations(router: APIRouter, api: Api) -> None:
    access = api.house.access

    @router.get("/invitations", summary="List the invitations that nobody has taken up yet")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]) -> kept.Invitations:
        found = [
            {"email": row.email, "roles": list(row.roles or ()), "ends_at": shapes.instant(row.ends_at)}
            for row in access.invitations()
        ]
        return kept.Invitations.of({"invitations": found})

    @router.post(
        "/invitations",
        status_code=201,
        response_model=kept.Link,
        summary="Invite somebody; give the link that opens once",
    )
    def invite(wanted: asked.Invited, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Link:
            key = access.invite(wanted.email, {Role(role) for role in wanted.roles}, by=call.visitor)
            return kept.Link(link=api.address(f"/links/{key}"))

        return api.do(call, work, status=201)

    @router.post(
        "/invitations/withdraw", response_model=kept.Invitations, summary="Let an invitation open nothing any more"
    )
    def withdraw(wanted: asked.Uninvited, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Invitations:
            email = wanted.email.strip().lower()
            if email not in {row.email for row in access.invitations()}:
                raise Problem("not-there", f"Nobody with the address {email} is invited.", "email", "See /invitations.")
            access.withdraw_invitation(email, by=call.visitor)
            return list_them(call.visitor)

        return api.do(call, work)


def _person(api: Api, number: int) -> PersonRow:
    try:
        return api.house.access.person(number)
    except BadInput as bad:
        raise Problem("not-there", bad.message, "number", bad.next_step or None) from None


def _done(api: Api, call: Call, number: int, kind: str) -> Done | None:
    try:
        email = _person(api, number).email
    except Problem:
        return None
    return Done(call.sign(kind, note=email), lambda _: kept.Person.of_row(_person(api, number)))
