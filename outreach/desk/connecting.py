"""Connecting a Page: a log-in on Facebook, a choice among the Pages it opens, and the acceptance test of the chosen one.

The person's own token is kept encrypted, until a Page is chosen and never longer than the dialog lasts; the Page's token
is kept encrypted for as long as the Page is connected. Neither is in anything that is returned here to be shown.
"""

import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.channels._connecting import EXTRA_SCOPES, SCOPES, App, Found, Login, Person
from outreach.channels._offers import Offer, problems_of
from outreach.channels._page_access import may_be_connected
from outreach.channels._token_facts import TokenFacts, Wanted
from outreach.desk.connected import Standing, say_seen, standing_of
from outreach.lifecycle import Pause
from outreach.model import BadInput, Post, Problem
from outreach.settings import Settings
from outreach.store import Store, Transaction, channels, connections
from outreach.store.channels import ChannelRow, CommunityRow
from outreach.store.connections import ConnectionRow, DialogRow
from outreach.store.pagekeys import PURPOSE
from outreach.vault import Vault, fingerprint

PATH = "/connect/answer"
LASTS = timedelta(minutes=15)
_PERSONS = "token of a person"
_MOST_CODE = 2000
_CANCELLED = ("user_denied", "access_denied")


class NotAccepted(BadInput):
    """The chosen Page cannot be published on; `problems` says everything that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.message, next_step=first.next_step)
        self.problems = tuple(problems)


class AnotherPage(BadInput):
    """The chosen Page is not the one the channel had: somebody has to say that they mean it."""


@dataclass(frozen=True, slots=True)
class Connected:
    """What was connected, and which queued posts go on with it. `paused_by` a person, or `until` an instant, it still rests."""

    channel: str
    page_id: str
    page_name: str
    waiting: Sequence[Post]
    paused_by: str | None
    until: datetime | None = None
    warnings: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Who connects: our person by their address, and the session in which they do."""

    person: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What connecting works with. `settled` makes the channel take a Page and its token, and ends a pause of the service.

    `on_done` is called after a Page was connected: posts may wait for it.
    """

    store: Store
    community: CommunityRow
    secret: str
    now: Callable[[], datetime]
    settled: Callable[[Transaction, str, str], ChannelRow]
    on_done: Callable[[], None] = lambda: None


class Connecting:
    """Connects the one Page channel of a community."""

    def __init__(self, settings: Settings, around: Around, *, channel: str = "facebook") -> None:
        self._settings = settings
        self._around = around
        self._store = around.store
        self._now = around.now
        self.channel = channel
        self._vault = Vault(around.secret)
        self._app = App(
            url=settings.FACEBOOK_GRAPH_URL,
            version=settings.FACEBOOK_GRAPH_VERSION,
            app_id=settings.FACEBOOK_APP_ID,
            secret=settings.FACEBOOK_APP_SECRET.get_secret_value(),
            timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
        )
        self._login = Login(self._app)

    # What has to be there first

    def obstacle(self) -> BadInput | None:
        """Say what has to be set up before a Page can be connected."""
        if not may_be_connected(self._settings):
            return BadInput(
                "No Facebook app is set up, by which a Page could be connected.",
                where="FACEBOOK_APP_ID",
                next_step="Set FACEBOOK_APP_ID and FACEBOOK_APP_SECRET in the file .env, then start outreach again."
                " docs/connect-a-page.md says how one gets an app.",
            )
        if not self._settings.OUTREACH_SECRET_KEY.get_secret_value():
            return BadInput(
                "There is no key with which the Page's token could be kept encrypted.",
                where="OUTREACH_SECRET_KEY",
                next_step="Set OUTREACH_SECRET_KEY in the file .env to a long random text, keep a copy of it in a safe"
                " place, then start outreach again.",
            )
        return None

    @property
    def redirect_uri(self) -> str:
        """Where Facebook leads back to; the app's settings on Facebook have to name exactly this."""
        return self._settings.OUTREACH_BASE_URL.rstrip("/") + PATH

    @property
    def dialog_origin(self) -> str:
        """Where Facebook's dialog is."""
        return self._app.dialog_origin

    def _check(self) -> None:
        bad = self.obstacle()
        if bad is not None:
            raise bad

    def _channel(self, tx: Transaction) -> ChannelRow:
        return channels.by_name(tx, self._around.community.id, self.channel)

    # The dialog

    def begin(self, who: Who, *, extra: Sequence[str] = ()) -> str:
        """Give the address of Facebook's dialog for this person, who has a quarter of an hour. Raises `BadInput`."""
        self._check()
        scopes = [*SCOPES, *(scope for scope in EXTRA_SCOPES if scope in extra)]
        state, now = randomness.token_urlsafe(32), self._now()
        with self._store.write() as tx:
            row = {"state_sha256": fingerprint(state), "channel_id": self._channel(tx).id, "scopes": scopes}
            row |= {"session": who.session, "person": who.person, "begun_at": now, "ends_at": now + LASTS}
            connections.begin(tx, row)
        return self._login.dialog(redirect_uri=self.redirect_uri, state=state, scopes=scopes)

    def answer(self, who: Who, *, state: str, code: str, denied: str = "") -> int:
        """Take Facebook's answer, once; give the number under which a Page can be chosen. Raises `BadInput`."""
        self._check()
        with self._store.write() as tx:
            taken = connections.take_answer(tx, fingerprint(state), who.session, self._now())
        if taken is None:
            raise BadInput(
                "This answer of Facebook is to no question that you asked here just now.",
                next_step="Press Connect a Page again, and finish within a quarter of an hour in the same browser.",
            )
        if denied or not code or len(code) > _MOST_CODE:
            self._drop(taken.id)
            raise _not_given(denied)
        token = self._login.token_for(code, redirect_uri=self.redirect_uri)
        if isinstance(token, Problem):
            self._drop(taken.id)
            raise _as_bad(token)
        with self._store.write() as tx:
            connections.seal(tx, taken.id, self._vault.encrypt(_PERSONS, token))
        return taken.id

    def _drop(self, number: int) -> None:
        with self._store.write() as tx:
            connections.end(tx, number)

    # The choice

    def choice(self, number: int, who: Who) -> Found:
        """List the Pages to choose from. Raises `BadInput`, also when the time for it is over."""
        return self._found(self._token_of(self._dialog(number, who)))

    def _dialog(self, number: int, who: Who) -> DialogRow:
        with self._store.read() as tx:
            row = connections.dialog(tx, number, who.session, self._now())
        if row is None or row.sealed is None:
            raise BadInput("The time to choose a Page is over.", next_step="Press Connect a Page again.")
        return row

    def _token_of(self, row: DialogRow) -> str:
        return self._vault.decrypt(_PERSONS, row.sealed or "")

    def _found(self, token: str) -> Found:
        found = self._login.found(token)
        if isinstance(found, Problem):
            raise _as_bad(found)
        return found

    def choose(self, number: int, who: Who, *, page_id: str, means_another: bool = False) -> Connected:
        """Connect the chosen Page, and forget the person's token. Raises `NotAccepted`, `AnotherPage` or `BadInput`."""
        row = self._dialog(number, who)
        done = self._connect(self._found(self._token_of(row)), page_id, who.person, means_another=means_another)
        self._drop(row.id)
        return done

    # Without the dialog

    def pages_of(self, token: str) -> Found:
        """List the Pages that a pasted token opens, after making it live long. Raises `BadInput`."""
        self._check()
        return self._found_by(token)

    def connect_by(self, token: str, who: Who, *, page_id: str = "", means_another: bool = False) -> Connected:
        """Connect a Page by a pasted token, a person's or the Page's own. Raises as `choose`, also when it is not clear which."""
        self._check()
        found = self._found_by(token)
        wanted = page_id or (found.offers[0].id if len(found.offers) == 1 else "")
        if wanted not in {offer.id for offer in found.offers}:
            names = ", ".join(f"{offer.id} ({offer.name})" for offer in found.offers) or "none"
            step = f"Say which with --page ID. The Pages are: {names}."
            said = "The token does not open this Page." if wanted else "It is not clear which Page is meant."
            raise BadInput(said, where="--page", next_step=step)
        return self._connect(found, wanted, who.person, means_another=means_another)

    def _found_by(self, token: str) -> Found:
        facts = self._facts(token)
        if facts.kind == "PAGE":
            whose = self._login.whose(token)
            if isinstance(whose, Problem):
                raise _as_bad(whose)
            return Found(Person("", ""), [Offer(whose.id, whose.name, token)])
        if (
            facts.kind == "USER" and facts.expires_at is not None
        ):  # that of a system user has no end, and nothing to lengthen
            longer = self._login.lengthened(token)
            if isinstance(longer, Problem):
                raise _as_bad(longer)
            token = longer
        return self._found(token)

    # The acceptance test

    def _facts(self, token: str) -> TokenFacts:
        body = self._login.facts(token)
        if isinstance(body, Problem):
            raise _as_bad(body)
        facts = TokenFacts.read(body, page_id="")
        if facts is None:
            raise BadInput("Facebook does not say what this token is.", next_step="Try again in a few minutes.")
        return facts

    def _accepted(self, offer: Offer) -> tuple[TokenFacts, list[Problem]]:
        """Ask everything about the token that is to be kept. Raises `NotAccepted` unless it is good."""
        if not offer.token:
            raise NotAccepted([offer.hindrance or Problem("Facebook gives no token for this Page.")])
        body = self._login.facts(offer.token)
        if isinstance(body, Problem):
            raise NotAccepted([body])
        facts = TokenFacts.read(body, page_id=offer.id)
        if facts is None:
            step = "Try again in a few minutes."
            raise NotAccepted([Problem("Facebook does not say what the Page's token is.", step)])
        offer = self._with_tasks(offer)
        problems = list(problems_of(offer, facts, Wanted(offer.id, self._app.app_id), now=self._now()))
        whose = self._login.whose(offer.token)
        if not problems and isinstance(whose, Problem):
            problems = [whose]
        if not isinstance(whose, Problem) and whose.id != offer.id and all(each.is_warning for each in problems):
            problems.append(Problem("The token does not speak for this Page.", "Press Connect a Page again."))
        if any(not each.is_warning for each in problems):
            raise NotAccepted([each for each in problems if not each.is_warning])
        return facts, problems

    def _with_tasks(self, offer: Offer) -> Offer:
        if offer.tasks is not None:
            return offer
        asked = self._login.offer_of(offer.token, offer.id)
        return offer if isinstance(asked, Problem) else Offer(offer.id, offer.name, offer.token, asked.tasks)

    def _connect(self, found: Found, page_id: str, person: str, *, means_another: bool) -> Connected:
        offer = next((each for each in found.offers if each.id == page_id), None)
        if offer is None:
            raise BadInput(
                "Facebook does not list this Page for you.", where="page", next_step="Choose one of the list."
            )
        facts, warnings = self._accepted(offer)
        sealed = self._vault.encrypt(PURPOSE, offer.token)
        with self._store.write() as tx:
            channel, now = self._channel(tx), self._now()
            before = self._page_before(tx, channel.id)
            _check_swap(tx, channel.id, before, offer, means_another=means_another)
            row = ConnectionRow(
                channel_id=channel.id, page_id=offer.id, page_name=offer.name or offer.id, sealed=sealed,
                scopes=sorted(facts.scopes or ()), person=person, facebook_id=found.person.id,
                facebook_name=found.person.name, at=now, data_access_expires_at=facts.data_access_expires_at,
            )  # fmt: skip
            connections.keep(tx, row, was=before)
            after = self._around.settled(tx, offer.id, offer.token)
            waiting = [post for post in connections.queued(tx, channel.id) if post.due_at <= now]
        self._around.on_done()
        return Connected(self.channel, offer.id, row.page_name, waiting, after.paused_by, after.until, warnings)

    def _page_before(self, tx: Transaction, channel_id: int) -> str:
        row = connections.of_channel(tx, channel_id)
        of_settings = self._settings.FACEBOOK_PAGE_ID
        return row.page_id if row else of_settings or connections.page_of_latest(tx, channel_id)

    def disconnect(self, *, person: str) -> None:
        """Forget what opens the Page; the channel is paused, so that nothing goes out until somebody says so. Raises `BadInput`."""
        of_settings = self._settings.FACEBOOK_PAGE_ID
        with self._store.write() as tx:
            channel = self._channel(tx)
            row = connections.of_channel(tx, channel.id)
            if row is None:
                raise BadInput("No Page was connected here.", next_step="A Page of the settings is taken out there.")
            if of_settings not in ("", row.page_id):
                raise BadInput(
                    f"The settings name another Page ({of_settings}), to which posts would go then.",
                    where="FACEBOOK_PAGE_ID",
                    next_step="Take it out of the file .env and start outreach again, or pause the channel instead.",
                )
            connections.forget(tx, channel.id, now=self._now(), person=person)
            why = Pause(f"The Page {row.page_name} was disconnected.", None)
            channels.pause(tx, channel.id, why, now=self._now(), person=person)

    # How it stands

    def standing(self) -> Standing | None:
        """Say how the connection stands; None where there is no such channel."""
        with self._store.read() as tx:
            rows = channels.of_community(tx, self._around.community.id)
            row = next((row for row in rows if row.name == self.channel), None)
            return standing_of(tx, row.id, self._settings, obstacle=self.obstacle()) if row else None

    def say_seen(self, answer: str, *, of: str, person: str) -> str:
        """Keep what somebody saw in a private window of the post with the permalink `of`. Raises `BadInput`."""
        with self._store.write() as tx:
            found = connections.Seen(answer, of, person, self._now())
            return say_seen(tx, self._channel(tx).id, self._settings, found)

    def tidy(self) -> None:
        """Forget dialogs that are over, and the tokens in them."""
        now = self._now()
        with self._store.read() as tx:
            is_any = connections.is_any_over(tx, now)
        if is_any:
            with self._store.write() as tx:
                connections.sweep(tx, now)


def _check_swap(tx: Transaction, channel_id: int, before: str, offer: Offer, *, means_another: bool) -> None:
    """Let a channel go to another Page only when nothing of it is in doubt, and when somebody says so."""
    if before == offer.id:
        return
    doubtful = connections.in_doubt(tx, channel_id)
    if doubtful:
        names = ", ".join(post.name for post in doubtful)
        raise BadInput(
            f"The channel had another Page{f' ({before})' if before else ''}, and it is not known yet whether these posts"
            f" are out on it: {names}.",
            where="page",
            next_step="Wait until they are found, or decide about them in the queue; then connect the other Page.",
        )
    if before and not means_another:
        queued = len(connections.queued(tx, channel_id))
        told = f" {queued} queued post{'' if queued == 1 else 's'} would go there." if queued else ""
        raise AnotherPage(
            f"The channel has had another Page so far ({before}).{told}",
            where="another",
            next_step=f"If you mean it, say that posts shall go to {offer.name or offer.id} from now on.",
        )


def _not_given(denied: str) -> BadInput:
    """Say that Facebook led back without a code: a person cancelled there, or something of Facebook's own did not work."""
    if denied in _CANCELLED:
        return BadInput("You cancelled on Facebook, so nothing was changed.", next_step="Press Connect a Page again.")
    step = "Press Connect a Page again. If it stays so, look at the app's mode and settings on Facebook."
    return BadInput("Facebook led back without a permission, so nothing was changed.", next_step=step)


def _as_bad(problem: Problem) -> BadInput:
    return BadInput(problem.message, next_step=problem.next_step)
