"""What people do: queue, look, approve, pause, cancel, requeue, confirm. Every door leads here."""

from outreach.desk.acting import Acting
from outreach.desk.approving import Approving
from outreach.desk.looking import HOW_TO_SET_UP, Changed, Preview
from outreach.desk.queueing import Added, AlreadyQueued
from outreach.desk.seeing import ChangedSince, Seen
from outreach.desk.watching import Story, Told, Upcoming, Watching
from outreach.desk.writing import ChangedMeanwhile, Place, Saved, Writing
from outreach.store.announcements import Author

__all__ = [
    "HOW_TO_SET_UP",
    "Added",
    "AlreadyQueued",
    "Author",
    "Changed",
    "ChangedMeanwhile",
    "ChangedSince",
    "Desk",
    "Place",
    "Preview",
    "Saved",
    "Seen",
    "Story",
    "Told",
    "Upcoming",
]


class Desk(Writing, Approving, Acting, Watching):
    """The verbs of one community. `on_queued` is called after something new may be due."""
