"""What has to be true after every recovery, whatever happened: compared between the sandbox and the store, written once."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import text

from outreach.model import Post, State
from outreach.sandbox import Mail, PublicPost
from outreach.store import health
from tests.faults.ground import OLDER, SMTP_NAME, SMTP_PASSWORD, Ground, Wanted

Kind = Literal["twice", "lost", "silent", "untrue", "other than approved", "broken", "secret", "unmet"]
_MAY_BE_OUT = "may have gone out meanwhile"
ASKS = (State.UNCONFIRMED, State.FAILED, State.MISSED)


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was not kept."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass
class Findings:
    """What became of the posts of one scenario, or of many."""

    runs: int = 0
    posts: int = 0
    copies: int = 0
    alone: int = 0
    asked: int = 0
    doubts: int = 0
    settled: int = 0
    breaches: list[Breach] = field(default_factory=list)

    def count(self, *kinds: Kind) -> int:
        """Count the breaches of these kinds, or all."""
        return sum(not kinds or breach.kind in kinds for breach in self.breaches)

    def add(self, other: "Findings") -> None:
        """Take others along."""
        for name in ("runs", "posts", "alone", "asked", "doubts", "settled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.copies = max(self.copies, other.copies)
        self.breaches += other.breaches


def examine(ground: Ground) -> Findings:
    """Compare what the public sees with what the store says, post by post."""
    found = ground.posts()
    findings = Findings(runs=1, breaches=[Breach("unmet", what) for what in ground.unmet])
    for wanted in ground.wanted:
        for channel in wanted.channels:
            mine = [post for post in found if (post.title, post.channel) == (wanted.title, channel)]
            _weigh(ground, wanted, channel, mine, findings)
    findings.breaches += [*_strangers(ground), *_stored(ground), *_leaks(ground)]
    findings.doubts, findings.settled = _doubts(ground)
    return findings


# One post


def _weigh(ground: Ground, wanted: Wanted, channel: str, mine: list[Post], findings: Findings) -> None:
    copies = ground.copies(wanted.title, channel)
    findings.posts += 1
    findings.copies = max(findings.copies, copies)
    if not mine:
        findings.breaches.append(Breach("lost", f"{wanted.title} never became a post on {channel}"))
        return
    if len(mine) > 1:
        findings.breaches.append(Breach("twice", f"{wanted.title} was queued {len(mine)} times on {channel}"))
    post = mine[0]
    if copies > 1 + ground.requeued[post.name]:
        findings.breaches.append(Breach("twice", f"{post.name} ({post.title}) is out {copies} times"))
    findings.alone += post.state is State.PUBLISHED
    findings.asked += post.state in ASKS or _waits_for_a_person(ground, post)
    findings.breaches += _untruths(ground, post, copies)


def _untruths(ground: Ground, post: Post, copies: int) -> Iterator[Breach]:
    name = f"{post.name} ({post.title})"
    match post.state:
        case State.PUBLISHED if copies == 0:
            yield Breach("lost", f"{name} is called published and is not out")
        case State.MISSED if copies and _MAY_BE_OUT in (post.reason or ""):
            return  # it says so itself: a restore forgot what went out, and a list cannot be asked
        case State.FAILED | State.MISSED | State.CANCELLED if copies:
            yield Breach("untrue", f"{name} is called {post.state} and is out")
        case State.PUBLISHING:
            yield Breach("lost", f"{name} is stuck in publishing")
        case State.QUEUED if not _waits_for_a_person(ground, post):
            yield Breach("lost", f"{name} is due and nobody sends it: {post.reason}")
        case State.UNCONFIRMED if post.look_at is not None and not ground.waits_for_a_person(post.channel_id):
            yield Breach("lost", f"{name} is to be looked for and nobody looks")
    if post.state in ASKS and not post.reason:
        yield Breach("silent", f"{name} is {post.state} without a reason")
    if post.state is State.PUBLISHED:
        yield from _wrong_evidence(ground, post)


def _waits_for_a_person(ground: Ground, post: Post) -> bool:
    """Tell whether a queued post waits where people see why: on a paused channel, unapproved, or in safe mode."""
    if post.state is not State.QUEUED:
        return False
    row = ground.channel_rows()[post.channel_id]
    is_told = row.state == "paused" and bool(row.reason)
    return is_told or post.paused or not post.approved or ground.safe_mode() is not None


def _wrong_evidence(ground: Ground, post: Post) -> Iterator[Breach]:
    sent = [thing for thing in _sent(ground) if _title(thing) == post.title and _channel(thing) == post.channel]
    for thing in sent:
        if digest(thing) != post.content_sha256:
            yield Breach("other than approved", f"{post.name} went out otherwise than it was approved")
    if post.channel == "facebook" and post.remote_id and post.remote_id not in {t.id for t in _public(ground)}:
        yield Breach("untrue", f"{post.name} names {post.remote_id}, which is not on the Page")
    if post.channel == "listserv" and post.message_id not in {m.message_id for m in ground.box.mail.distributed()}:
        yield Breach("untrue", f"{post.name} names a Message-ID that the list did not get")


def _public(ground: Ground) -> list[PublicPost]:
    return ground.box.graph.public_posts()


def _sent(ground: Ground) -> list[PublicPost | Mail]:
    return [*_public(ground), *ground.box.mail.distributed()]


def _title(thing: PublicPost | Mail) -> str:
    return thing.subject if isinstance(thing, Mail) else (thing.message or "").partition("\n")[0]


def _channel(thing: PublicPost | Mail) -> str:
    return "listserv" if isinstance(thing, Mail) else "facebook"


def digest(thing: PublicPost | Mail) -> str:
    """The content's hash by the words of the contract, not by the service's code."""
    if isinstance(thing, Mail):
        head, blank, body = thing.raw.partition(b"\r\n\r\n")
        kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Date: "))
        return hashlib.sha256(kept + blank + body).hexdigest()
    pictures = [{"alt": alt, "sha256": sha256} for alt, sha256 in thing.pictures]
    said = {"link": thing.link, "message": thing.message, "pictures": pictures}
    line = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(line.encode()).hexdigest()


# The whole


def _strangers(ground: Ground) -> Iterator[Breach]:
    """Name what is public and was never wanted, or not there."""
    known = {(wanted.title, channel) for wanted in ground.wanted for channel in wanted.channels}
    known |= {(OLDER, "facebook")}
    for thing in _sent(ground):
        if (_title(thing), _channel(thing)) not in known:
            yield Breach("untrue", f"{_title(thing)!r} is on {_channel(thing)}, and nobody wanted it there")


def _stored(ground: Ground) -> Iterator[Breach]:
    with ground.store() as store, store.read() as tx:
        for broken in health.broken_promises(tx):
            yield Breach("broken", broken)
    ids = Counter(post.remote_id for post in ground.posts() if post.remote_id)
    for remote_id, times in ids.items():
        if times > 1:
            yield Breach("untrue", f"{times} posts claim {remote_id}")
    if ground.wild_exits:
        yield Breach("broken", f"{ground.wild_exits} workers did not end in order while recovering")
    for stray in sorted(set(ground.box.graph.strays)):
        yield Breach("broken", f"a call that is in no reference of the Graph API: {stray}")


def _leaks(ground: Ground) -> Iterator[Breach]:
    secrets = list(_secrets(ground))
    for name, data in _texts(ground):
        if any(secret in data for secret in secrets):
            yield Breach("secret", f"{name} holds a secret")


def _secrets(ground: Ground) -> Iterator[bytes]:
    box = ground.box
    proof = hmac.new(box.app_secret.encode(), box.page_token.encode(), hashlib.sha256).hexdigest()
    both = f"\0{SMTP_NAME}\0{SMTP_PASSWORD}".encode()
    yield from (text_.encode() for text_ in (box.page_token, box.app_secret, proof, SMTP_PASSWORD))
    yield from (base64.b64encode(form) for form in (both, SMTP_PASSWORD.encode()))


def _texts(ground: Ground) -> Iterable[tuple[str, bytes]]:
    for file in sorted(ground.folder.rglob("*")):
        if file.is_file():
            yield str(file.relative_to(ground.folder)), file.read_bytes()
    with ground.store() as store, store.read() as tx:
        if not store.is_sqlite:
            for table in ("posts", "contents", "attempts", "events", "sightings", "channels", "meta"):
                rows = tx.execute(text(f"SELECT t::text FROM {table} t")).scalars()
                yield table, "\n".join(rows).encode()


def _doubts(ground: Ground) -> tuple[int, int]:
    """Count the attempts on the Page that nobody knew the end of, and how many of them the service settled by itself.

    Without those to which Facebook answered that it has the post already: where it then is not, only a person can tell.
    """
    of_page = "JOIN posts p ON p.id = t.post_id JOIN channels c ON c.id = p.channel_id AND c.name = 'facebook'"
    open_ = "coalesce(CAST(t.evidence AS text), '') NOT LIKE '%is_known_there%'"
    doubted = f"SELECT count(*) FROM attempts t {of_page} WHERE t.outcome = 'unconfirmed' AND {open_}"
    settled = (
        f"SELECT count(*) FROM events x JOIN attempts t ON t.post_id = x.post_id AND t.number = x.attempt {of_page}"
        f" WHERE x.kind IN ('confirm', 'absolve') AND x.person IS NULL AND {open_}"
    )
    with ground.store() as store, store.read() as tx:
        return tx.execute(text(doubted)).scalar_one(), tx.execute(text(settled)).scalar_one()
