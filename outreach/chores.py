"""What a worker does beside publishing, put together: each chore with how often it is done."""

import threading
from typing import TYPE_CHECKING

from outreach.alarms.ping import ping_of
from outreach.watch.approvals import Approvals, Reach
from outreach.watch.digest import Digest
from outreach.watch.ears import ears_for
from outreach.watch.errands import Errand
from outreach.watch.ping import Heart
from outreach.watch.retractions import Retractions
from outreach.watch.sealing import Sealing
from outreach.watch.telling import Telling

if TYPE_CHECKING:
    from outreach.bootstrap import House


def errands_of(house: "House", worker: str) -> tuple[Errand, ...]:
    """Build them, each with what it needs of its own: each runs in its own thread."""
    return (
        Errand("database", 5, house.outage.check),
        Errand("pre-flight", 60, house.new_preflight().round),
        Errand("afterwards", 60, house.new_afterwards().round),
        Errand("nightly backup", 60, house.new_nightly().round),
        Errand("history", 10, house.new_clerk()),
        Errand("alarms", 15, _telling(house).round),
        Errand("seal", 60, Sealing(store=house.store, now=house.clock.now).round),
        Errand("webhooks", 5, house.webhooks.round),
        Errand("retractions", 5, Retractions(store=house.store, now=house.clock.now).round),
        Errand("first comments", 2, house.new_first_comments(worker).round),
        Errand("requests", 3600, house.new_membership().tidy),
        *_mailboxes(house),
        *_approvals(house),
        *_digests(house),
        *_pings(house, worker),
    )


def _telling(house: "House") -> Telling:
    return Telling(
        store=house.store,
        routes=house.routes.all,
        look=house.alarms.look,
        now=house.clock.now,
        community=house.settings.OUTREACH_COMMUNITY,
    )


def _mailboxes(house: "House") -> list[Errand]:
    if not house.settings.unseen_after:
        return []
    replies, called = house.new_replies(), threading.Event()
    ears = ears_for(replies, store=house.store, now=house.clock.now, call=called.set)
    return [Errand("mailbox", 2 if house.settings.is_sandbox else 30, replies.round, called, ears)]


def _approvals(house: "House") -> list[Errand]:
    if not house.settings.SMTP_HOST:
        return []
    approvals = Approvals(
        store=house.store,
        community_id=house.community.id,
        around=Reach(
            route_to=house.route_to,
            link=house.access.approval_link,
            base_url=house.settings.OUTREACH_BASE_URL,
            community=house.settings.OUTREACH_COMMUNITY,
        ),
        now=house.clock.now,
    )
    return [Errand("approvals", 15, approvals.round)]


def _digests(house: "House") -> list[Errand]:
    if house.settings.OUTREACH_DIGEST == "off" or not house.routes.by_mail:
        return []
    digest = Digest(
        store=house.store,
        routes=house.routes.by_mail,
        now=house.clock.now,
        community=house.settings.OUTREACH_COMMUNITY,
        zone=house.settings.OUTREACH_TIME_ZONE,
    )
    return [Errand("digest", 60, digest.round)]


def _pings(house: "House", worker: str) -> list[Errand]:
    ping = ping_of(house.settings)
    if ping is None:
        return []
    heart = Heart(
        store=house.store,
        ping=ping,
        now=house.clock.now,
        worker=worker,
        is_in_trouble=lambda: house.outage.is_on,
    )
    return [Errand("ping", 30, heart.beat)]
