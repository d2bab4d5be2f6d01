"""What is checked before an announcement leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.markup import (
    FACEBOOK_MAX_CHARS,
    check_images,
    check_links,
    check_mentions,
    command_line,
    facebook_length,
    to_mail_text,
)
from outreach.model import BadInput

# Links and images.


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](https://example.org) <http://example.org:8080/x?y#z> https://example.org",
        "[a](mailto:ann@example.org?subject=Hi) <ann@example.org> [b](mailto:a@example.org,b@example.org)",
        "[a](https://münchen.example/ä) [b](https://[::1]/)",
        "[a][r]\n\n[r]: https://example.org",
        "See [1] (and f(x) [ y z ]) and `[x](a b)`",
        "",
    ],
)
def test_web_and_mail_addresses_pass(markdown: str) -> None:
    check_links(markdown)


@pytest.mark.parametrize(
    ("markdown", "target", "line"),
    [
        ("[x](javascript:alert(1))", "javascript:alert(1)", 1),
        ("[x](data:text/html,y)", "data:text/html,y", 1),
        ("[x](ftp://example.org)", "ftp://example.org", 1),
        ("[x](www.example.org)", "www.example.org", 1),
        ("[x](/relative)", "/relative", 1),
        ("[x](#part)", "#part", 1),
        ("[x]()", "", 1),
        ("[x](https://)", "https://", 1),
        ("[x](https:///path)", "https:///path", 1),
        ("[x](https://example.org:99999)", "https://example.org:99999", 1),
        ("[x](https://[::1)", "https://[::1", 1),
        ("[x](mailto:ann)", "mailto:ann", 1),
        ("[x](<https://example.org/a b>)", "https://example.org/a b", 1),
        ("[x](https://example.org/my file.pdf)", "https://example.org/my file.pdf", 1),
        ("<https://example.org/a b>", "https://example.org/a b", 1),
        ("fine\n\n* a\n* b\n  [x](http:c)", "http:c", 5),
        ("| a |\n|---|\n| b |\n| [x](c) |", "c", 4),
        ("[a](https://example.org) one\\\ntwo [b](b) and [c](c)", "b", 2),
        ("text\n\n[Note]: bring-a-badge", "bring-a-badge", 3),
    ],
)
def test_the_first_other_link_is_named_with_its_line(markdown: str, target: str, line: int) -> None:
    with pytest.raises(BadInput) as refused:
        check_links(markdown)

    assert refused.value.message == f"The link “{target}” is not a web or mail address."
    assert refused.value.where == f"line {line}"


def test_an_image_in_the_text_is_refused_because_it_would_not_be_sent() -> None:
    with pytest.raises(BadInput, match=r"poster\.png") as refused:
        check_images("one\n\ntwo\nand ![alt](poster.png)")

    assert refused.value.where == "line 4"


def test_a_text_without_images_passes() -> None:
    check_images("Hello! [a](https://example.org) `![alt](x.png)`")


# The Page.


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 2), ("👩‍🔬", 5), ("\ud83d", 1)]
)
def test_the_length_is_what_facebook_may_count_at_most(text: str, length: int) -> None:
    assert facebook_length(text) == length


@given(st.text())
def test_the_length_is_never_below_the_code_points(text: str) -> None:
    assert len(text) <= facebook_length(text) <= 2 * len(text)


def test_the_limit_is_the_one_that_other_schedulers_keep() -> None:
    assert FACEBOOK_MAX_CHARS == 63206


def test_a_mention_of_a_page_is_refused_with_its_line() -> None:
    with pytest.raises(BadInput) as refused:
        check_mentions("one\ntwo\nthanks @[20531316728:Facebook]")

    assert refused.value.message == "“@[20531316728” would mention another Page."
    assert refused.value.where == "line 3"


@pytest.mark.parametrize("text", ["@Ann", "@[Ann]", "ann@[", "@ [12]", "[12]", "a@b.org [1]"])
def test_other_at_signs_pass(text: str) -> None:
    check_mentions(text)


# The list server.


@pytest.mark.parametrize(
    "line",
    [
        # Mailman holds these, prose or not.
        "subscribe", "Unsubscribe", "HELP", "info", "lists", "who", "options", "remove", "confirm 123abc",
        "password old new", "set digest plain on", "subscribe to our list", "Who is coming?", "unsubscribe me",
        # Sympa refuses these.
        "signoff tmm", "set tmm nomail", "SET TMM DIGEST", "unsubscribe tmm",
        # LISTSERV knows these.
        "SUBSCRIBE list Jane van Doe", "SUBSCRIBE list name", "SIGNOFF list", "SIGNOFF TMM-L", "REVIEW list",
        "QUERY list", "query tmm-sig", "SET list REPRO", "set TMM-L NOACK REPRO", "JOIN TMM-L Jane Doe", "LEAVE tmm-l",
        "INDEX tmm@lists.example.org", "GET minutes TMM-L", "QUIET ADD tmm ann@example.org Ann Lee",
        "join", "leave", "set", "end", "stop", "confirm", "signoff", "review", "query", "index", "get", "password", "which",
    ],
)  # fmt: skip
def test_a_list_command_is_found_in_the_subject_and_in_the_text(line: str) -> None:
    assert command_line(line, "Dear all,") == line
    assert command_line("Call for abstracts", f"Dear all,\n\n  {line}  \nMore\n") == line


@pytest.mark.parametrize(
    "line",
    [
        "Help us find speakers for the poster session.", "Help wanted", "HELP WANTED", "Help!", "Help us",
        "Join us in Chicago", "JOIN US", "join the tmm-sig in Chicago", "Join TMM-SIG", "Join us!",
        "Set your calendars", "Set up your poster by noon on Friday", "Information on travel", "Info session",
        "Information", "Lists of speakers", "Who should attend the annual meeting", "Subscribe to our list for all news",
        "Unsubscribe at any time", "Leave your badge at the desk", "End of the early-bird rate", "Stop by our booth",
        "Confirm your talk by May", "Review panel", "Review e-posters", "REVIEW PANEL", "Reviewers needed",
        "Index terms", "Get involved", "GET INVOLVED", "Get the TMM-SIG flyer", "Password: see below",
        "Remove this line", "Which session suits you?", "Query the database", "Add your name to the e-mail list",
        "Signing off", "Options for students", "* help", "> subscribe", "Call for abstracts", "",
    ],
)  # fmt: skip
def test_prose_that_begins_like_a_command_is_not_flagged(line: str) -> None:
    assert command_line(line, f"Dear all,\n\n{line}\n") is None


def test_the_subject_comes_before_the_text() -> None:
    assert command_line("help", "info\n") == "help"


def test_only_the_first_ten_lines_that_are_not_blank_count() -> None:
    nine = "line\n\n" * 9

    assert command_line("S", nine + "help\n") == "help"
    assert command_line("S", nine + "line\nhelp\n") is None


def test_a_command_that_only_wrapping_made_is_found() -> None:
    mail = to_mail_text(
        "The programme, the venue and the travel grants are described on our page\nfor all who are new", 80
    )

    assert command_line("Call", mail) == "who are new"


@given(st.text(), st.text())
def test_any_text_can_be_looked_at(subject: str, text: str) -> None:
    found = command_line(subject, text)

    assert found is None or found in subject or found in text
