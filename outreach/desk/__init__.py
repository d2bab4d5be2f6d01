"""What people do: queue, look, approve, pause, cancel, requeue, confirm. Every door leads here."""

from outreach.desk.advising import Advising, Counsel
from outreach.desk.approving import Approving
from outreach.desk.calendars import Calendars
from outreach.desk.commenting import Commenting
from outreach.desk.following import Following
from outreach.desk.letting_through import LettingThrough
from outreach.desk.looking import HOW_TO_SET_UP, Changed, Preview
from outreach.desk.looking_back import Look, LookingBack
from outreach.desk.planning import NamedDay, Planning
from outreach.desk.queueing import Added, AlreadyQueued, ChangedMeanwhile, Place
from outreach.desk.reaching import Reaching
from outreach.desk.running import Overtaken, Running
from outreach.desk.seeing import ChangedSince, Seen
from outreach.desk.trying import Trying
from outreach.desk.watching import Story, Told, Upcoming, Watching
from outreach.desk.weekly_mail import Waiting, WeeklyMail
from outreach.desk.writing import NOWHERE, UNDO_FOR, Plan, Saved
from outreach.store.announcements import Author

__all__ = [
    "HOW_TO_SET_UP",
    "NOWHERE",
    "UNDO_FOR",
    "Added",
    "AlreadyQueued",
    "Author",
    "Changed",
    "ChangedMeanwhile",
    "ChangedSince",
    "Counsel",
    "Desk",
    "Look",
    "NamedDay",
    "Overtaken",
    "Place",
    "Plan",
    "Preview",
    "Saved",
    "Seen",
    "Story",
    "Told",
    "Upcoming",
    "Waiting",
]


class Desk(
    WeeklyMail,
    Calendars,
    Planning,
    Advising,
    Approving,
    LettingThrough,
    Commenting,
    Following,
    Trying,
    Running,
    Watching,
    LookingBack,
    Reaching,
):
    """The verbs of one community. `on_queued` is called after something new may be due."""
