"""What a worker does beside publishing, put together: each chore with how often it is done."""

import threading
from typing import TYPE_CHECKING

from outreach.alarms.ping import ping_of
from outreach.channels._config import config_of
from outreach.channels._page_key import PageKey
from outreach.desk.connecting import Around, Connecting
from outreach.lifecycle import Pause
from outreach.store import Transaction, channels
from outreach.store.pagekeys import StoredKey
from outreach.vault import Vault
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


PAGE = "facebook"
"""The channel that a Page is connected to."""


def page_key_of(house: "House") -> StoredKey:
    """Build what gives the key of the connected Page as it is now."""
    return StoredKey(house.store, channel=PAGE, vault=lambda: Vault(house.secret))


def connecting_of(house: "House") -> Connecting:
    """Build what connects a Page: once it did, the channel is set up by it, and a pause of the service is over."""
    target = next((target for target in house.targets if target.name == PAGE), None)

    def settled(tx: Transaction, page_id: str, token: str) -> channels.ChannelRow:
        kind = target.channel.kind if target else ""
        config = config_of(target.channel, house.settings, PageKey(page_id, token)) if target else ""
        community, now = house.community.id, house.clock.now()
        before = channels.by_name(tx, community, PAGE)
        row = channels.settle_channel(
            tx, community_id=community, channel=(PAGE, kind), config=config, secret=house.secret, now=now
        )
        if row.state == "paused" and row.paused_by is None and row.until is None:
            channels.resume(tx, row.id, now=now, note="its Page was connected")
        if before.paused_by is None and before.until is not None and before.until > now:
            # A limit or a block of Facebook's is about the Page, not about the token: trying again would lengthen it.
            channels.pause(tx, row.id, Pause(before.reason or "", before.until), now=now)
        return channels.by_name(tx, community, PAGE)

    around = Around(
        store=house.store,
        community=house.community,
        secret=house.secret,
        now=house.clock.now,
        settled=settled,
        on_done=lambda: house.desk.on_queued(),
    )
    return Connecting(house.settings, around, channel=PAGE)


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
        Errand("requests", 3600, house.new_membership().tidy),
        Errand("dialogs", 60, house.connecting.tidy),
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
