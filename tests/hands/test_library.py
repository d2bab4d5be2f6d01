"""Templates are read from the files of a folder; whatever is wrong with one is said with its file and line."""

from pathlib import Path

import pytest

from outreach.library import Library
from outreach.model import BadInput
from outreach.wording import Field

HEAD = "title: Call\nabout: Says hello."
WHOLE = """---
title: Call for abstracts: {{ meeting }}
about: Invites abstracts.
fields:
  meeting:
    type: text
    help: Its name: as in the title.
    example: Annual Meeting
  stage:
    type: choice
    choices: [first call, last call]
    optional: yes
  topics:
    type: list
    example:
      - one
      - two
---

{{ stage }} for {{ meeting }}: {{ topics }}

<!-- channel: facebook -->
Short: {{ meeting }}
<!--channel:page-de-->
Kurz: {{ meeting }}
"""


def a_library(folder: Path, **files: str) -> Library:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('__', '.').replace('_', '-')}.md").write_text(text, encoding="utf-8", newline="")
    return Library(folder)


def a_file(head: str = HEAD, body: str = "Hello.") -> str:
    return f"---\n{head}\n---\n{body}\n"


def trouble_with(folder: Path, text: str) -> BadInput:
    library = a_library(folder, club=text)
    with pytest.raises(BadInput) as caught:
        library.get("club")
    assert str(caught.value) in map(str, library.problems())
    return caught.value


def test_a_whole_template_is_read(tmp_path: Path) -> None:
    template = a_library(tmp_path, call=WHOLE).get("call")
    assert (template.name, template.title) == ("call", "Call for abstracts: {{ meeting }}")
    assert template.about == "Invites abstracts."
    assert template.fields == (
        Field("meeting", "text", "Its name: as in the title.", "Annual Meeting"),
        Field("stage", "choice", optional=True, choices=("first call", "last call")),
        Field("topics", "list", example="one\ntwo"),
    )
    assert template.body.strip() == "{{ stage }} for {{ meeting }}: {{ topics }}"
    assert [(c, text.strip()) for c, text in template.channels] == [
        ("facebook", "Short: {{ meeting }}"),
        ("page-de", "Kurz: {{ meeting }}"),
    ]


def test_a_file_beside_the_template_is_the_wording_of_one_channel(tmp_path: Path) -> None:
    library = a_library(tmp_path, club=a_file(), club__facebook="Short.\n", club_two=a_file())
    assert library.names() == ["club", "club-two"]
    assert library.get("club").channels == (("facebook", "Short.\n"),)
    assert library.get("club-two").channels == ()


def test_names_are_sorted_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.md").write_text("x")
    library = a_library(tmp_path, b=a_file(), a=a_file())
    assert library.names() == ["a", "b"]
    assert [template.name for template in library.all()] == ["a", "b"]
    assert library.problems() == []


def test_an_edited_file_counts_at_once(tmp_path: Path) -> None:
    library = a_library(tmp_path, club=a_file())
    library.get("club")
    a_library(tmp_path, club=a_file(body="Good evening."))
    assert library.get("club").body == "Good evening."


def test_windows_line_ends_and_a_byte_order_mark_are_taken(tmp_path: Path) -> None:
    text = "\ufeff" + a_file(body="one\n<!-- channel: facebook -->\ntwo").replace("\n", "\r\n")
    template = a_library(tmp_path, club=text, club__page="three\r\nfour\r\n").get("club")
    assert (template.body, template.channels[1]) == ("one", ("page", "three\nfour\n"))


def test_an_unknown_name_is_refused_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        a_library(tmp_path, webinar=a_file(), job=a_file()).get("webniar")
    assert str(caught.value) == 'template: There is no template "webniar". Did you mean webinar?'


def test_an_unknown_name_that_is_near_to_none_is_refused_with_all(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        a_library(tmp_path, webinar=a_file(), job=a_file()).get("xyz")
    assert caught.value.next_step == "There are: job, webinar."


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "sub/club", "..", "", "club.md", "club\0", "./club", "club.facebook"]
)
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    a_library(tmp_path, secret=a_file())
    library = a_library(tmp_path / "templates", club=a_file(), club__facebook="x")
    a_library(tmp_path / "templates" / "sub", club=a_file())
    with pytest.raises(BadInput, match="There is no template"):
        library.get(name)


def test_a_missing_folder_is_said_with_the_next_step(tmp_path: Path) -> None:
    library = Library(tmp_path / "queue" / "templates")
    with pytest.raises(BadInput, match="The folder of templates cannot be read") as caught:
        library.names()
    assert caught.value.next_step.endswith(f"outreach init {tmp_path / 'queue'}")
    assert [str(p) for p in library.problems()] == [str(caught.value)]


def test_a_template_that_is_a_folder_is_said_not_raised_as_is(tmp_path: Path) -> None:
    library = Library(tmp_path)
    (tmp_path / "club.md").mkdir()
    with pytest.raises(BadInput, match="The template cannot be read"):
        library.get("club")
    assert [p.where for p in library.problems()] == ["club.md"]


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "club.md").write_bytes(a_file(body="Gr\u00fc\u00dfe").encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        Library(tmp_path).get("club")
    assert caught.value.where == "club.md, line 5"
    assert "UTF-8" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "line", "message"),
    [
        ("about: x", 2, '"title" is missing.'),
        ("title: x", 2, '"about" is missing.'),
        ("title:\nabout: x", 2, '"title" is empty.'),
        (f"{HEAD}\ntitel: x", 4, 'There is no key "titel".'),
        (f"{HEAD}\nabout: x", 4, '"about" is there twice.'),
        (f"{HEAD}\nfields: x", 4, '"fields" is a map, not a text.'),
        (f"{HEAD}\nfields:\n  day: date", 5, '"day" is a field, so it is a map.'),
        (f"{HEAD}\nfields:\n  day:", 5, '"day" has no type.'),
        (f"{HEAD}\nfields:\n  day:\n    help: x", 6, '"type" is missing.'),
        (f"{HEAD}\nfields:\n  day:\n    type: date\n    hlep: x", 7, 'There is no key "hlep".'),
        (f"{HEAD}\nfields:\n  day:\n    type: date\n    optional: maybe", 7, '"optional" is yes or no.'),
        (f"{HEAD}\nfields:\n  day:\n    type: choice\n    choices: a", 7, '"choices" is a list.'),
        (f"{HEAD}\nfields:\n  day:\n    type: date\n  day:\n    type: date", 7, '"day" is there twice.'),
        (f"{HEAD}\nfields:\n  day:\n    type: dat", 5, 'Field "day" has no type "dat".'),
        (f"{HEAD}\nfields:\n  day:\n    type: choice", 5, 'Field "day" has no choices.'),
        (f"{HEAD}\nfields:\n  day:\n    type: date", 5, 'Field "day" is never used.'),
        ("title: {{ nobody }}\nabout: x", 2, '"title" begins with {'),
        ('title: "{{ nobody }}"\nabout: x', 2, 'Nothing is named "nobody" here.'),
        ("title: x\nabout", 3, "This line of the front matter has no key."),
    ],
)
def test_a_broken_head_is_said_with_its_line(tmp_path: Path, head: str, line: int, message: str) -> None:
    trouble = trouble_with(tmp_path, a_file(head))
    assert trouble.where == f"club.md, line {line}"
    assert trouble.message.startswith(message)
    assert trouble.next_step


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("one\n{{ two }}", 6, 'Nothing is named "two" here.'),
        ("\n\none\n{% if link %}", 8, "The wording cannot be read"),
        ("one\n<!-- channel: facebook -->\n\n{{ two }}", 8, 'Nothing is named "two" here.'),
        ("one\n<!-- channel: a -->\nx\n<!-- channel: a -->\ny", 7, 'There is a second wording for "a".'),
        ("one\n<!-- channel: a -->\n\n", 7, 'The own wording of "a" is empty.'),
        ("one\n<!-- chanel: facebook -->\nx", 6, "This comment would be published."),
    ],
)
def test_a_broken_wording_is_said_with_its_line(tmp_path: Path, body: str, line: int, message: str) -> None:
    trouble = trouble_with(tmp_path, a_file(body=body))
    assert trouble.message.startswith(message)
    assert trouble.where == f"club.md, line {line}"


def test_a_file_without_front_matter_is_refused(tmp_path: Path) -> None:
    assert trouble_with(tmp_path, "Hello.").where == "club.md, line 1"


def test_a_fault_in_a_file_of_one_channel_is_placed_there(tmp_path: Path) -> None:
    library = a_library(tmp_path, club=a_file(), club__facebook="one\n{{ two }}\n")
    with pytest.raises(BadInput) as caught:
        library.get("club")
    assert caught.value.where == "club.facebook.md, line 2"


def test_a_channel_with_a_section_and_a_file_is_refused(tmp_path: Path) -> None:
    library = a_library(tmp_path, club=a_file(body="<!-- channel: facebook -->\nx"), club__facebook="y")
    assert [p.message for p in library.problems()] == ['There is a second wording for "facebook".']


def test_a_file_of_one_channel_has_no_sections(tmp_path: Path) -> None:
    library = a_library(tmp_path, club=a_file(), club__facebook="x\n<!-- channel: page -->\ny")
    assert [p.where for p in library.problems()] == ["club.facebook.md, line 2"]


def test_problems_are_those_of_all_files_and_none_is_raised(tmp_path: Path) -> None:
    library = a_library(tmp_path, a=a_file(body="{{ x }}\n{{ y }}"), b=a_file(), c="no head", d__facebook="lonely")
    assert [p.where for p in library.problems()] == ["d.facebook.md", "a.md, line 5", "a.md, line 6", "c.md, line 1"]
    with pytest.raises(BadInput) as caught:
        library.all()
    assert caught.value.where == "a.md, line 5"
