"""How a request is carried out: by the one way that the list's server has for it, and never by more than was checked."""

import pytest

from outreach.joining import ListFacts, RequestKind, Step, Way, owner_of, step_for

LIST = "colleagues@lists.example.org"
JOIN, LEAVE = RequestKind.JOIN, RequestKind.LEAVE


def step(runs_on: str, kind: RequestKind = JOIN, **facts: object) -> Step:
    return step_for(kind, ListFacts(LIST, runs_on, **facts), address="ann@example.org", name="Ann Example")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("runs_on", "kind", "to", "words"),
    [
        ("listserv", JOIN, "listserv@lists.example.org", "QUIET ADD COLLEAGUES ann@example.org Ann Example"),
        ("listserv", LEAVE, "listserv@lists.example.org", "QUIET DELETE COLLEAGUES ann@example.org"),
        ("sympa", JOIN, "sympa@lists.example.org", "QUIET ADD colleagues ann@example.org Ann Example"),
        ("sympa", LEAVE, "sympa@lists.example.org", "QUIET DEL colleagues ann@example.org"),
    ],
)
def test_an_owner_commands_the_list_server(runs_on: str, kind: RequestKind, to: str, words: str) -> None:
    found = step(runs_on, kind, is_ours=True)
    assert (found.way, found.to, found.words, found.is_sent_by_us) == (Way.COMMAND, to, words, True)


def test_mailman_is_asked_where_it_answers() -> None:
    assert step("mailman", has_rest=True) == Step(Way.REST)
    assert step("mailman").way is Way.OWNER


def test_mlmmj_takes_it_only_from_the_person() -> None:
    found = step("mlmmj", LEAVE)
    assert (found.way, found.to, found.is_sent_by_us) == (Way.PERSON, "colleagues+unsubscribe@lists.example.org", False)
    assert "empty mail" in found.words


@pytest.mark.parametrize("runs_on", ["listserv", "sympa", "mailman", "other"])
def test_who_is_no_owner_asks_the_owner(runs_on: str) -> None:
    found = step(runs_on, owner="boss@example.org")
    assert (found.way, found.to) == (Way.OWNER, "boss@example.org")
    assert (
        "Please add this address to colleagues@lists.example.org:\n\n    Ann Example <ann@example.org>" in found.words
    )


@pytest.mark.parametrize(
    ("runs_on", "address"),
    [
        ("listserv", "colleagues-request@lists.example.org"),
        ("sympa", "colleagues-request@lists.example.org"),
        ("mailman", "colleagues-owner@lists.example.org"),
        ("mlmmj", "colleagues+owner@lists.example.org"),
        ("other", "colleagues-owner@lists.example.org"),
    ],
)
def test_every_list_server_has_an_address_for_the_owner(runs_on: str, address: str) -> None:
    assert owner_of(ListFacts(LIST, runs_on)) == address
