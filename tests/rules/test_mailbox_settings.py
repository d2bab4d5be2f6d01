"""The settings of the mailbox in which mails in doubt are looked for, and of what the list runs on."""

import pytest

from outreach.model import BadInput
from outreach.settings import read_settings

MAILBOX = {"IMAP_HOST": "imap.example.org", "IMAP_USERNAME": "ann@example.org", "IMAP_PASSWORD": "hush"}


def refusal(**given: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_settings(given)
    return caught.value


def test_nothing_given_is_no_mailbox() -> None:
    settings = read_settings({})
    assert (settings.IMAP_HOST, settings.IMAP_SECURITY, settings.imap_folders) == ("", "tls", ("INBOX",))
    assert settings.LISTSERV_KIND == "auto"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 993),
        ({"IMAP_SECURITY": "tls"}, 993),
        ({"IMAP_SECURITY": "starttls"}, 143),
        ({"IMAP_SECURITY": "none"}, 143),
        ({"IMAP_SECURITY": "none", "IMAP_PORT": "1143"}, 1143),
    ],
)
def test_the_port_goes_with_the_security_unless_it_is_given(given: dict[str, str], expected: int) -> None:
    assert read_settings(given).imap_port == expected


def test_folders_are_read_with_or_without_spaces_each_once() -> None:
    assert read_settings({"IMAP_FOLDER": "INBOX, [Gmail]/All Mail ,INBOX"}).imap_folders == (
        "INBOX",
        "[Gmail]/All Mail",
    )


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (["IMAP_HOST"], "IMAP_HOST"),
        (["IMAP_USERNAME"], "IMAP_USERNAME"),
        (["IMAP_PASSWORD"], "IMAP_PASSWORD"),
        (["IMAP_USERNAME", "IMAP_PASSWORD"], "IMAP_USERNAME and IMAP_PASSWORD"),
    ],
)
def test_a_mailbox_that_is_half_filled_names_what_is_missing(missing: list[str], words: str) -> None:
    said = refusal(**{name: value for name, value in MAILBOX.items() if name not in missing})
    assert said.where == missing[0]
    assert said.message == f"The mailbox is half filled: {words} missing. Fill all or none."


@pytest.mark.parametrize("host", ["imap.example.org", "10.0.0.1", "localhost.example.org"])
def test_a_mailbox_without_security_on_another_machine_is_refused(host: str) -> None:
    said = refusal(**MAILBOX | {"IMAP_HOST": host, "IMAP_SECURITY": "none"})
    assert said.where == "IMAP_SECURITY"
    assert said.message == "None would show the mailbox and its password to others. Write tls."


def test_a_mailbox_without_security_is_for_this_machine_and_for_who_insists() -> None:
    here = MAILBOX | {"IMAP_HOST": "127.0.0.1", "IMAP_SECURITY": "none"}
    assert read_settings(here).IMAP_SECURITY == "none"
    there = MAILBOX | {"IMAP_SECURITY": "none", "OUTREACH_ALLOW_INSECURE": "true"}
    assert read_settings(there).IMAP_HOST == "imap.example.org"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMAP_PORT", "0"),
        ("IMAP_PORT", "imap"),
        ("IMAP_SECURITY", "ssl"),
        ("IMAP_FOLDER", "INBOX,"),
        ("IMAP_FOLDER", ","),
        ("IMAP_FOLDER", "IN\rBOX"),
        ("LISTSERV_KIND", "majordomo"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_its_setting_named(name: str, value: str) -> None:
    assert refusal(**{name: value}).where == name


def test_the_password_is_never_shown() -> None:
    assert "hush" not in repr(read_settings(MAILBOX))
    assert "hush" not in str(refusal(**MAILBOX | {"IMAP_PORT": "x"}))


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"LISTSERV_JOINING": "form"}, "OUTREACH_BASE_URL"),
        ({"LISTSERV_JOINING": "nobody"}, "LISTSERV_JOINING"),
        ({"LISTSERV_OWNER": "the boss"}, "LISTSERV_OWNER"),
        ({"MAILMAN_URL": "http://127.0.0.1:8001"}, "MAILMAN_USERNAME"),
        (
            {
                "MAILMAN_URL": "http://lists.example.org:8001",
                "MAILMAN_USERNAME": "a",
                "MAILMAN_PASSWORD": "secret-word",
            },
            "MAILMAN_URL",
        ),
    ],
)
def test_what_members_need_is_checked_at_the_start(given: dict[str, str], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_settings(given)
    assert refused.value.where == where
    assert "secret-word" not in str(refused.value)


def test_who_asks_to_join_may_be_mailed_a_link_where_people_can_open_it() -> None:
    settings = read_settings({"LISTSERV_JOINING": "form", "OUTREACH_BASE_URL": "https://outreach.example.org"})
    assert settings.LISTSERV_JOINING == "form"
