"""Where Facebook tells what happens on the Page: a challenge is answered, a signed body is kept; and asking it to tell.

Nothing is made of a body here: it is kept as it came and answered at once. Who cannot sign is turned away.
"""

import hashlib
import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from outreach.bootstrap import House
from outreach.channels import HearsNews
from outreach.compose import Target
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.doors.web.wire import read_json
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store import heard

PATH = "/hooks/facebook"
_MOST_BYTES = 256_000
_MOST_CHALLENGE = 200


def routes(site: Site) -> APIRouter:
    """Make the routes; the first two answer without a session."""
    router = APIRouter()
    _add_hook(router, site.house)
    _add_following(router, site)
    return router


def _add_hook(router: APIRouter, house: House) -> None:
    @router.get(PATH)
    def challenge(request: Request) -> Response:
        asked = request.query_params
        challenge = asked.get("hub.challenge", "")
        is_fit = 0 < len(challenge) <= _MOST_CHALLENGE and challenge.isascii() and challenge.isalnum()
        word = house.settings.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value()
        if not word:
            return _said(404)
        is_known = hmac.compare_digest(asked.get("hub.verify_token", "").encode(), word.encode())
        if not (is_known and is_fit and asked.get("hub.mode") == "subscribe"):
            return _said(403)
        return PlainTextResponse(challenge)

    @router.post(PATH)
    def take(request: Request, body: Annotated[bytes, Depends(read_json)]) -> Response:
        target = _hearing(house)
        if target is None or not house.settings.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value():
            return _said(404)
        if len(body) > _MOST_BYTES:
            return _said(413)
        channel: object = target.channel
        if not isinstance(channel, HearsNews) or not channel.is_genuine(body, request.headers):
            return _said(403)
        try:
            text = body.decode().replace("\x00", "")
        except UnicodeDecodeError:
            return _said(400)
        with house.store.write() as tx:
            heard.keep(tx, target.id, sha256=hashlib.sha256(body).hexdigest(), body=text, now=house.clock.now())
        return _said(200)


def _hearing(house: House) -> Target | None:
    return next((target for target in house.targets if isinstance(target.channel, HearsNews)), None)


def _said(status: int) -> Response:
    words = {200: "taken", 400: "not readable", 403: "not allowed", 404: "not set up", 413: "too large"}
    return PlainTextResponse(words[status], status_code=status)


def _add_following(router: APIRouter, site: Site) -> None:
    @router.post("/channels/{name}/follow")
    def follow(name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        house = site.house
        if name not in {row.name for row in house.desk.channels()}:
            raise NotThere("There is no such channel.", next_step="Go back to the channels.")
        try:
            house.desk.follow(name, house.new_channels().get(name), person=form.visitor.email)
        except BadInput as bad:
            return site.go(f"/channels#{name}", notice=str(bad))
        return site.go(f"/channels#{name}", notice=f"Facebook tells of what happens on {name} from now on.")
