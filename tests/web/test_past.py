"""The history on the page: who may read it, what is found, what one takes along, and what a board gets."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.doors.web import charts, create
from outreach.doors.web.serving import served
from outreach.model import Move
from outreach.roles import Role
from outreach.settings import read_settings
from outreach.store import announcements, search
from outreach.store.announcements import Author
from tests.builders import a_content, a_new_announcement, a_new_post, make, take
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

PATHS = ("/history", "/history/numbers", "/history/report", "/history/export.csv", "/history/export.json")
ANN, BEN = "ann@example.org", "ben@example.org"


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    place = Place(tmp_path, None, database=migrated_file)
    made = House(read_settings(place.settings | {"FACEBOOK_PAGE_ID": "1", "FACEBOOK_PAGE_TOKEN": "t"}), StillClock())
    _ = made.desk
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def rita(house: House, address: str) -> Guest:
    """A reviewer."""
    return member(house, address, "rita@example.org", roles=frozenset({Role.REVIEWER}))


def went(house: House, title: str, move: Move = Move.PUBLISH, *, days: int = 0, by: str = ANN, letter: str = "") -> int:
    """Let something go out, or not, some days ago."""
    at = house.clock.now() - timedelta(days=days)
    new = a_new_announcement(author=Author(by), title=title)
    new = replace(new, letter=letter) if letter else new
    content = a_content(text=f"{title}. Come to room {days}.")
    with house.store.write() as tx:
        number = announcements.add(tx, new, [a_new_post(1, content, due_at=at)], at)
    [post] = house.desk.find(str(number))
    if move in (Move.PUBLISH, Move.FAIL):
        take(house.store, post, now=at)
    make(house.store, post, move, at=at)
    return number


# Who may


@pytest.mark.parametrize("role", list(Role))
def test_everybody_of_the_community_may_read_it(house: House, address: str, role: Role) -> None:
    went(house, "Poster session")
    guest = member(house, address, roles=frozenset({role}))
    for path in PATHS:
        page = guest.get(path)
        assert page.status_code == 200, path
        assert "Poster session" in page.text or path == "/history/numbers"


@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_may(house: House, address: str, path: str) -> None:
    went(house, "Poster session")
    page = Guest(address).get(path)
    assert page.url.startswith(f"{address}/log-in")
    assert "Poster session" not in page.text
    nobody = member(house, address, roles=frozenset())
    assert nobody.get(path).status_code in (200, 403)
    assert "Poster session" not in nobody.seen


def test_what_another_community_sent_is_nowhere(house: House, rita: Guest) -> None:
    went(house, "Ours")
    theirs = went(house, "Theirs")
    with house.store.write() as tx:
        other = (
            "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (9, 'Them', 'UTC', 'off', 0)"
        )
        tx.execute(text(other))
        tx.execute(text("UPDATE announcements SET community_id = 9 WHERE id = :id"), {"id": theirs})
    for path in (*PATHS, "/history?search=theirs", "/history?state=published", "/history/export.json?search=theirs"):
        seen = rita.get(path).text.replace('value="theirs"', "").replace("search=theirs", "")
        assert "Theirs" not in seen, path


# Finding


def test_an_empty_history_says_what_will_be_there(rita: Guest) -> None:
    assert "Nothing has gone out yet." in rita.get("/history").text
    assert "There is nothing to count yet." in rita.get("/history/numbers").text
    assert "Nothing went out in 2026." in rita.get("/history/report").text
    assert "Nothing like that has gone out." in rita.get("/history?search=poster").text


def test_what_is_asked_for_is_found_and_the_form_keeps_it(house: House, rita: Guest) -> None:
    went(house, "Müller speaks", letter="---\ntitle: Müller speaks\ntemplate: webinar\n---\nText")
    went(house, "Elections", Move.FAIL, days=40, by=BEN)
    for question, found in (
        ("search=muller", "Müller speaks"),
        ("template=webinar", "Müller speaks"),
        ("state=failed", "Elections"),
        ("person=ben@example.org", "Elections"),
        ("since=2026-11-20", "Müller speaks"),
        ("until=2026-11-20", "Elections"),
        ("search=room&channel=facebook&state=failed&person=ben@example.org&until=2026-12-31", "Elections"),
    ):
        page = rita.get(f"/history?{question}").text
        titles = re.findall(r'<h3><a href="/announcements/\d+#facebook">([^<]*)</a></h3>', page)
        assert titles == [found], question
        assert "1 post found" in page
    assert 'value="muller"' in rita.get("/history?search=muller").text
    assert '<option value="failed" selected>' in rita.get("/history?state=failed").text


def test_the_last_day_is_included_and_days_are_those_of_the_community(house: House, rita: Guest) -> None:
    went(house, "Poster session")
    today = f"{house.clock.now():%Y-%m-%d}"
    assert "1 post found" in rita.get(f"/history?since={today}&until={today}").text


@pytest.mark.parametrize("question", ["since=soon", "until=2026-02-30", "state=lost", "until=9999-12-31"])
def test_what_cannot_be_read_is_said_and_kept(house: House, rita: Guest, question: str) -> None:
    went(house, "Poster session")
    page = rita.get(f"/history?{question}")
    assert page.status_code == 422
    assert question.partition("=")[2] in page.text
    assert rita.get(f"/history/export.csv?{question}").status_code == 422


@pytest.mark.parametrize(
    "question", ["below=x", "above=-1", "below=" + "9" * 400, "below=99999999999999999999", "search=%00", "search=%ff"]
)
def test_an_address_that_somebody_made_up_is_answered_calmly(house: House, rita: Guest, question: str) -> None:
    went(house, "Poster session")
    assert rita.get(f"/history?{question}").status_code == 200


def test_one_pages_through_everything(house: House, rita: Guest) -> None:
    for number in range(search.PAGE * 2 + 5):
        went(house, f"Number {number}", Move.CANCEL, days=number)
    seen: list[str] = []
    path: str | None = "/history"
    while path:
        page = rita.get(path).text
        seen += re.findall(r">(Number \d+)</a></h3>", page)
        older = re.search(r'rel="next" href="([^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == [f"Number {number}" for number in range(search.PAGE * 2 + 5)]
    newer = re.search(r'rel="prev" href="([^"]*)"', page)
    assert newer is not None
    assert f"Number {search.PAGE}" in rita.get(newer[1]).text
    assert f"{search.PAGE * 2 + 5} posts, newest first" in page


def test_a_title_is_never_run(house: House, rita: Guest) -> None:
    went(house, "<script>alert(1)</script>", Move.FAIL, by=ANN, letter='---\ntitle: T\ntemplate: "<i>"\n---\nText')
    for path in ("/history", "/history/numbers", "/history/report", "/history?search=%3Cscript%3E%22%27"):
        page = rita.get(path).text
        assert "<script>alert" not in page
        assert "<i>" not in page


# Taking along

FORMULAS = ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)"]


def test_a_spreadsheet_takes_no_text_for_a_formula(house: House, rita: Guest) -> None:
    for number, title in enumerate(FORMULAS):
        went(house, title, days=number)
    answer = rita.get("/history/export.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="history.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["title"] for row in rows] == [f"'{title}" for title in FORMULAS]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]


def test_all_of_it_is_taken_along_with_times_people_and_template(house: House, rita: Guest) -> None:
    many = 1203  # more than are read at once
    went(house, "With a template", letter="---\ntitle: T\ntemplate: webinar\n---\nText")
    with house.store.write() as tx:
        posts = [a_new_post(1, occurrence=n, due_at=house.clock.now() - timedelta(days=n)) for n in range(1, many)]
        announcements.add(tx, a_new_announcement(title="A series"), posts, house.clock.now())
        tx.execute(text("UPDATE posts SET state = 'cancelled' WHERE state = 'queued'"))
    found = rita.get("/history/export.json").json()
    assert len(found) == many
    first = found[0]
    assert (first["template"], first["written_by"], first["approved_by"], first["on_time"]) == (
        "webinar",
        ANN,
        None,
        True,
    )
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["planned_at"])
    assert (first["wall_time"], first["time_zone"]) == ("2026-12-01 09:00", "America/New_York")
    assert len(rita.get("/history/export.json?state=cancelled").json()) == many - 1
    assert len(list(csv.reader(io.StringIO(rita.get("/history/export.csv").text)))) == many + 1


# Numbers and the report


def test_the_charts_say_what_they_show(house: House, rita: Guest) -> None:
    went(house, "Out")
    went(house, "Not out", Move.MISS)
    for path in ("/history", "/history/numbers", "/history/report"):
        page = rita.get(path).text
        assert 'role="img"' in page, path
        assert ": 1. Trouble: 1." in page, path
        assert "style=" not in page
    assert "50 %" in rita.get("/history/numbers").text


def test_a_board_reads_what_went_out_and_what_did_not_and_why(house: House, rita: Guest) -> None:
    went(house, "Poster session", by=BEN)
    went(house, "Elections", Move.FAIL)
    went(house, "Last year", days=400)
    page = rita.get("/history/report?year=2026").text
    assert "TMM SIG: what went out in 2026" in page
    assert f"Written by {BEN}, without an approval" in page
    assert "The Page said no." in page.partition("What did not go out")[2].partition("Everything, month by month")[0]
    assert "Last year" not in page
    assert "Last year" in rita.get("/history/report?year=2025").text
    assert "Nothing went out in 2019." in rita.get("/history/report?year=2019").text
    for year in ("x", "20260", "-1", "1066", "٢٠٢٦"):
        assert rita.get(f"/history/report?year={year}").status_code == 404


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "–"), (0.0, "0 %"), (0.001, "under 1 %"), (0.5, "50 %"), (0.999, "over 99 %"), (1.0, "100 %")],
)
def test_a_share_never_says_all_or_nothing_where_that_is_not_so(share: float | None, said: str) -> None:
    assert charts.percent(share) == said


def test_months_are_counted_over_the_turn_of_a_year() -> None:
    assert charts.months_before(202602, 4) == 202511
    assert charts.months_between(202511, 202602) == [202511, 202512, 202601, 202602]


def test_the_history_is_read_though_it_cannot_be_brought_up_to_date(house: House, rita: Guest) -> None:
    went(house, "Poster session")
    rita.get("/history")
    went(house, "Elections", Move.FAIL)
    with house.store.write() as tx:
        tx.execute(text("CREATE TRIGGER full BEFORE INSERT ON past BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"))
    page = rita.get("/history")
    assert page.status_code == 200
    assert "Poster session" in page.text
    assert "some of it is missing here" in page.text
