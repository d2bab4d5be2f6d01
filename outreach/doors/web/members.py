"""People: who is here and what they are, invitations, and what an admin does about an account."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors import mailing
from outreach.doors.web.frame import Form, NotThere, Number, Posted, Site
from outreach.model import BadInput
from outreach.roles import ABOUT, Role, Verb, role_of

_Admin = Verb.SET_UP


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_list(router, site)
    _add_invitations(router, site)
    _add_person(router, site)
    _add_account_of_somebody(router, site)
    return router


def _add_list(router: APIRouter, site: Site) -> None:
    @router.get("/people")
    def everybody(request: Request, visitor: Annotated[Visitor, Depends(site.may(_Admin))]) -> Response:
        return _draw_list(site, request, visitor)


def _draw_list(site: Site, request: Request, visitor: Visitor, **shown: object) -> Response:
    found = site.access.people()
    given = {
        "people": [person for person in found if person.closed_at is None],
        "closed": [person for person in found if person.closed_at is not None],
        "invitations": site.access.invitations(),
        "about": ABOUT,
        "can_mail": mailing.can_mail(site.house),
    }
    return site.draw(request, "people.html", visitor, **given | shown)


def _add_invitations(router: APIRouter, site: Site) -> None:
    @router.post("/people/invitations")
    def invite(request: Request, form: Annotated[Posted, Depends(site.posts(_Admin))]) -> Response:
        email, chosen = form.text("email"), _roles(form)
        try:
            key = site.access.invite(email, chosen, by=form.visitor)
        except BadInput as bad:
            shown = {"email": email, "chosen": chosen, "bad": bad, "status_code": 422}
            return _draw_list(site, request, form.visitor, **shown)
        link, to = site.address(request, f"/links/{key}"), email.strip().lower()
        trouble = mailing.mail_invitation(site.house, to, link, by=form.visitor.person.called)
        shown = {"email": to, "link": link, "trouble": trouble, "until": mailing.ends_at(site.house, "invitation")}
        return site.draw(request, "link-made.html", form.visitor, kind="invitation", **shown)

    @router.post("/people/invitations/withdraw")
    def withdraw(form: Annotated[Posted, Depends(site.posts(_Admin))]) -> Response:
        email = form.text("email")
        site.access.withdraw_invitation(email, by=form.visitor)
        return site.go("/people", notice=f"The invitation of {email} opens nothing any more.")


def _add_person(router: APIRouter, site: Site) -> None:
    @router.get("/people/{number}")
    def one(request: Request, number: Number, visitor: Annotated[Visitor, Depends(site.may(_Admin))]) -> Response:
        return _draw_person(site, request, visitor, number)

    @router.post("/people/{number}/roles")
    def set_roles(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(_Admin))]) -> Response:
        chosen = _roles(form)
        try:
            if not chosen:
                step = "Tick at least one, or take the person out below."
                raise BadInput("A person here has a role.", where="roles", next_step=step)
            site.access.set_roles(number, chosen, by=form.visitor)
        except BadInput as bad:
            return _draw_person(site, request, form.visitor, number, bad=bad, chosen=chosen)
        if number == form.visitor.person.id and Role.ADMIN not in chosen:
            return site.go("/account", notice="You are no admin any more.")
        return site.go(f"/people/{number}", notice="The roles are changed.")


def _draw_person(site: Site, request: Request, visitor: Visitor, number: int, **shown: object) -> Response:
    try:
        person = site.access.person(number)
    except BadInput as bad:
        raise NotThere(bad.message, next_step=bad.next_step) from None
    given = {"person": person, "chosen": person.roles, "about": ABOUT, "is_self": person.id == visitor.person.id}
    status = 422 if "bad" in shown else 200
    return site.draw(request, "person.html", visitor, status_code=status, **given | shown)


def _add_account_of_somebody(router: APIRouter, site: Site) -> None:
    access = site.access

    def add(path: str, act: Callable[[int, Visitor], None], notice: str) -> None:
        """Make the route of one button."""

        @router.post(f"/people/{{number}}/{path}")
        def pressed(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(_Admin))]) -> Response:
            try:
                act(number, form.visitor)
            except BadInput as bad:
                return _draw_person(site, request, form.visitor, number, bad=bad)
            is_gone = path == "take-out"
            return site.go("/people" if is_gone else f"/people/{number}", notice=notice)

    add("close", lambda n, by: access.close(n, by=by), "The account is closed. Its sessions and tokens ended at once.")
    add("reopen", lambda n, by: access.reopen(n, by=by), "The account is open again.")
    add("take-out", lambda n, by: access.set_roles(n, (), by=by), "The person has no role here any more.")
    add("end-second-factor", lambda n, by: access.end_totp_of(n, by=by), "No code is asked for at the next log-in.")

    @router.post("/people/{number}/reset-link")
    def reset_link(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(_Admin))]) -> Response:
        try:
            person = access.person(number)
            key = access.reset_link(person.email, by=form.visitor)
            if key is None:
                raise BadInput("This account is closed.", next_step="Reopen it first.")
        except BadInput as bad:
            return _draw_person(site, request, form.visitor, number, bad=bad)
        link = site.address(request, f"/links/{key}")
        until = mailing.ends_at(site.house, "reset")
        shown = {"email": person.email, "link": link, "until": until, "number": number}
        return site.draw(request, "link-made.html", form.visitor, kind="reset", **shown)


def _roles(form: Form) -> set[Role]:
    return {role for word in form.texts("roles") if (role := role_of(word))}
