"""Channels, templates, settings and audit through the door: who may what, what is refused, and that no page holds a secret."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from outreach import when
from outreach.bootstrap import House
from outreach.desk.running import key_of_channel, key_of_safe_mode
from outreach.doors.web import create, given
from outreach.doors.web.serving import served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import Settings, read_settings
from tests.builders import NOW, column
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
TEXT = "---\ntitle: News\nabout: Tells news.\n---\nHear, hear.\n"
Come = Callable[..., Guest]


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path) -> Iterator[Place]:
    with Sandbox() as box:
        made = Place(tmp_path, box, database=migrated_file)
        (made.queue / "templates").mkdir()
        (made.queue / "templates" / "news.md").write_text(TEXT)
        yield made


@pytest.fixture
def house(place: Place) -> Iterator[House]:
    made = place.house()
    yield made
    made.close()


@pytest.fixture
def come(house: House) -> Iterator[Come]:
    """Somebody who is logged in, with all roles or with these."""
    with served(create(house)) as address:

        def in_(*roles: Role, email: str = "ann@example.org") -> Guest:
            return member(house, address, email, roles=frozenset(roles or Role))

        yield in_


@pytest.fixture
def ann(come: Come) -> Guest:
    return come()


def hidden(page: str, name: str, *, within: str = "") -> str:
    """The value of a hidden field, the first behind a place of the page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page[page.index(within) :])
    assert found is not None
    return unescape(found[1])


# Who may what

PAGES = {
    "/channels": {Role.COORDINATOR, Role.APPROVER, Role.ADMIN},
    "/templates": {Role.COORDINATOR, Role.APPROVER, Role.ADMIN},
    "/templates/news": {Role.COORDINATOR, Role.APPROVER, Role.ADMIN},
    "/settings": {Role.ADMIN},
    "/audit": {Role.ADMIN, Role.REVIEWER},
}
DEEDS = {
    "/channels/facebook/pause": {Role.COORDINATOR, Role.ADMIN},
    "/channels/facebook/resume": {Role.COORDINATOR, Role.ADMIN},
    "/channels/facebook/test": {Role.COORDINATOR, Role.ADMIN},
    "/stop-everything": {Role.COORDINATOR, Role.ADMIN},
    "/let-out-again": {Role.COORDINATOR, Role.ADMIN},
    "/templates": {Role.COORDINATOR, Role.ADMIN},
    "/templates/news": {Role.COORDINATOR, Role.ADMIN},
    "/templates/news/try": {Role.COORDINATOR, Role.ADMIN},
    "/templates/news/versions/1": {Role.COORDINATOR, Role.ADMIN},
    "/settings/wishes": {Role.ADMIN},
    "/settings/approval": {Role.ADMIN},
}


def test_each_page_and_each_deed_is_for_its_roles_alone(come: Come, house: House) -> None:
    for role in Role:
        guest = come(role, email=f"{role}@example.org")
        seen = {path for path in PAGES if guest.get(path).status_code == 200}
        refused = {path for path in DEEDS if guest.post(path).status_code == 403}
        assert seen == {path for path, roles in PAGES.items() if role in roles}, role
        assert refused == {path for path, roles in DEEDS.items() if role not in roles}, role
    assert column(house.store, "SELECT kind FROM events") == []


def test_an_approver_sees_no_button_that_would_be_refused(come: Come) -> None:
    guest = come(Role.APPROVER)

    pages = [guest.get(path).text for path in ("/channels", "/templates", "/templates/news")]

    forms = {form for page in pages for form in re.findall(r'<form[^>]*action="([^"]*)"', page)}
    assert forms == {"/log-out"}


def test_a_deed_without_the_token_of_a_page_changes_nothing(ann: Guest, house: House) -> None:
    for path in DEEDS:
        assert ann.post(path, form_token="0" * 32, reason="x", text=TEXT).status_code == 422
    assert column(house.store, "SELECT kind FROM events") == []


# Channels


def test_a_channel_is_paused_and_resumed_with_a_reason(ann: Guest, house: House) -> None:
    page = ann.get("/channels").text
    paused = ann.post("/channels/facebook/pause", reason="The Page moves.", seen=hidden(page, "seen"))
    assert "Paused by ann@example.org" in paused.text
    assert "The Page moves." in paused.text

    resumed = ann.post("/channels/facebook/resume", reason="Moved.", seen=hidden(paused.text, "seen"))

    assert "facebook is ready" in resumed.text
    assert column(house.store, "SELECT note FROM events ORDER BY id") == ["The Page moves.", "Moved."]


def test_a_page_left_open_does_not_undo_what_another_did(ann: Guest, come: Come, house: House) -> None:
    ben = come(email="ben@example.org")
    old = hidden(ann.get("/channels").text, "seen")
    ben.post("/channels/facebook/pause", reason="A wrong link.", seen=hidden(ben.get("/channels").text, "seen"))

    answer = ann.post("/channels/facebook/pause", reason="Mine.", seen=old)

    assert answer.status_code == 409
    assert "has changed since you opened the page" in answer.text
    assert house.desk.channels()[0].reason == "A wrong link."


def test_a_reason_is_asked_for_and_what_was_typed_is_kept(ann: Guest, house: House) -> None:
    seen = hidden(ann.get("/channels").text, "seen")

    without, long = (ann.post("/channels/facebook/pause", reason=reason, seen=seen) for reason in (" ", "x" * 301))

    assert (without.status_code, long.status_code) == (422, 422)
    assert "A reason is missing." in without.text
    assert f'value="{"x" * 301}"' in long.text
    assert house.desk.channels()[0].state == "ready"


def test_a_hostile_reason_is_shown_and_does_nothing(ann: Guest) -> None:
    seen = hidden(ann.get("/channels").text, "seen")
    ann.post("/channels/facebook/pause", reason=HOSTILE, seen=seen)

    for path in ("/channels", "/audit", "/"):
        page = ann.get(path).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("name", ["nowhere", "face%2Fbook", "%00", "..", "é", "x" * 300])
def test_a_channel_that_is_not_there_is_a_plain_404(ann: Guest, name: str) -> None:
    for deed in ("pause", "resume", "test"):
        answer = ann.post(f"/channels/{name}/{deed}", reason="x", seen="x")
        assert answer.status_code in (404, 405)
        assert "Traceback" not in answer.text


def test_a_channel_is_tested_without_publishing(ann: Guest, house: House, place: Place) -> None:
    good = ann.post("/channels/facebook/test")
    assert "facebook would let a post out now." in good.text

    house.desk.check_of_channel("facebook")
    assert column(house.store, "SELECT count(*) FROM attempts") == [0]


def test_a_token_that_ended_is_told_on_the_page_that_asked(tmp_path: Path, migrated_file: Path) -> None:
    with Sandbox() as box:
        house = Place(tmp_path, box, database=migrated_file, FACEBOOK_PAGE_TOKEN="ended").house()
        with served(create(house)) as address:
            page = member(house, address).post("/channels/facebook/test").text
        house.close()

    assert "facebook would let nothing out now" in page
    assert "Facebook does not accept the token" in page


def test_a_channel_that_is_being_asked_is_not_asked_a_second_time(tmp_path: Path, migrated_file: Path) -> None:
    settings = {"FACEBOOK_PAGE_ID": "1", "FACEBOOK_PAGE_TOKEN": "t", "OUTREACH_HTTP_TIMEOUT_S": "3"}
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as another:
        settings["FACEBOOK_GRAPH_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        house = Place(tmp_path, None, database=migrated_file, **settings).house()
        with served(create(house)) as address:
            first, second = (member(house, address, email) for email in ("ann@example.org", "ben@example.org"))
            first.get("/channels")
            answer = another.submit(first.post, "/channels/facebook/test")
            asked, _ = silent.accept()  # it is being asked now, and nobody answers
            refused = second.post("/channels/facebook/test")
            asked.close()
            told = answer.result()
        house.close()

    assert (refused.status_code, "facebook is being asked already." in refused.text) == (409, True)
    assert "facebook would let nothing out now" in told.text


def test_everything_is_stopped_with_a_reason_and_let_out_again(ann: Guest, house: House) -> None:
    ann.get("/channels")
    stopped = ann.post("/stop-everything", reason="A wrong link.", seen=key_of_safe_mode(None))
    assert "Nothing goes out, on any channel" in stopped.text

    twice = ann.post("/stop-everything", reason="Again.", seen="off")
    let_out = ann.post("/let-out-again", reason="Mended.", seen=hidden(stopped.text, "seen", within="everything"))

    assert (twice.status_code, let_out.status_code) == (409, 200)
    assert house.desk.safe_mode() is None
    assert column(house.store, "SELECT kind || ' ' || person FROM events ORDER BY id") == [
        "safe mode on ann@example.org",
        "safe mode off ann@example.org",
    ]


def test_the_service_pausing_a_channel_is_told_with_its_end(ann: Guest, house: House) -> None:
    row = house.desk.channels()[0]
    assert key_of_channel(row) == hidden(ann.get("/channels").text, "seen")
    assert "Posts go out on it when they are due." in ann.get("/channels").text


# Templates


def test_a_template_is_changed_with_its_versions(ann: Guest, place: Place) -> None:
    page = ann.get("/templates/news").text
    saved = ann.post("/templates/news", text=TEXT.replace("Hear", "Listen"), base=hidden(page, "base"), do="save")
    assert "Saved as version 2." in saved.text
    assert "Listen" in (place.queue / "templates" / "news.md").read_text()

    old = ann.get("/templates/news/versions/1").text
    assert "<del>" in old
    back = ann.post("/templates/news/versions/1", base=hidden(old, "base"))
    assert "Version 1 is back, as version 3." in back.text
    assert (place.queue / "templates" / "news.md").read_text() == TEXT


def test_a_broken_template_is_refused_with_its_line_and_kept_in_the_form(ann: Guest, place: Place) -> None:
    base = hidden(ann.get("/templates/news").text, "base")

    answer = ann.post("/templates/news", text=TEXT + "{{ whom }}<b>", base=base, do="save")

    assert answer.status_code == 422
    assert "Nothing is named &#34;whom&#34; here." in answer.text
    assert "news.md, line 6" in answer.text
    assert "{{ whom }}&lt;b&gt;" in answer.text
    assert (place.queue / "templates" / "news.md").read_text() == TEXT


def test_what_changed_on_disk_since_is_shown_and_not_overwritten_unseen(ann: Guest, place: Place) -> None:
    file = place.queue / "templates" / "news.md"
    base = hidden(ann.get("/templates/news").text, "base")
    file.write_text(TEXT.replace("Hear", "By hand"))

    answer = ann.post("/templates/news", text=TEXT.replace("Hear", "Mine"), base=base, do="save")
    assert answer.status_code == 409
    assert "What changes if you save yours" in answer.text
    assert "By hand" in file.read_text()

    again = ann.post("/templates/news", text=TEXT.replace("Hear", "Mine"), base=hidden(answer.text, "base"), do="save")
    assert again.status_code == 200
    assert "Mine" in file.read_text()
    assert "By hand" in ann.get("/templates/news/versions/1").text


def test_how_it_reads_is_shown_without_saving(ann: Guest, place: Place) -> None:
    base = hidden(ann.get("/templates/news").text, "base")
    text = TEXT.replace("Hear", "Listen")

    looked = ann.post("/templates/news", text=text, base=base, do="look")
    part = ann.post("/templates/news/try", text=text, base=base)

    assert looked.text.count("Listen, hear.") == part.text.count("Listen, hear.") + 1 == 3
    assert "<html" not in part.text
    assert (place.queue / "templates" / "news.md").read_text() == TEXT


@pytest.mark.parametrize("name", ["../x", "x/..", "%00", "é", "news.md", "NEWS", "x" * 300, "....//x", "news/../../x"])
def test_a_hostile_name_leads_nowhere(ann: Guest, place: Place, name: str) -> None:
    before = sorted(place.folder.rglob("*.md"))
    there = quote(name, safe="")

    answers = [ann.get(f"/templates/{there}"), ann.get(f"/templates/{there}/versions/1")]
    answers += [ann.post(f"/templates/{there}{end}", text=TEXT, base="x") for end in ("", "/try", "/versions/1")]
    for given_name in (name, ".", ".."):
        answers += [ann.post("/templates", name=given_name, like="news")]
        answers += [ann.post("/templates", name="fine", like=given_name)]

    assert {answer.status_code for answer in answers} <= {404, 405, 422}
    assert not any("Traceback" in answer.text for answer in answers)
    assert sorted(place.folder.rglob("*.md")) == before


def test_a_new_template_is_a_copy_to_be_changed(ann: Guest, place: Place) -> None:
    ann.get("/templates")
    made = ann.post("/templates", name="more-news", like="news")

    assert made.url.endswith("/templates/more-news")
    assert (place.queue / "templates" / "more-news.md").read_text() == TEXT


def test_a_template_that_is_too_large_is_refused(ann: Guest, place: Place) -> None:
    base = hidden(ann.get("/templates/news").text, "base")

    large = ann.post("/templates/news", text=TEXT + "x" * 60_000, base=base, do="save")
    huge = ann.post("/templates/news", text=TEXT + "x" * 2_000_000, base=base, do="save")

    assert (large.status_code, huge.status_code) == (422, 413)
    assert (place.queue / "templates" / "news.md").read_text() == TEXT


def test_a_broken_template_on_disk_breaks_no_page(ann: Guest, place: Place) -> None:
    (place.queue / "templates" / "broken.md").write_bytes(b"\xff\xfe no text")
    (place.queue / "templates" / os.fsdecode(b"\xff.md")).write_text(TEXT)
    (place.queue / "templates" / f"{HOSTILE.replace('/', '')}.md").write_text("<script>alert(2)</script>")

    pages = [ann.get("/templates"), ann.get("/templates/news")]

    assert [page.status_code for page in pages] == [200, 200]
    assert "Cannot be used:" in pages[0].text
    assert "<script>alert" not in pages[0].text


@pytest.mark.parametrize("number", ["0", "-1", "2", "99999999999999999999", "x", "1e3"])
def test_a_version_that_is_not_there_is_a_plain_404(ann: Guest, number: str) -> None:
    ann.get("/templates")
    for answer in (ann.get(f"/templates/news/versions/{number}"), ann.post(f"/templates/news/versions/{number}")):
        assert answer.status_code in (404, 422)
        assert "Traceback" not in answer.text


# Settings


def test_wishes_are_kept_and_a_wrong_one_is_named(ann: Guest, house: House) -> None:
    ann.get("/settings")
    wrong = ann.post("/settings/wishes", quiet_from="25:00", quiet_to="07:00", country="", apart_min="60")
    assert wrong.status_code == 422
    assert "A time of day is needed." in wrong.text
    assert 'value="25:00"' in wrong.text

    ann.post("/settings/wishes", quiet_from="22:00", quiet_to="07:00", country="de", apart_min="60")

    kept = house.desk.wishes()
    assert (kept.quiet_from, kept.country, kept.apart_min) == ("22:00", "DE", 60)


def test_approval_is_switched_on_and_off(ann: Guest, house: House) -> None:
    ann.get("/settings")
    ann.post("/settings/approval", approval="required")
    assert house.desk.asks_for_approval()
    ann.post("/settings/approval", approval="off")
    assert not house.desk.asks_for_approval()
    assert ann.post("/settings/approval", approval="maybe").status_code == 422


def test_approval_that_the_environment_says_cannot_be_changed_here(tmp_path: Path, migrated_file: Path) -> None:
    with Sandbox() as box:
        house = Place(tmp_path, box, database=migrated_file, OUTREACH_APPROVAL="required").house()
        with served(create(house)) as address:
            ann = member(house, address)
            page = ann.get("/settings").text
            answer = ann.post("/settings/approval", approval="off")
        asks = house.desk.asks_for_approval()
        house.close()

    assert "so it cannot be changed here" in page
    assert 'name="approval"' not in page
    assert (answer.status_code, asks) == (422, True)


MARK = "geheim7d1f"


def test_no_page_holds_a_secret(tmp_path: Path, migrated_file: Path) -> None:
    secrets = {
        name: f"{MARK}-{name}"
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, SecretStr) and name not in ("OUTREACH_PING_URL", "OUTREACH_ALERT_URLS")
    }
    secrets |= {"OUTREACH_PING_URL": f"http://127.0.0.1:1/{MARK}", "OUTREACH_ALERT_URLS": f"json://127.0.0.1/{MARK}"}
    secrets |= {"SMTP_USERNAME": "ann", "IMAP_HOST": "127.0.0.1", "IMAP_PORT": "1", "IMAP_SECURITY": "none"}
    secrets |= {"WATCHER_USERNAME": "ben", "WATCHER_HOST": "127.0.0.1", "WATCHER_PORT": "1", "WATCHER_SECURITY": "none"}
    secrets |= {"IMAP_USERNAME": "ann", "FACEBOOK_APP_ID": "1"}
    secrets |= {"MAILMAN_URL": "http://127.0.0.1:1", "MAILMAN_USERNAME": "cleo"}
    with Sandbox() as box:
        house = Place(tmp_path, box, database=migrated_file, **secrets).house()
        with served(create(house)) as address:
            ann = member(house, address)
            ann.get("/channels")
            pages = [ann.post(f"/channels/{name}/test").text for name in ("facebook", "listserv")]
            pages += [ann.get(path).text for path in ("/", "/channels", "/templates", "/settings", "/audit", "/more")]
        house.close()

    assert all("FACEBOOK_PAGE_TOKEN" in page for page in (pages[0], pages[5]))
    assert [page for page in pages if MARK in page] == []


def test_a_secret_is_shown_as_set_on_the_day_of_the_first_start_with_it(tmp_path: Path, migrated_file: Path) -> None:
    place = Place(tmp_path, None, database=migrated_file)
    first, later = NOW, NOW + timedelta(days=9)

    def since(token: str, at: datetime) -> dict[str, datetime]:
        clock = StillClock()
        clock.tick((at - NOW).total_seconds())
        house = House(read_settings(place.settings | {"OUTREACH_BACKUP_PASSPHRASE": token}), clock)
        found = house.secrets_since
        house.close()
        return found

    assert since(MARK, first) == since(MARK, later) == {"OUTREACH_BACKUP_PASSPHRASE": first}
    assert (
        since("another", later) == since("another", later + timedelta(days=1)) == {"OUTREACH_BACKUP_PASSPHRASE": later}
    )
    assert since("", later) == {}
    assert MARK.encode() not in (place.queue / "outreach.db").read_bytes()


def test_the_pages_of_channels_and_settings_say_when_a_secret_was_set(ann: Guest, house: House) -> None:
    zone = house.settings.OUTREACH_TIME_ZONE
    [said] = [when.show(at, zone) for name, at in house.secrets_since.items() if name == "FACEBOOK_PAGE_TOKEN"]
    for path in ("/channels", "/settings"):
        assert re.search(rf"FACEBOOK_PAGE_TOKEN.{{1,200}}>{re.escape(said)}<", ann.get(path).text, re.DOTALL), path


def test_an_address_of_a_database_that_may_hold_a_password_is_not_shown() -> None:
    url = f"postgresql://outreach:{MARK}@db.example.org/outreach"
    found = {line.name: line for line in given.lines(read_settings({"OUTREACH_DATABASE_URL": url}), {})}

    assert (found["OUTREACH_DATABASE_URL"].shown, found["OUTREACH_DATABASE_URL"].is_secret) == ("set", True)
    assert MARK not in str(found)
    assert set(found) == set(Settings.model_fields)


# Audit


def test_the_audit_tells_who_did_what(ann: Guest, come: Come) -> None:
    seen = hidden(ann.get("/channels").text, "seen")
    ann.post("/channels/facebook/pause", reason="The Page moves.", seen=seen)

    page = come(Role.REVIEWER, email="rev@example.org").get("/audit").text

    assert "<strong>channel paused</strong> by ann@example.org" in page
    assert "ann@example.org" in page
    assert "The Page moves." in page


@pytest.mark.parametrize(
    "query",
    [
        *("person=%00", "kind=%27+OR+1=1", "before=-1", "before=99999999999999999999", "before=x", "since=0001-01-01"),
        *("until=9999-12-31", "since=%FF", "person=" + "x" * 3000, "kind=" + quote(HOSTILE), "before=%D9%A1"),
    ],
)
def test_no_filter_breaks_the_audit(ann: Guest, query: str) -> None:
    answer = ann.get(f"/audit?{query}")

    assert answer.status_code in (200, 422)
    assert "Traceback" not in answer.text
    assert "<script>alert" not in answer.text


def test_a_day_that_is_none_is_named(ann: Guest) -> None:
    answer = ann.get("/audit?since=yesterday")

    assert (answer.status_code, "A day is needed." in answer.text) == (422, True)
