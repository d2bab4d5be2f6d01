"""The one place where everything is put together: settings, clock, store and channels become Desk, Publisher, Watch."""

import itertools
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values

from outreach.access import Access
from outreach.alarms import Note, Route, Routes, route_to, routes_of
from outreach.alarms.knocking import Knocker
from outreach.alarms.outage import Outage
from outreach.channels import Channel, Surroundings, kinds
from outreach.channels._config import config_of
from outreach.chores import PAGE, connecting_of, errands_of, handing_over_of, page_key_of
from outreach.compose import Composer, Target
from outreach.desk import Desk
from outreach.desk.connecting import Connecting
from outreach.desk.requesting import Membership
from outreach.desk.rostering import Around
from outreach.desk.weekly_mail import WeeklyRound
from outreach.following import Gone
from outreach.library import Library
from outreach.list_habits import ListHabits
from outreach.model import BadInput
from outreach.publisher import Pace, Publisher
from outreach.results import Result
from outreach.rewording import Rewording
from outreach.settings import Settings, read_settings
from outreach.store import Store, arrivals, channels, follows, home, known, open_store, workers
from outreach.store.limits import Limits
from outreach.store.uploads import StoredUploads
from outreach.vault import Vault
from outreach.watch import Watch
from outreach.watch.alarms import Alarms
from outreach.watch.errands import Errand
from outreach.watch.lateness import Lateness
from outreach.watch.preflight import Preflight
from outreach.watch.webhooks import Webhooks

W = TypeVar("W", Desk, WeeklyRound)
_serials = itertools.count()


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Give the instant, in UTC."""
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        """Give seconds that count on through sleep and never jump, where the system has such a clock."""
        return time.clock_gettime(_STEADY) if _STEADY is not None else time.monotonic()


_STEADY = getattr(time, "CLOCK_BOOTTIME", None)


def settings_from_environment(
    environment: Mapping[str, str] | None = None, *, env_file: Path = Path(".env")
) -> Settings:
    """Read the settings: the environment wins over the `.env` file of the current folder."""
    around = os.environ if environment is None else environment
    return read_settings(_from_file(env_file) | dict(around))


def _from_file(env_file: Path) -> dict[str, str | None]:
    if not env_file.is_file():
        return {}
    try:
        return dict(dotenv_values(env_file, interpolate=False))  # a password may hold ${
    except UnicodeDecodeError:
        raise BadInput(
            "The file is not UTF-8.", where=str(env_file), next_step="Save it as plain text in UTF-8."
        ) from None


@dataclass(frozen=True)
class House:
    """Everything one process needs. Parts are made when they are first asked for; `close` gives them back."""

    settings: Settings
    clock: SystemClock

    @cached_property
    def store(self) -> Store:
        """The database, brought up to date."""
        if not self.settings.OUTREACH_DATABASE_URL:
            self.settings.OUTREACH_QUEUE.mkdir(parents=True, exist_ok=True)
        return open_store(self.settings.database_url)

    @cached_property
    def community(self) -> channels.CommunityRow:
        """The community of the settings, written down."""
        with self.store.write() as tx:
            return channels.settle_community(
                tx,
                name=self.settings.OUTREACH_COMMUNITY,
                time_zone=self.settings.OUTREACH_TIME_ZONE,
                approval=self.settings.OUTREACH_APPROVAL or None,
                now=self.clock.now(),
            )

    @cached_property
    def secret(self) -> str:
        """The secret of the settings, or the one that this install made for itself."""
        given = self.settings.OUTREACH_SECRET_KEY.get_secret_value()
        if given:
            return given
        with self.store.write() as tx:
            return channels.install_secret(tx)

    @cached_property
    def secrets_since(self) -> dict[str, datetime]:
        """Since when each secret of the settings is the one it is, as far as this install saw; by the setting's name."""
        return known.since(self.store, self.settings.given_secrets(), key=self.secret, now=self.clock.now())

    @property
    def media(self) -> Path:
        """Where pictures are kept."""
        return self.settings.OUTREACH_QUEUE / "media"

    def new_channels(self) -> dict[str, Channel]:
        """Build the channels that the settings name. Each set belongs to one user: they are not shared by threads."""
        surroundings = Surroundings(self.media, self.clock.now, StoredUploads(self.store), page_key_of(self))
        built = (cls.from_settings(self.settings, surroundings) for cls in kinds().values())
        return {channel.usual_name: channel for channel in built if channel is not None}

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The channels as people name them, written down in the database."""
        _ = self.secrets_since  # from the first start with a new token on, a page can say since when it is set
        return tuple(
            Target(self._settled(name, channel), name, channel) for name, channel in self.new_channels().items()
        )

    def _settled(self, name: str, channel: Channel) -> int:
        community, secret = self.community.id, self.secret  # first: each may need the writer for itself
        config = config_of(channel, self.settings, page_key_of(self)() if name == PAGE else None)
        with self.store.write() as tx:
            row = channels.settle_channel(
                tx,
                community_id=community,
                channel=(name, channel.kind),
                config=config,
                secret=secret,
                now=self.clock.now(),
            )
        return row.id

    @cached_property
    def connecting(self) -> Connecting:
        """How a Page is connected, and how it stands."""
        return connecting_of(self)

    @property
    def library(self) -> Library:
        """The templates of the queue folder."""
        return Library(self.settings.OUTREACH_QUEUE / "templates")

    @cached_property
    def desk(self) -> Desk:
        """What people do."""
        return self._working(Desk)

    @cached_property
    def weekly_round(self) -> WeeklyRound:
        """What puts the weekly mail together."""
        return self._working(WeeklyRound)

    def _working(self, kind: type[W]) -> W:
        composer = Composer(
            library=self.library,
            media=self.media,
            secret=self.secret,
            community=self.settings.OUTREACH_COMMUNITY,
            zone=self.settings.OUTREACH_TIME_ZONE,
            grace=timedelta(hours=self.settings.OUTREACH_GRACE_H),
            lead_of=lambda channel: self._habits_of(channel).lead,
            gone=self._gone,
            takes_calendar=lambda channel: self._habits_of(channel).calendar is not False,
        )
        return kind(
            store=self.store,
            composer=composer,
            community=self.community,
            targets=self.targets,
            now=self.clock.now,
            bring_back=lambda post: handing_over_of(self).take_back(post, "somebody decides about it"),
        )

    def _habits_of(self, channel: str) -> ListHabits:
        number = next((target.id for target in self.targets if target.name == channel), None)
        if number is None:
            return ListHabits()
        with self.store.read() as tx:
            return arrivals.habits_of(tx, number)

    def _gone(self, number: int, channel: str) -> Gone | None:
        with self.store.read() as tx:
            found = follows.out_on(tx, self.community.id, number, channel)
        if found is None:
            return None
        post, text, message, letter = found
        return Gone(post.remote_id, follows.references(message, post.message_id), text, letter, message or None)

    @property
    def rewording(self) -> Rewording:
        """What people do to templates."""
        return Rewording(
            store=self.store,
            library=self.library,
            targets=self.targets,
            community=self.settings.OUTREACH_COMMUNITY,
            now=self.clock.now,
        )

    @cached_property
    def access(self) -> Access:
        """Who is there and what they may do."""
        return Access(
            store=self.store,
            community_id=self.community.id,
            secret=self.secret,
            now=self.clock.now,
            issuer=f"outreach {self.settings.OUTREACH_COMMUNITY}",
        )

    @property
    def pace(self) -> Pace:
        """How patient the worker is."""
        return Pace(
            lease=timedelta(seconds=self.settings.OUTREACH_LEASE_S),
            look_after_s=self.settings.look_after_s,
            stop_s=self.settings.OUTREACH_HTTP_TIMEOUT_S + 5,
            limits=self.limits,
        )

    @property
    def limits(self) -> Limits:
        """How much of one channel is too much."""
        return Limits(
            max_per_hour=self.settings.OUTREACH_MAX_PER_HOUR,
            max_per_day=self.settings.max_per_day,
            spacing=timedelta(seconds=self.settings.OUTREACH_SPACING_S),
            max_failures=self.settings.OUTREACH_MAX_FAILURES,
        )

    def new_worker(self) -> tuple[Publisher, Watch]:
        """Build a worker: its publisher and its watch, with channels of their own."""
        home.settle(self.store, now=self.clock.now(), look_after_s=self.settings.look_after_s)
        name = workers.this_worker(next(_serials))
        watch = Watch(
            store=self.store,
            channels=self.channels_by_id(),
            now=self.clock.now,
            elapsed_s=self.clock.elapsed_s,
            worker=name,
            pace=self.pace,
        )
        publisher = Publisher(
            store=self.store,
            channels=self.channels_by_id(),
            clock=self.clock,
            worker=name,
            pace=self.pace,
            on_result=lambda result: self._note(watch, result),
        )
        self.outage.publisher_since_s = lambda: publisher.trouble_since_s
        watch.errands = (Errand("zones", 86400, watch.zones.check), *self.errands(name))
        return publisher, watch

    def new_preflight(self) -> Preflight:
        """Build a pre-flight, with channels of its own."""
        return Preflight(
            store=self.store, channels=self.channels_by_id(), now=self.clock.now, elapsed_s=self.clock.elapsed_s
        )

    def errands(self, worker: str) -> tuple[Errand, ...]:
        """Build what a worker of this name does beside its chores, each in a thread of its own."""
        return errands_of(self, worker)

    def _note(self, watch: Watch, result: Result) -> None:
        watch.links.note(result.attempt.post, result.outcome)
        self.lateness.note(result.attempt.post, result.outcome, at=result.attempt.started_at)

    # Trouble is told

    @cached_property
    def routes(self) -> Routes:
        """The ways by which a person is told of trouble."""
        return routes_of(self.settings, self.clock.now)

    def route_to(self, address: str) -> Route | None:
        """Give the way to one person by mail; None where no mail server is set up."""
        return route_to(address, self.settings, self.clock.now)

    @cached_property
    def outage(self) -> Outage:
        """What tells trouble of the database, without it."""
        return Outage(
            folder=self.settings.OUTREACH_QUEUE,
            routes=lambda: self.routes.all,
            community=self.settings.OUTREACH_COMMUNITY,
            now=self.clock.now,
            elapsed_s=self.clock.elapsed_s,
        )

    @cached_property
    def alarms(self) -> Alarms:
        """What finds out what is wrong now."""
        return Alarms(
            store=self.store,
            now=self.clock.now,
            free_bytes=self._free_bytes,
            zone=self.settings.OUTREACH_TIME_ZONE,
            unseen_after=self.settings.unseen_after,
        )

    @cached_property
    def lateness(self) -> Lateness:
        """How late posts of this process went out."""
        return Lateness()

    @cached_property
    def webhooks(self) -> Webhooks:
        """What tells programs what happens."""
        return Webhooks(
            store=self.store,
            vault=Vault(self.secret),
            knocker=Knocker(is_sandbox=self.settings.is_sandbox),
            community_id=self.community.id,
            now=self.clock.now,
        )

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self.settings.OUTREACH_QUEUE).free
        except OSError:
            return None

    @cached_property
    def membership(self) -> Membership:
        """Who is on the lists, and who asks to be."""
        return self._membership_with(self.targets)

    def new_membership(self) -> Membership:
        """Build the same with channels of its own."""
        fresh = self.new_channels()
        return self._membership_with([replace(each, channel=fresh[each.name]) for each in self.targets])

    def _membership_with(self, targets: Sequence[Target]) -> Membership:
        around = Around(
            store=self.store,
            community=self.community,
            targets=targets,
            now=self.clock.now,
            tell=self._tell_by_mail,
            link=lambda key: f"{self.settings.OUTREACH_BASE_URL.rstrip('/')}/joining/{key}",
        )
        return Membership(around)

    def _tell_by_mail(self, address: str, note: Note) -> str | None:
        route = self.route_to(address)
        return route.tell(note) if route else "No mail server is set up."

    def channels_by_id(self) -> dict[int, Channel]:
        """Build every channel anew, for one thread of its own, by its number."""
        fresh = self.new_channels()
        return {target.id: fresh[target.name] for target in self.targets}

    def close(self) -> None:
        """Give the database back, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()


def build(settings: Settings) -> House:
    """Put a house together. Nothing is opened before it is used."""
    return House(settings, SystemClock())
