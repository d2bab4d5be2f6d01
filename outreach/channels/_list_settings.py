"""What the settings say of a list's mailboxes and of its server's interface."""

from outreach.mail.imap_mailbox import Account
from outreach.mail.mailman_rest import Rest
from outreach.settings import Settings


def mailbox_of(settings: Settings) -> Account | None:
    """Give the sender's own mailbox; None where none is read."""
    if not settings.IMAP_HOST:
        return None
    return Account(
        host=settings.IMAP_HOST,
        port=settings.imap_port,
        security=settings.IMAP_SECURITY,
        username=settings.IMAP_USERNAME,
        password=settings.IMAP_PASSWORD.get_secret_value(),
        folders=settings.imap_folders,
        timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
    )


def rest_of(settings: Settings) -> Rest | None:
    """Give the interface of a Mailman 3; None where there is none."""
    if not settings.MAILMAN_URL:
        return None
    password = settings.MAILMAN_PASSWORD.get_secret_value()
    return Rest(settings.MAILMAN_URL, settings.MAILMAN_USERNAME, password, settings.OUTREACH_HTTP_TIMEOUT_S)


def watcher_of(settings: Settings) -> Account | None:
    """Give the second mailbox, of somebody else on the list; None where none is read."""
    if not settings.WATCHER_HOST:
        return None
    return Account(
        host=settings.WATCHER_HOST,
        port=settings.watcher_port,
        security=settings.WATCHER_SECURITY,
        username=settings.WATCHER_USERNAME,
        password=settings.WATCHER_PASSWORD.get_secret_value(),
        folders=settings.watcher_folders,
        timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
    )
