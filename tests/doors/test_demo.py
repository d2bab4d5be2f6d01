"""The demo: six posts, each seen once by the sandbox; ended in order by Ctrl-C; nothing is left behind."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from outreach.bootstrap import build
from outreach.doors import demo
from outreach.sandbox import Sandbox
from tests.connecting import ANN, logged_in
from tests.doors.place import Place, end, until
from tests.web.visitors import Guest


def test_the_demo_gives_exactly_the_object_of_the_contract_and_leaves_nothing(bare: Place) -> None:
    bare.settings["TMPDIR"] = str(bare.folder)
    before = sorted(bare.folder.iterdir())
    answer = bare.run("demo", "--exit-when-idle", "--json")
    assert (answer.code, answer.err) == (0, "")
    seconds = answer.json.pop("seconds")
    assert {key: value for key, value in answer.json.items() if key != "seconds"} == {
        "published": 6,
        "failed": 0,
        "unconfirmed": 0,
        "page_posts": 3,
        "list_mails": 3,
    }
    assert 4 <= seconds <= 15
    assert sorted(bare.folder.iterdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_ends_in_order_when_told_to(bare: Place, number: signal.Signals) -> None:
    with _running(bare) as demo:
        until(lambda: _has_begun(bare.folder))
        demo.send_signal(number)
        assert demo.wait(15) == 0
    assert "Traceback" not in (bare.folder / "printed").read_text()
    assert list(bare.folder.glob("outreach-demo-*")) == []


def test_who_is_invited_in_the_demo_finds_the_way_in_among_the_mails_that_it_shows(bare: Place) -> None:
    printed = bare.folder / "printed"
    with _running(bare):
        until(lambda: "people's mail" in printed.read_text())
        begin, mails = (_address(printed, name) for name in ("begin here (once)", "people's mail"))
        here, _, key = begin.partition("/links/")
        admin = Guest(here)
        admin.get(f"/links/{key}")
        admin.post(f"/links/{key}", email="ann@example.org", name="Ann", password="a colloquium on Tuesday")
        admin.post("/people/invitations", email="ben@example.org", roles="approver")

        shown = requests.get(mails, timeout=30).text
        [way_in] = re.findall(rf'href="{here}(/links/[^"]+)"', shown)
        assert "<h2>ben@example.org</h2>" in shown
        assert "Welcome to outreach" in Guest(here).get(way_in).text


@contextmanager
def _running(bare: Place) -> Iterator["subprocess.Popen[bytes]"]:
    """The demo in a process of its own, which writes what it prints to a file."""
    bare.settings["TMPDIR"] = str(bare.folder)
    with (bare.folder / "printed").open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "outreach", "demo"],
            cwd=bare.folder,
            env=bare.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield demo
    finally:
        end(demo)


def _address(printed: Path, name: str) -> str:
    [line] = [line for line in printed.read_text().splitlines() if line.strip().startswith(name)]
    return line.split()[-1]


def _has_begun(folder: Path) -> bool:
    return any((made / "queue/seed").is_dir() for made in folder.glob("outreach-demo-*"))


def test_a_page_can_be_connected_in_the_demo(tmp_path: Path) -> None:
    with Sandbox(pages=2) as box:
        house = build(demo._settings(tmp_path / "queue", box, 8000))
        box.graph.rules.redirect_uris = {house.connecting.redirect_uri}
        number = logged_in(house, pages=[page.id for page in box.pages])
        done = house.connecting.choose(number, ANN, page_id=box.page_id)
        assert (done.page_name, house.connecting.obstacle()) == ("TMM SIG", None)
        house.close()
