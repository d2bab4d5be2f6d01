"""What a channel publishes with, as one text: when it changes, a pause that the old settings caused is over."""

import json

from pydantic import SecretStr

from outreach.channels import Channel, kinds
from outreach.channels._page_key import PageKey
from outreach.settings import Settings


def config_of(channel: Channel, settings: Settings, key: PageKey | None = None) -> str:
    """Give what the channel publishes with: its own settings and those, such as SMTP_*, that belong to no one channel.

    A Page that was connected stands beside them.

    When this changes, a pause that the old settings caused is over; nothing else may end it. So what only serves to look
    for a mail, to sign it, or to say what a repeat does, is no part of it.
    """
    others = [f"{kind.usual_name.upper()}_" for kind in kinds().values() if kind.usual_name != channel.usual_name]
    found = {name: value for name, value in settings if not name.startswith((*_NOT_TO_PUBLISH_WITH, *others))}
    told = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value) for name, value in found.items()
    }
    return json.dumps(told | ({"connected": [key.page_id, key.token]} if key else {}))


_NOT_TO_PUBLISH_WITH = (
    "OUTREACH_",
    "FACEBOOK_WEBHOOK_",
    "IMAP_",
    "WATCHER_",
    "LISTSERV_KIND",
    "LISTSERV_MODERATED",
    "LISTSERV_OWNER",
    "LISTSERV_JOINING",
    "MAILMAN_",
    "DKIM_",
)
