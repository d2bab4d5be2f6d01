"""What people do: queue, look, approve, pause, cancel, requeue, confirm. Every door leads here."""

from outreach.desk.acting import Acting
from outreach.desk.approving import Approving
from outreach.desk.looking import HOW_TO_SET_UP, Changed, Preview
from outreach.desk.looking_back import Look, LookingBack
from outreach.desk.queueing import Added, AlreadyQueued
from outreach.desk.writing import ChangedMeanwhile, Place, Saved, Writing
from outreach.store.announcements import Author

__all__ = [
    "HOW_TO_SET_UP",
    "Added",
    "AlreadyQueued",
    "Author",
    "Changed",
    "ChangedMeanwhile",
    "Desk",
    "Look",
    "Place",
    "Preview",
    "Saved",
]


class Desk(Writing, Approving, Acting, LookingBack):
    """The verbs of one community. `on_queued` is called after something new may be due."""
