"""The pictures of the docs: `make screenshots` draws them anew from an install on the sandbox that people have lived in."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from outreach import when
from outreach.doors.layout import lay_out
from outreach.doors.letterfile import read_letter
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Letter
from outreach.sandbox import Sandbox
from tests.browser.chromium import FLAGS, find
from tests.browser.conftest import NARROW, WIDE, Town
from tests.doors.place import Place
from tests.web.visitors import member

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SHOTS = (
    ("queue", "/", WIDE, False),
    ("write", "/write/{draft}", WIDE, False),
    ("write-on-a-telephone", "/write/{draft}", NARROW, False),
    ("announcement", "/announcements/1", WIDE, False),
    ("approve", "/approvals/{waiting}", WIDE, False),
    ("calendar", "/calendar?month={month}", WIDE, False),
    ("calendar-dark", "/calendar?month={month}", WIDE, True),
    ("history", "/history", WIDE, False),
    ("channels", "/channels", WIDE, False),
)
"""Name, address, size, whether it is dark."""

ANN, BEN = "ann@example.org", "ben@example.org"


def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _town() as town, sync_playwright() as playwright:
        known = _live_in(town)
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        for name, address, size, dark in SHOTS:
            _shoot(browser, town, FOLDER / f"{name}.png", address.format(**known), size=size, dark=dark)
            print(f"docs/screenshots/{name}.png", file=sys.stderr)
        browser.close()


@contextmanager
def _town() -> Iterator[Town]:
    with tempfile.TemporaryDirectory(prefix="outreach-screenshots-") as folder, Sandbox() as box:
        place = Place(Path(folder), box, OUTREACH_APPROVAL="required")
        lay_out(place.queue)
        house = place.house()
        with served(create(house)) as address:
            yield Town(place, house, box, address)
        house.close()


def _live_in(town: Town) -> dict[str, str]:
    """Let something be out, something wait, something be written; give what the addresses name."""
    desk, zone = town.house.desk, town.house.settings.OUTREACH_TIME_ZONE
    seeds = [read_letter(file) for file in sorted((town.place.queue / "seed").glob("*.md"))]
    today = when.local(town.house.clock.now(), zone).date()
    folder = town.place.queue / "seed"
    for seed in seeds[:2]:
        added = desk.add(replace(seed, at="now"), folder=folder, person=ANN)
        desk.approve(added.announcement, person=BEN)
        Worker(town.house).once()
    waiting = desk.add(replace(seeds[2], at=f"{today + timedelta(days=3)} 09:00"), folder=folder, person=ANN)
    desk.ask_for_changes(waiting.announcement, revision=1, said="Could we say how to join?", person=BEN)
    fields = (("what", "abstracts for the Annual Meeting 2027"), ("deadline", f"{today + timedelta(days=40)}"))
    reminder = Letter(template="deadline-reminder", at=f"{today + timedelta(days=6)} 09:00", fields=fields)
    added = desk.add(reminder, folder=folder, person=ANN)
    desk.approve(added.announcement, person=BEN)
    webinar = Letter("Webinar: the metastatic niche", _BODY, at=f"{today + timedelta(days=9)} 12:00")
    draft = desk.save_draft(webinar, person=ANN)
    return {"waiting": str(waiting.announcement), "draft": str(draft.number), "month": f"{today:%Y-%m}"}


_BODY = (
    "Two trainees present their latest work, with time for questions.\n\n"
    "**No registration needed.** The link opens ten minutes before:\nhttps://example.org/webinar\n\n#TumorMicroenvironment"
)


def _shoot(browser: Browser, town: Town, file: Path, address: str, *, size: tuple[int, int], dark: bool) -> None:
    who = BEN if "/approvals/" in address else ANN
    context = browser.new_context(
        base_url=town.address,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    key = member(town.house, town.address, who).web.cookies["outreach"]
    context.add_cookies([{"name": "outreach", "value": key, "url": town.address}])
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.screenshot(path=file, full_page=size == WIDE and "/write" not in address)
    context.close()
    _make_small(file)


def _make_small(file: Path) -> None:
    with Image.open(file) as picture:
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(file, optimize=True)


if __name__ == "__main__":
    main()
