"""Writing at the page: what is typed becomes the letter and comes back unchanged, and nothing that is typed is lost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.desk import Place
from outreach.letter import parse
from outreach.library import Library
from outreach.model import Letter, Move, State
from outreach.roles import Role
from tests.builders import make, require_approval, take
from tests.web.desktop import TEMPLATES, Desktop, Fields, a_desktop, form_in
from tests.web.visitors import Guest, member

TYPED: Fields = {"title": "Colloquium", "body": "Please come to room 7.", "to": ["facebook", "listserv"]}
WHEN: Fields = {"when": "at", "date": "2026-12-02", "time": "09:00", "zone": "America/New_York"}


@pytest.fixture
def top(tmp_path: Path, migrated_file: Path) -> Iterator[Desktop]:
    with a_desktop(tmp_path, migrated_file) as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Desktop]:
    """One for many tests that leave nothing behind but drafts."""
    with a_desktop(tmp_path_factory.mktemp("shared"), migrated_file) as served:
        yield served


def a_draft(top: Desktop, **typed: Any) -> Fields:
    """Ann's draft, and what its form holds."""
    return form_in(top.ann.post("/write/new/save", **(TYPED | WHEN | typed)).text)


def letter_of(top: Desktop, number: int = 1) -> Letter:
    return parse(top.house.desk.latest(number).letter, is_draft=True)


def queued(top: Desktop, **typed: Any) -> Guest:
    """Ann has queued announcement 1."""
    page = top.ann.post("/write/new/review", **(TYPED | WHEN | typed)).text
    assert top.ann.post("/write/1/queue", **form_in(page, "/write/1/queue")).status_code == 200
    return top.ann


# Between the form and the letter


@pytest.mark.parametrize("name", Library(TEMPLATES).names())
def test_every_template_is_a_form_whose_examples_make_a_letter_that_comes_back_unchanged(
    shared: Desktop, name: str
) -> None:
    template, ann, desk = shared.house.library.get(name), shared.ann, shared.house.desk
    form = form_in(ann.get(f"/write/new?template={name}").text) | {key: [value] for key, value in WHEN.items()}
    for field in template.fields:
        sample = field.sample()
        form[f"field.{field.name}"] = [sample.replace("; ", "\n") if field.type == "list" else sample]

    first = ann.post("/write/new/save", **form)
    number = int(form_in(first.text)["number"][0])
    version = desk.latest(number)
    again = ann.post(f"/write/{number}/save", **form_in(first.text))

    assert form_in(again.text) == form_in(first.text)
    assert desk.latest(number) == version
    letter = parse(version.letter)
    assert [key for key, _ in letter.fields] == [field.name for field in template.fields]
    assert desk.plan(letter).notes == ()


def test_everything_of_a_letter_stands_in_the_form(top: Desktop) -> None:
    whole = Letter(
        title="Colloquium",
        body="For all.\n\n<!-- channel: facebook -->\nFor the Page.",
        to=("facebook", "listserv"),
        at="2026-12-02 09:00",
        zone="Europe/London",
        not_after="2026-12-03 09:00",
        grace="2 hours",
        link="https://example.org/",
        times=(("facebook", "2026-12-02T07:00:30Z"),),
    )
    saved = top.house.desk.save_draft(whole, person="ann@example.org")

    form = form_in(top.ann.get("/write/1").text)
    top.ann.post("/write/1/save", **form)

    assert (form["own.facebook"], form["time.facebook"]) == (["For the Page."], ["07:00:30"])
    assert top.house.desk.latest(1).key == saved.base


@pytest.mark.parametrize("at", ["tomorrow 9am", "2 December 2026 9am", "2026-12-02 9:00"])
def test_a_time_in_words_stands_in_the_form_as_a_date_and_a_time(top: Desktop, at: str) -> None:
    top.house.desk.save_draft(Letter("Colloquium", "Come.", at=at))

    form = form_in(top.ann.get("/write/1").text)

    assert (form["date"], form["time"]) == (["2026-12-02"], ["09:00"])


@pytest.mark.parametrize("half", [{"date": "2026-12-02", "time": ""}, {"date": "", "time": "09:00"}])
def test_half_a_time_is_kept_in_a_draft_and_pointed_at_in_the_review(top: Desktop, half: dict[str, str]) -> None:
    form = a_draft(top, **half)
    assert (form["date"], form["time"]) == ([half["date"]], [half["time"]])

    review = top.ann.post("/write/1/review", **form)

    assert review.status_code == 422
    assert 'href="#date"' in review.text


# Refusals lose nothing and point at the field


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"title": ""}, "title", "The title is empty."),
        ({"date": "2026-11-30"}, "date", "is in the past"),
        ({"date": "2026-02-30"}, "date", "There is no 30 February 2026."),
        ({"date": "soon", "time": "later"}, "date", "is not a time we understand"),
        ({"zone": "America/New_Yrok"}, "zone", "Did you mean America/New_York?"),
        ({"to": []}, "to", "No channel is chosen."),
        ({"to": ["pigeon"]}, "to", "There is no channel called"),
        ({"link": "javascript:alert(1)"}, "link", "is not a web or mail address"),
        ({"grace": "a while"}, "grace", "is no span of time"),
        ({"not_after_date": "2026-12-01", "not_after_time": "23:00"}, "not_after_date", "only after its latest time"),
        ({"body": "See [this](ftp://example.org)."}, "body", "is not a web or mail address"),
        ({"own.facebook": "<!-- channel: listserv -->\nx"}, "own.facebook", "holds that of another channel"),
        ({"body": "a\n<!-- channel: facebook -->\nb", "own.facebook": "c"}, "own.facebook", "There are two wordings"),
        ({"body": "nul \x00 here"}, "body", "invisible control character"),
        ({"date.facebook": "2026-11-01", "time.facebook": "09:00"}, "date", "is in the past"),
        ({"template": "webinar", "field.day": "2027-03-05"}, "field.topic", "fields are missing"),
    ],
)
def test_a_refusal_keeps_everything_typed_and_points_at_the_field(
    shared: Desktop, typed: dict[str, Any], field: str, said: str
) -> None:
    page = shared.ann.post("/write/new/review", **(TYPED | WHEN | typed))

    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert said.replace("“", "") in page.text
    form = form_in(page.text)
    for name, value in (TYPED | WHEN | typed).items():
        if name not in ("to", "when"):
            assert "".join(form[name]) == value


@pytest.mark.parametrize(
    "typed",
    [
        {"title": "<script>alert(1)</script>", "body": "\"'><img src=x onerror=alert(1)>", "own.facebook": "<b>x"},
        {"title": "{{ 7 * 7 }}", "body": "---\ntitle: other\n---\n{% for x in y %}"},
        {"title": "a\nb\tc", "body": "\n\n---\n", "link": "https://example.org/ x"},
        {"field.no such: field": "x", "body": "x"},
        {"field.": "x"},
        {"own.no such channel": "x", "own.": "y"},
        {"to": ["facebook, listserv]", "[x]: y", ""], "time.[x]: y": "09:00"},
        {"picture": ["../../outreach.db", "/etc/passwd", "a\nb"], "alt.../../outreach.db": "x"},
        {"template": "../seed/poster-session"},
        {"template": "a: b\nc: d"},
        {"zone": "../../etc/passwd"},
        {"kept": "x\ny", "kept.facebook": "[1, 2]"},
        {"body": "x" * 250_000},
        {"body": "\u202e\u2028\x0b\x0c\u00a0"},
        {"title": "\ufffd\udcff".encode("utf-8", "surrogatepass")},
        {"date": "9999-99-99", "time": "99:99", "not_after_date": "0000-00-00"},
        {"base": "1-x", "number": "99999999999999999999"},
    ],
)
def test_hostile_and_odd_values_are_kept_or_refused_and_never_break_the_page(
    shared: Desktop, typed: dict[str, Any]
) -> None:
    before = {draft["id"] for draft in shared.house.desk.drafts()}
    for path in ("/write/new/save", "/write/new/review", "/write/new/form", "/write/preview", "/write/differences"):
        page = shared.ann.post(path, **(TYPED | WHEN | typed))
        assert page.status_code in (200, 404, 422), (path, page.text[:300])
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    for number in {draft["id"] for draft in shared.house.desk.drafts()} - before:
        assert shared.ann.get(f"/write/{number}").status_code == 200


def test_a_text_longer_than_any_letter_comes_back_whole(top: Desktop) -> None:
    body = "word " * 220_000

    page = top.ann.post("/write/new/save", **(TYPED | {"body": body}), files={"none": b""})

    assert page.status_code == 422
    assert form_in(page.text)["body"] == [body]


def test_ten_thousand_fields_change_nothing(top: Desktop) -> None:
    page = top.ann.post("/write/new/save", **(TYPED | {f"field.f{n}": "x" for n in range(10_000)}))

    assert page.status_code == 400
    assert top.house.desk.drafts() == []


SHEETS = ("save", "review", "form", "queue", "edit", "theirs", "here", "discard")


@pytest.mark.parametrize("where", ["99999", "0", "-1", "x", "1.0", "9" * 30, "%2e%2e", "1%00"])
def test_a_sheet_that_is_not_there_is_a_plain_404(shared: Desktop, where: str) -> None:
    before = len(shared.house.desk.drafts())
    answers = [shared.ann.post(f"/write/{where}/{last}", **TYPED).status_code for last in SHEETS]
    answers.append(shared.ann.get(f"/write/{where}").status_code)

    assert set(answers) == {404}
    assert len(shared.house.desk.drafts()) == before


def test_drafts_of_another_community_are_not_there(top: Desktop) -> None:
    a_draft(top)
    with top.house.store.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (77, 'Other', 'UTC', 'off', 0)"
        )
        tx.exec_driver_sql("UPDATE announcements SET community_id = 77")
    before = top.house.store

    answers = [top.ann.get(path).status_code for path in ("/write/1", "/write/1/queued")]
    answers += [top.ann.post(f"/write/1/{last}", **(TYPED | {"base": "1-x"})).status_code for last in SHEETS]
    answers.append(top.ann.post("/announcements/1/undo").status_code)

    assert set(answers) == {404}
    with before.read() as tx:
        [row] = tx.exec_driver_sql("SELECT count(*) FROM revisions").all()
    assert row[0] == 1


@pytest.mark.parametrize("role", [Role.APPROVER, Role.REVIEWER, Role.ADMIN])
def test_who_may_not_write_does_not(top: Desktop, role: Role) -> None:
    a_draft(top)
    cy = member(top.house, top.address, "cy@example.org", roles=frozenset({role}))

    assert cy.get("/write").status_code == 403
    for path in ("/write/new/save", "/write/1/review", "/write/1/queue", "/write/preview", "/announcements/1/undo"):
        assert cy.post(path, **TYPED).status_code == 403


# Drafts


def test_drafts_are_listed_until_they_are_discarded(top: Desktop) -> None:
    a_draft(top)
    assert ">Colloquium</a>" in top.ann.get("/write").text

    top.ann.post("/write/1/discard")

    assert ">Colloquium</a>" not in top.ann.get("/write").text


def test_a_save_by_itself_tells_the_number_the_base_and_the_time(top: Desktop) -> None:
    top.ann.web.headers["HX-Request"] = "true"

    told = top.ann.post("/write/new/save", **TYPED).text

    found = re.search(r'data-number="1" data-base="([^"]+)"', told)
    assert found is not None
    assert found[1] == top.house.desk.latest(1).key
    assert "Saved at" in told
    assert "America/New_York" in told


def test_two_people_on_one_draft_are_shown_both_texts_and_lose_neither(top: Desktop) -> None:
    form = a_draft(top)
    top.ben.post("/write/1/save", **(form | {"body": ["Please come to room 8."]}))

    both = top.ann.post("/write/1/save", **(form | {"body": ["Please come to hall 7."]}))

    assert both.status_code == 409
    assert (">room 8<" in both.text, ">hall 7<" in both.text) == (True, True)
    assert "ben@example.org saved another text" in both.text
    top.ann.post("/write/1/save", **form_in(both.text, "/write/1/save"))
    assert [parse(v.letter).body for v in top.house.desk.versions(1)] == [
        "Please come to room 7.",
        "Please come to room 8.",
        "Please come to hall 7.",
    ]


def test_who_takes_the_other_text_keeps_the_own_one_as_a_draft(top: Desktop) -> None:
    form = a_draft(top)
    top.ben.post("/write/1/save", **(form | {"body": ["Ben's text."]}))
    both = top.ann.post("/write/1/save", **(form | {"body": ["Ann's text."]}))

    page = top.ann.post("/write/1/theirs", **form_in(both.text, "/write/1/theirs"))

    assert "Yours is kept as draft 2." in page.text
    assert (letter_of(top, 1).body, letter_of(top, 2).body) == ("Ben's text.", "Ann's text.")


def test_who_else_writes_on_a_draft_and_what_they_saved_is_told(top: Desktop) -> None:
    form = a_draft(top)
    top.ben.post("/write/1/here", base=form["base"])
    assert "ben@example.org is writing on this, too." in top.ann.post("/write/1/here", base=form["base"]).text

    top.ben.post("/write/1/save", **(form | {"body": ["Ben's text."]}))

    assert "ben@example.org saved another text" in top.ann.post("/write/1/here", base=form["base"]).text


# The sheet without JavaScript


def test_a_suggestion_fills_in_its_day_and_time_and_the_zone_of_the_community(top: Desktop) -> None:
    page = top.ann.post(
        "/write/new/form", **(TYPED | {"zone": "Asia/Tokyo", "when": "soon", "do": "at:2026-12-08 09:00"})
    )

    form = form_in(page.text)
    assert [form[name] for name in ("date", "time", "zone", "when")] == [
        ["2026-12-08"],
        ["09:00"],
        ["America/New_York"],
        ["at"],
    ]


def test_suggestions_come_after_now(top: Desktop) -> None:
    page = top.ann.get("/write/new").text  # it is Tue 1 Dec 2026, 09:00 there

    assert re.findall(r'value="at:([^"]+)"', page) == ["2026-12-02 09:00", "2026-12-08 09:00", "2026-12-03 09:00"]


def test_the_difference_of_a_channel_is_shown_word_by_word(top: Desktop) -> None:
    page = top.ann.post("/write/new/form", **(TYPED | {"own.facebook": "Please come to hall 7."})).text

    assert (">room<" in page, ">hall<" in page) == (True, True)


# Queueing


def test_the_review_says_in_one_sentence_what_happens_and_queue_does_exactly_that(top: Desktop) -> None:
    page = top.ann.post(
        "/write/new/review", **(TYPED | WHEN | {"date.facebook": "2026-12-02", "time.facebook": "07:00"})
    )
    sentence = " ".join(re.sub(r"<[^>]+>", "", page.text[page.text.index('id="sentence">') :]).split())
    assert (
        "It goes out on facebook on Wed 2 Dec 2026, 07:00 America/New_York (EST), and on listserv on Wed 2 Dec 2026, "
        "09:00 America/New_York (EST)." in sentence
    )

    done = top.ann.post("/write/1/queue", **form_in(page.text, "/write/1/queue"))

    assert "Queued: Colloquium" in done.text
    posts = top.house.desk.find("1")
    assert {p.channel: p.wall_time for p in posts} == {"facebook": "2026-12-02 07:00", "listserv": "2026-12-02 09:00"}


def test_the_review_says_that_it_waits_for_approval(top: Desktop) -> None:
    require_approval(top.house.store)

    page = top.ann.post("/write/new/review", **(TYPED | WHEN)).text
    done = top.ann.post("/write/1/queue", **form_in(page, "/write/1/queue")).text

    assert "provided that somebody else has approved it by then" in page
    assert "It waits in the approvals." in done


def test_what_goes_out_as_soon_as_it_can_waits_two_minutes_after_it_was_queued(top: Desktop) -> None:
    page = top.ann.post("/write/new/review", **(TYPED | {"when": "soon", "zone": "America/New_York"})).text
    assert "2 minutes after you queue it" in page
    top.clock.tick(600)

    top.ann.post("/write/1/queue", **form_in(page, "/write/1/queue"))

    assert {(p.wall_time, p.due_at - top.clock.now()) for p in top.house.desk.find("1")} == {
        ("2026-12-01 09:12", top.house.desk.find("1")[0].due_at - top.clock.now())
    }


def test_a_time_that_the_clocks_skip_is_told_before_it_is_queued(top: Desktop) -> None:
    page = top.ann.post("/write/new/review", **(TYPED | WHEN | {"date": "2027-03-14", "time": "02:30"})).text

    assert "does not exist in America/New_York" in page
    assert "It is moved to 03:30 EDT" in page


def test_only_the_text_that_was_looked_over_is_queued(top: Desktop) -> None:
    page = top.ann.post("/write/new/review", **(TYPED | WHEN)).text
    sheet = form_in(top.ben.get("/write/1").text)
    top.ben.post("/write/1/save", **(sheet | {"body": ["Ben's text."]}))

    refused = top.ann.post("/write/1/queue", **form_in(page, "/write/1/queue"))

    assert refused.status_code == 409
    assert "Nothing was queued." in refused.text
    assert top.house.desk.find("1") == []
    assert form_in(refused.text)["body"] == ["Ben's text."]


def test_queueing_twice_queues_once(top: Desktop) -> None:
    page = top.ann.post("/write/new/review", **(TYPED | WHEN)).text
    for _ in range(2):
        done = top.ann.post("/write/1/queue", **form_in(page, "/write/1/queue"))

    assert (done.status_code, len(top.house.desk.find("1"))) == (200, 2)


def test_the_same_text_twice_is_refused_with_the_number_it_has(top: Desktop) -> None:
    queued(top)
    page = top.ann.post("/write/new/review", **(TYPED | WHEN)).text

    refused = top.ann.post("/write/2/queue", **form_in(page, "/write/2/queue"))

    assert refused.status_code == 409
    assert "queued already, as announcement 1" in refused.text
    assert "outreach show" not in refused.text


def test_undo_takes_it_out_of_the_queue_and_makes_it_a_draft_again(top: Desktop) -> None:
    ann = queued(top)
    assert ">Undo<" in ann.seen

    page = ann.post("/announcements/1/undo", **form_in(ann.seen, "/announcements/1/undo"))

    assert "It is a draft again." in page.text
    assert form_in(page.text)["body"] == ["Please come to room 7."]
    assert {p.state for p in top.house.desk.find("1")} == {State.CANCELLED}


def test_undo_of_what_was_changed_or_tried_meanwhile_changes_nothing(top: Desktop) -> None:
    ann = queued(top)
    shown = form_in(ann.seen, "/announcements/1/undo")
    edited = form_in(
        top.ben.post("/write/1/review", **(edit_of(top.ben) | {"body": ["Room 8."]})).text, "/write/1/edit"
    )
    top.ben.post("/write/1/edit", **edited)
    assert ann.post("/announcements/1/undo", **shown).status_code == 409

    take(top.house.store, top.house.desk.find("1")[0])

    assert ann.post("/announcements/1/undo").status_code == 409
    assert State.CANCELLED not in {p.state for p in top.house.desk.find("1")}
    assert ">Undo<" not in ann.get("/write/1/queued").text


# Changing what is queued


def publish(top: Desktop, name: str) -> None:
    [post] = top.house.desk.find(name)
    take(top.house.store, post)
    make(top.house.store, post, Move.PUBLISH)


def edit_of(guest: Guest) -> Fields:
    return form_in(guest.get("/write/1").text)


def test_an_edit_is_reviewed_first_and_then_reaches_the_posts(top: Desktop) -> None:
    require_approval(top.house.store)
    queued(top)
    top.house.desk.approve(1, person="ben@example.org")
    sheet = top.ann.get("/write/1").text
    assert "saving your changes voids the approval" in sheet

    review = top.ann.post("/write/1/review", **(form_in(sheet) | {"body": ["Room 8 instead."]})).text
    assert [p.approved for p in top.house.desk.find("1")] == [True, True]
    back = top.ann.post("/write/1/form", **form_in(review, "/write/1/form")).text
    assert form_in(back)["body"] == ["Room 8 instead."]
    top.ann.post("/write/1/edit", **form_in(review, "/write/1/edit"))

    assert [p.approved for p in top.house.desk.find("1")] == [False, False]
    assert "Room 8 instead." in top.house.desk.preview("1")[0].content.text


def test_an_edit_never_saves_itself(top: Desktop) -> None:
    queued(top)
    top.ann.web.headers["HX-Request"] = "true"

    page = top.ann.post("/write/1/save", **(edit_of(top.ann) | {"body": ["Half a sen"]}))

    assert page.status_code == 422
    assert letter_of(top).body == "Please come to room 7."


def test_an_edit_without_a_channel_does_not_go_to_all_of_them(top: Desktop) -> None:
    queued(top, to=["facebook"])
    sheet = edit_of(top.ann) | {"to": []}
    letter = "---\ntitle: Colloquium\nat: 2026-12-02 09:00\n---\nPlease come.\n"

    answers = [
        top.ann.post("/write/1/review", **sheet),
        top.ann.post("/write/1/edit", base=sheet["base"], letter=letter),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("No channel is chosen." in answer.text for answer in answers)
    assert letter_of(top).to == ("facebook",)


def test_two_edits_of_one_announcement_lose_nothing(top: Desktop) -> None:
    queued(top)
    sheet = edit_of(top.ann)
    version = top.house.desk.latest(1)
    changed = Letter("Colloquium", "Ben's text.", to=("facebook", "listserv"), at="2026-12-02 09:00")
    top.house.desk.edit(Place(1, version.key), changed, folder=Path("/nowhere"), person="ben@example.org")

    both = top.ann.post("/write/1/review", **(sheet | {"body": ["Ann's text."]}))
    assert both.status_code == 409
    done = top.ann.post("/write/1/edit", **form_in(both.text, "/write/1/edit"))

    assert done.status_code == 200
    assert [parse(v.letter).body for v in top.house.desk.versions(1)][-2:] == ["Ben's text.", "Ann's text."]


def test_what_is_out_is_said_to_keep_what_it_sent(top: Desktop) -> None:
    queued(top)
    publish(top, "1/facebook")

    page = top.ann.get("/write/1").text

    assert "facebook. It is published and keeps what it sent." in page
    publish(top, "1/listserv")
    assert "can be changed any more" in top.ann.get("/write/1").text


def test_a_draft_is_put_into_the_weekly_mail_and_out_of_it_on_the_page(top: Desktop) -> None:
    a_draft(top)
    a_draft(top, body="")
    page = top.ann.get("/write").text
    assert "The next weekly mail goes out" in page
    assert "Fri 4 Dec 2026, 09:00 America/New_York (EST)" in page
    for number in (1, 2):
        assert (
            f"Draft {number} waits for the weekly mail." in top.ann.post(f"/write/{number}/weekly", weekly="yes").text
        )
    page = top.ann.get("/write").text
    assert page.count("Goes to the list with the weekly mail.") == 1
    assert "Draft 2 has no title or no text yet. It goes with the mail for which it is finished." in page
    assert "no more" in top.ann.post("/write/1/weekly", weekly="no").text
    assert [each.number for each in top.house.desk.waiting_for_weekly()] == [2]
    answer = top.ann.post("/write/99/weekly", weekly="yes")
    assert (answer.status_code, "There is no announcement 99." in answer.text) == (404, True)


def test_without_a_weekly_mail_nothing_of_it_is_shown(tmp_path: Path, migrated_file: Path) -> None:
    with a_desktop(tmp_path, migrated_file, OUTREACH_WEEKLY_MAIL="") as top:
        a_draft(top)
        assert "weekly" not in top.ann.get("/write").text
