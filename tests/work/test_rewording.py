"""Rewording: a template changed on the page is whole, kept in every version, and never takes the place of what it did not see."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.library import Library
from outreach.model import BadInput
from outreach.rewording import MOST_CHARS, ChangedOnDisk, Opened, Rewording, base_of
from outreach.store import Store, versions
from tests.builders import NOW, column

ANN, BEN = "ann@example.org", "ben@example.org"
TEXT = """---
title: News of {{ who }}
about: Tells news.
fields:
  who:
    type: text
    example: Dr. Kim
---
{{ who }} has news.

<!-- channel: facebook -->
Hear, hear: {{ who }}!
"""


@pytest.fixture
def folder(house: House) -> Path:
    """The folder of templates, with one in it."""
    folder = house.settings.OUTREACH_QUEUE / "templates"
    folder.mkdir()
    (folder / "news.md").write_text(TEXT)
    return folder


def opened(house: House, name: str = "news") -> Opened:
    return house.rewording.open(name)


def save(house: House, text: str, *, by: str = ANN, base: str | None = None) -> int | None:
    return house.rewording.save("news", text, base=base or opened(house).base, person=by)


def texts(house: House) -> list[str]:
    return column(house.store, "SELECT text FROM template_versions WHERE file = 'news.md' ORDER BY version")


def test_the_first_change_also_keeps_what_was_there(house: House, folder: Path) -> None:
    number = save(house, TEXT.replace("Hear, hear", "Listen"))

    found = opened(house)
    assert number == 2
    assert [(kept.version, kept.person) for kept in found.versions] == [(2, ANN), (1, None)]
    assert texts(house) == [TEXT, (folder / "news.md").read_text()]
    assert "Listen" in found.text


def test_a_change_is_told_in_the_history_with_the_hash_of_the_file(house: House, folder: Path) -> None:
    save(house, TEXT.replace("Hear", "Listen"))

    sha256 = hashlib.sha256((folder / "news.md").read_bytes()).hexdigest()
    note = column(house.store, "SELECT note FROM events WHERE kind = 'change template'")
    assert note == [f"news, version 2, SHA-256 {sha256}"]


def test_every_channel_has_a_sample_with_all_fields_filled(house: House, folder: Path) -> None:
    samples = {sample.channel: sample for sample in opened(house).tried.samples}

    assert samples["listserv"].title == "News of Dr. Kim"
    assert "Dr. Kim has news." in samples["listserv"].text
    assert "Hear, hear: Dr. Kim!" in samples["facebook"].text


def test_what_was_changed_by_hand_meanwhile_is_not_overwritten(house: House, folder: Path) -> None:
    base = opened(house).base
    by_hand = TEXT.replace("Hear", "By hand")
    (folder / "news.md").write_text(by_hand)

    with pytest.raises(ChangedOnDisk) as changed:
        save(house, TEXT.replace("Hear", "Mine"), base=base)

    assert changed.value.theirs == by_hand == (folder / "news.md").read_text()
    assert texts(house) == []


def test_what_was_written_by_hand_is_shown_and_kept_before_the_next_change(house: House, folder: Path) -> None:
    save(house, TEXT.replace("Hear", "First"))
    by_hand = TEXT.replace("Hear", "By hand")
    (folder / "news.md").write_text(by_hand)
    assert opened(house).is_by_hand

    save(house, TEXT.replace("Hear", "Second"))

    assert texts(house)[2] == by_hand
    assert not opened(house).is_by_hand


def test_saving_the_same_changes_nothing(house: House, folder: Path) -> None:
    before = (folder / "news.md").stat().st_mtime_ns

    assert save(house, TEXT) is None
    assert ((folder / "news.md").stat().st_mtime_ns, texts(house)) == (before, [])


def test_an_old_version_put_back_is_a_new_version(house: House, folder: Path) -> None:
    save(house, TEXT.replace("Hear", "Listen"))

    number = house.rewording.put_back("news", 1, base=opened(house).base, person=BEN)

    assert number == 3
    assert ((folder / "news.md").read_text(), opened(house).versions[0].person) == (TEXT, BEN)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "news.md, line 1", "There is no front matter"),
        (TEXT + "{{ who", "news.md, line", "cannot be read"),
        (TEXT + "{{ whom }}", "news.md, line 13", "Nothing is named"),
        (TEXT + "{{ ''.__class__.__mro__ }}", "news.md, line 13", "cannot hold this"),
        (TEXT + "{% import 'os' as os %}", "news.md, line 13", "cannot hold this"),
        (TEXT + "{% for a in range(10**9) %}{% endfor %}", "news.md, line 13", "cannot hold this"),
        (TEXT + "{{ self.__init__.__globals__ }}", "news.md, line 13", "cannot hold this"),
        (TEXT + "{{ lipsum.__globals__ }}", "news.md, line 13", "cannot hold this"),
        (TEXT + "{{ cycler }}", "news.md, line 13", "Nothing is named"),
        (TEXT + "{% if who %}" * 300 + "{% endif %}" * 300, "news.md, line 12", "nested too deeply"),
        (TEXT + "{% include '/etc/passwd' %}", "news.md, line 13", "cannot hold this"),
        (TEXT + "<!-- a comment -->", "news.md, line 13", "This comment would be published"),
        (TEXT.replace("type: text", "type: code"), "news.md, line 5", "has no type"),
        (TEXT + "a\x00b", "news.md, line 13", r"U\+0000"),
        (TEXT + "x" * MOST_CHARS, "text", "longer than 60,000"),
    ],
)
def test_a_broken_template_cannot_be_saved(house: House, folder: Path, text: str, where: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as bad:
        save(house, text)

    assert bad.value.where.startswith(where)
    assert ((folder / "news.md").read_text(), texts(house)) == (TEXT, [])
    assert house.rewording.tried("news", text).faults


HOSTILE = [
    "../x",
    "x/..",
    "/etc/x",
    ".hidden",
    "news.facebook",
    "News",
    "a\x00b",
    "é",
    "a b",
    "-x",
    "",
    "x" * 300,
    "x\n",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_new_template_has_a_plain_name(house: House, folder: Path, name: str) -> None:
    before = sorted(folder.parent.rglob("*"))

    if name != "x\n":
        with pytest.raises(BadInput, match="small letters, digits and dashes"):
            house.rewording.make(name, like="news", person=ANN)
        with pytest.raises(BadInput):
            house.library.write(name, TEXT)
    with pytest.raises(BadInput):
        house.rewording.save(name, TEXT, base=base_of(TEXT), person=ANN)

    assert sorted(folder.parent.rglob("*")) == before


def test_a_new_template_says_what_another_says(house: House, folder: Path) -> None:
    house.rewording.make("more-news", like="news", person=ANN)

    assert (folder / "more-news.md").read_text() == TEXT
    assert [kept.person for kept in opened(house, "more-news").versions] == [ANN]
    assert (folder / "more-news.md").stat().st_mode & 0o777 == 0o644
    with pytest.raises(BadInput, match="already"):
        house.rewording.make("more-news", like="news", person=ANN)


def test_a_template_that_is_broken_on_disk_is_listed_with_its_fault_and_can_be_mended(
    house: House, folder: Path
) -> None:
    (folder / "news.md").write_text("no front matter")

    [(name, tried)] = house.rewording.all()
    assert (name, str(tried.faults[0])[:28]) == ("news", "news.md, line 1: There is no")
    assert opened(house).tried.faults

    save(house, TEXT)
    assert not opened(house).tried.faults


class FullDisk(Library):
    """A library on a disk that takes nothing more."""

    def write(self, name: str, text: str) -> None:
        raise OSError(28, "No space left on device")


def test_when_the_file_cannot_be_written_no_version_is_kept(house: House, folder: Path) -> None:
    full = Rewording(
        store=house.store, library=FullDisk(folder), targets=house.targets, community="", now=house.clock.now
    )

    with pytest.raises(BadInput, match="no space left on device"):
        full.save("news", TEXT.replace("Hear", "Listen"), base=base_of(TEXT), person=ANN)

    assert ((folder / "news.md").read_text(), texts(house)) == (TEXT, [])


def test_of_two_people_who_save_at_once_one_is_told(house: House, folder: Path) -> None:
    base, told = opened(house).base, list[str]()

    def work(word: str) -> Callable[[], None]:
        def go() -> None:
            try:
                save(house, TEXT.replace("Hear", word), base=base, by=f"{word.lower()}@example.org")
            except ChangedOnDisk:
                told.append(word)

        return go

    threads = [threading.Thread(target=work(word)) for word in ("Ann", "Ben", "Cem")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(told) == 2
    assert len(texts(house)) == 2
    assert texts(house)[1] == (folder / "news.md").read_text()


def test_a_link_that_leads_out_of_the_folder_is_not_followed_when_written(
    house: House, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(TEXT)
    (folder / "news.md").unlink()
    (folder / "news.md").symlink_to(outside)

    save(house, TEXT.replace("Hear", "Listen"))

    assert outside.read_text() == TEXT
    assert not (folder / "news.md").is_symlink()


def test_versions_are_kept_alike_on_both_databases(store: Store) -> None:
    with store.write() as tx:
        made = [versions.keep(tx, "a.md", text, person=ANN, at=NOW) for text in ("one", "two")]
        versions.keep(tx, "b.md", "other", person=None, at=NOW)
    with store.read() as tx:
        assert (made, [kept.version for kept in versions.of_file(tx, "a.md")]) == ([1, 2], [2, 1])
        assert [(kept.text, kept.person) for name in "ab" if (kept := versions.one(tx, f"{name}.md"))] == [
            ("two", ANN),
            ("other", None),
        ]
        assert versions.one(tx, "a.md", 3) is None
