"""The page: where coordinators write, approve, watch and look back. Each module beside this one is a part of it."""

import json
from collections.abc import Mapping
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware

from outreach import difference, when
from outreach.bootstrap import House
from outreach.doors import api
from outreach.doors.web import (
    account,
    announcement,
    approvals,
    audit,
    channels_page,
    coming,
    connect_page,
    entry,
    feeds,
    forgotten,
    joining,
    list_members,
    manual,
    members,
    metrics,
    months,
    page_news,
    past,
    preferences,
    previews,
    queueing,
    report,
    troubles,
    uploads,
    webhooks_page,
    wordings,
    writing,
)
from outreach.doors.web.compiled import COMPILED
from outreach.doors.web.frame import Site
from outreach.doors.web.shelf import Shelf
from outreach.doors.web.wire import Bounded, FromHere, Lazily, Shielded, in_turn, origin_of
from outreach.roles import Verb
from outreach.vault import Vault

_HERE = Path(__file__).parent
_HTMX = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "4(09|22)", "swap": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}


def create(house: House, *, links: Mapping[str, str] | None = None) -> FastAPI:
    """Make the app. `links` are further addresses to show, such as those of a sandbox."""
    app = FastAPI(title="outreach", docs_url=None, redoc_url=None, openapi_url=None)
    site = app.state.site = site_of(house, links or {})
    app.mount("/static/htmx", StaticFiles(packages=[("js_lib_htmx", "static/htmx")]), name="htmx")
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger")
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    turn = Depends(
        in_turn(), scope="function"
    )  # given back before the answer is sent: a slow telephone keeps nobody waiting
    for part in (coming, announcement, months, feeds, members, account, wordings, audit, approvals, past, report):
        app.include_router(part.routes(site), dependencies=[turn])
    for part in (
        entry,
        previews,
        forgotten,
        joining,
        list_members,
        uploads,
        writing,
        queueing,
        channels_page,
        page_news,
        connect_page,
        preferences,
        webhooks_page,
    ):
        app.include_router(part.routes(site))
    programs = Lazily(lambda: api.create(house, address=site.public_address))
    app.include_router(manual.routes(site, programs.made))
    app.mount("/api/v1", programs)
    metrics.add(app, site)
    troubles.add(app, site)
    _add_wire(app, site)
    return app


def site_of(house: House, links: Mapping[str, str]) -> Site:
    """Put together what every page has in hand."""
    templates = Jinja2Templates(directory=_HERE / "pages")
    templates.env.bytecode_cache = COMPILED
    templates.env.globals.update(
        shown=when.show,
        left=when.time_left,
        counted=difference.counted,
        waits=lambda visitor: house.desk.count_waiting(person=visitor.email),
        community=house.settings.OUTREACH_COMMUNITY,
        zone=house.settings.OUTREACH_TIME_ZONE,
        links=links,
        is_sandbox=house.settings.is_sandbox,
        htmx=json.dumps(_HTMX),
        Verb=Verb,
    )
    return Site(
        house=house,
        access=house.access,
        vault=Vault(house.secret),
        templates=templates,
        shelf=Shelf(is_sandbox=house.settings.is_sandbox),
        links=links,
    )


def _add_wire(app: FastAPI, site: Site) -> None:
    settings = site.house.settings
    own = origin_of(settings.OUTREACH_BASE_URL) if "OUTREACH_BASE_URL" in settings.model_fields_set else None
    app.add_middleware(
        FromHere, is_own=lambda origin: own is not None and origin_of(origin) == own, is_https=site.is_https
    )
    app.add_middleware(Bounded)
    # Another site's page must not read this one by a name of its own that leads here.
    hosts = ["127.0.0.1", "localhost", "[::1]", *([own[1]] if own else [])]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(Shielded, is_https=site.is_https)
