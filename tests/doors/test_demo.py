"""The demo: six posts, each seen once by the sandbox; ended in order by Ctrl-C; nothing is left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.place import Place, end, until


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
    bare.settings["TMPDIR"] = str(bare.folder)
    printed = bare.folder / "printed"
    with printed.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "outreach", "demo"],
            cwd=bare.folder,
            env=bare.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: _has_begun(bare.folder))
        demo.send_signal(number)
        assert demo.wait(15) == 0
    finally:
        end(demo)
    assert "Traceback" not in printed.read_text()
    assert list(bare.folder.glob("outreach-demo-*")) == []


def _has_begun(folder: Path) -> bool:
    return any((made / "queue/seed").is_dir() for made in folder.glob("outreach-demo-*"))
