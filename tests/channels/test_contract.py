"""The contract of a channel, over every kind there is: a new one gets a builder here and passes, or is none."""

import gzip
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from outreach.channels import Channel, ChecksContent, HasLinks, kinds
from outreach.channels.rehearsal import Rehearsal
from outreach.model import (
    Attempt,
    BadInput,
    CannotTell,
    Finding,
    Found,
    Outcome,
    Problem,
    Published,
    Unavailable,
    Unconfirmed,
    without_date,
)
from outreach.sandbox import Sandbox
from outreach.settings import read_settings

from .builders import (
    NOON,
    PASSWORD,
    SECRET,
    TOKEN,
    a_list,
    a_page,
    a_picture,
    a_wording,
    an_attempt,
    surroundings,
    the_list,
    the_page,
)
from .servers import RawServer, Visit, a_closed_port, http

QUICK_S = 0.3


@dataclass(frozen=True)
class Built:
    """How one kind is built for these tests.

    `at` builds it for a server at a port (with secrets in it), `on` for the sandbox; `left` gives what the sandbox got,
    in the shape in which `describe` lays it out; `too_long` is a wording over its limits. `greets`: its server speaks first.
    """

    at: Callable[[int, Path], Channel]
    on: Callable[[Sandbox, Path], Channel]
    left: Callable[[Sandbox, Mapping[str, object]], object]
    shown: Callable[[Mapping[str, object]], object]
    too_long: Mapping[str, Any]
    writes: Callable[[Sandbox], int]
    greets: bool = False
    uses_network: bool = True


def _page_at(port: int, media: Path) -> Channel:
    return a_page(f"http://127.0.0.1:{port}", media, OUTREACH_HTTP_TIMEOUT_S=str(QUICK_S))


def _list_at(port: int, media: Path) -> Channel:
    quick = {"timeout_s": QUICK_S, "final_dot_timeout_s": QUICK_S}
    return a_list(port, media, server={"username": "coordinator", "password": PASSWORD, **quick})


def _requests_left(box: Sandbox, _: Mapping[str, object]) -> object:
    """What Facebook was asked to write, but for the proof and for the ids that it gave pictures meanwhile."""
    entries = [entry for entry in box.graph.journal if entry.method == "POST" and entry.op != "scrape"]
    forms = [{n: v for n, v in e.params.items() if not n.startswith(("file ", "attached_media"))} for e in entries]
    return [(e.method, box.graph_url + e.path, form) for e, form in zip(entries, forms, strict=True)]


def _requests_shown(described: Mapping[str, object]) -> object:
    requests: Any = described["requests"]
    kept = [{n: v for n, v in r["form"].items() if not n.startswith(("source", "attached_media"))} for r in requests]
    return [(request["method"], request["url"], form) for request, form in zip(requests, kept, strict=True)]


def _mail_left(box: Sandbox, _: Mapping[str, object]) -> object:
    [submission], [mail] = box.mail.journal, box.mail.distributed()
    return (submission.mail_from, submission.rcpt_to, mail.raw)


def _mail_shown(described: Mapping[str, object]) -> object:
    return (described["mail_from"], (described["rcpt_to"],), str(described["message"]).encode("ascii"))


def _rehearsal_on(box: Sandbox, media: Path) -> Channel:
    return Rehearsal(the_page(box, media), media / "rehearsal.jsonl", surroundings(media))


def _rehearsal_left(box: Sandbox, described: Mapping[str, object]) -> object:
    return described if not box.graph.journal else "something left"


BUILDERS: dict[str, Built] = {
    "facebook_page": Built(
        at=_page_at,
        on=the_page,
        left=_requests_left,
        shown=_requests_shown,
        too_long={"body": "x" * 63_207},
        writes=lambda box: len(box.graph.journal),
    ),
    "listserv": Built(
        at=_list_at,
        on=the_list,
        left=_mail_left,
        shown=_mail_shown,
        too_long={"body": "word " * 9_000},
        writes=lambda box: len(box.mail.journal),
        greets=True,
    ),
    "rehearsal": Built(
        at=lambda port, media: Rehearsal(_page_at(port, media), media / "r.jsonl", surroundings(media)),
        on=_rehearsal_on,
        left=_rehearsal_left,
        shown=lambda described: described,
        too_long={"body": "x" * 63_207},
        writes=lambda box: 1,
        uses_network=False,
    ),
}
EVERY = pytest.mark.parametrize("kind", sorted(kinds()))
ON_THE_NETWORK = pytest.mark.parametrize(
    "kind", sorted(set(kinds()) & {k for k, b in BUILDERS.items() if b.uses_network})
)


def test_every_kind_has_a_builder_here() -> None:
    assert sorted(kinds()) == sorted(BUILDERS)


@EVERY
def test_a_kind_is_a_channel_under_its_own_name(kind: str, tmp_path: Path) -> None:
    channel = BUILDERS[kind].at(1, tmp_path)
    assert isinstance(channel, Channel)
    assert type(channel) is kinds()[kind]
    assert channel.kind == kind
    assert channel.usual_name.isidentifier()


@EVERY
def test_settings_that_do_not_mention_it_build_nothing(kind: str, tmp_path: Path) -> None:
    assert kinds()[kind].from_settings(read_settings({}), surroundings(tmp_path)) is None


# What the other side may do

# Said to a client at once, or after its first words.
ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "a line end": b"\r\n",
    "zeroes": b"\0" * 5_000,
    "smtp": b"220 x\r\n250 x\r\n250 x\r\n250 x\r\n354 x\r\n250 x\r\n",
    "a refusing smtp": b"554 5.7.1 go away\r\n",
    "an endless smtp": b"250-x\r\n" * 5_000,
    "codes": b"999 x\r\n-1 x\r\n 25 x\r\n",
    "http, empty": http(b""),
    "http, html": http(b"<html>Sorry</html>", status="502 Bad Gateway"),
    "http, no json": http(b'{"id":'),
    "http, no object": http(b"[]"),
    "http, null": http(b"null"),
    "http, deep": http(b"[" * 100_000),
    "http, long": http(b" " * 1_500_000),
    "http, bomb": http(gzip.compress(b" " * 20_000_000), headers="Content-Encoding: gzip\r\n"),
    "http, redirect": http(b"", status="302 Found", headers="Location: http://[/\r\n"),
    "http, odd headers": http(b"{}", headers="Date: \xff\r\nRetry-After: -1\r\nX-Business-Use-Case-Usage: [[[\r\n"),
    "http, odd error": http(json.dumps({"error": {"code": [1], "message": 5}}).encode(), status="400 Bad Request"),
    "http, odd list": http(b'{"data":[null,5,{"id":{}}],"paging":7}'),
}
USES: dict[str, Callable[[Channel, Attempt], object]] = {
    "publish": lambda channel, attempt: channel.publish(attempt),
    "find": lambda channel, attempt: channel.find(attempt),
    "check": lambda channel, attempt: channel.check(),
}


def served(said: bytes, *, greets: bool) -> Callable[[Visit], None]:
    def act(visit: Visit) -> None:
        if not greets:
            visit.read_request()
        visit.say(said)

    return act


def an_attempt_on(channel: Channel, **changes: Any) -> Attempt:
    return an_attempt(channel.render(a_wording(**changes)))


@EVERY
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_it_returns_and_never_raises_whatever_it_is_told(kind: str, use: str, answer: str, tmp_path: Path) -> None:
    with RawServer(served(ANSWERS[answer], greets=BUILDERS[kind].greets)) as server:
        channel = BUILDERS[kind].at(server.port, tmp_path)
        result = USES[use](channel, an_attempt_on(channel))
        assert isinstance(result, (*get_args(Outcome), *get_args(Finding), list))
        assert len(server.visits) <= 1, "it tried again"


@ON_THE_NETWORK
@pytest.mark.parametrize("use", USES)
def test_it_tries_once_when_nobody_is_there(kind: str, use: str, tmp_path: Path) -> None:
    channel = BUILDERS[kind].at(a_closed_port(), tmp_path)
    began = time.monotonic()
    result = USES[use](channel, an_attempt_on(channel))
    assert isinstance(result, Unavailable | CannotTell | list)
    assert time.monotonic() - began < 1, "it waited, or tried again"


@ON_THE_NETWORK
@pytest.mark.parametrize("use", ["publish", "check"])
def test_it_does_not_wait_for_ever_for_one_who_says_nothing(kind: str, use: str, tmp_path: Path) -> None:
    with RawServer(Visit.linger) as server:
        channel = BUILDERS[kind].at(server.port, tmp_path)
        began = time.monotonic()
        result = USES[use](channel, an_attempt_on(channel))
        assert isinstance(result, Unavailable | Unconfirmed | list)
        assert QUICK_S <= time.monotonic() - began < QUICK_S + 1.5
        assert len(server.visits) == 1


@EVERY
def test_one_post_is_one_write_and_is_told_as_published(kind: str, box: Sandbox, tmp_path: Path) -> None:
    channel = BUILDERS[kind].on(box, tmp_path)
    outcome = channel.publish(an_attempt_on(channel))
    assert isinstance(outcome, Published)
    assert outcome.remote_id or outcome.message_id
    assert BUILDERS[kind].writes(box) == 1


@EVERY
def test_looking_and_checking_change_nothing(kind: str, box: Sandbox, tmp_path: Path) -> None:
    channel = BUILDERS[kind].on(box, tmp_path)
    attempt = an_attempt_on(channel)
    channel.publish(attempt)
    before = (box.graph.public_posts(), box.mail.distributed(), sorted(tmp_path.iterdir()))
    assert isinstance(channel.find(attempt), Found | CannotTell)
    assert channel.check() == []
    if isinstance(channel, ChecksContent):
        assert channel.check_content(attempt.content) == []
    if isinstance(channel, HasLinks):
        channel.link_to("1_2")
    assert (box.graph.public_posts(), box.mail.distributed(), sorted(tmp_path.iterdir())) == before


# What leaves


@EVERY
def test_what_is_over_its_limits_is_not_rendered(kind: str, tmp_path: Path) -> None:
    channel = BUILDERS[kind].at(1, tmp_path)
    with pytest.raises(BadInput) as refused:
        channel.render(a_wording(**BUILDERS[kind].too_long))
    assert refused.value.next_step


@EVERY
def test_rendering_is_repeatable_and_sends_nothing(kind: str, tmp_path: Path) -> None:
    with RawServer() as server:
        channel = BUILDERS[kind].at(server.port, tmp_path)
        wording = a_wording(title="Zoë 🎉", body="*a*\n\n- [b](https://example.org)", pictures=(a_picture(tmp_path),))
        first, again = channel.render(wording), channel.render(replace(wording, due_at=NOON.replace(year=2027)))
        assert first.sha256() == again.sha256()
        assert first.sha256() != channel.render(replace(wording, body="b")).sha256()
        assert server.visits == []


@EVERY
@pytest.mark.parametrize(
    "changes", [{}, {"link": "https://example.org/a?b=c"}, {"title": "Zoë 🎉", "body": ".\n\nFrom *me*"}]
)
@pytest.mark.parametrize("pictures", [0, 2])
def test_what_is_described_is_what_leaves(
    kind: str, box: Sandbox, tmp_path: Path, changes: dict[str, str], pictures: int
) -> None:
    channel = BUILDERS[kind].on(box, tmp_path)
    shown = tuple(a_picture(tmp_path, f"{n}.jpg", f"Picture {n}" if n else None, seed=n) for n in range(pictures))
    attempt = an_attempt(channel.render(a_wording(pictures=shown, **changes)))
    channel.publish(attempt)
    described = channel.describe(attempt.content, at=NOON)
    assert BUILDERS[kind].left(box, described) == BUILDERS[kind].shown(described)
    assert json.dumps(described)


@EVERY
def test_a_description_sends_nothing(kind: str, tmp_path: Path) -> None:
    with RawServer() as server:
        channel = BUILDERS[kind].at(server.port, tmp_path)
        channel.describe(channel.render(a_wording()), at=NOON)
        assert server.visits == []


def test_only_the_date_of_a_mail_differs_from_what_is_stored(box: Sandbox) -> None:
    channel = the_list(box)
    content = channel.render(a_wording())
    assert content.message is not None
    for hours in (1, 30):
        told = channel.describe(content, at=NOON.replace(hour=hours % 24))["message"]
        assert without_date(str(told).encode()) == without_date(content.message.encode())


# What never shows


@EVERY
@pytest.mark.parametrize("answer", ["nothing", "smtp", "a refusing smtp", "http, html", "http, odd list", "echo"])
def test_no_secret_shows_anywhere(kind: str, answer: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    echo = json.dumps({"error": {"code": 190, "message": f"{TOKEN} {SECRET}"}}).encode()
    smtp = f"535 {PASSWORD}\r\n".encode()
    greets = BUILDERS[kind].greets
    said = (smtp if greets else http(echo, status="400 Bad Request")) if answer == "echo" else ANSWERS[answer]
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    with RawServer(served(said, greets=greets)) as server:
        channel = BUILDERS[kind].at(server.port, tmp_path)
        attempt = an_attempt_on(channel, pictures=(a_picture(tmp_path),))
        told: list[object] = [use(channel, attempt) for use in USES.values()]
        told += [channel, channel.__dict__, channel.describe(attempt.content, at=NOON), attempt.content, caplog.text]
        told += [problem for problem in told[2] if isinstance(problem, Problem)] if isinstance(told[2], list) else []
        files = [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    shown = repr(told) + "".join(map(str, told)) + "".join(files)
    assert [secret for secret in (TOKEN, SECRET, PASSWORD) if secret in shown] == []
