"""What the settings say, as a page may show it: of a secret only whether it is set, never a part of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from outreach.settings import MAY_HOLD_A_PASSWORD, Settings

SET, NOT_SET = "set", "not set"
_OF_KINDS = {
    "facebook_page": ("FACEBOOK_",),
    "listserv": ("LISTSERV_", "MAILMAN_", "SMTP_", "DKIM_", "IMAP_", "WATCHER_"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: `shown` is its value, or of a secret whether it is set; `is_given` tells it from a default.

    `since` is when this install first saw a secret as it is.
    """

    name: str
    about: str
    shown: str
    is_secret: bool
    is_given: bool
    since: datetime | None = None


def lines(settings: Settings, since: Mapping[str, datetime], prefixes: Sequence[str] = ("",)) -> list[Line]:
    """Lay out every setting whose name begins so, in the order in which they are declared."""
    return [_line(settings, name, since) for name in Settings.model_fields if name.startswith(tuple(prefixes))]


def of_kind(settings: Settings, since: Mapping[str, datetime], kind: str) -> list[Line]:
    """Lay out the settings that a kind of channel is set up by."""
    return lines(settings, since, _OF_KINDS[kind]) if kind in _OF_KINDS else []


def _line(settings: Settings, name: str, since: Mapping[str, datetime]) -> Line:
    value = getattr(settings, name)
    is_secret = isinstance(value, SecretStr) or name in MAY_HOLD_A_PASSWORD
    bare = value.get_secret_value() if isinstance(value, SecretStr) else value
    shown = (SET if bare else NOT_SET) if is_secret else _plain(bare)
    about = Settings.model_fields[name].description or ""
    return Line(name, about, shown, is_secret, name in settings.model_fields_set, since.get(name))


def _plain(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
