"""The page: where coordinators write, approve, watch and look back. Each module beside this one is a part of it."""

import json
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware

from outreach import when
from outreach.bootstrap import House
from outreach.doors.web import announcement, coming, entry, metrics, past, report, troubles
from outreach.doors.web.frame import Site
from outreach.doors.web.wire import Bounded, FromHere, Shielded
from outreach.roles import Verb
from outreach.settings import is_loopback
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
    site = site_of(house, links or {})
    app.mount("/static/htmx", StaticFiles(packages=[("js_lib_htmx", "static/htmx")]), name="htmx")
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    for part in (entry, coming, announcement, past, report):
        app.include_router(part.routes(site))
    metrics.add(app, site)
    troubles.add(app, site)
    _add_wire(app, site)
    return app


def site_of(house: House, links: Mapping[str, str]) -> Site:
    """Put together what every page has in hand."""
    templates = Jinja2Templates(directory=_HERE / "pages")
    templates.env.globals.update(
        shown=when.show,
        community=house.settings.OUTREACH_COMMUNITY,
        zone=house.settings.OUTREACH_TIME_ZONE,
        links=links,
        is_sandbox=_is_sandbox(house),
        htmx=json.dumps(_HTMX),
        Verb=Verb,
    )
    return Site(
        house=house,
        access=house.access,
        vault=Vault(house.secret),
        templates=templates,
        is_sandbox=_is_sandbox(house),
        links=links,
    )


def _add_wire(app: FastAPI, site: Site) -> None:
    base = site.house.settings.OUTREACH_BASE_URL
    own = base.partition("://")[2].partition("/")[0]
    app.add_middleware(FromHere, is_own=lambda origin: origin.partition("://")[2] == own)
    app.add_middleware(Bounded)
    # Another site's page must not read this one by a name of its own that leads here.
    hosts = ["127.0.0.1", "localhost", "[::1]", own.partition(":")[0] if not own.startswith("[") else own]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.add_middleware(Shielded, is_https=site.is_https)


def _is_sandbox(house: House) -> bool:
    settings = house.settings
    hosts = [h for h in (settings.FACEBOOK_GRAPH_URL.split("/")[2].split(":")[0], settings.SMTP_HOST) if h]
    return all(is_loopback(host) for host in hosts)
