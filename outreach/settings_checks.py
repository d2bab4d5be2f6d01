"""What settings have to be together: whole groups, and nothing that shows a secret to others on its way."""

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from outreach.settings import Settings


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself."""
    if f".{host.lower()}".endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def half_filled(of: "Settings") -> list[str]:
    """Name each group of settings of which some are given and some are not."""
    complaints = _without_secret(of)
    page = {
        "FACEBOOK_PAGE_ID": of.FACEBOOK_PAGE_ID,
        "FACEBOOK_PAGE_TOKEN": of.FACEBOOK_PAGE_TOKEN.get_secret_value(),
    }
    listserv = {
        "LISTSERV_ADDRESS": of.LISTSERV_ADDRESS,
        "LISTSERV_SENDER": of.LISTSERV_SENDER,
        "SMTP_HOST": of.SMTP_HOST,
    }
    login = {"SMTP_USERNAME": of.SMTP_USERNAME, "SMTP_PASSWORD": of.SMTP_PASSWORD.get_secret_value()}
    mailbox = {
        "IMAP_HOST": of.IMAP_HOST,
        "IMAP_USERNAME": of.IMAP_USERNAME,
        "IMAP_PASSWORD": of.IMAP_PASSWORD.get_secret_value(),
    }
    watcher = {
        "WATCHER_HOST": of.WATCHER_HOST,
        "WATCHER_USERNAME": of.WATCHER_USERNAME,
        "WATCHER_PASSWORD": of.WATCHER_PASSWORD.get_secret_value(),
    }
    mailman = {
        "MAILMAN_URL": of.MAILMAN_URL,
        "MAILMAN_USERNAME": of.MAILMAN_USERNAME,
        "MAILMAN_PASSWORD": of.MAILMAN_PASSWORD.get_secret_value(),
    }
    dkim = {"DKIM_DOMAIN": of.DKIM_DOMAIN, "DKIM_SELECTOR": of.DKIM_SELECTOR, "DKIM_KEY_FILE": of.DKIM_KEY_FILE}
    groups = [
        ("DKIM", dkim),
        ("Mailman", mailman),
        ("the Page", page),
        ("the SMTP log-in", login),
        ("the mailbox", mailbox),
        ("the watcher", watcher),
    ]
    if of.LISTSERV_ADDRESS or of.LISTSERV_SENDER:
        groups.append(("the listserv", listserv))
    if of.OUTREACH_ALERT_EMAIL:
        groups.append(("the mail about trouble", {"OUTREACH_ALERT_EMAIL": "given", "SMTP_HOST": of.SMTP_HOST}))
    for what, group in groups:
        missing = [name for name, value in group.items() if not value]
        if missing and len(missing) < len(group):
            complaints.append(
                f"{missing[0]}: {what} is half filled: {' and '.join(missing)} missing. Fill all or none."
            )
    return complaints


def _without_secret(of: "Settings") -> list[str]:
    if not of.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value() or of.FACEBOOK_APP_SECRET.get_secret_value():
        return []
    return ["FACEBOOK_APP_SECRET: without it nobody can tell who sends to the webhook. Fill it in, too."]


def insecure(of: "Settings") -> list[str]:
    """Name what would show a secret to others on the way."""
    if of.OUTREACH_ALLOW_INSECURE:
        return []
    complaints = []
    graph = urlsplit(of.FACEBOOK_GRAPH_URL)
    if graph.scheme == "http" and not is_loopback(graph.hostname or ""):
        complaints.append("FACEBOOK_GRAPH_URL: plain http would show the token to others. Write https.")
    page = urlsplit(of.OUTREACH_BASE_URL)
    if page.scheme == "http" and not is_loopback(page.hostname or ""):
        complaints.append("OUTREACH_BASE_URL: plain http would show passwords to others. Write https.")
    mailman = urlsplit(of.MAILMAN_URL)
    if mailman.scheme == "http" and not is_loopback(mailman.hostname or ""):
        complaints.append("MAILMAN_URL: plain http would show the password to others. Write https.")
    ping = urlsplit(of.OUTREACH_PING_URL.get_secret_value())
    if ping.scheme == "http" and not is_loopback(ping.hostname or ""):
        complaints.append("OUTREACH_PING_URL: plain http would show the address to others. Write https.")
    if of.SMTP_HOST and of.SMTP_SECURITY == "none" and not is_loopback(of.SMTP_HOST):
        complaints.append("SMTP_SECURITY: none would show the mail and the password to others. Write starttls or tls.")
    if of.IMAP_HOST and of.IMAP_SECURITY == "none" and not is_loopback(of.IMAP_HOST):
        complaints.append("IMAP_SECURITY: none would show the mailbox and its password to others. Write tls.")
    if of.WATCHER_HOST and of.WATCHER_SECURITY == "none" and not is_loopback(of.WATCHER_HOST):
        complaints.append("WATCHER_SECURITY: none would show the mailbox and its password to others. Write tls.")
    return complaints


def out_of_reach(of: "Settings") -> list[str]:
    """Name what sends people to a place that they cannot reach."""
    here = is_loopback(urlsplit(of.OUTREACH_BASE_URL).hostname or "")
    if of.LISTSERV_JOINING == "off" or not here or of.is_sandbox:
        return []
    return [
        "OUTREACH_BASE_URL: who asks to join is mailed a link, and nobody else can open one to this machine."
        " Write the page's address as people open it, or LISTSERV_JOINING=off."
    ]
