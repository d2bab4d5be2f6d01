"""Webhooks, for programs: who is told what happens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.api import asked, kept
from outreach.doors.api.frame import Api, Number
from outreach.doors.api.once import Call
from outreach.doors.api.problems import Problem, standing
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store.webhooks import Standing, WebhookRow


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["webhooks"])
    _add_list(router, api)
    _add_changes(router, api)
    return router


def _add_list(router: APIRouter, api: Api) -> None:
    @router.get("/webhooks", summary="List the webhooks and how their deliveries stand")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.SET_UP))]) -> kept.Webhooks:
        return kept.Webhooks(webhooks=[_webhook(row, standing) for row, standing in api.house.webhooks.all()])

    @router.post(
        "/webhooks",
        status_code=201,
        response_model=kept.NewWebhook,
        summary="Add an address that is told what happens; its secret is shown this once",
    )
    def add(wanted: asked.WantedWebhook, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.NewWebhook:
            who = call.visitor.person
            try:
                number, secret = api.house.webhooks.add(wanted.url, wanted.kinds, person=who.email, person_id=who.id)
            except BadInput as bad:
                raise standing(bad) from None
            return kept.NewWebhook(webhook=_webhook(*api.house.webhooks.get(number)), secret=secret)

        return api.do(call, work, status=201)


def _add_changes(router: APIRouter, api: Api) -> None:
    @router.post("/webhooks/{number}/test", response_model=kept.Tried, summary="Send a webhook a test now")
    def test(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Tried:
            _there(api, number)
            try:
                answer = api.house.webhooks.test(number)
            except BadInput as bad:
                raise standing(bad) from None
            return kept.Tried(ok=answer.is_taken, status=answer.status, problem=answer.said())

        return api.do(call, work)

    @router.post("/webhooks/{number}/end", response_model=kept.Webhook, summary="Tell a webhook nothing any more")
    def end(number: Number, call: Annotated[Call, Depends(api.posts(Verb.SET_UP))]) -> Response:
        def work() -> kept.Webhook:
            _there(api, number)
            api.house.webhooks.end(number, person=call.person)
            return _there(api, number)

        return api.do(call, work)


def _there(api: Api, number: int) -> kept.Webhook:
    try:
        return _webhook(*api.house.webhooks.get(number))
    except BadInput as bad:
        raise Problem("not-there", bad.message, "number", bad.next_step or None) from None


def _webhook(row: WebhookRow, how: Standing) -> kept.Webhook:
    return kept.Webhook(
        id=row.id,
        url=row.url,
        kinds=list(row.kinds),
        made_at=shapes.instant(row.made_at) or "",
        waiting=how.waiting,
        last_taken_at=shapes.instant(how.last_taken_at),
        last_trouble=how.last_trouble,
        ended_at=shapes.instant(row.ended_at),
        end_reason=row.end_reason,
    )
