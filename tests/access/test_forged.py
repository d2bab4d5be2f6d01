"""Requests that another site makes a browser send, and forms that were made for somebody else: nothing changes."""

import pytest
import requests

from outreach.roles import Role
from tests.access.conftest import PASSWORD, Build, Town
from tests.web.visitors import Guest, member


def renamed(town: Town, guest: Guest, headers: dict[str, str], *, name: str = "Eve") -> int:
    """Try to change the name of the guest; everything but the headers is right."""
    form = {"name": name, "form_token": guest.form_token()}
    answer = guest.web.post(
        f"{town.address}/account/name", data=form, headers=headers, timeout=30, allow_redirects=False
    )
    return answer.status_code


def name_of(town: Town) -> str:
    return town.house.access.people()[0].name


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "own"},
        {"Sec-Fetch-Site": "Same-Origin"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://[::1"},
        {"Origin": "own.evil.example"},
        {"Origin": "file://own"},
    ],
    ids=str,
)
def test_what_another_site_sends_changes_nothing(town: Town, headers: dict[str, str]) -> None:
    guest = member(town.house, town.address)
    host = town.address.partition("://")[2]
    told = {name: value.replace("own", town.address if value == "own" else host) for name, value in headers.items()}
    assert (renamed(town, guest, told), name_of(town)) == (403, "")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "own"}, {"Sec-Fetch-Site": "none"}], ids=str
)
def test_what_a_page_of_ours_sends_is_taken(town: Town, headers: dict[str, str]) -> None:
    guest = member(town.house, town.address)
    told = {name: value.replace("own", town.address) for name, value in headers.items()}
    assert (renamed(town, guest, told), name_of(town)) == (303, "Eve")


@pytest.mark.parametrize("path", ["/log-in", "/log-in/forgotten", "/log-in/code", "/links/x", "/nowhere"])
def test_another_site_cannot_log_anybody_in(town: Town, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert requests.post(town.address + path, data={}, headers=headers, timeout=30).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_another_method_is_no_way_round(town: Town, method: str) -> None:
    guest = member(town.house, town.address)
    answer = guest.web.request(
        method, f"{town.address}/account/name", headers={"Origin": "https://evil.example"}, timeout=15
    )
    assert answer.status_code == 403


def test_nothing_is_changed_by_a_get(town: Town) -> None:
    guest = member(town.house, town.address)
    answers = [guest.get(path).status_code for path in ("/log-out", "/account/name?name=Eve", "/people/1/close")]
    assert answers == [405, 405, 405]
    assert guest.get("/account").status_code == 200


def test_a_form_needs_its_own_token(town: Town) -> None:
    ann, ben = (member(town.house, town.address, email) for email in ("ann@example.org", "ben@example.org"))
    nobody = town.guest()
    nobody.get("/log-in")
    of_nobody = nobody.form_token()
    before = ann.form_token()
    ann_again = member(town.house, town.address)
    forged = [
        "",
        "forged",
        before[:-1],
        before.upper() if before.upper() != before else "x",
        ben.form_token(),
        of_nobody,
    ]
    forged.append(ann_again.form_token())  # the same person, another session

    answers = [ann.post("/account/name", name="Eve", form_token=token).status_code for token in forged]

    assert answers == [422] * len(forged)
    assert name_of(town) == ""


def test_a_file_is_no_form_token(town: Town) -> None:
    guest = member(town.house, town.address)
    files = {"form_token": ("x.txt", guest.form_token().encode())}
    answer = guest.web.post(f"{town.address}/account/name", files=files, data={"name": "Eve"}, timeout=30)
    assert (answer.status_code, name_of(town)) == (422, "")


def test_the_token_of_the_log_in_form_is_bound_to_the_browser(town: Town) -> None:
    town.resident()
    one, other = town.guest(), town.guest()
    one.get("/log-in")
    other.get("/log-in")
    answer = other.post(
        "/log-in", email="ann@example.org", password=PASSWORD, form_token=one.form_token(), follow=False
    )
    assert answer.status_code == 422


def test_a_cookie_that_somebody_chose_makes_no_token_of_a_session(town: Town) -> None:
    guest = member(town.house, town.address)
    visitor = town.house.access.visitor(guest.web.cookies["outreach"])
    assert visitor is not None
    eve = town.guest()
    eve.web.cookies.set("outreach-form", visitor.session or "")
    eve.get("/log-in")

    assert guest.post("/account/name", name="Eve", form_token=eve.form_token()).status_code == 422


def test_a_notice_that_was_not_written_here_is_not_shown(town: Town) -> None:
    guest = member(town.house, town.address)
    guest.web.cookies.set("notice", "0" * 32 + ".Call%20this%20number")
    assert "Call this number" not in guest.get("/more").text


def test_behind_tls_only_the_page_with_tls_is_ours(build_town: Build) -> None:
    town = build_town(OUTREACH_BASE_URL="https://outreach.example.org")
    statuses = {}
    for origin in ("http://outreach.example.org", "https://outreach.example.org", "https://outreach.example.org:444"):
        headers = {"Host": "outreach.example.org", "Origin": origin}
        statuses[origin] = requests.post(f"{town.address}/log-in", headers=headers, timeout=30).status_code
    assert list(statuses.values()) == [403, 422, 403]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("outreach.example.org", 200),
        ("outreach.example.org:8443", 200),
        ("OUTREACH.example.org", 200),
        ("evil.example", 400),
        ("www.outreach.example.org", 400),
        ("outreach.example.org.evil.example", 400),
        ("outreach.example.org@evil.example", 400),
        ("", 400),
    ],
)
def test_the_page_answers_under_its_own_names_only(build_town: Build, host: str, status: int) -> None:
    town = build_town(OUTREACH_BASE_URL="https://outreach.example.org")
    answer = requests.get(f"{town.address}/log-in", headers={"Host": host}, timeout=30, allow_redirects=False)
    assert answer.status_code == status


def test_other_peoples_things_cannot_be_touched(town: Town) -> None:
    ann, ben = (member(town.house, town.address, email) for email in ("ann@example.org", "ben@example.org"))
    visitor = town.house.access.visitor(ann.web.cookies["outreach"])
    assert visitor is not None
    town.house.access.new_token(visitor, name="a script", scopes=["read"])
    session = ann.get("/account").text.partition('name="session" value="')[2].partition('"')[0]

    answers = [
        ben.post("/account/tokens/1/revoke").status_code,
        ben.post("/account/sessions/end", session=session).status_code,
        ben.post("/account/sessions/end", session=visitor.session).status_code,
    ]

    assert answers == [422, 422, 422]
    assert town.house.access.tokens(visitor)[0].revoked_at is None
    assert ann.get("/account", allow_redirects=False).status_code == 200


def test_an_id_that_nobody_has_is_not_there(town: Town) -> None:
    guest = member(town.house, town.address, roles=frozenset({Role.ADMIN}))
    paths = ["/people/999", "/people/0", "/people/-1", "/people/x", "/people/99999999999999999999"]
    assert [guest.get(path).status_code for path in paths] == [404] * 5
    assert guest.post("/people/999/close").status_code == 404


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-16", "hex", '"UTF-7"'])
def test_a_form_in_an_odd_encoding_is_refused_before_it_is_read(town: Town, charset: str) -> None:
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    head = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n'
    body = head + b"aaaaaaaaaa-" + b"b" * 1_000_000 + b"\r\n--b--\r\n"
    answer = requests.post(f"{town.address}/log-in", data=body, headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body", [b"\x00\xff=%00%ff&email=%ED%A0%80", b"a" * 900_000, b"&" * 5000, b"=" * 5000, b"x=1&" * 5000]
)
def test_a_form_that_is_none_is_answered_plainly(town: Town, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/log-in", "/account/name", "/links/x"):
        guest = member(town.house, town.address) if path == "/account/name" else town.guest()
        answer = guest.web.post(town.address + path, data=body, headers=kind, timeout=30)
        assert answer.status_code in (400, 410, 422)
        assert "Traceback" not in answer.text


def test_a_megabyte_of_a_session_is_none(town: Town) -> None:
    for key in ("", "x" * 4000, "\u00ff", "a;b", "a b"):
        answer = requests.get(
            f"{town.address}/account", headers={"Cookie": f"outreach={key}".encode("latin-1")}, timeout=15
        )
        assert answer.url.endswith("/log-in?to=/account")
