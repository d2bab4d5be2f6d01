"""Rosters as people and list servers write them down: read whole, or refused with the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.model import BadInput
from outreach.roster import Member, MemberStatus, as_csv, concern_about, read_roster

LISTSERV = """\
*
*  A list of colleagues
*
*  Owner= owner@example.org
*  Subscription= Closed
*
ANN@EXAMPLE.ORG                        Ann Example
ben@example.org                        Ben O'Example
cleo@example.org                       (No Name Available)
*
* Total number of users subscribed to the list:    3
* Total number of "concealed" subscribers:   2
"""
SYMPA = "Here are the subscribers of colleagues@lists.example.org:\n\n  ann@example.org\tAnn Example\n  ben@example.org\n\nTotal: 2\n"


def test_the_answer_of_listserv_to_review_is_read() -> None:
    found = read_roster(LISTSERV, list_address="colleagues@lists.example.org")
    assert [(member.address, member.name) for member in found.members] == [
        ("ann@example.org", "Ann Example"),
        ("ben@example.org", "Ben O'Example"),
        ("cleo@example.org", "No Name Available"),
    ]
    assert found.notes == ("2 members are concealed, so the list server did not name them.",)


def test_the_answer_of_sympa_is_read_without_the_list_itself() -> None:
    found = read_roster(SYMPA, list_address="colleagues@lists.example.org")
    assert found.members == (Member("ann@example.org", "Ann Example"), Member("ben@example.org"))


def test_a_person_whose_address_begins_like_the_lists_is_a_member() -> None:
    text = "sigrid@example.org Sigrid\nsig-request@example.org\nowner-sig@example.org\nsig@example.org\n"
    assert read_roster(text, list_address="sig@example.org").members == (Member("sigrid@example.org", "Sigrid"),)


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_table_is_read_by_its_headings(between: str) -> None:
    table = "Name,E-mail address,Status\nAnn,Ann@example.org,digest\n,ben@example.org,\n".replace(",", between)
    assert read_roster("\ufeff" + table).members == (
        Member("ann@example.org", "Ann", MemberStatus.DIGEST),
        Member("ben@example.org"),
    )


def test_who_is_named_twice_is_one_and_that_is_said() -> None:
    found = read_roster("address\nann@example.org\nANN@example.org\n")
    assert (len(found.members), found.notes) == (1, ("1 lines named somebody who was named before.",))


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "line 1", "No member was found in it."),
        ("nobody here\n", "line 1", "No member was found in it."),
        ("address,name\nann@example.org,Ann\nnot an address,Ben\n", "line 3", "'not an address' is no e-mail address."),
        ("address,status\nann@example.org,king\n", "line 2", "'king' is no status of a member."),
        ("a@example.org, b@example.org\n", "line 1", "There are several addresses on one line."),
        ('address\n"' + "x" * 200_000, "line 2", "The table cannot be read from here on."),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, where: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_roster(text)
    assert (refused.value.where, refused.value.message) == (where, message)


@pytest.mark.parametrize("local", ["=1+1", "+one", "-one", "'=1+1"])
def test_neither_a_name_nor_an_address_is_a_formula_in_a_spreadsheet(local: str) -> None:
    given_members = (Member(f"{local}@example.org", "=HYPERLINK(A1"),)
    (line,) = as_csv(given_members).splitlines()[1:]
    assert line.startswith(f"'{local}@example.org,'=HYPERLINK")
    assert read_roster(as_csv(given_members)).members == given_members


names = st.text(max_size=40)
members = st.builds(
    Member,
    st.from_regex(r"[a-z0-9]{1,20}@example\.(org|com)", fullmatch=True),
    st.sampled_from(["", "Ann Example", "Zoë Ωmega", 'Quoted "Name" Here', "Comma, Name"]),
    st.sampled_from(MemberStatus),
)


@given(st.lists(members, min_size=1, max_size=20, unique_by=lambda member: member.address))
def test_what_is_exported_can_be_imported_again(given_members: list[Member]) -> None:
    assert read_roster(as_csv(given_members)).members == tuple(given_members)


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    assert as_csv([Member("ann@example.org", "=1+1")]).splitlines()[1] == "ann@example.org,'=1+1,member"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Member, ...] = ()
    where = "line 0"
    try:
        found = read_roster(text).members
    except BadInput as bad:
        where = bad.where
    assert found or where.startswith("line ")


def test_a_sender_who_is_no_member_or_moderated_is_a_concern() -> None:
    assert "not among the list's members" in str(concern_about(None, count=3))
    assert "for a moderator" in str(concern_about(Member("a@example.org", "", MemberStatus.MODERATED), count=3))
    assert concern_about(Member("a@example.org", "", MemberStatus.NO_MAIL), count=3) is None
    assert concern_about(None, count=0) is None
