"""What a worker does beside publishing, put together: each chore with how often it is done."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from outreach.alarms.ping import ping_of
from outreach.channels._config import config_of
from outreach.channels._page_key import PageKey
from outreach.desk.connecting import Around, Connecting
from outreach.lifecycle import Pause
from outreach.store import Transaction, channels, past
from outreach.store.pagekeys import StoredKey
from outreach.vault import Vault
from outreach.watch.afterwards import Afterwards
from outreach.watch.approvals import Approvals, Reach
from outreach.watch.digest import Digest
from outreach.watch.ears import ears_for
from outreach.watch.errands import Errand
from outreach.watch.figures import Figures
from outreach.watch.first_comments import FirstComments
from outreach.watch.handing_over import HandingOver
from outreach.watch.nightly import Nightly
from outreach.watch.page_news import PageNews
from outreach.watch.ping import Heart
from outreach.watch.replies import Replies
from outreach.watch.retractions import Retractions
from outreach.watch.sealing import Sealing
from outreach.watch.telling import Telling
from outreach.watch.wishes_by_mail import Listening

if TYPE_CHECKING:
    from outreach.bootstrap import House

_MOST_OF_THE_PAST = 5_000


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
        Errand("afterwards", 60, afterwards_of(house).round),
        Errand("nightly backup", 60, nightly_of(house).round),
        Errand("history", 10, clerk_of(house)),
        Errand("alarms", 15, _telling(house).round),
        Errand("seal", 60, Sealing(store=house.store, now=house.clock.now).round),
        Errand("webhooks", 5, house.webhooks.round),
        Errand("retractions", 5, Retractions(store=house.store, now=house.clock.now).round),
        Errand("first comments", 2, first_comments_of(house, worker).round),
        Errand("requests", 3600, house.new_membership().tidy),
        Errand("hand-over", 20, handing_over_of(house).round),
        *_weekly(house),
        Errand("figures", 60, _figures(house).round),
        *_page_news(house),
        Errand("dialogs", 60, house.connecting.tidy),
        *_mailboxes(house),
        *_approvals(house),
        *_digests(house),
        *_pings(house, worker),
    )


def handing_over_of(house: "House") -> HandingOver:
    """Build what gives posts to a channel's own scheduler and takes them back, with channels of its own."""
    return HandingOver(
        store=house.store,
        channels=house.channels_by_id(),
        now=house.clock.now,
        look_after_s=house.settings.look_after_s,
    )


def nightly_of(house: "House") -> Nightly:
    """Build the chore that makes a backup each night."""
    return Nightly(
        store=house.store,
        queue=house.settings.OUTREACH_QUEUE,
        kept=house.settings.OUTREACH_BACKUPS_KEPT,
        passphrase=house.settings.OUTREACH_BACKUP_PASSPHRASE.get_secret_value(),
        zone=house.settings.OUTREACH_TIME_ZONE,
        now=house.clock.now,
    )


def clerk_of(house: "House") -> Callable[[], object]:
    """Build the chore that keeps the history ready to be looked at."""
    return lambda: past.catch_up(house.store, most=_MOST_OF_THE_PAST)


def afterwards_of(house: "House") -> Afterwards:
    """Build the chore that asks for posts that a restore missed, with channels of its own."""
    return Afterwards(store=house.store, channels=house.channels_by_id(), now=house.clock.now)


def first_comments_of(house: "House", worker: str) -> FirstComments:
    """Build what comments under posts that are out, with channels of its own."""
    return FirstComments(
        store=house.store, channels=house.channels_by_id(), now=house.clock.now, worker=worker, pace=house.pace
    )


def replies_of(house: "House") -> Replies:
    """Build what reads the answers of lists, with channels of its own."""
    listens = house.settings.unseen_after is not None and house.settings.LISTSERV_ADDRESS
    takes_wishes = house.settings.LISTSERV_JOINING in ("mail", "both")
    hear = Listening(house.new_membership(), takes_wishes=takes_wishes).hear if listens else None
    return Replies(store=house.store, channels=house.channels_by_id(), now=house.clock.now, listen=hear)


def _telling(house: "House") -> Telling:
    return Telling(
        store=house.store,
        routes=house.routes.all,
        look=house.alarms.look,
        now=house.clock.now,
        community=house.settings.OUTREACH_COMMUNITY,
    )


def _weekly(house: "House") -> list[Errand]:
    when, grace = house.settings.weekly_mail, timedelta(hours=house.settings.OUTREACH_GRACE_H)
    return [Errand("weekly mail", 60, lambda: house.weekly_round.make(when, grace=grace))] if when else []


def _figures(house: "House") -> Figures:
    return Figures(store=house.store, channels=house.channels_by_id(), now=house.clock.now)


def _page_news(house: "House") -> list[Errand]:
    if not house.settings.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value():
        return []
    news = PageNews(store=house.store, channels=house.channels_by_id(), now=house.clock.now)
    return [Errand("page news", 5, news.round)]


def _mailboxes(house: "House") -> list[Errand]:
    if not house.settings.unseen_after:
        return []
    replies, called = replies_of(house), threading.Event()
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
