"""An install with an alert address, its clock in the hand of the test, and what arrives in the mailbox."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from sqlalchemy import insert

from outreach.bootstrap import House
from outreach.model import Post
from outreach.sandbox import Sandbox
from outreach.store import Store, history
from outreach.store.schema import checks
from tests.builders import NOW
from tests.doors.place import Place
from tests.work.clocks import StillClock


@dataclass(frozen=True)
class World:
    """Everything a test of alarms needs."""

    house: House
    box: Sandbox
    place: Place
    clock: StillClock

    @property
    def store(self) -> Store:
        return self.house.store

    def run(self, errand: str = "alarms") -> None:
        """Do an errand of a worker once, as the worker does."""
        publisher, watch = self.house.new_worker()
        publisher.close()
        [done] = [each for each in watch.errands if each.name == errand]
        done.do()

    @property
    def mails(self) -> list[EmailMessage]:
        """What the alert address got."""
        return mails(self.box)

    def texts(self) -> list[str]:
        """The texts of the mails, unwrapped."""
        return [" ".join(mail.get_content().split()) for mail in self.mails]


def mails(box: Sandbox, address: str | None = None) -> list[EmailMessage]:
    """What an address got."""
    raw = box.mail.mailbox(address or box.alert_address)
    return [message_from_bytes(each, policy=default) for each in raw]


def check(store: Store, post: Post, *problems: tuple[str, str] | tuple[str, str, bool]) -> None:
    """Write down what a pre-flight found."""
    with store.write() as tx:
        tx.execute(insert(checks), {"post_id": post.id, "at": NOW, "problems": [list(each) for each in problems]})


def stop_looking(store: Store, post: Post) -> None:
    """Look for an unconfirmed post no more."""
    with store.write() as tx:
        history.plan_look(tx, post, look_at=None, looks=4, clean_looks=0)


def see(store: Store, post: Post, kind: str, **evidence: Any) -> None:
    """Write down a sighting."""
    with store.write() as tx:
        history.see(tx, post.id, at=NOW, kind=kind, evidence=evidence)
