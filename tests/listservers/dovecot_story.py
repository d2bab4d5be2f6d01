"""What a real Dovecot makes of our mails, and what our reader makes of a mailbox there."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach.mail.imap_mailbox import Arrived, Place, look_for, read_new
from outreach.mail.meaning import Sent
from outreach.mail.recognising import meaning
from outreach.mail.sightings import list_marks, read_head
from tests.channels.builders import a_list, a_picture, a_wording
from tests.listservers.dovecot import Dovecot
from tests.listservers.envelopes import shape_in, subject_in
from tests.listservers.story import COORDINATOR, Row

CORPUS = Path(__file__).parents[1] / "mail" / "corpus"
TITLES = (
    "Poster session",
    'A "quoted" title, with \\ and (brackets)',
    "Über Größen: naïve Façade",
    "多元宇宙の研究会 – 金曜日",
    "ندوة يوم الجمعة",
    "Rocket 🚀 and family 👩‍👩‍👧 " * 6 + "end",
    "A long plain title that goes on over more than one line of a head, as titles of talks like to do in our field",
)
_TEXTS = "multipart/alternative(text/plain, text/html)"
_WITH_PICTURE = "multipart/alternative(text/plain, multipart/related(text/html, image/jpeg))"
_MOST_LOOKS = 30


def rows() -> Iterator[Row]:
    """Play every case, one after the other."""
    with Dovecot() as server:
        for case in CASES:
            yield case(server)


def _row(case: str, came: int, taken: str, expected: str, note: str = "") -> Row:
    return Row(case, came, taken, expected, note, taken == expected)


def rendered(title: str, *, has_picture: bool = False) -> bytes:
    """Render a mail as the service does."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = (a_picture(Path(folder)),) if has_picture else ()
        channel = a_list(1, Path(folder), max_bytes=200 * 1024)
        content = channel.render(a_wording(title=title, body="Grüße. Join us on *Friday*.", pictures=pictures))
    return (content.message or "").encode("ascii")


def _read(server: Dovecot, places: Mapping[str, Place], folder: str) -> tuple[list[Arrived], Mapping[str, Place]]:
    """Read what is new in a folder, look by look, as the service does."""
    found: list[Arrived] = []
    for _ in range(_MOST_LOOKS):
        new = read_new(server.account(folders=(folder,)), places, since=datetime.now(UTC) - timedelta(days=1))
        assert new.trouble is None, new.trouble
        found, places = [*found, *new.mails], new.places
        if not new.has_more:
            break
    return found, places


def _delivered(server: Dovecot) -> Row:
    sent = [rendered(title) for title in TITLES]
    for raw in sent:
        server.deliver(raw, sender=COORDINATOR)
    found, places = _read(server, {}, "INBOX")
    same = sum(mail.raw == raw for mail, raw in zip(found, sent, strict=False))
    again, _ = _read(server, places, "INBOX")
    return _row(
        "delivered", len(found), f"{same} byte for byte, then {len(again)}", f"{len(TITLES)} byte for byte, then 0"
    )


def _understood(server: Dovecot) -> Row:
    with server.opened() as box:
        uids = box.uids()
        read = [subject_in(box.client.uid("FETCH", uid, "(ENVELOPE)")[1]) for uid in uids]
    right = sum(subject == " ".join(title.split()) for subject, title in zip(read, TITLES, strict=True))
    return _row("subjects", len(read), f"{right} as written", f"{len(TITLES)} as written")


def _taken_apart(server: Dovecot) -> Row:
    with server.opened() as box:
        box.folder.create("Shapes")
        for has_picture in (False, True):
            box.append(rendered("Shape", has_picture=has_picture), "Shapes")
        box.folder.set("Shapes")
        shapes = [shape_in(box.client.uid("FETCH", uid, "(BODYSTRUCTURE)")[1]) for uid in box.uids()]
    return _row("parts", len(shapes), "; ".join(shapes), f"{_TEXTS}; {_WITH_PICTURE}")


def _known(server: Dovecot) -> Row:
    """Read what real list servers sent from the mailbox, and know it again."""
    kept = [
        (index.parent, each) for index in sorted(CORPUS.glob("*/index.json")) for each in json.loads(index.read_text())
    ]
    with server.opened() as box:
        box.folder.create("Lists")
        for folder, each in kept:
            box.append((folder / each["file"]).read_bytes(), "Lists")
    found, _ = _read(server, {}, "Lists")
    right = 0
    for mail, (_, each) in zip(found, kept, strict=False):
        taken = meaning(mail.raw, [Sent("it", each["message_id"], each["list"], each["subject"], each["text"])])
        right += (taken.verdict, taken.basis) == (each["verdict"], each["basis"])
    return _row("corpus", len(found), f"{right} known again", f"{len(kept)} known again")


def _looked_for(server: Dovecot) -> Row:
    """Find the list's copy, by its Message-ID, among everything else that names it."""
    kept = json.loads((CORPUS / "sympa-6.2.70" / "index.json").read_text())
    [each] = [each for each in kept if each["file"] == "moderated-3.eml"]
    look = look_for(server.account(folders=("INBOX", "Lists")), each["message_id"])
    marked = [copy for copy in look.copies if list_marks(read_head(copy.head), each["list"])]
    return _row("looked for", len(look.copies), f"{len(marked)} of the list", "1 of the list")


def _left_unread(server: Dovecot) -> Row:
    with server.opened() as box:
        marks = []
        for folder in ("INBOX", "Lists"):
            box.folder.set(folder, readonly=True)
            marks += [mail.flags for mail in box.fetch(headers_only=True, mark_seen=False)]
    seen = sum("\\Seen" in flags for flags in marks)
    return _row("unread", len(marks), f"{seen} marked as read", "0 marked as read")


def _numbered_anew(server: Dovecot) -> Row:
    """Make a folder anew, so that its numbers begin again: what lies in it is new, whatever was read before."""
    counts = []
    places: Mapping[str, Place] = {}
    for _ in range(2):
        with server.opened() as box:
            if box.folder.exists("Again"):
                box.folder.delete("Again")
            box.folder.create("Again")
            box.append(rendered("The same"), "Again")
        before = places
        found, places = _read(server, places, "Again")
        counts.append(len(found))
    is_other = places["Again"].uid_validity != before["Again"].uid_validity
    return _row("numbered anew", sum(counts), f"{counts}, other validity: {is_other}", "[1, 1], other validity: True")


def _refused(server: Dovecot) -> Row:
    account = server.account(password="wrong", folders=("INBOX",))
    wrong = look_for(account, "<1@example.org>").trouble
    look = look_for(server.account(folders=("INBOX", "Nowhere")), "<1@example.org>")
    taken = f"{wrong.why if wrong else 'nothing'}; missing: {', '.join(look.missing)}"
    return _row("refused", 0, taken, "the log-in was refused; missing: Nowhere")


CASES: tuple[Callable[[Dovecot], Row], ...] = (
    _delivered,
    _understood,
    _taken_apart,
    _known,
    _looked_for,
    _left_unread,
    _numbered_anew,
    _refused,
)
