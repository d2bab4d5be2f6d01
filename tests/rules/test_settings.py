"""The settings: every default, and every way in which what was given cannot be used."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from outreach.model import BadInput
from outreach.settings import Settings, is_loopback, read_settings

PAGE = {"FACEBOOK_PAGE_ID": "1234", "FACEBOOK_PAGE_TOKEN": "EAAB-token"}
LISTSERV = {
    "LISTSERV_ADDRESS": "sig@lists.example.org",
    "LISTSERV_SENDER": "Ann <ann@example.org>",
    "SMTP_HOST": "smtp.example.org",
}
LOGIN = {"SMTP_USERNAME": "ann", "SMTP_PASSWORD": "hunter2"}
SECRETS = {
    "OUTREACH_SECRET_KEY": "key-hush",
    "FACEBOOK_PAGE_TOKEN": "token-hush",
    "FACEBOOK_APP_SECRET": "app-hush",
    "SMTP_PASSWORD": "password-hush",
    "OUTREACH_PING_URL": "https://monitor.example.org/ping-hush",
    "OUTREACH_ALERT_URLS": "jsons://token-hush@example.org",
    "OUTREACH_DATABASE_URL": "postgresql://ann:db-hush@db.example.org/outreach",
}


def refusal(**given: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_settings(given)
    return caught.value


def test_nothing_given_is_a_single_coordinator_on_a_file_in_the_queue_folder() -> None:
    settings = read_settings({})

    assert str(settings.OUTREACH_QUEUE) == "queue"
    assert (settings.OUTREACH_COMMUNITY, settings.OUTREACH_TIME_ZONE) == ("TMM SIG", "America/New_York")
    assert (settings.OUTREACH_APPROVAL, settings.OUTREACH_GRACE_H) == ("", 6)
    assert settings.look_after_s == (30, 120, 300, 900)
    assert (settings.OUTREACH_HTTP_TIMEOUT_S, settings.OUTREACH_LEASE_S) == (30, 120)
    assert settings.FACEBOOK_GRAPH_URL == "https://graph.facebook.com"
    assert settings.FACEBOOK_PAGE_ID == settings.LISTSERV_ADDRESS == settings.SMTP_HOST == ""


@pytest.mark.parametrize("empty", ["", "   ", "\t"])
@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_value_that_is_empty_counts_as_not_given(name: str, empty: str) -> None:
    assert read_settings({name: empty}) == read_settings({})


def test_a_value_that_is_missing_counts_as_not_given() -> None:
    assert read_settings({"SMTP_PORT": None}) == read_settings({})


def test_names_that_are_somebody_elses_are_left_alone() -> None:
    assert read_settings({"PATH": "/bin", "OUTREACH_NOTHING": "x"}) == read_settings({})


def test_spaces_around_a_value_are_not_part_of_it() -> None:
    assert read_settings({"OUTREACH_COMMUNITY": "  Imaging SIG "}).OUTREACH_COMMUNITY == "Imaging SIG"


# Derived values


def test_the_database_is_a_file_in_the_queue_folder_unless_another_is_given() -> None:
    assert read_settings({"OUTREACH_QUEUE": "/srv/queue"}).database_url == "sqlite:////srv/queue/outreach.db"
    given = read_settings({"OUTREACH_DATABASE_URL": "postgresql://ann@db/outreach"})
    assert given.database_url == "postgresql://ann@db/outreach"


def test_the_file_is_named_by_its_whole_path_so_that_it_does_not_move_with_the_current_folder() -> None:
    assert read_settings({}).database_url == f"sqlite:///{Path.cwd()}/queue/outreach.db"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 587),
        ({"SMTP_SECURITY": "starttls"}, 587),
        ({"SMTP_SECURITY": "tls"}, 465),
        ({"SMTP_SECURITY": "none"}, 25),
        ({"SMTP_SECURITY": "tls", "SMTP_PORT": "2465"}, 2465),
    ],
)
def test_the_port_goes_with_the_security_unless_it_is_given(given: dict[str, str], expected: int) -> None:
    assert read_settings(given).smtp_port == expected


def test_the_looks_are_read_with_or_without_spaces() -> None:
    assert read_settings({"OUTREACH_LOOK_AFTER_S": "1, 2 ,30"}).look_after_s == (1, 2, 30)


# Half-filled groups


@pytest.mark.parametrize(
    ("given", "where", "message"),
    [
        (
            {"FACEBOOK_PAGE_ID": "1234"},
            "FACEBOOK_PAGE_TOKEN",
            "The Page is half filled: FACEBOOK_PAGE_TOKEN missing. Fill all or none.",
        ),
        (
            {"FACEBOOK_PAGE_TOKEN": "EAAB"},
            "FACEBOOK_PAGE_ID",
            "The Page is half filled: FACEBOOK_PAGE_ID missing. Fill all or none.",
        ),
        (
            {"LISTSERV_ADDRESS": "sig@lists.example.org"},
            "LISTSERV_SENDER",
            "The listserv is half filled: LISTSERV_SENDER and SMTP_HOST missing. Fill all or none.",
        ),
        (
            {"LISTSERV_SENDER": "ann@example.org", "SMTP_HOST": "smtp.example.org"},
            "LISTSERV_ADDRESS",
            "The listserv is half filled: LISTSERV_ADDRESS missing. Fill all or none.",
        ),
        (
            {"LISTSERV_ADDRESS": "sig@lists.example.org", "LISTSERV_SENDER": "ann@example.org"},
            "SMTP_HOST",
            "The listserv is half filled: SMTP_HOST missing. Fill all or none.",
        ),
        (
            LISTSERV | {"SMTP_USERNAME": "ann"},
            "SMTP_PASSWORD",
            "The SMTP log-in is half filled: SMTP_PASSWORD missing. Fill all or none.",
        ),
        (
            LISTSERV | {"SMTP_PASSWORD": "hunter2"},
            "SMTP_USERNAME",
            "The SMTP log-in is half filled: SMTP_USERNAME missing. Fill all or none.",
        ),
    ],
)
def test_a_group_that_is_half_filled_names_what_is_missing(given: dict[str, str], where: str, message: str) -> None:
    said = refusal(**given)

    assert (said.where, said.message, said.next_step) == (where, message, "See .env.example.")


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (PAGE, ""),
        (LISTSERV, "smtp.example.org"),
        (LISTSERV | LOGIN, "smtp.example.org"),
        (PAGE | LISTSERV, "smtp.example.org"),
        ({"SMTP_HOST": "smtp.example.org"}, "smtp.example.org"),
    ],
)
def test_a_group_that_is_filled_or_left_out_is_accepted(given: dict[str, str], host: str) -> None:
    settings = read_settings(given)

    assert host == settings.SMTP_HOST


# Nothing in the clear


@pytest.mark.parametrize("url", ["http://graph.example.org", "http://10.0.0.1:8080", "http://127.0.0.1.example.org"])
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    said = refusal(FACEBOOK_GRAPH_URL=url)

    assert (said.where, said.message) == (
        "FACEBOOK_GRAPH_URL",
        "Plain http would show the token to others. Write https.",
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000", "http://a.localhost"]
)
def test_plain_http_to_this_machine_is_accepted(url: str) -> None:
    settings = read_settings({"FACEBOOK_GRAPH_URL": url})

    assert url == settings.FACEBOOK_GRAPH_URL


@pytest.mark.parametrize("host", ["smtp.example.org", "10.0.0.1", "localhost.example.org"])
def test_mail_without_security_to_another_machine_is_refused(host: str) -> None:
    said = refusal(**LISTSERV | {"SMTP_HOST": host, "SMTP_SECURITY": "none"})

    assert said.where == "SMTP_SECURITY"
    assert said.message == "None would show the mail and the password to others. Write starttls or tls."


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1"])
def test_mail_without_security_to_this_machine_is_accepted(host: str) -> None:
    given = LISTSERV | {"SMTP_HOST": host, "SMTP_SECURITY": "none"}

    assert read_settings(given).SMTP_SECURITY == "none"


def test_who_insists_may_speak_in_the_clear() -> None:
    given = LISTSERV | {"SMTP_SECURITY": "none", "FACEBOOK_GRAPH_URL": "http://graph.example.org"}

    assert read_settings(given | {"OUTREACH_ALLOW_INSECURE": "true"}).SMTP_SECURITY == "none"
    assert refusal(**given, OUTREACH_ALLOW_INSECURE="false").where == "FACEBOOK_GRAPH_URL"


@pytest.mark.parametrize("host", ["", "example.org", "128.0.0.1", "127.0.0.1.nip.io", "notlocalhost", "0.0.0.0", "::2"])
def test_another_machine_is_not_taken_for_this_one(host: str) -> None:
    assert is_loopback(host) is False


# Wrong values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTREACH_TIME_ZONE", "Mars/Olympus"),
        ("OUTREACH_TIME_ZONE", "../etc/passwd"),
        ("OUTREACH_APPROVAL", "maybe"),
        ("OUTREACH_GRACE_H", "0"),
        ("OUTREACH_GRACE_H", "-1"),
        ("OUTREACH_GRACE_H", "six"),
        ("OUTREACH_GRACE_H", "nan"),
        ("OUTREACH_GRACE_H", "inf"),
        ("OUTREACH_GRACE_H", "8761"),
        ("OUTREACH_HTTP_TIMEOUT_S", "0"),
        ("OUTREACH_HTTP_TIMEOUT_S", "nan"),
        ("OUTREACH_LEASE_S", "0.5"),
        ("OUTREACH_LEASE_S", "nan"),
        ("OUTREACH_LOOK_AFTER_S", "120,30"),
        ("OUTREACH_LOOK_AFTER_S", "30,30"),
        ("OUTREACH_LOOK_AFTER_S", "30,"),
        ("OUTREACH_LOOK_AFTER_S", "-30,60"),
        ("OUTREACH_LOOK_AFTER_S", "1.5"),
        ("OUTREACH_LOOK_AFTER_S", "30,99999999999999999999"),
        ("FACEBOOK_GRAPH_URL", "graph.facebook.com"),
        ("FACEBOOK_GRAPH_URL", "ftp://graph.facebook.com"),
        ("FACEBOOK_GRAPH_URL", "https://"),
        ("FACEBOOK_GRAPH_URL", "https://graph.facebook.com?a=b"),
        ("FACEBOOK_GRAPH_URL", "https://ann:hunter2@graph.facebook.com"),
        ("FACEBOOK_GRAPH_URL", "https://[graph"),
        ("FACEBOOK_GRAPH_URL", "https://graph.facebook.com:port"),
        ("FACEBOOK_GRAPH_VERSION", "26"),
        ("FACEBOOK_GRAPH_VERSION", "v26.0/../me"),
        ("FACEBOOK_PAGE_ID", "my.page"),
        ("FACEBOOK_PAGE_ID", "1/feed"),
        ("LISTSERV_SIZE_KB", "0"),
        ("SMTP_PORT", "0"),
        ("SMTP_PORT", "65536"),
        ("SMTP_PORT", "smtp"),
        ("SMTP_SECURITY", "ssl"),
        ("OUTREACH_ALLOW_INSECURE", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_its_setting_named(name: str, value: str) -> None:
    said = refusal(**{name: value})

    assert said.where == name
    assert said.message.endswith(".")
    assert "\n" not in str(said)


def test_a_zone_that_is_almost_right_is_refused_with_the_right_one() -> None:
    assert "America/New_York" in refusal(OUTREACH_TIME_ZONE="America/New York").message


def test_an_address_is_kept_without_the_slash_at_its_end() -> None:
    given = {"FACEBOOK_GRAPH_URL": "https://graph.facebook.com/"}

    assert read_settings(given).FACEBOOK_GRAPH_URL == "https://graph.facebook.com"


# Secrets


def test_no_secret_is_shown_by_the_settings() -> None:
    settings = read_settings(PAGE | LISTSERV | LOGIN | SECRETS)

    assert "hush" not in repr(settings) + str(settings) + f"{settings}"
    assert settings.FACEBOOK_PAGE_TOKEN.get_secret_value() == "token-hush"


@pytest.mark.parametrize(
    "wrong",
    [{"SMTP_PORT": "x"}, {"FACEBOOK_GRAPH_URL": "http://graph.example.org"}, {"FACEBOOK_PAGE_ID": ""}],
)
def test_no_secret_is_shown_by_a_refusal(wrong: dict[str, str]) -> None:
    said = refusal(**PAGE | LISTSERV | LOGIN | SECRETS | wrong)

    assert "hush" not in str(said) + repr(said)


def test_no_secret_is_shown_by_what_pydantic_itself_says() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"FACEBOOK_PAGE_TOKEN": "token-hush"})

    assert "hush" not in str(caught.value)


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        read_settings({}).OUTREACH_GRACE_H = 24


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTREACH_ALERT_EMAIL", "nobody"),
        ("OUTREACH_ALERT_EMAIL", "a@example.org; b@example.org <x"),
        ("OUTREACH_DIGEST", "daily"),
        ("OUTREACH_PING_URL", "monitor.example.org/ping"),
        ("OUTREACH_PING_URL", "https://ann:pw@monitor.example.org/ping"),
        ("OUTREACH_PING_URL", "http://monitor.example.org/ping"),
    ],
)
def test_a_way_to_tell_trouble_that_cannot_be_used_is_refused_without_its_value(name: str, value: str) -> None:
    bad = refusal(**{name: value, "SMTP_HOST": "smtp.example.org"})
    assert bad.where == name
    assert name != "OUTREACH_PING_URL" or "ping" not in bad.message.replace("example.org/ping", "")


def test_mail_about_trouble_needs_a_server() -> None:
    assert "SMTP_HOST" in str(refusal(OUTREACH_ALERT_EMAIL="ann@example.org"))


def test_alert_addresses_are_told_once_each() -> None:
    given = {
        "OUTREACH_ALERT_EMAIL": "ann@example.org, bob@example.org,ann@example.org",
        "SMTP_HOST": "smtp.example.org",
    }
    assert read_settings(given).alert_addresses == ("ann@example.org", "bob@example.org")


def test_a_monitor_on_this_machine_may_be_asked_in_the_clear() -> None:
    read_settings({"OUTREACH_PING_URL": "http://127.0.0.1:8000/ping"})
