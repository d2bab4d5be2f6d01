"""Looking for the list's copy of a mail in a member's mailbox. It can prove that a mail went out, never that it did not."""

from outreach.mail import imap_mailbox, sightings
from outreach.mail.imap_mailbox import Account, Look
from outreach.mail.sightings import Copy, ListMail, Sighting
from outreach.model import Candidate, CannotTell, Finding, Found, Problem


def find(account: Account, wanted: ListMail) -> Finding:
    """Look once. What is not there tells nothing: many mailboxes never show the list's copy of one's own mail."""
    look = imap_mailbox.look_for(account, wanted.message_id)
    distributed = [copy for copy in look.copies if _proof(copy, wanted) is Sighting.DISTRIBUTED]
    if distributed:
        return _found(account, sightings.different(distributed), wanted)
    has_own = any(_proof(copy, wanted) is Sighting.OWN_COPY for copy in look.copies)
    return CannotTell(f"{_what_was_seen(account, look, has_own=has_own)}. {_what_to_do(wanted)}")


def _proof(copy: Copy, wanted: ListMail) -> Sighting:
    return sightings.what_it_proves(sightings.read_head(copy.head), wanted)


def _found(account: Account, copies: list[Copy], wanted: ListMail) -> Found:
    first = copies[0]
    head = sightings.read_head(first.head)
    url = sightings.archive_address(head)
    evidence = {
        "mailbox": account.username,
        "folder": first.folder,
        "uid_validity": first.uid_validity,
        "uid": first.uid,
        "marks of the list": list(sightings.list_marks(head, wanted.list_address)),
        "copies": len(copies),
    }
    return Found(tuple(Candidate(wanted.message_id, url, copy.received_at) for copy in copies), evidence)


def _what_was_seen(account: Account, look: Look, *, has_own: bool) -> str:
    told = []
    if look.folders:
        seen = "only the sent mail itself" if has_own else "no copy from the list"
        where = f"in {' or '.join(look.folders)} of {account.username}"
        told.append(
            f"{seen} is {where}, which proves nothing: many mailboxes never show a list's copy of one's own mail"
        )
    if look.missing:
        told.append(f"there is no folder {' or '.join(look.missing)}")
    if look.trouble:
        told.append(f"the mailbox could not be read: {look.trouble.why}")
    return "; ".join(told)


def _what_to_do(wanted: ListMail) -> str:
    return f"Look in the list's archive, or ask another member, for {wanted.message_id}"


def problems(account: Account) -> list[Problem]:
    """Log in and open the folders; name what would keep a mail in doubt from being looked for."""
    look = imap_mailbox.rehearse(account)
    found = [
        Problem(f"The mailbox {account.username} has no folder {name!r}.", "Check IMAP_FOLDER.")
        for name in look.missing
    ]
    if look.trouble:
        why = f"The mailbox {account.username} at {account.host} could not be read: {look.trouble.why}."
        found.append(Problem(why, look.trouble.next_step))
    return found
