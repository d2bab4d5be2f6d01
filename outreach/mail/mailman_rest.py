"""GNU Mailman's REST interface: who is on a list, adding and removing, and deciding about a post that it holds.

By `mailmanclient`. Mailman answers REST on its own machine or to hosts it trusts only, so few installs have it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.policy import compat32
from typing import Any
from urllib.error import HTTPError

from outreach.model import BadInput, Outcome, Published, Refused, Unauthorized, Unavailable
from outreach.roster import MOST_MEMBERS, Member, MemberStatus, Roster, tidy_name

_PER_PAGE = 500
_CONFLICT, _MISSING, _NOT_LET_IN = 409, 404, (401, 403)


@dataclass(frozen=True, slots=True)
class Rest:
    """Where Mailman's REST interface is, and who may ask it."""

    url: str
    username: str
    password: str = field(repr=False)
    timeout_s: float = 30

    def list_of(self, address: str) -> Any:
        """Open a list. Raises what `mailmanclient` raises."""
        from mailmanclient import Client  # start-up time: few installs use it

        base = self.url if self.url.rstrip("/").endswith(("/3.0", "/3.1")) else f"{self.url.rstrip('/')}/3.1"
        return Client(base, self.username, self.password, request_hooks=[self._bound]).get_list(address)

    def _bound(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let no question wait for ever, and none follow a redirect with the password."""
        return {**request, "timeout": self.timeout_s, "allow_redirects": False}


def add(rest: Rest, list_address: str, address: str, name: str) -> Outcome:
    """Put somebody on a list who has consented and was accepted; Mailman welcomes them by its own mail.

    One who is there already counts as done.
    """

    def subscribe() -> None:
        given = dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), True)
        try:
            rest.list_of(list_address).subscribe(address, display_name=name or None, **given)
        except HTTPError as no:
            if no.code != _CONFLICT:
                raise

    return _outcome(subscribe)


def remove(rest: Rest, list_address: str, address: str) -> Outcome:
    """Take somebody off a list; one who is not there counts as done."""

    def unsubscribe() -> None:
        opened = rest.list_of(list_address)
        try:
            opened.unsubscribe(address, pre_confirmed=True, pre_approved=True)
        except ValueError:  # it stands for any trouble there
            if len(list(opened.find_members(address=address, role="member"))):
                raise

    return _outcome(unsubscribe)


def roster(rest: Rest, list_address: str) -> Roster:
    """Read who is on a list. Raises `BadInput` where Mailman cannot be asked."""
    with _as_bad_input():
        opened = rest.list_of(list_address)
        found: list[Member] = []
        for number in range(1, MOST_MEMBERS // _PER_PAGE + 1):
            members = list(opened.get_member_page(count=_PER_PAGE, page=number))
            found += [_member(each) for each in members]
            if len(members) < _PER_PAGE:
                break
    return Roster(tuple(sorted(found, key=lambda member: member.address)))


def _member(each: Any) -> Member:
    status = MemberStatus.MEMBER
    if getattr(each, "delivery_mode", "regular") != "regular":
        status = MemberStatus.DIGEST
    if getattr(each, "moderation_action", None) in ("hold", "reject", "discard"):
        status = MemberStatus.MODERATED
    return Member(str(each.email).lower(), tidy_name(str(getattr(each, "display_name", "") or "")), status)


def decide(rest: Rest, list_address: str, message_id: str, action: str, why: str = "") -> Outcome:
    """Let a held post through (`accept`) or refuse it (`reject`), found by its Message-ID; `why` is told to its sender."""

    def moderate() -> None:
        opened = rest.list_of(list_address)
        held = next((each for each in opened.held if _is(each, message_id)), None)
        if held is None:
            raise BadInput("The list does not hold it.", next_step="Look at how it stands now.")
        given = {"comment": why} if why else {}
        opened.moderate_message(held.request_id, action, **given)

    return _outcome(moderate)


def _is(held: Any, message_id: str) -> bool:
    """Tell whether a held post is ours: Mailman shows its id without brackets, and its whole text."""
    shown = str(getattr(held, "message_id", "") or "")
    head = message_from_string(str(getattr(held, "msg", "") or "")[:20_000], policy=compat32)
    return message_id.strip("<>") in (shown.strip("<>"), str(head.get("Message-ID", "")).strip().strip("<>"))


def _outcome(work: Callable[[], None]) -> Outcome:
    from mailmanclient import MailmanConnectionError  # start-up time

    try:
        work()
    except BadInput as bad:
        return Refused(bad.message)
    except HTTPError as no:
        if no.code in _NOT_LET_IN:
            return Unauthorized("Mailman does not let us in: check MAILMAN_USERNAME and MAILMAN_PASSWORD.")
        if no.code >= 500:
            return Unavailable(f"Mailman answered with {no.code}.")
        return Refused(_said(no))
    except (MailmanConnectionError, OSError):
        return Unavailable("Mailman's REST interface does not answer (MAILMAN_URL).")
    except (ValueError, KeyError, AttributeError, TypeError):
        return Unavailable("Mailman's REST interface answered in a way that cannot be read.")
    return Published(remote_id="done")


def _said(no: HTTPError) -> str:
    reason = no.reason if isinstance(no.reason, str) else no.reason.decode("utf-8", "replace") if no.reason else ""
    return f"Mailman refused it with {no.code}: {' '.join(str(reason).split())[:200]}"


@contextmanager
def _as_bad_input() -> Iterator[None]:
    from mailmanclient import MailmanConnectionError  # start-up time

    step = "Check MAILMAN_URL, MAILMAN_USERNAME and MAILMAN_PASSWORD."
    try:
        yield
    except HTTPError as no:
        told = "Mailman knows no such list." if no.code == _MISSING else f"Mailman answered with {no.code}."
        raise BadInput(told, where="MAILMAN_URL", next_step=step) from None
    except (MailmanConnectionError, OSError, ValueError, KeyError, AttributeError, TypeError):
        told = "Mailman's REST interface cannot be asked."
        raise BadInput(told, where="MAILMAN_URL", next_step=step) from None
