"""What people do: queue, look, approve, pause, cancel, requeue, confirm. Every door leads here."""

from outreach.desk.acting import Acting, Changed
from outreach.desk.looking import HOW_TO_SET_UP, Preview
from outreach.desk.queueing import Added, AlreadyQueued, Queueing

__all__ = ["HOW_TO_SET_UP", "Added", "AlreadyQueued", "Changed", "Desk", "Preview"]


class Desk(Queueing, Acting):
    """The verbs of one community. `on_queued` is called after something new may be due."""
