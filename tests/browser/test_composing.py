"""Writing in a real browser: from nothing to queued by mouse, by keys and by telephone; and two people on one draft."""

import re

import pytest
from playwright.sync_api import Dialog, FilePayload, Page, expect

from outreach.desk import Place
from outreach.letter import parse
from outreach.model import Letter, State
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.doors.place import a_picture


def is_fine(page: Page) -> None:
    """Nothing is wrong with the page for anybody, as far as a program can tell."""
    assert violations(page) == []
    assert sideways_px(page) <= 0
    assert times_without_zone(page) == []


def a_file(data: bytes) -> FilePayload:
    """A picture on the visitor's machine."""
    return {"name": "a picture", "mimeType": "image/jpeg", "buffer": data}


def press_until(page: Page, key: str, name: str, *, most: int = 60) -> None:
    """Press a key until what has the focus is called so."""
    script = """() => { const e = document.activeElement;
        return (e.labels?.[0]?.textContent ?? '') + ' ' + (e.getAttribute('aria-label') ?? '') + ' ' + e.textContent }"""
    for _ in range(most):
        page.keyboard.press(key)
        if name in page.evaluate(script):
            return
    raise AssertionError(f"no way to {name!r} by {key}")


def test_from_nothing_to_queued_and_back_by_mouse(enter: Enter, town: Town) -> None:
    page = enter()
    page.goto("/")
    page.get_by_role("link", name="Write", exact=True).click()
    page.get_by_role("link", name="Poster session", exact=True).click()
    page.get_by_label("Meeting", exact=True).fill("Annual Meeting 2027")
    page.get_by_label("Day", exact=True).fill("2027-06-13")
    page.get_by_label("Starts", exact=True).fill("18:30")
    page.get_by_label("Place", exact=True).fill("Hall B")
    page.get_by_label(re.compile("^Highlights")).fill("Short talks\nA prize")
    expect(page.locator("#saved")).to_contain_text("Saved at")
    expect(page.locator("#previews")).to_contain_text("Meet us at the Annual Meeting 2027!")

    page.get_by_text("Other words for facebook").click()
    page.get_by_label(re.compile("^Text for facebook")).fill("Bring a friend.")
    expect(page.locator("#previews")).to_contain_text("Bring a friend.")
    expect(page.locator("[data-difference=facebook] ins")).to_contain_text("Bring a friend.")

    page.get_by_label("Add pictures").set_input_files(a_file(a_picture(size=(640, 480))))
    page.get_by_label("What it shows").fill("A researcher explains a poster")
    page.get_by_role("button", name="Tue 9:00").click()
    page.get_by_text("Another time for one channel").click()
    page.get_by_role("button", name="facebook two hours before listserv").click()
    expect(page.get_by_label(re.compile("facebook: time"))).to_have_value("07:00")
    is_fine(page)

    page.get_by_role("button", name="Review and queue").click()
    expect(page.locator("#sentence")).to_contain_text(
        re.compile("on facebook on Tue .*07:00.*on listserv on Tue .*09:00")
    )
    is_fine(page)
    page.get_by_role("button", name="Queue it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Queued: Poster session")
    is_fine(page)
    assert {p.state for p in town.house.desk.find("1")} == {State.QUEUED}

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It is a draft again.")).to_be_visible()
    expect(page.get_by_label("Place", exact=True)).to_have_value("Hall B")
    assert {p.state for p in town.house.desk.find("1")} == {State.CANCELLED}


def test_from_nothing_to_queued_with_keys_alone(enter: Enter, town: Town) -> None:
    page = enter()
    page.goto("/write")
    press_until(page, "Tab", "Begin with an empty page")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New announcement")).to_be_visible()
    press_until(page, "Tab", "Title")
    page.keyboard.type("Colloquium")
    page.keyboard.press("Tab")
    page.keyboard.type("Please come to **room 7**.")
    press_until(page, "Tab", "Thu 9:00")
    page.keyboard.press("Space")
    press_until(page, "Tab", "Review and queue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue this?")).to_be_visible()
    press_until(page, "Tab", "Queue it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Queued: Colloquium")
    assert len(town.house.desk.find("1")) == 2


def test_from_nothing_to_queued_on_a_telephone_without_javascript(enter: Enter, town: Town) -> None:
    page = enter(size=NARROW, js=False)
    page.goto("/write/new")
    page.get_by_label("Title").fill("Colloquium")
    page.get_by_label("Text", exact=True).fill("Please come to room 7.")
    page.get_by_label("Add pictures").set_input_files(a_file(a_picture("PNG")))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#previews")).to_contain_text("no alt text")
    page.get_by_role("button", name="Tue 9:00").click()
    page.get_by_role("button", name="Review and queue").click()
    expect(page.get_by_role("alert")).to_contain_text("has no alt text")
    page.get_by_role("link", name="Go to the field").click()
    page.get_by_label("Decorative").check()
    page.get_by_role("button", name="Review and queue").click()
    expect(page.get_by_role("button", name="Queue it")).to_be_visible()
    assert sideways_px(page) <= 0
    page.get_by_role("button", name="Queue it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Queued: Colloquium")
    assert len(town.house.desk.find("1")) == 2


def test_a_draft_saves_itself_and_two_people_on_it_lose_nothing(enter: Enter, town: Town) -> None:
    ann, ben = enter("ann@example.org"), enter("ben@example.org")
    ann.goto("/write/new")
    ann.get_by_label("Title").fill("Colloquium")
    ann.get_by_label("Text", exact=True).fill("Please come to room 7.")
    expect(ann).to_have_url(re.compile("/write/1$"))
    ben.goto("/write/1")
    expect(ben.get_by_label("Text", exact=True)).to_have_value("Please come to room 7.")
    expect(ben.locator("#others")).to_contain_text("ann@example.org is writing on this, too.")

    ben.get_by_label("Text", exact=True).fill("Please come to room 8.")
    expect(ben.locator("#saved")).to_contain_text("Saved at")
    ann.get_by_label("Text", exact=True).fill("Please come to hall 7.")
    ann.get_by_role("button", name="Compare the two texts").click()
    expect(ann.locator(".compared ins").first).to_contain_text("hall")
    is_fine(ann)
    ann.get_by_role("button", name="Save mine on top of it").click()

    expect(ann.get_by_label("Text", exact=True)).to_have_value("Please come to hall 7.")
    assert [parse(v.letter).body for v in town.house.desk.versions(1)] == [
        "Please come to room 7.",
        "Please come to room 8.",
        "Please come to hall 7.",
    ]


def test_leaving_in_the_middle_of_a_word_keeps_it(enter: Enter, town: Town) -> None:
    saved = town.house.desk.save_draft(Letter("Colloquium", "Please come."), person="ann@example.org")
    page = enter()
    page.goto(f"/write/{saved.number}")
    page.get_by_label("Text", exact=True).fill("Please come to ro")
    with page.expect_response(re.compile("/save$")):
        page.evaluate(
            """() => { Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
                       document.dispatchEvent(new Event('visibilitychange')); }"""
        )
    assert parse(town.house.desk.latest(saved.number).letter).body == "Please come to ro"


def test_a_change_of_what_is_queued_is_not_saved_before_one_says_so(enter: Enter, town: Town) -> None:
    letter = Letter("Colloquium", "Please come to room 7.", to=("facebook", "listserv"), at="tomorrow 09:00")
    town.house.desk.add(letter, folder=town.place.folder, person="ann@example.org")
    page, questions = enter(), list[str]()

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto("/write/1")
    page.get_by_label("Text", exact=True).press_sequentially(" Changed.")
    expect(page.locator("#previews")).to_contain_text("Changed.")
    is_fine(page)
    page.get_by_role("link", name="Leave it as it is").click()
    assert questions == ["beforeunload"]
    assert parse(town.house.desk.latest(1).letter).body == "Please come to room 7."

    page.get_by_role("button", name="Review the changes").click()
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()
    assert "Changed." in parse(town.house.desk.latest(1).letter).body


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_every_page_of_writing(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    file = town.house.desk.take_picture(a_picture(), name="a.jpg")
    draft = Letter("Colloquium", "For all.\n\n<!-- channel: facebook -->\nFor the Page.", times=(("facebook", "now"),))
    saved = town.house.desk.save_draft(draft, person="ann@example.org")
    queued = Letter("Poster session", "Come.", to=("facebook",), at="tomorrow 09:00")
    number = town.house.desk.add(queued, folder=town.place.folder).announcement
    page = enter(size=size, dark=dark)
    for path in ("/write", "/write/new?template=webinar", f"/write/{saved.number}", f"/write/{number}/queued"):
        page.goto(path)
        is_fine(page)
    page.goto(f"/write/{saved.number}")
    with page.expect_response(re.compile("/write/pictures$")):
        page.get_by_label("Add pictures").set_input_files(a_file(a_picture()))
    expect(page.locator(f'[data-picture="{file}"]')).to_be_visible()
    page.get_by_role("button", name="Review and queue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    is_fine(page)
    town.house.desk.discard(saved.number)
    for post in town.house.desk.find(str(number)):
        town.house.desk.cancel(post.name)
    page.goto(f"/write/{number}")
    is_fine(page)


def test_the_other_text_can_be_taken(enter: Enter, town: Town) -> None:
    saved = town.house.desk.save_draft(Letter("Colloquium", "Please come."), person="ann@example.org")
    page = enter(js=False)
    page.goto(f"/write/{saved.number}")
    town.house.desk.save_draft(
        Letter("Colloquium", "Ben's text."), place=Place(saved.number, saved.base), person="ben@example.org"
    )
    page.get_by_label("Text", exact=True).fill("Ann's text.")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Take that one").click()
    expect(page.get_by_text("Yours is kept as draft 2.")).to_be_visible()
    assert parse(town.house.desk.latest(2).letter).body == "Ann's text."
