"""Long absences, letters that are poison, people who act at the worst moment, backups and copies."""

import shutil
import threading
from datetime import timedelta
from functools import partial

from outreach.model import State
from tests.faults.cases import Case, Scenario
from tests.faults.ground import Ground
from tests.faults.orders import Order

HOUR_S = 3600.0
POISON = {
    "nul.md": b"---\ntitle: Nul\nat: now\n---\nA \x00 in it.\n",
    "surrogate.md": b"---\ntitle: Half\nat: now\n---\nHalf \xed\xa0\x80 a character.\n",
    "long.md": b"---\ntitle: Long\nat: now\n---\n" + b"word " * 250_000,
    "empty.md": b"",
    "no-end.md": b"---\ntitle: No end\n",
    "bytes.md": bytes(range(256)) * 8,
}


def _away(hours: float, ground: Ground) -> None:
    for number in range(12):
        ground.write(f"Number {number}", to="", at=_in(ground, 60), zone="UTC")
    ground.once()
    ground.let_pass(hours * HOUR_S)
    ground.once()
    states = {post.state for post in ground.posts()}
    wanted = State.PUBLISHED if hours < 6 else State.MISSED
    ground.expect(states == {wanted}, f"after {hours:g} hours they are {sorted(states)}")


def _in(ground: Ground, seconds: float) -> str:
    return f"{ground.now() + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def _poison(ground: Ground) -> None:
    for name, data in POISON.items():
        (ground.queue / "inbox" / name).write_bytes(data)
    ground.write("Good", to="")
    ground.once()
    ground.expect(set(ground.inside("rejected")) == set(POISON), f"rejected are {ground.inside('rejected')}")


# 30: acting in the moment of the claim


def _race(verb: str, pause_s: float, ground: Ground) -> None:
    ground.write("Alpha", at=_in(ground, 5), zone="UTC")
    ground.once()
    ground.let_pass(6)
    ground.box.graph.fail("feed", "delay", seconds=0.1)
    worker = ground.begin("worker", "--once")
    threading.Event().wait(pause_s)
    status = ground.run(verb, "1/facebook", "--json")
    worker.wait()
    post = ground.post("Alpha")
    if status == 0 and verb == "cancel":
        ground.expect(post.state is State.CANCELLED, f"told that it is cancelled, and it is {post.state}")
    if verb == "pause":
        ground.run("resume", "1/facebook", "--json")


def _killed_decision(verb: str, point: str, ground: Ground) -> None:
    if verb == "requeue":
        ground.box.graph.fail_with("100")
        ground.write("Alpha")
        ground.once()
    else:
        ground.write("Alpha", at=_in(ground, 3600), zone="UTC")
        ground.once()
    ground.killed_at(point, verb, "1/facebook", "--json")
    ground.run(verb, "1/facebook", "--json")
    wanted = State.QUEUED if verb == "requeue" else State.CANCELLED
    ground.expect(ground.post("Alpha").state is wanted, f"done again, it is {ground.post('Alpha').state}")


def _told_an_error(point: str, ground: Ground) -> None:
    """The first `add` dies around its commit; whoever sees the error adds the same letter again."""
    file = ground.folder / "alpha.md"
    ground.write("Alpha")
    (ground.queue / "inbox" / "alpha.md").rename(file)
    ground.killed_at(point, "add", str(file), "--json")
    status = ground.run("add", str(file), "--json")
    ground.expect(status == (1 if point == "after-queue" else 0), f"the second add ended with {status}")


# 32: older states put back


def _copied_back(ground: Ground) -> None:
    """Somebody puts yesterday's file back, by hand, over the one of today."""
    ground.write("Alpha", to="", at=_in(ground, 60), zone="UTC")
    ground.once()
    kept = ground.folder / "kept.db"
    shutil.copyfile(ground.file, kept)
    ground.let_pass(61)
    ground.once()
    for suffix in ("-wal", "-shm"):
        ground.file.with_name(f"{ground.file.name}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(kept, ground.file)


def _restored(ground: Ground) -> None:
    ground.write("Alpha", to="", at=_in(ground, 60), zone="UTC")
    ground.once()
    kept = str(ground.folder / "kept")
    ground.expect(ground.run("backup", kept) == 0, "no backup could be made")
    ground.let_pass(61)
    ground.once()
    ground.expect(ground.run("restore", kept) == 0, "the backup could not be restored")


def _second_machine(ground: Ground) -> None:
    """The folder is copied, and a worker is begun on the copy as well."""
    ground.write("Alpha", to="", at=_in(ground, 60), zone="UTC")
    ground.once()
    twin = ground.folder / "twin"
    shutil.copytree(ground.queue, twin)
    ground.let_pass(61)
    ground.once()
    order: Order = ground.order("worker", "--once", settings={"OUTREACH_QUEUE": str(twin)})
    ground.run_order(order)


CASES = (
    Case(27, "away for hours, and for a week", (Scenario("three hours", partial(_away, 3)), Scenario("a week", partial(_away, 168)))),
    Case(28, "letters that are poison", (Scenario("all at once", _poison),)),
    Case(30, "people act in the moment of the claim", (
        *(Scenario(f"{verb} {pause_s:g} s later", partial(_race, verb, pause_s))
          for verb in ("cancel", "pause") for pause_s in (0.0, 0.02, 0.03, 0.04, 0.06, 0.1)),
        *(Scenario(f"{verb}, killed {point}", partial(_killed_decision, verb, point))
          for verb in ("cancel", "requeue") for point in ("in-decision", "after-decision")),
    )),
    Case(31, "told an error though it was queued", (
        Scenario("before the commit", partial(_told_an_error, "queue-uncommitted")),
        Scenario("after the commit", partial(_told_an_error, "after-queue")),
    )),
    Case(32, "an older state put back; a copy started", (
        Scenario("restored by the command", _restored),
        Scenario("copied back by hand", _copied_back),
        Scenario("a second machine", _second_machine),
    )),
)  # fmt: skip
