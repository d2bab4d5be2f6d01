"""Pre-flight over real sockets: token, mail server, pictures and links gone wrong stand on the post; nothing is written."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.letter import parse
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.tokens import Kind
from outreach.settings import read_settings
from outreach.store import checks
from tests.builders import (
    NOW,
)
from tests.channels.servers import RawServer, Visit, http
from tests.doors.place import Place, a_picture
from tests.work.clocks import StillClock


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """One whose clock stands still where that of the house does."""
    with Sandbox(clock=Clock(NOW), smtp_credentials=("coordinator", "right")) as running:
        yield running


class Install:
    """A house on the sandbox, with two posts due in an hour."""

    def __init__(self, box: Sandbox, place: Place, **settings: str) -> None:
        self.box = box
        given = place.settings | {
            "FACEBOOK_APP_ID": box.app_id,
            "SMTP_USERNAME": "coordinator",
            "SMTP_PASSWORD": "right",
        }
        self.house = House(read_settings(given | settings), StillClock())
        self.folder = place.folder

    def add(self, *, link: str | None = None, picture: bytes | None = None) -> None:
        """Queue a letter for an hour from now."""
        head = ["title: Poster session", "at: 2026-12-01 10:00", "zone: America/New_York"]
        head += [f"link: {link}"] if link else []
        if picture:
            (self.folder / "poster.jpg").write_bytes(picture)
            head += ["pictures:", "  - file: poster.jpg", "    alt: A poster"]
        self.house.desk.add(parse("\n".join(["---", *head, "---", "Join us.", ""])), folder=self.folder)

    def problems(self) -> dict[str, list[str]]:
        """Look, and give what stands on each channel's post; what only warns is in brackets."""
        self.house.new_preflight().round()
        standing = self.house.desk.checks()
        return {
            post.channel: [f"({p.message})" if p.is_warning else p.message for p in standing[post.id].problems]
            for post in self.house.desk.queue()
        }


@pytest.fixture
def install(box: Sandbox, place: Place) -> Iterator[Install]:
    made = Install(box, place)
    yield made
    assert_nothing_was_written(box)
    made.house.close()


def assert_nothing_was_written(box: Sandbox) -> None:
    assert [
        entry for entry in box.graph.journal if entry.wrote or (entry.method != "GET" and entry.op != "scrape")
    ] == []
    assert (box.graph.public_posts(), box.mail.journal, box.mail.distributed()) == ([], [], [])


def test_a_set_up_that_is_right_has_no_problems(install: Install) -> None:
    install.add(picture=a_picture())
    assert install.problems() == {"facebook": [], "listserv": []}


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda box: box.graph.tokens.kill(box.page_token, 460), "changed their password"),
        (lambda box: box.graph.tokens.narrow(box.page_token, "pages_manage_posts"), "lacks the permission"),
        (lambda box: setattr(box.graph.rules, "tasks", ("ANALYZE",)), "may not create content"),
        (lambda box: box.graph.fail("me", "close"), "could not be reached"),
        (lambda box: box.graph.clock.advance(3600), "60 minutes behind Facebook's"),
    ],
    ids=["dead", "narrow", "no task", "no answer", "clock"],
)
def test_what_is_wrong_with_the_token_stands_on_the_page_post_alone(
    install: Install, harm: Callable[[Sandbox], None], words: str
) -> None:
    install.add()
    harm(install.box)
    problems = install.problems()
    [problem] = problems["facebook"]
    assert words in problem
    assert problems["listserv"] == []


def test_a_token_that_ends_before_the_post_is_due_stands_on_the_post_twice_over(box: Sandbox, place: Place) -> None:
    lives = timedelta(minutes=30)
    short = box.graph.tokens.issue(Kind.PAGE, now=NOW, user_id="1", page_id=box.page_id, lives=lives)
    made = Install(box, place, FACEBOOK_PAGE_TOKEN=short)
    made.add()
    told, own = made.problems()["facebook"]
    assert "made from a short-lived one" in told
    assert "before it is due" in own
    with made.house.store.read() as tx:
        assert checks.expiry(tx, "facebook") == NOW + lives
    made.house.close()


def test_a_mail_server_that_refuses_the_log_in_or_the_sender_stands_on_the_mail(box: Sandbox, place: Place) -> None:
    for settings, fault, words in (
        ({"SMTP_PASSWORD": "wrong"}, None, "refused the log-in"),
        ({}, "550 5.7.1 You may not send as this", "did not accept the sender"),
    ):
        made = Install(box, place, **settings)
        if not made.house.desk.queue():
            made.add()
        if fault:
            box.mail.fail("MAIL", fault)
        made.house.clock.tick(1)  # type: ignore[attr-defined]
        [(_, check)] = made.house.new_preflight().of_posts(made.house.desk.find("1/listserv"))
        assert words in check.problems[0].message
        made.house.close()
    assert_nothing_was_written(box)


@pytest.mark.parametrize("harm", ["delete", "truncate", "change"])
def test_a_picture_that_is_harmed_on_the_disk_stands_on_the_page_post_alone(install: Install, harm: str) -> None:
    install.add(picture=a_picture())
    [file] = [f for f in install.house.media.iterdir() if f.is_file()]
    whole = file.read_bytes()
    match harm:
        case "delete":
            file.unlink()
        case "truncate":
            file.write_bytes(whole[:50])
        case _:
            file.write_bytes(a_picture(size=(8, 8)))
    problems = install.problems()
    [problem] = problems["facebook"]
    assert "The picture poster.jpg" in problem
    assert problems["listserv"] == []  # it is inside the mail


def test_a_link_that_leads_to_nothing_stands_on_both_posts(install: Install) -> None:
    def gone(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(b"", status="404 x"))

    with RawServer(gone) as server:
        install.add(link=f"{server.url}/abstracts")
        told = [f"The link {server.url}/abstracts leads to nothing (404)."]
        assert install.problems() == {"facebook": told, "listserv": told}


def test_a_setting_that_changes_after_queueing_stands_on_the_mail(box: Sandbox, place: Place) -> None:
    first = Install(box, place)
    first.add()
    first.house.close()
    moved = Install(box, place, LISTSERV_ADDRESS="moved@lists.example.org")
    [problem] = moved.problems()["listserv"]
    assert "but LISTSERV_ADDRESS is moved@lists.example.org" in problem
    moved.house.close()


def test_the_end_of_the_access_to_data_is_a_warning(box: Sandbox, place: Place) -> None:
    old = box.graph.tokens.issue(Kind.PAGE, now=NOW - timedelta(days=80), user_id="1", page_id=box.page_id)
    made = Install(box, place, FACEBOOK_PAGE_TOKEN=old)
    made.add()
    [warning] = made.problems()["facebook"]
    assert warning.startswith("(The app's access to the Page's data runs out in 10 days")
    made.house.close()


def test_no_secret_stands_anywhere(install: Install, tmp_path: Path) -> None:
    install.add()
    install.box.graph.tokens.kill(install.box.page_token, 467)
    install.problems()
    install.house.close()
    kept = (install.house.settings.OUTREACH_QUEUE / "outreach.db").read_bytes()
    secrets = (install.box.page_token, install.box.app_secret, "right\0")
    assert [secret for secret in secrets if secret.encode() in kept] == []
