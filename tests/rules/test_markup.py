"""Markdown as a Page's text, a mail's text and a mail's HTML."""

import html
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.markup import check_images, check_links, links, to_html, to_mail_text, to_plain
from outreach.model import BadInput

LONG_URL = "https://example.org/forms/" + "register-for-the-meeting/" * 4


def body_of(markdown: str) -> str:
    """What stands between the body tags, without styles."""
    page = re.sub(r' style="[^"]*"', "", to_html(markdown, title="T"))
    return page.partition('<body dir="auto">')[2].partition("</body>")[0].strip()


# A Page's text.


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Dear *all*, the **poster** `x_y` session", "Dear all, the poster x_y session"),
        ("one\ntwo\n\nthree", "one two\n\nthree"),
        ("one\\\ntwo  \nthree", "one\ntwo\nthree"),
        ("# Call\nText", "Call\n\nText"),
        ("* a\n* b", "• a\n• b"),
        ("* a\n\n* b", "• a\n\n• b"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("1. a\n   * b\n     * c\n2. d", "1. a\n  • b\n    • c\n2. d"),
        ("> a\n>\n> * b", "> a\n>\n> • b"),
        ("a\n\n***\n\nb", "a\n\n———\n\nb"),
        ("    x = 1\n\n      y", "x = 1\n\n  y"),
        ("| a | b |\n|---|---|\n| *c* | d |", "a | b\nc | d"),
        ("<b>bold</b> <!-- note -->", "<b>bold</b> <!-- note -->"),
        ("R&amp;D &copy; 2 &lt; 3", "R&D © 2 < 3"),
        ("![two *students*](https://example.org/x.png)", "two students"),
        ("\\*not emphasis\\*", "*not emphasis*"),
        ("", ""),
    ],
)
def test_the_page_text_reads_without_marks(markdown: str, text: str) -> None:
    assert to_plain(markdown) == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("[Register](https://example.org/r)", "Register (https://example.org/r)"),
        ("[https://example.org](https://example.org)", "https://example.org"),
        ("[example.org](https://example.org)", "https://example.org"),
        ("<https://example.org>", "https://example.org"),
        ("[Ann](mailto:ann@example.org?subject=Hi)", "Ann (ann@example.org)"),
        ("<ann@example.org>", "ann@example.org"),
        ("[Plan](<https://example.org/a b>)", "Plan (https://example.org/a%20b)"),
        ("[Register][r]\n\n[r]: https://example.org/r", "Register (https://example.org/r)"),
    ],
)
def test_a_link_keeps_its_address_on_the_page(markdown: str, text: str) -> None:
    assert to_plain(markdown) == text


def test_struck_words_stay_marked_because_unmarked_they_would_say_that_they_hold() -> None:
    assert to_plain("due ~~1 May~~ 2 May") == "due ~~1 May~~ 2 May"
    assert to_mail_text("due ~~1 May~~ 2 May") == "due ~~1 May~~ 2 May\n"


# A mail's text.


def test_paragraphs_are_wrapped_at_the_width() -> None:
    text = to_mail_text("The poster session takes place in the large hall.", width=20)

    assert text == "The poster session\ntakes place in the\nlarge hall.\n"


def test_a_line_may_be_exactly_as_wide_as_the_width() -> None:
    assert to_mail_text("aaaa bbbb cccc", width=9) == "aaaa bbbb\ncccc\n"


def test_a_long_address_is_never_broken() -> None:
    assert to_mail_text(f"Register at {LONG_URL} before May.") == f"Register at\n{LONG_URL}\nbefore May.\n"


def test_links_are_numbered_and_listed_at_the_end() -> None:
    text = to_mail_text(f"[Register]({LONG_URL}) or [read](https://example.org/b), then [register]({LONG_URL}).")

    assert text == f"Register [1] or read [2], then register [1].\n\n[1] {LONG_URL}\n[2] https://example.org/b\n"


def test_a_number_that_the_text_uses_itself_is_not_given_to_a_link() -> None:
    assert to_mail_text("As in [1], [read](https://example.org)") == "As in [1], read [2]\n\n[2] https://example.org\n"


def test_a_mail_address_stays_beside_its_name() -> None:
    assert to_mail_text("[Ann](mailto:ann@example.org)") == "Ann <ann@example.org>\n"


def test_headings_are_underlined_as_wide_as_they_are() -> None:
    assert to_mail_text("# Call\n\n## 会議\n\nText") == "Call\n====\n\n会議\n----\n\nText\n"


def test_a_short_heading_is_not_underlined_like_the_start_of_a_signature() -> None:
    assert to_mail_text("## QA") == "QA\n---\n"


def test_list_items_hang_under_their_text() -> None:
    text = to_mail_text("10. one two three\n    * four five six", width=12)

    assert text == "10. one two\n    three\n    * four\n      five\n      six\n"


def test_quotes_and_code_are_set_off_and_code_is_not_wrapped() -> None:
    text = to_mail_text("> one two\n> three\n\n```\nx = 'a long line of code'\n```", width=12)

    assert text == "> one two\n> three\n\n    x = 'a long line of code'\n"


def test_a_wide_table_row_goes_on_with_an_indent() -> None:
    assert to_mail_text("| one | two |\n|---|---|\n| three | four |", width=10) == "one | two\nthree |\n  four\n"


def test_wide_characters_take_two_columns_and_combining_marks_none() -> None:
    assert to_mail_text("会議 会議", width=8) == "会議\n会議\n"
    assert to_mail_text("e\u0301e\u0301 e\u0301e\u0301", width=5) == "e\u0301e\u0301 e\u0301e\u0301\n"


def test_an_empty_text_is_one_line_end() -> None:
    assert to_mail_text(" \n") == "\n"


# A mail's HTML.


def test_the_html_is_this_document() -> None:
    assert to_html("**Hi** [all](https://example.org/?a=1&b=2)", title="A & B") == (
        '<!DOCTYPE html><html lang="en" style="color-scheme: light dark;"><head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        '<meta name="color-scheme" content="light dark">\n<title>A &amp; B</title>\n\n</head>\n'
        '<body dir="auto" style="font-family: sans-serif;line-height: 1.5;max-width: 42em;">\n'
        '<p><strong>Hi</strong> <a href="https://example.org/?a=1&amp;b=2">all</a></p>\n\n\n</body></html>'
    )


def test_the_language_of_the_html_can_be_given() -> None:
    assert '<html lang="de"' in to_html("Hallo", title="T", lang="de")


@pytest.mark.parametrize(
    ("markdown", "inside"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<b onclick=x>hi</b>", "<p>&lt;b onclick=x&gt;hi&lt;/b&gt;</p>"),
        ("[x](javascript:alert(1))", "<p><a>x</a></p>"),
        ("[x](<java&#10;script:alert(1)>)", "<p><a>x</a></p>"),
        ("[x](data:text/html,y)", "<p><a>x</a></p>"),
        ("[x](/relative)", "<p><a>x</a></p>"),
        ('[x](https://example.org "a\\"onmouseover=b")', None),
        ("![a < b](https://example.org/x.png)", "<p>a &lt; b</p>"),
    ],
)
def test_nothing_in_the_html_runs_or_is_fetched(markdown: str, inside: str | None) -> None:
    body = body_of(markdown)

    assert inside is None or body == inside
    assert not re.search(r"<(script|img|b)\b|<[^>\"]*(\"[^\"]*\"[^>\"]*)*\son\w+=", body)


def test_the_columns_of_a_table_keep_their_alignment() -> None:
    assert "text-align: right" in to_html("| a |\n|--:|\n| 1 |", title="T")


def test_the_html_sets_no_colours_of_its_own() -> None:
    page = to_html("> a\n\n| b |\n|---|\n| `c` |", title="T").replace("color-scheme", "")

    assert "color" not in page
    assert "background" not in page


def test_long_lines_of_the_html_are_folded_at_blanks() -> None:
    page = to_html("word " * 1000, title="T")

    assert max(len(line) for line in page.split("\n")) < 900
    assert re.findall("(?:word *)+", page.replace("\n", " ")) == [" ".join(["word"] * 1000)]


def test_lines_of_code_are_not_folded() -> None:
    assert "code " * 199 + "code" in to_html("    " + "code " * 199 + "code", title="T")


# Links.


def test_links_come_in_order_with_bare_ones() -> None:
    markdown = (
        "[b](https://b.org/_x_) https://a.org/_y_/z, **https://c.org**\n\n* <d@d.org>\n* [e][1]\n\n[1]: https://e.org"
    )

    assert links(markdown) == (
        "https://b.org/_x_",
        "https://a.org/_y_/z",
        "https://c.org",
        "mailto:d@d.org",
        "https://e.org",
    )


@pytest.mark.parametrize(
    ("markdown", "target"),
    [
        ("(see https://a.org/x.)", "https://a.org/x"),
        ("https://a.org/w_(z)!", "https://a.org/w_(z)"),
        ("https://a.org/?q=*&r=_b_&s=1 now", "https://a.org/?q=*&r=_b_&s=1"),
        ("https://a.org。次", "https://a.org"),
        ("“https://a.org”", "https://a.org"),
        ("HTTPS://A.org", "HTTPS://A.org"),
        ("https://münchen.example/ä", "https://münchen.example/ä"),
    ],
)
def test_a_bare_address_ends_where_a_reader_says(markdown: str, target: str) -> None:
    assert links(markdown) == (target,)


@pytest.mark.parametrize(
    "markdown",
    ["`https://a.org`", "xhttps://a.org", "https://", "https:// a.org", "https://… and so on", "    https://a.org"],
)
def test_what_is_code_or_no_address_is_no_link(markdown: str) -> None:
    assert links(markdown) == ()


def test_an_address_as_link_text_is_no_second_link() -> None:
    assert links("[go to https://a.org/_x_ now](https://b.org)") == ("https://b.org",)
    assert to_plain("[go to https://a.org/_x_ now](https://b.org)") == "go to https://a.org/_x_ now (https://b.org)"


# Whatever is given.


@pytest.mark.parametrize(
    "hostile", [">" * 5000, "[" * 5000, "*a " * 5000, "*a " * 2500 + "b* " * 2500, "![" * 5000, "- " * 50_000]
)
@pytest.mark.parametrize(
    "write", [to_plain, to_mail_text, lambda text: to_html(text, title="T"), check_links, check_images]
)
def test_hostile_nesting_is_written_or_refused_within_seconds(write: Callable[[str], object], hostile: str) -> None:
    started = time.process_time()  # others may be using the machine
    with suppress(BadInput):
        write(hostile)

    assert time.process_time() - started < 2


def test_what_is_nested_too_deeply_is_refused_instead_of_dropped() -> None:
    with pytest.raises(BadInput, match="nested too deeply") as refused:
        to_plain("fine\n\n" + "> " * 40 + "lost")

    assert refused.value.where == "line 3"


@pytest.mark.parametrize("markdown", ["a" * 100_001, "[" * 5_001, "half \ud83d"])
def test_what_is_no_announcement_is_refused(markdown: str) -> None:
    with pytest.raises(BadInput):
        to_plain(markdown)


def test_a_title_with_half_a_character_is_refused() -> None:
    with pytest.raises(BadInput):
        to_html("x", title="\ud83d")


def test_control_characters_and_odd_line_ends_do_not_leave() -> None:
    assert to_plain("a\r\nb\rc\x0bd\u2028e\x1bf&#13;g ![h&#8232;i](x)") == "a b c d e\ufffdf g h i"


ODD = st.text(
    alphabet=st.sampled_from("ab1 \n\r\t*_~`#>-+.!|\\[]()<>&;:/\"'=@\u0301\u05d0\u202e\u200d👩会\x00\x85\u2028\ud800")
)
ANY = st.one_of(st.text(), ODD)


@given(ANY, ANY)
@settings(max_examples=300, deadline=None)
def test_any_text_is_written_with_plain_line_ends_or_refused(markdown: str, title: str) -> None:
    try:
        page, mail, document = to_plain(markdown), to_mail_text(markdown), to_html(markdown, title=title)
        check_links(markdown)
        check_images(markdown)
    except BadInput:
        return
    for text in (page, mail):
        assert text.splitlines() == text.removesuffix("\n").split("\n") or text == ""
        assert not re.search(r"[ \t]$", text, re.MULTILINE)
    assert mail.endswith("\n")
    assert not mail.endswith("\n\n")
    assert document == to_html(markdown, title=title)


WORDS = st.text(
    st.characters(categories=["Lu", "Ll", "Lo", "Nd"], include_characters="\u0301👩🔬"), min_size=1, max_size=90
)
PIECES = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"**{word}**"),
    WORDS.map(lambda word: f"`{word}`"),
    WORDS.map(lambda word: f"[{word}](https://example.org/?q={word}&r=_{word}_)"),
    WORDS.map(lambda word: f"https://example.org/{word}"),
)
LINES = st.lists(PIECES, min_size=1, max_size=30).map(" ".join)
BLOCKS = st.tuples(st.sampled_from(["", "# ", "* ", "1. ", "> ", "> * "]), LINES).map("".join)
ANNOUNCEMENTS = st.lists(BLOCKS, min_size=1, max_size=5).map("\n\n".join)


def widest_allowed(line: str) -> bool:
    """At most 72 columns, or one word after its indent and marker."""
    columns = sum(2 if ord(c) > 0x2E7F else 1 for c in line)
    return columns <= 72 or " " not in re.sub(r"^(?:[ >*]|\d+\. |\[\d+\] )*", "", line)


@given(ANNOUNCEMENTS)
@settings(max_examples=150, deadline=None)
def test_every_word_and_link_arrives_everywhere(markdown: str) -> None:
    written = [to_plain(markdown), to_mail_text(markdown), html.unescape(to_html(markdown, title="T"))]

    for word in [*re.findall(r"\w[\w\u0301👩🔬]*", re.sub(r"https:\S+", "", markdown)), *links(markdown)]:
        assert all(word in text for text in written), word


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "# ", "* ", "1. ", "> "]), st.lists(st.text("aé会", min_size=1, max_size=80)))
    )
)
@settings(max_examples=150, deadline=None)
def test_no_line_of_a_mail_is_wider_than_72_columns_but_for_one_word(blocks: list[tuple[str, list[str]]]) -> None:
    mail = to_mail_text("\n\n".join(start + " ".join(words) for start, words in blocks))

    underlines = {"=", "-"}
    assert all(widest_allowed(line) or set(line) <= underlines for line in mail.split("\n"))


def test_importing_the_module_loads_no_parser() -> None:
    code = "import sys, outreach.markup; print({'markdown_it', 'nh3', 'css_inline'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
