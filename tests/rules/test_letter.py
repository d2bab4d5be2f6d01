"""Letters: what a coordinator may write, how it is printed, and what is refused rather than read differently."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.front_matter import decode, listed, one_line, read_front_matter, text_of
from outreach.letter import parse, show
from outreach.model import BadInput, Letter, Picture

GOOD = """---
title: Call for abstracts: poster session
template: call-for-abstracts
to: [facebook, listserv]
at: 2026-12-01 09:00
zone: America/New_York
not after: 2026-12-02 09:00
link: https://example.org/abstracts?a=1#top
pictures:
  - file: poster.jpg
    alt: A researcher explains a poster to two students
  - file: line.png
    alt: decorative
fields:
  deadline: 2027-01-15
  topics: [methods, "data, big"]
  note: |
    First line

      # second line
---
Dear all,

---
the call is **open**.
"""

READ = Letter(
    title="Call for abstracts: poster session",
    template="call-for-abstracts",
    to=("facebook", "listserv"),
    at="2026-12-01 09:00",
    zone="America/New_York",
    not_after="2026-12-02 09:00",
    link="https://example.org/abstracts?a=1#top",
    pictures=(
        Picture("poster.jpg", "A researcher explains a poster to two students"),
        Picture("line.png", None),
    ),
    fields=(
        ("deadline", "2027-01-15"),
        ("topics", ("methods", "data, big")),
        ("note", "First line\n\n  # second line"),
    ),
    body="Dear all,\n\n---\nthe call is **open**.",
)


def letter(*lines: str, body: str = "Hello") -> Letter:
    return parse("\n".join(["---", *lines, "---", body]))


def titled(*lines: str) -> Letter:
    return letter("title: T", *lines)


def refusal(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse(text, name="a.md")
    return caught.value


def refused_lines(*lines: str) -> BadInput:
    return refusal("\n".join(["---", "title: T", *lines, "---", "Hello"]))


def test_a_letter_is_read() -> None:
    assert parse(GOOD) == READ


def test_a_letter_is_printed_as_it_was_written_where_that_is_canonical() -> None:
    assert show(READ) == GOOD


@pytest.mark.parametrize("written", ["18:30", "no", "2027-01-15", "0012", "~", "1e3", "Meeting #4 # now", "a: b: c"])
def test_a_value_is_text_whatever_it_looks_like(written: str) -> None:
    assert titled("fields:", f"  when: {written}").fields == (("when", written),)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('"Call: now"', "Call: now"),
        ("'Call: now'", "Call: now"),
        ("'It''s on'", "It's on"),
        (r'"A \"B\" \\ C"', r'A "B" \ C'),
        ('"Women" in "TMM"', '"Women" in "TMM"'),
        ("'Tis the season", "'Tis the season"),
        ("[TMM] Call", "[TMM] Call"),
        ("#hashtag", "#hashtag"),
        ("@everyone", "@everyone"),
        ("Cafe\N{COMBINING ACUTE ACCENT} \N{NO-BREAK SPACE}", "Cafe\N{COMBINING ACUTE ACCENT} \N{NO-BREAK SPACE}"),
    ],
)
def test_only_quotes_around_the_whole_text_are_removed(written: str, title: str) -> None:
    assert letter(f"title:   {written}  ").title == title


@pytest.mark.parametrize(
    "lines",
    [
        ["to: facebook, listserv"],
        ["to: [facebook, listserv]"],
        ["to: ['facebook',\"listserv\" ]"],
        ["to:", "  - facebook", "  # the list as well", "  - listserv"],
        ["to:", "- facebook", "- listserv"],
    ],
)
def test_channels_may_be_listed_in_every_usual_way(lines: list[str]) -> None:
    assert titled(*lines).to == ("facebook", "listserv")


def test_one_word_is_a_list_of_one() -> None:
    assert titled("to: facebook").to == ("facebook",)


@pytest.mark.parametrize("key", ["not after", "not_after"])
def test_not_after_may_be_written_with_either_sign(key: str) -> None:
    assert titled(f"{key}: tomorrow 9:00").not_after == "tomorrow 9:00"


def test_a_key_left_empty_is_a_key_left_out() -> None:
    assert titled("template:", "to:", 'at: ""', "zone: '  '", "link:", "pictures:", "fields:", "not after:") == Letter(
        title="T", body="Hello"
    )


def test_comments_and_blank_lines_between_keys_are_ignored() -> None:
    assert titled("# when", "", "at: now", "fields:", "  # x", "", "  a: b", "# end").fields == (("a", "b"),)


def test_a_list_of_fields_may_hold_blocks_and_colons() -> None:
    found = titled(
        "fields:", "  people:", "    - Chair:", "    - Dr: X", "    - |", "      two", "      lines", "    - ''"
    )

    assert found.fields == (("people", ("Chair:", "Dr: X", "two\nlines", "")),)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_foreign_line_ends_become_ours(end: str) -> None:
    assert parse(GOOD.replace("\n", end)) == READ


def test_the_body_loses_blank_lines_before_and_white_space_after_and_nothing_else() -> None:
    found = letter("title: T", body=" \n\n    code  \n\n\nend \n\t\n")

    assert found.body == "    code  \n\n\nend"


def test_a_template_may_bring_title_and_text() -> None:
    assert letter("template: call", body="") == Letter(template="call")
    assert show(Letter(template="call")) == "---\ntemplate: call\n---\n"


@pytest.mark.parametrize(
    ("letter_value", "printed"),
    [
        ("", 'a: ""'),
        (" x", 'a: " x"'),
        ('"x" y', r'a: "\"x\" y"'),
        ("'x", 'a: "\'x"'),
        ("[x", 'a: "[x"'),
        ("{x", 'a: "{x"'),
        ("- x", 'a: "- x"'),
        ("-x", "a: -x"),
        ("#x", 'a: "#x"'),
        ("|", 'a: "|"'),
        ("> x", 'a: "> x"'),
        ("*x*", 'a: "*x*"'),
        (r"C:\new", r"a: C:\new"),
        ("x\ny", "a: |\n    x\n    y"),
        (" x\ny", r'a: " x\ny"'),
        ("x\n", r'a: "x\n"'),
        ("x\r\ny", r'a: "x\r\ny"'),
        (("a", "b, c", "", "[d]"), 'a: [a, "b, c", "", "[d]"]'),
        ((), "a: []"),
    ],
)
def test_quotes_are_printed_exactly_where_they_are_needed(letter_value: str | tuple[str, ...], printed: str) -> None:
    written = Letter(title="T", body="x", fields=(("a", letter_value),))

    assert show(written) == f"---\ntitle: T\nfields:\n  {printed}\n---\nx\n"
    assert parse(show(written)) == written


@pytest.mark.parametrize(
    ("text", "where", "message", "next_step"),
    [
        ("", "a.md, line 1", "no front matter", "Begin with a line ---"),
        ("Hello", "a.md, line 1", "no front matter", "Begin with a line ---"),
        ("\n---\ntitle: T\n---\nHello", "a.md, line 1", "no front matter", "Begin with a line ---"),
        ("---\ntitle: T\nHello", "a.md, line 1", "never ends", "Close it"),
        ("---\nat: now\n---\nHello", "a.md, line 1", "no title", "Add a line such as title:"),
        ("---\ntitle: ''\n---\nHello", "a.md, line 1", "no title", "Add a line such as title:"),
        ("---\ntitle: T\n---\n \n\n", "a.md, line 4", "no text", "name a template"),
        ("---\ntitle: T\n---\n\N{NO-BREAK SPACE}", "a.md, line 4", "no text", "name a template"),
        ("---\ntitle: T\n---\nHel\0lo", "a.md, line 4", "U+0000", "Remove it"),
        ("---\ntitle: T\n---\nHel\ud800lo", "a.md, line 4", "U+D800", "Remove it"),
        ("---\ntitle: T\n---\n" + "é" * 524_288, "a.md", "larger than 1 MiB", "pictures"),
    ],
)
def test_what_is_no_letter_is_refused_with_its_line(text: str, where: str, message: str, next_step: str) -> None:
    refused = refusal(text)

    assert refused.where == where
    assert message in refused.message
    assert next_step in refused.next_step


@pytest.mark.parametrize(
    ("lines", "line", "message", "next_step"),
    [
        (["title: U"], 3, '"title" is there twice', "Keep one"),
        (["not after: x", "not_after: y"], 4, '"not_after" is there twice', "Keep one"),
        (["tittle: U"], 3, 'no key "tittle"', 'Did you mean "title"?'),
        (["Zone: UTC"], 3, 'no key "Zone"', 'Did you mean "zone"?'),
        (["deadline: x"], 3, 'no key "deadline"', "goes below fields"),
        (["at:now"], 3, "has no key", "a space after the colon"),
        (["at now"], 3, "has no key", "key: text"),
        (["- at: now"], 3, "has no key", ""),
        (["zone: UTC", "\tat: now"], 4, "begins with a tab", "Indent with spaces"),
        (["fields:", "\ta: b"], 4, "begins with a tab", "Indent with spaces"),
        (["at: now", "  and then"], 4, '"at" goes on in a second line', "in one line"),
        (["at:", "  a: b"], 4, '"at" is a text, not a list or a map', ""),
        (["at:", "  - b"], 4, '"at" is a text, not a list or a map', ""),
        (["at: [a, b]"], 3, '"at" is a text, not a list', "double quotes"),
        (["at: {a: b}"], 3, "a map in YAML", "double quotes"),
        (["at: &x now"], 3, "an anchor", "double quotes"),
        (["at: *x"], 3, "an alias", "double quotes"),
        (["at: !!str now"], 3, "a tag", "double quotes"),
        (["link: >"], 3, "a folded block", "double quotes"),
        (["fields:", "  a: >-", "    b"], 4, "a folded block", "double quotes"),
        (["fields:", "  a: |+", "    b"], 4, "an odd block in YAML", "double quotes"),
        (["at: - now"], 3, 'begins below "at"', "double quotes"),
        (['at: "now'], 3, "never closed", "Close it"),
        ([r'at: "C:\data"'], 3, r"\d means nothing", "backslash twice"),
        (["at: |", "  now", "  then"], 3, '"at" has to be one line', "line breaks"),
        ([r'link: "a\nb"'], 3, '"link" has to be one line', "line breaks"),
        (["link: a\u2028b"], 3, '"link" has to be one line', "line breaks"),
        (["to: [a, b"], 3, '"to" is not closed', "in one line"),
        (["to: [a,"], 3, '"to" is not closed', "in one line"),
        (["to: [a, b]", "  c"], 4, '"to" goes on in a second line', "in one line"),
        (["to: [a] b, c]"], 3, '"to" is not closed', "in one line"),
        (["to: [a, [b]]"], 3, '"to" is not closed', "in one line"),
        (["fields:", "  a: [b, , c]"], 4, '"a" has an empty place', "comma"),
        (["to: a,, b"], 3, "names nothing", "comma"),
        (["to: a, b, a"], 3, "names one channel twice", "once"),
        (["to:", "  - a", "  b"], 5, "begins with a dash", "- text"),
        (["pictures: a.jpg"], 3, "a list of files", "alt"),
        (["pictures:", "  file: a.jpg"], 3, "a list of files", "alt"),
        (["pictures:", "  - a.jpg"], 4, "has no key", "key: text"),
        (["pictures:", "  - file: a.jpg", "    alt: x", "  - file: b.jpg"], 6, "no alt text", "alt: decorative"),
        (["pictures:", "  - file: a.jpg", "    alt: ' '"], 4, "no alt text", "alt: decorative"),
        (["pictures:", "  - alt: x"], 4, "no file", "file: x.jpg"),
        (["pictures:", "  - file: a", "    alt: b", "    alt: c"], 6, '"alt" is there twice', ""),
        (["pictures:", "  - file: a", "    size: b"], 5, 'no "size"', "a file and an alt"),
        (["pictures:", "  - file: a", "   alt: b"], 5, "indented less", "Line the two up"),
        (["fields: x"], 3, '"fields" is a map', "below it"),
        (["fields:", "  a: b", "  a: c"], 5, '"a" is there twice', "Keep one"),
        (["fields:", "  a:", "    b: c"], 5, '"a" is a text, not a list or a map', ""),
        (["fields:", "  a: |", "  b: c"], 4, "there is no text", "indented by spaces"),
        (["fields:", "  a: |", "      b", "    c"], 6, "indented less than its first", "Line the two up"),
        (["fields:", '  "a": b'], 4, "cannot be the name of a field", "letters"),
        (["fields:", "  <<: *b"], 4, '"<<" cannot be the name of a field', "letters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    lines: list[str], line: int, message: str, next_step: str
) -> None:
    refused = refused_lines(*lines)

    assert refused.where == f"a.md, line {line}"
    assert message in refused.message
    assert next_step in refused.next_step


def test_a_front_matter_of_any_keys_is_parted_from_its_body_and_knows_the_lines() -> None:
    head, body, body_line = read_front_matter("---\nabout: A call\n\nown: [a, b]\n---\n\n\nText\n\nmore\n", name="t.md")

    assert [(entry.key, entry.line.number) for entry in head] == [("about", 2), ("own", 4)]
    assert (one_line(head[0]), listed(head[0])) == ("A call", None)
    assert [text_of(item) for item in listed(head[1]) or []] == ["a", "b"]
    assert (body, body_line) == ("Text\n\nmore", 8)


def test_a_field_name_that_would_break_the_letter_is_not_printed() -> None:
    with pytest.raises(BadInput, match="cannot be the name of a field"):
        show(Letter(title="T", body="x", fields=(("a: b\nat", "now"),)))


def test_bytes_are_read_as_utf_8_with_or_without_a_mark() -> None:
    assert decode(b"\xef\xbb\xbfCaf\xc3\xa9", name="a.md") == "Café"
    assert decode(b"Caf\xc3\xa9", name="a.md") == "Café"


@pytest.mark.parametrize(
    ("data", "where", "message", "next_step"),
    [
        (b"title\r\rCaf\xe9", "a.md, line 3", "offset 10 is not UTF-8", "in UTF-8"),
        ("---\n".encode("utf-16"), "a.md, line 1", "offset 0 is not UTF-8", "in UTF-8"),
        (b"a\r\nb\0", "a.md, line 2", "U+0000", "Remove it"),
        (b"a\x1b[0m", "a.md, line 1", "U+001B", "Remove it"),
        (b"a\xc2\x85", "a.md, line 1", "U+0085", "Remove it"),
        (b"\xed\xa0\x80", "a.md, line 1", "not UTF-8", "in UTF-8"),
        (b"x" * 1_048_577, "a.md", "larger than 1 MiB", ""),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, where: str, message: str, next_step: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(data, name="a.md")

    assert caught.value.where == where
    assert message in caught.value.message
    assert next_step in caught.value.next_step


def test_tabs_and_a_whole_mebibyte_are_allowed() -> None:
    assert decode(b"\t" * 1_048_576, name="a.md") == "\t" * 1_048_576


def test_a_large_letter_made_to_be_slow_is_refused_all_the_same() -> None:
    for hard in ("[a" + " " * 500_000 + "[", "[" + "a," * 200_000, '"' + "\\\\" * 200_000, "x" * 500_000 + ": b"):
        assert refused_lines("fields:", f"  a: {hard}", "  a: twice")


# Any valid letter, built from characters that have a meaning somewhere in a front matter more often than not.
TEXT = st.text(
    st.sampled_from("ab-#:[]{}|>&*!'\"\\, \t\n%@é\u00a0\u2028")
    | st.characters(codec="utf-8", exclude_categories=["Cc"])
)
LINE = TEXT.map(lambda text: "".join(c for c in text if c not in "\n\u2028\u2029")).filter(str.strip)
OPTIONAL = st.none() | LINE
BODY = TEXT.map(lambda text: text.strip(" \t\n")).filter(str.strip)
ALT = st.none() | TEXT.filter(lambda text: bool(text.strip()) and text.lower() != "decorative")
FIELDS = st.dictionaries(
    st.text(string.ascii_letters + "_é0", min_size=1), TEXT | st.lists(TEXT, max_size=4).map(tuple), max_size=4
)
LETTERS = st.builds(
    Letter,
    title=LINE,
    body=BODY,
    template=OPTIONAL,
    to=st.lists(LINE, unique=True, max_size=3).map(tuple),
    at=OPTIONAL,
    zone=OPTIONAL,
    not_after=OPTIONAL,
    grace=OPTIONAL,
    link=OPTIONAL,
    pictures=st.lists(st.builds(Picture, LINE, ALT), max_size=3).map(tuple),
    fields=FIELDS.map(lambda fields: tuple(fields.items())),
)


@settings(max_examples=300, deadline=None)
@given(LETTERS)
def test_every_letter_comes_back_from_its_print(written: Letter) -> None:
    printed = show(written)

    assert parse(printed) == written
    assert show(parse(printed)) == printed


def read_or_refused(text: str) -> None:
    found = outcome(text)

    if isinstance(found, BadInput):
        assert found.where.startswith("letter")
        assert found.next_step
    else:
        assert parse(show(found)) == found


def outcome(text: str) -> Letter | BadInput:
    try:
        return parse(text)
    except BadInput as refused:
        return refused


@settings(max_examples=300, deadline=None)
@given(
    st.text() | st.text("-#:[]{}|&'\" \nabtile", max_size=60).map(lambda t: f"---\ntitle: T\nfields:\n{t}\n---\nHello")
)
def test_any_text_is_a_letter_or_refused_and_nothing_else(text: str) -> None:
    read_or_refused(text)


@settings(max_examples=400, deadline=None)
@given(
    at=st.integers(0, len(GOOD)),
    removed=st.integers(0, 12),
    added=st.text(st.sampled_from("-#:[]{}|>&*!'\"\\, \t\r\nab") | st.characters(), max_size=6),
)
def test_a_slip_of_the_hand_is_read_or_refused_and_nothing_else(at: int, removed: int, added: str) -> None:
    read_or_refused(GOOD[:at] + added + GOOD[at + removed :])


@settings(max_examples=200, deadline=None)
@given(st.permutations(GOOD.split("\n")[1:19]), st.integers(0, 18))
def test_lines_out_of_order_are_read_or_refused_and_nothing_else(lines: list[str], count: int) -> None:
    read_or_refused("\n".join(["---", *lines[:count], "---", "Hello"]))
