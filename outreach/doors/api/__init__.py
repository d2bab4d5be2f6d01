"""The API: the verbs of every other door as JSON, for programs with a token. Mounted under `/api/v1`."""

from collections.abc import Callable

from fastapi import FastAPI

from outreach.bootstrap import House
from outreach.doors.api import (
    acting,
    auditing,
    describing,
    hooks,
    keeping,
    looking,
    membership,
    people,
    refusing,
    rewording,
    writing,
)
from outreach.doors.api.asking import Gate, Pace
from outreach.doors.api.cursors import Cursors
from outreach.doors.api.frame import Api
from outreach.doors.api.once import Once
from outreach.vault import Vault

__all__ = ["create"]


def create(house: House, *, address: Callable[[str], str], pace: Pace | None = None) -> FastAPI:
    """Make the app. `address` gives the whole address of a page; `pace` replaces the usual limit of requests."""
    app = FastAPI(title="outreach", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    api = Api(
        house=house,
        gate=Gate(house.access, pace or Pace(house.clock.elapsed_s)),
        once=Once(store=house.store, secret=house.secret, now=house.clock.now),
        cursors=Cursors(house.secret),
        vault=Vault(house.secret),
        address=address,
    )
    for part in (looking, writing, acting, keeping, rewording, auditing, people, membership, hooks):
        app.include_router(part.routes(api))
    refusing.add(app)
    describing.add(app)
    return app
