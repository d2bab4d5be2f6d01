"""The settings: every default and every check in one place. Reads nothing itself: the values are handed over."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from outreach.model import BadInput
from outreach.settings_checks import half_filled, insecure, out_of_reach
from outreach.settings_checks import is_loopback as is_loopback
from outreach.weekly import Weekly, read_weekly
from outreach.when import check_zone

Security = Literal["starttls", "tls", "none"]
Joining = Literal["off", "form", "mail", "both"]
ListServer = Literal["auto", "listserv", "mailman", "sympa", "mlmmj", "other"]


_LOOK_DIGITS = 6  # eleven days
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_OR_NOTHING = "^({})?$"
_ADDRESS = re.compile(r"[!-+\--;=?-~]+@[!-+\--;=?-~]+")


def _folders(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")))


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


_IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
MAY_HOLD_A_PASSWORD = ("OUTREACH_DATABASE_URL",)
"""Settings that are no secrets by themselves, but may hold one."""


class Settings(BaseModel):
    """What an install is told from outside. Values that are empty count as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    OUTREACH_QUEUE: Path = Field(Path("./queue"), description="the queue folder: templates, inbox, media, the database")
    OUTREACH_DATABASE_URL: str = Field(
        "",
        repr=False,  # it may hold a password
        description="empty: SQLite in the queue folder; else sqlite:/// or postgresql://",
    )
    OUTREACH_COMMUNITY: str = Field("TMM SIG", min_length=1, description="the name of the community")
    OUTREACH_TIME_ZONE: str = Field("America/New_York", description="IANA zone in which times are meant")
    OUTREACH_BASE_URL: str = Field(
        "http://127.0.0.1:8000",
        description="the page's address as people open it, such as https://outreach.example.org behind a TLS proxy",
    )
    OUTREACH_SECRET_KEY: SecretStr = Field(
        SecretStr(""), description="a long random text; makes Message-IDs unguessable (empty: one is made and kept)"
    )
    OUTREACH_APPROVAL: Literal["", "off", "required"] = Field(
        "", description="off: single coordinator; required: four eyes; empty: as set on the page, at first off"
    )
    OUTREACH_PERSON: str = Field("", description="who acts, by e-mail address, where --as is not given")
    OUTREACH_GRACE_H: float = Field(
        6, gt=0, le=8760, description="hours after its time in which a post may still go out"
    )
    OUTREACH_LOOK_AFTER_S: str = Field(
        "30,120,300,900", description="when an unconfirmed post is looked for, in seconds"
    )
    OUTREACH_HTTP_TIMEOUT_S: float = Field(30, gt=0, le=600, description="how long one answer may take")
    OUTREACH_LEASE_S: float = Field(
        120, ge=1, le=86400, description="after this long without a sign a worker counts as gone"
    )
    OUTREACH_MAX_PER_HOUR: int = Field(
        20, ge=0, le=100_000, description="so many tries on one channel within an hour, then it rests (0: no cap)"
    )
    OUTREACH_MAX_PER_DAY: int | None = Field(
        None, ge=0, le=1_000_000, description="the same within a day (empty: five times the hourly cap; 0: no cap)"
    )
    OUTREACH_SPACING_S: float = Field(
        60, ge=0, le=86400, description="seconds between posts of one channel that are over 10 minutes late (0: none)"
    )
    OUTREACH_MAX_FAILURES: int = Field(
        10,
        ge=0,
        le=1000,
        description="after so many failed tries in a row a channel rests, longer each time (0: never)",
    )
    OUTREACH_ALERT_EMAIL: str = Field(
        "", description="who is told of trouble by mail; several addresses with commas between"
    )
    OUTREACH_ALERT_URLS: SecretStr = Field(
        SecretStr(""), description="further ways to tell, as Apprise URLs with spaces between (extra `more-channels`)"
    )
    OUTREACH_DIGEST: Literal["weekly", "off"] = Field(
        "weekly", description="weekly: on Mondays the alert addresses are told how things stand, also when all is well"
    )
    OUTREACH_WEEKLY_MAIL: str = Field(
        "",
        description="when the drafts that wait for it go to the lists in one mail, such as Friday 09:00 (empty: never)",
    )
    OUTREACH_PING_URL: SecretStr = Field(
        SecretStr(""), description="a monitor's address, asked every 30 s while all is well; its silence is the alarm"
    )
    OUTREACH_BACKUPS_KEPT: int = Field(
        7, ge=0, le=3660, description="how many nightly backups are kept in the queue folder; 0: none are made"
    )
    OUTREACH_BACKUP_PASSPHRASE: SecretStr = Field(
        SecretStr(""), description="encrypts the install secret into backups (empty: it is left out of them)"
    )
    FACEBOOK_GRAPH_URL: str = Field("https://graph.facebook.com", description="the Graph API server")
    FACEBOOK_GRAPH_VERSION: str = Field("v26.0", pattern=r"^v\d{1,3}\.\d$", description="the pinned version")
    FACEBOOK_PAGE_ID: str = Field("", pattern=r"^\d*$", description="the Page's number")
    FACEBOOK_PAGE_TOKEN: SecretStr = Field(SecretStr(""), description="a long-lived Page token")
    FACEBOOK_APP_ID: str = Field(
        "",
        pattern=r"^\d*$",
        description="the app's number: with the secret, the token's permissions and end are checked",
    )
    FACEBOOK_APP_SECRET: SecretStr = Field(SecretStr(""), description="the app's secret: when set, calls carry a proof")
    FACEBOOK_HAND_OVER_DAYS: float = Field(
        0,
        ge=0,
        le=28,
        description="so many days ahead posts are given to Facebook's own scheduler, which publishes them even if this machine sleeps (0: never)",
    )
    FACEBOOK_WEBHOOK_VERIFY_TOKEN: SecretStr = Field(
        SecretStr(""),
        description="a word of your own: Facebook then may tell what happens on the Page at /hooks/facebook (empty: off)",
    )
    LISTSERV_ADDRESS: str = Field("", description="the address that one mails to reach the list")
    LISTSERV_SENDER: str = Field("", description="the member's address the mail comes from; a display name is allowed")
    LISTSERV_SIZE_KB: float = Field(40, gt=0, le=1048576, description="the list's limit for a whole message")
    LISTSERV_MODERATED: bool = Field(
        False,
        description="true: a moderator looks at each mail first, so its copy may take 72 h to be seen, not 30 min",
    )
    LISTSERV_KIND: ListServer = Field(
        "auto", description="what the list runs on: auto, listserv, mailman, sympa, mlmmj or other (a repeat differs)"
    )
    LISTSERV_OWNER: str = Field(
        "",
        description="the list owner's address: as LISTSERV_SENDER, its members are changed by commands; another, by asking",
    )
    LISTSERV_JOINING: Joining = Field(
        "off",
        description="who may ask to join or leave: off; form: on a page of its own; mail: by a mail to us; both",
    )
    MAILMAN_URL: str = Field(
        "", description="Mailman's REST interface, such as http://127.0.0.1:8001 (empty: it is not asked)"
    )
    MAILMAN_USERNAME: str = Field("", description="its user, as Mailman's configuration names it")
    MAILMAN_PASSWORD: SecretStr = Field(SecretStr(""), description="its password")
    SMTP_HOST: str = Field("", description="the submission server of the sender's address")
    SMTP_PORT: int | None = Field(None, ge=1, le=65535, description="empty: 587 for starttls, 465 for tls, 25 for none")
    SMTP_SECURITY: Security = Field("starttls", description="starttls, tls, or none (only for this machine)")
    SMTP_USERNAME: str = Field("", description="empty: no log-in is tried")
    SMTP_PASSWORD: SecretStr = Field(SecretStr(""), description="its password")
    DKIM_DOMAIN: str = Field(
        "",
        pattern=_OR_NOTHING.format(rf"{_LABEL}(\.{_LABEL})+"),
        description="signs every mail for this domain, for who sends without a provider that signs (extra `dkim`)",
    )
    DKIM_SELECTOR: str = Field(
        "",
        pattern=_OR_NOTHING.format(rf"{_LABEL}(\.{_LABEL})*"),
        description="the name under which the domain's DNS has the public key",
    )
    DKIM_KEY_FILE: str = Field("", description="the private key: a PEM file, RSA or Ed25519, without a passphrase")
    IMAP_HOST: str = Field(
        "", description="the IMAP server of a member's mailbox, in which a mail in doubt is looked for"
    )
    IMAP_PORT: int | None = Field(None, ge=1, le=65535, description="empty: 993 for tls, 143 for starttls and none")
    IMAP_SECURITY: Security = Field("tls", description="tls, starttls, or none (only for this machine)")
    IMAP_USERNAME: str = Field("", description="the mailbox; it is read and never changed")
    IMAP_PASSWORD: SecretStr = Field(SecretStr(""), description="its password")
    IMAP_FOLDER: str = Field("INBOX", description="where to look; several with commas between, such as INBOX,Junk")
    WATCHER_HOST: str = Field(
        "", description="the IMAP server of a second member's mailbox, for a first one that never shows its own mails"
    )
    WATCHER_PORT: int | None = Field(None, ge=1, le=65535, description="as IMAP_PORT")
    WATCHER_SECURITY: Security = Field("tls", description="as IMAP_SECURITY")
    WATCHER_USERNAME: str = Field("", description="that mailbox; it is read and never changed")
    WATCHER_PASSWORD: SecretStr = Field(SecretStr(""), description="its password")
    WATCHER_FOLDER: str = Field("INBOX", description="as IMAP_FOLDER")
    OUTREACH_ALLOW_INSECURE: bool = Field(
        False, description="true: plain http, SMTP_SECURITY=none and IMAP_SECURITY=none beyond this machine"
    )

    @field_validator("OUTREACH_TIME_ZONE")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        try:
            return check_zone(value)
        except BadInput as bad:
            raise PydanticCustomError("zone", "{sentence}", {"sentence": f"{bad.message} {bad.next_step}"}) from None

    @field_validator("OUTREACH_LOOK_AFTER_S")
    @classmethod
    def _looks_grow(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",")]
        is_number = all(part.isdecimal() and len(part) <= _LOOK_DIGITS for part in parts)
        if not is_number or sorted({int(p) for p in parts}) != [int(p) for p in parts]:
            raise PydanticCustomError(
                "looks", "write growing whole seconds with commas between, such as 30,120,300,900"
            )
        return value

    @field_validator("OUTREACH_ALERT_EMAIL")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        if not all(_ADDRESS.fullmatch(address) for address in _addresses(value)):
            raise PydanticCustomError("addresses", "write addresses such as a@example.org, b@example.org")
        return value

    @field_validator("OUTREACH_PING_URL")
    @classmethod
    def _is_an_address_to_ask(cls, value: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(value.get_secret_value())
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if value.get_secret_value() and (not is_usable or parts.username or parts.password):
            raise PydanticCustomError("url", "write an address such as https://monitor.example.org/ping/…")
        return value

    @field_validator("OUTREACH_WEEKLY_MAIL")
    @classmethod
    def _is_a_time_of_the_week(cls, value: str) -> str:
        try:
            read_weekly(value)
        except BadInput:
            raise PydanticCustomError("weekly", "write a day and a time of the week, such as Friday 09:00") from None
        return value

    @field_validator("IMAP_FOLDER", "WATCHER_FOLDER")
    @classmethod
    def _are_folders(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if not all(name and name.isprintable() for name in names):
            raise PydanticCustomError("folders", "write names of folders with commas between, such as INBOX,Junk")
        return value

    @field_validator("LISTSERV_OWNER")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not _ADDRESS.fullmatch(value):
            raise PydanticCustomError("address", "write one address such as owner@example.org")
        return value

    @field_validator("FACEBOOK_GRAPH_URL", "OUTREACH_BASE_URL", "MAILMAN_URL")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets that do not close, a port that is no number
            is_usable = False
        if not is_usable or parts.query or parts.username or parts.password:
            raise PydanticCustomError("url", "write an address such as https://outreach.example.org")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _is_complete(self) -> "Settings":
        for complaint in (*half_filled(self), *insecure(self), *out_of_reach(self)):
            raise PydanticCustomError("half", "{sentence}", {"sentence": complaint})
        return self

    @property
    def is_sandbox(self) -> bool:
        """Tell whether nothing leaves this machine: the Page and the mail server are on it."""
        hosts = [self.FACEBOOK_GRAPH_URL.split("/")[2].split(":")[0], self.SMTP_HOST]
        return all(is_loopback(host) for host in hosts if host)

    @property
    def events_at(self) -> str:
        """Where the calendar files of events are, below the page's address; empty where nobody else could open it."""
        base = self.OUTREACH_BASE_URL.rstrip("/")
        is_reached = self.is_sandbox or not is_loopback(urlsplit(base).hostname or "")
        return f"{base}/events" if is_reached else ""

    @property
    def weekly_mail(self) -> Weekly | None:
        """When the weekly mail goes out; None where there is none."""
        return read_weekly(self.OUTREACH_WEEKLY_MAIL)

    @property
    def max_per_day(self) -> int:
        """The daily cap given, or five times the hourly one."""
        return 5 * self.OUTREACH_MAX_PER_HOUR if self.OUTREACH_MAX_PER_DAY is None else self.OUTREACH_MAX_PER_DAY

    @property
    def alert_addresses(self) -> tuple[str, ...]:
        """Who is told of trouble by mail."""
        return _addresses(self.OUTREACH_ALERT_EMAIL)

    @property
    def look_after_s(self) -> tuple[int, ...]:
        """When an unconfirmed post is looked for, in seconds after the doubt began, growing."""
        return tuple(int(part) for part in self.OUTREACH_LOOK_AFTER_S.split(","))

    @property
    def smtp_port(self) -> int:
        """The port given, or the one that goes with the security."""
        return self.SMTP_PORT or {"starttls": 587, "tls": 465, "none": 25}[self.SMTP_SECURITY]

    @property
    def imap_port(self) -> int:
        """The port given, or the one that goes with the security."""
        return self.IMAP_PORT or _IMAP_PORTS[self.IMAP_SECURITY]

    @property
    def imap_folders(self) -> tuple[str, ...]:
        """The folders to look into, each once, in the order given."""
        return _folders(self.IMAP_FOLDER)

    @property
    def watcher_port(self) -> int:
        """The port of the watcher, in the same way."""
        return self.WATCHER_PORT or _IMAP_PORTS[self.WATCHER_SECURITY]

    @property
    def watcher_folders(self) -> tuple[str, ...]:
        """The folders of the watcher, in the same way."""
        return _folders(self.WATCHER_FOLDER)

    @property
    def unseen_after(self) -> timedelta | None:
        """How long a list's copy may take to be seen; None where no mailbox is read, in which it could be."""
        if not (self.IMAP_HOST or self.WATCHER_HOST):
            return None
        return timedelta(hours=72) if self.LISTSERV_MODERATED else timedelta(minutes=30)

    def given_secrets(self) -> dict[str, str]:
        """Give the secrets that are set, by name: never to be shown, logged or kept."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        bare = {name: v.get_secret_value() for name, v in found.items() if isinstance(v, SecretStr)}
        bare |= {name: str(found[name]) for name in MAY_HOLD_A_PASSWORD}
        return {name: value for name, value in bare.items() if value}

    @property
    def database_url(self) -> str:
        """Where the database is: the one given, or `outreach.db` in the queue folder."""
        return self.OUTREACH_DATABASE_URL or f"sqlite:///{self.OUTREACH_QUEUE.absolute() / 'outreach.db'}"


def read_settings(given: Mapping[str, str | None]) -> Settings:
    """Check what was given; a value that is empty counts as not given, a name that is unknown is somebody else's.

    Raises `BadInput` that names the setting and what to write; a secret's value is never in it.
    """
    values = {name: value.strip() for name in Settings.model_fields if (value := given.get(name) or "").strip()}
    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as bad:
        first = bad.errors(include_url=False, include_input=False)[0]
        sentence = first["msg"]
        where = str(first["loc"][0]) if first["loc"] else sentence.partition(":")[0]
        message = sentence if first["loc"] else sentence.partition(": ")[2]
        raise BadInput(message[:1].upper() + message[1:].rstrip(".") + ".", where=where, next_step=_SEE) from None


_SEE = "See .env.example."
