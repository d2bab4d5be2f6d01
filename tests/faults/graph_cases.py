"""Everything the Graph API may do to a request: with and without the write, for a text and for photos, at every step."""

import socket
from collections.abc import Sequence
from functools import partial
from typing import Any

from outreach.model import State
from outreach.sandbox.error_table import ROWS
from tests.faults.cases import Case, Scenario
from tests.faults.ground import Ground

# Rows that leave open whether the post is out; all others are told only of what was not written.
OPEN_ROWS = ("1", "2", "20_1772107", "1349125", "1363047", "1609010", "506", "368_1404082", "1366051")
AT_ONCE = 8
UNTOLD = {"seconds": 5.0}


def _hit(
    how: str, write: bool | None, pictures: int, op: str, after: int, details: dict[str, Any], ground: Ground
) -> None:
    ground.box.graph.fail(op, how, write=write, after=after, **details)
    ground.write("Alpha", pictures=pictures)
    ground.write("Behind it")
    ground.once()


def _injected(how: str, *, good: bool = False, **details: Any) -> tuple[Scenario, ...]:
    """Inject one `how` at the visible step and, with photos, at staging; `good`: the answer names what was written."""
    scenarios = []
    for pictures, kind in ((0, "text"), (3, "photos")):
        for write in (True,) if good else (True, False):
            name = f"{how}, {kind}, {'written' if write else 'not written'}"
            scenarios.append(Scenario(name, partial(_hit, how, write, pictures, "feed", 0, details)))
    scenarios += [
        Scenario(
            f"{how}, second photo, {'written' if write else 'not written'}",
            partial(_hit, how, write, 3, "photos", 1, details),
        )
        for write in ((True,) if good else (True, False))
    ]
    return tuple(scenarios)


# Rows of the error table


def _rows(names: Sequence[str], write: bool | None, pictures: int, op: str, ground: Ground) -> None:
    for name in names:
        if write is None:
            ground.box.graph.fail_with(name, op, after=1 if op == "photos" else 0)
        else:
            row = ROWS[name]
            ground.box.graph.fail(
                op, "error", write=write, code=row.code, subcode=row.subcode, status=row.status, message=row.message
            )
        ground.write(f"Row {name.replace('_', ' ')}", pictures=pictures)
        ground.once()
        ground.run("channels", "resume", "facebook", "--json")


def _all_rows(pictures: int, op: str) -> tuple[Scenario, ...]:
    told = [
        Scenario(f"{names[0]} to {names[-1]}", partial(_rows, names, None, pictures, op))
        for names in in_pieces(tuple(ROWS))
    ]
    if op == "feed":
        told += [
            Scenario(f"the open ones, write={write}", partial(_rows, OPEN_ROWS, write, pictures, op))
            for write in (True, False)
        ]
    return tuple(told)


def in_pieces(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut into pieces that share a ground."""
    return [tuple(names[start : start + AT_ONCE]) for start in range(0, len(names), AT_ONCE)]


# When it is looked for


def _looked_for(write: bool, how: str, times: int | None, details: dict[str, Any], ground: Ground) -> None:
    ground.box.graph.fail("feed", "close", write=write)
    ground.box.graph.fail("published_posts", how, times=times, **details)
    ground.write("Alpha")
    ground.once()


def _looks() -> tuple[Scenario, ...]:
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("empty-list", {}), ("failing-list", {}), ("500-2", {}), ("close", {}), ("reset", {}), ("hang", UNTOLD), ("html-502", {}),
        ("truncated", {}), ("empty-200", {}), ("redirect", {}), ("lagging-list", {}),
    )  # fmt: skip
    return tuple(
        Scenario(f"{how} {times or 'always'}, {'written' if write else 'not written'}", partial(_looked_for, write, how, times, details))
        for how, details in kinds
        for times in (1, None)
        for write in (True, False)
        if (how, times) != ("lagging-list", None)  # a list that never shows what is there proves whatever it likes
    )  # fmt: skip


def _alone(write: bool, ground: Ground) -> None:
    ground.box.graph.fail("feed", "close", write=write)
    ground.write("Alpha")
    ground.once()


def _lagging(lag_s: float, first_look_s: float, how: str, ground: Ground) -> None:
    ground.box.graph.rules.lag_s = lag_s
    ground.box.graph.fail("feed", how)
    ground.write("Alpha")
    ground.once()
    post = ground.post("Alpha")
    ground.expect(post.state is State.UNCONFIRMED, f"it is {post.state} before anybody looked")
    ground.let_pass(first_look_s)
    ground.once()
    ground.expect(ground.post("Alpha").looks == 1, "the first look saw through the lag")


# Tokens, blocks, limits


def _dies_mid_photos(name: str, ground: Ground) -> None:
    ground.box.graph.fail_with(name, "photos", after=2)
    ground.write("Alpha", pictures=3)
    ground.write("Behind it")
    ground.once()


def _dies_before_the_feed(name: str, ground: Ground) -> None:
    ground.box.graph.fail_with(name, "feed")
    ground.write("Alpha", pictures=3)
    ground.once()


def _blocked(seconds: float, ground: Ground) -> None:
    ground.box.graph.block(ground.box.page_id, seconds)
    for number in range(3):
        ground.write(f"Number {number}")
    ground.once()
    refused = [entry for entry in ground.box.graph.journal if entry.op == "feed"]
    ground.expect(len(refused) == 1, f"{len(refused)} posts ran into the block, not one")


def _used_up(ground: Ground) -> None:
    ground.box.graph.rules.call_budget = 3
    for number in range(4):
        ground.write(f"Number {number}")
    ground.once()
    ground.box.graph.rules.call_budget = 0


def _status(status: int, code: int, write: bool, ground: Ground) -> None:
    ground.box.graph.fail("feed", "error", status=status, code=code, write=write, message="Something else")
    ground.write("Alpha")
    ground.once()


def _other_server(url: str, ground: Ground) -> None:
    ground.write("Alpha")
    ground.write("On the list", to="listserv")
    ground.once(settings={"FACEBOOK_GRAPH_URL": url})
    ground.expect(ground.post("Alpha").state is State.QUEUED, f"it is {ground.post('Alpha').state}, not queued again")


def _plain_instead_of_tls(ground: Ground) -> None:
    _other_server(ground.box.graph_url.replace("http:", "https:"), ground)


def _nobody_accepts(ground: Ground) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        _other_server(f"http://127.0.0.1:{full.getsockname()[1]}", ground)
        for each in waiting:
            each.close()


_STATUSES = tuple(
    Scenario(f"{status} with code {code}, written: {write}", partial(_status, status, code, write))
    for status, code in ((200, 1), (200, 100), (400, 987654), (503, 190), (302, 100))
    for write in (True, False)
)
_TOKENS = tuple(
    Scenario(f"{name} {play.__name__.strip('_')}", partial(play, name))
    for name in ("190_463", "190_460", "190_492", "190_impersonating", "10")
    for play in (_dies_mid_photos, _dies_before_the_feed)
)

CASES = (
    Case(8, "the answer lost after the server accepted", tuple(
        Scenario(how, partial(_hit, how, True, 0, "feed", 0, {"seconds": 5.0} if how == "hang" else {})) for how in ("close", "reset", "hang")
    )),
    Case(10, "no connection, no answer, and a slow one", (
        Scenario("nobody accepts", _nobody_accepts),
        *_injected("drip", good=True, seconds=0.1),
    )),
    Case(11, "refused, no such name, no TLS", (
        Scenario("refused", partial(_other_server, "http://127.0.0.1:1")),
        Scenario("no such name", partial(_other_server, "https://nowhere.invalid")),
        Scenario("no TLS", _plain_instead_of_tls),
    )),
    Case(13, "an answer that contradicts its status", _STATUSES),
    Case(14, "limits", (Scenario("used up", _used_up), *(
        Scenario(name, partial(_rows, (name,), None, 0, "feed")) for name in ("4", "17", "32", "613", "80001")
    ))),
    Case(15, "the token dies", _TOKENS),
    Case(40, "500 with code 1", _injected("500-1")),
    Case(41, "500 with code 2", _injected("500-2")),
    Case(42, "closed without an answer", _injected("close")),
    Case(43, "reset without an answer", _injected("reset")),
    Case(44, "hangs past the time-out", _injected("hang", seconds=5.0)),
    Case(45, "an HTML page with status 502", _injected("html-502")),
    Case(46, "an empty 200", _injected("empty-200")),
    Case(47, "200 with success and no id", _injected("success-200")),
    Case(48, "half an answer", _injected("truncated")),
    Case(49, "a redirect", _injected("redirect")),
    Case(50, "a good answer, late or packed", (*_injected("delay", good=True, seconds=0.4), *_injected("gzip", good=True))),
    Case(51, "every row of the error table, for a text", _all_rows(0, "feed")),
    Case(52, "every row of the error table, for photos", _all_rows(3, "feed")),
    Case(53, "every row of the error table, while photos are staged", _all_rows(3, "photos")),
    Case(54, "a list that lags longer than the first look", (
        Scenario("short looks", partial(_lagging, 9.0, 0.0, "500-2"), {"OUTREACH_LOOK_AFTER_S": "0,10"}),
        Scenario("the usual looks", partial(_lagging, 60.0, 31.0, "close"), {"OUTREACH_LOOK_AFTER_S": "30,120,300,900"}),
    )),
    Case(55, "a list that is empty, late or failing when looked at", _looks()),
    Case(56, "an empty Page when looked at", tuple(
        Scenario(f"written: {write}", partial(_alone, write), is_page_empty=True) for write in (True, False)
    )),
    Case(57, "the Page is blocked", (Scenario("an hour", partial(_blocked, 3600.0)), Scenario("four days", partial(_blocked, 4 * 86400.0)))),
)  # fmt: skip
