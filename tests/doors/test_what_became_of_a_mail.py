"""What became of a list mail, through the worker and a real mailbox: seen, held and released, refused, twice, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from outreach.sandbox import Sandbox
from tests.doors.place import Place
from tests.mail.imap_server import PASSWORD, USER, ImapServer

MAILBOX = {"IMAP_HOST": "127.0.0.1", "IMAP_SECURITY": "none", "IMAP_USERNAME": USER, "IMAP_PASSWORD": PASSWORD}


class Town:
    """An install whose list is a sandbox, and the mailbox to which the list answers."""

    def __init__(self, place: Place, box: Sandbox, mailbox: ImapServer) -> None:
        self.place = place
        self.box = box
        self.mailbox = mailbox
        self.list = box.mail.lists[box.list_address]
        self._delivered = 0

    def send(self, title: str = "Colloquium", **parts: str) -> None:
        """Queue a letter to the list and let a worker send it."""
        answer = self.place.cli("add", self.place.letter(title=title, to="listserv", **parts))
        assert answer.code == 0, answer
        self.look()

    def deliver(self, folder: str = "INBOX") -> list[bytes]:
        """Put what the list sent to the coordinator into the mailbox."""
        new = self.box.mail.mailbox(self.box.member)[self._delivered :]
        self._delivered += len(new)
        for raw in new:
            self.mailbox.put(raw, folder)
        return new

    def look(self) -> None:
        """Let a worker do everything that it does, once."""
        assert self.place.cli("worker", "--once").code == 0

    def state(self, name: str = "1/listserv") -> str:
        return self.place.states()[name]

    def told(self, name: str = "1/listserv") -> list[str]:
        """What happened to a post: its moves, and what was seen of it."""
        return [entry.get("what", entry["kind"]) for entry in self.history(name)]

    def history(self, name: str = "1/listserv") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.place.json("show", name)["posts"][0]["history"]
        return found

    def reason(self, name: str = "1/listserv") -> str:
        return str(self.place.posts()[name].reason)


@pytest.fixture
def town(place: Place, box: Sandbox, mailbox: ImapServer) -> Town:
    place.settings |= MAILBOX | {"IMAP_PORT": str(mailbox.port)}
    return Town(place, box, mailbox)


def test_the_lists_copy_is_seen_once_however_often_the_mailbox_is_read(town: Town) -> None:
    town.send()
    assert town.told() == ["queue", "attempt", "publish"]
    town.look()
    assert town.told() == ["queue", "attempt", "publish"]

    town.deliver()
    town.look()
    town.look()

    assert town.told() == ["queue", "attempt", "publish", "distributed"]
    seen = town.history()[-1]["evidence"]
    assert (seen["basis"], seen["folder"], seen["mailbox"]) == ("id", "INBOX", USER)
    assert town.state() == "published"


def test_a_mail_that_lies_in_two_folders_is_one(town: Town) -> None:
    town.place.settings["IMAP_FOLDER"] = "INBOX,Junk"
    town.send()
    [copy] = town.deliver()
    town.mailbox.put(copy, "Junk")
    town.look()
    assert town.told()[3:] == ["distributed"]


def test_a_mail_that_the_list_sent_out_twice_is_told(town: Town) -> None:
    town.send()
    [copy] = town.deliver()
    town.mailbox.put(b"Received: from elsewhere\r\n" + copy)
    town.look()
    assert town.told()[3:] == ["distributed", "twice"]
    assert [alarm["kind"] for alarm in town.place.json("alarms")["now"]] == ["published more than once"]


def test_a_mail_that_a_moderator_holds_is_held_until_it_is_let_through(town: Town) -> None:
    town.list.moderated = True
    town.send()
    town.deliver()
    town.look()
    assert town.state() == "held"
    assert "The message comes from a moderated member" in town.reason()
    assert "by its subject alone" in town.reason()

    [held] = town.box.mail.held()
    town.box.mail.release(held.id)
    town.deliver()
    town.look()

    assert town.state() == "published"
    assert town.told()[3:] == ["held", "hold", "distributed", "release"]


def test_a_mail_that_the_moderator_refuses_failed_with_the_reason(town: Town) -> None:
    town.list.moderated = True
    town.send()
    town.deliver()
    town.look()
    [held] = town.box.mail.held()
    town.box.mail.refuse(held.id, "This belongs on the other list.")
    town.deliver()
    town.look()

    assert town.state() == "failed"
    assert "This belongs on the other list." in town.reason()


def test_a_member_who_may_not_post_is_told_why(town: Town) -> None:
    town.list.members.discard(town.box.member)
    town.send()
    town.deliver()
    town.look()
    assert town.state() in ("held", "failed")
    assert "member" in town.reason()


def test_a_forged_notice_takes_nothing_back_that_was_seen(town: Town) -> None:
    town.send()
    town.deliver()
    town.look()
    town.mailbox.put(a_refusal(town, "Colloquium"))
    town.look()
    assert town.state() == "published"
    assert town.told()[3:] == ["distributed", "rejected"]


def test_what_is_said_to_be_refused_and_is_seen_after_all_is_not_sent_again(town: Town) -> None:
    town.send()
    town.mailbox.put(a_refusal(town, "Colloquium"))
    town.look()
    assert town.state() == "failed"
    assert town.place.cli("requeue", "1/listserv").code == 0
    town.deliver()  # what the list had distributed all along

    house = town.place.house()
    try:
        [errand] = [errand for errand in house.new_worker()[1].errands if errand.name == "mailbox"]
        errand.do()
    finally:
        house.close()
    town.look()

    assert town.state() == "queued"
    assert town.place.posts()["1/listserv"].paused
    assert "not sent again" in town.reason()
    assert len(town.box.mail.distributed()) == 1


def test_a_notice_about_another_mail_moves_nothing(town: Town) -> None:
    town.send()
    town.send("Another title")
    town.mailbox.put(a_refusal(town, "Something else"))
    town.look()
    assert {town.state("1/listserv"), town.state("2/listserv")} == {"published"}


def test_a_mailbox_that_was_made_anew_is_read_again_and_tells_nothing_twice(town: Town) -> None:
    town.send()
    copies = town.deliver()
    town.look()
    town.mailbox.empty()
    for copy in copies:
        town.mailbox.put(copy)
    town.look()
    assert town.told()[3:] == ["distributed"]


def test_a_mailbox_that_cannot_be_read_loses_nothing(town: Town) -> None:
    town.send()
    town.deliver()
    town.place.settings["IMAP_PASSWORD"] = "wrong"
    town.look()
    assert town.told()[3:] == []
    town.place.settings["IMAP_PASSWORD"] = PASSWORD
    town.look()
    assert town.told()[3:] == ["distributed"]


def test_more_mails_than_are_read_in_one_visit_are_all_read(town: Town, tmp_path: Path) -> None:
    town.send()
    for number in range(30):
        town.mailbox.put(f"From: a@example.net\r\nSubject: {number}\r\n\r\nHello\r\n".encode())
    town.deliver()
    town.look()
    assert town.told()[3:] == ["distributed"]


def a_refusal(town: Town, subject: str) -> bytes:
    return (
        f"From: {town.list.sibling('bounces')}\r\nTo: {town.box.member}\r\n"
        f'Subject: Request to mailing list "{town.list.name}" rejected\r\nPrecedence: bulk\r\n\r\n'
        f"Your request to the {town.box.list_address} mailing list\r\n\r\n"
        f'    Posting of your message titled "{subject}"\r\n\r\n'
        'has been rejected by the list moderator, for the following reason:\r\n\r\n"No."\r\n'
    ).encode()


def test_a_moderator_lets_a_held_mail_through_with_one_command_and_then_it_is_seen(town: Town) -> None:
    town.list.moderated = True
    town.list.moderators = {town.box.member}
    town.send()
    town.deliver()
    town.look()
    assert town.state() == "held"
    [entry] = [entry for entry in town.history() if entry.get("what") == "moderate"]
    [held] = town.box.mail.held()
    assert held.key not in str(town.history())
    assert entry["evidence"]["basis"] == "id"

    assert town.place.cli("let-through", "1", "--as", "ann@example.org").code == 0
    again = town.place.cli("let-through", "1/listserv")
    assert (again.code, "asked nobody" in again.err + again.out) == (1, True)
    assert town.box.mail.held() == []
    assert town.state() == "held"  # until its copy is seen
    town.deliver()
    town.look()

    assert town.state() == "published"
    assert [kind for kind in town.told() if kind not in ("held", "moderate")] == [
        *("queue", "attempt", "publish", "hold", "let through", "distributed", "release")
    ]
    assert len(town.box.mail.distributed()) == 1


def test_an_answer_that_cannot_be_mailed_is_told_and_can_be_given_again(town: Town) -> None:
    town.list.moderated = True
    town.list.moderators = {town.box.member}
    town.send()
    town.deliver()
    town.look()
    town.box.mail.fail("MAIL", "451")
    refused = town.place.cli("let-through", "1")
    assert (refused.code, "The list could not be told" in refused.err + refused.out) == (1, True)
    assert town.place.cli("let-through", "1").code == 0
    assert town.box.mail.held() == []


def test_a_moderator_turns_a_held_mail_down_and_it_has_failed_once_the_list_says_so(town: Town) -> None:
    town.list.moderated = True
    town.list.moderators = {town.box.member}
    town.send()
    town.deliver()
    town.look()
    assert town.place.cli("turn-down", "1", "--as", "ann@example.org").code == 0
    assert (town.box.mail.held(), town.box.mail.distributed(), town.state()) == ([], [], "held")
    assert town.place.cli("turn-down", "1").code == 1
    town.deliver()
    town.look()
    assert town.state() == "failed"
    assert "turn down" in town.told()


def test_a_list_that_is_mailed_earlier_gets_its_mail_before_the_page(town: Town) -> None:
    said = town.place.json("channels", "habits", "listserv", "--moderated", "yes", "--lead-h", "24", "--size-kb", "0.5")
    assert (said["moderated"], said["lead_h"], said["size_kb"], said["own_copy"]) == (True, 24, 0.5, None)
    added = town.place.json("add", town.place.letter(at="2035-01-15 09:00", zone="America/New_York"))
    assert {post["channel"]: post["wall_time"] for post in added["posts"]} == {
        "facebook": "2035-01-15 09:00",
        "listserv": "2035-01-14 09:00",
    }
    assert [note for note in added["notes"] if "24 h earlier" in note]
    checked = town.place.cli("preflight", "1", "--json").out
    assert "the list takes 0.5 KB" in checked
    later = town.place.json("channels", "habits", "listserv", "--lead-h", "0", "--moderated", "")
    assert (later["moderated"], later["lead_h"], later["size_kb"]) == (None, 0, 0.5)
    assert town.place.cli("channels", "habits", "facebook").code == 1
    assert town.place.cli("channels", "habits", "listserv", "--lead-h", "soon").code == 1


def test_a_time_of_its_own_for_the_list_is_kept_as_it_is(town: Town) -> None:
    town.place.json("channels", "habits", "listserv", "--lead-h", "24")
    file = town.place.folder / "own.md"
    file.write_text("---\ntitle: A talk\nat: 2035-01-15 09:00\ntimes:\n  listserv: 2035-01-15 08:00\n---\nCome.\n")
    added = town.place.json("add", str(file))
    assert {post["channel"]: post["wall_time"] for post in added["posts"]}["listserv"] == "2035-01-15 08:00"


def test_what_is_due_now_is_not_mailed_in_the_past(town: Town) -> None:
    town.place.json("channels", "habits", "listserv", "--lead-h", "24")
    town.send()
    assert town.state() == "published"


def a_question(town: Town, host: str = "lists.example.org") -> bytes:
    """What LISTSERV asks, with the very mail inside that it is about."""
    [submission] = town.box.mail.journal[:1]
    post = town.place.posts()["1/listserv"]
    return (
        f"From: LISTSERV <LISTSERV@{host}>\r\nTo: {town.box.member}\r\nSubject: TMM-SIG: confirmation required\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        "For security reasons, the TMM-SIG list has been configured to request positive confirmation of messages posted to the"
        " list. You must now confirm that the enclosed message did originate from you. To do so, simply reply to the present"
        ' message and type "OK" (without the quotes) in the text of your message.\r\n\r\n--b\r\n'
        f"Content-Type: message/rfc822\r\n\r\nFrom: {submission.mail_from}\r\nSubject: Colloquium\r\n"
        f"Message-ID: {post.message_id}\r\n\r\nPlease come.\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(("confirms", "answers"), [("yes", 1), ("no", 0), ("", 0)])
def test_a_question_whether_a_mail_is_ours_is_answered_by_itself_only_where_a_person_said_so(
    town: Town, confirms: str, answers: int
) -> None:
    town.place.json("channels", "habits", "listserv", "--confirms", confirms)
    town.send()
    town.mailbox.put(a_question(town))
    town.look()
    town.look()
    told = [each for each in town.box.mail.journal if each.rcpt_to == ("listserv@lists.example.org",)]
    assert (len(told), town.state()) == (answers, "held")
    assert ("confirmed by itself" in town.told()) is bool(answers)


def test_a_question_from_another_host_is_never_answered_by_itself(town: Town) -> None:
    town.place.json("channels", "habits", "listserv", "--confirms", "yes")
    town.send()
    town.mailbox.put(a_question(town, "elsewhere.example.net"))
    town.look()
    assert len(town.box.mail.journal) == 1


def test_who_says_that_no_own_copies_come_is_not_told_of_them(town: Town) -> None:
    town.place.json("channels", "habits", "listserv", "--own-copy", "no", "--dedupe", "message-id")
    assert town.place.json("channels", "habits", "listserv")["own_copy"] is False


def test_a_forged_question_of_another_host_is_never_answered(town: Town) -> None:
    town.list.moderated = True
    town.list.moderators = {town.box.member}
    town.send()
    for raw in town.box.mail.mailbox(town.box.member):
        town.mailbox.put(raw.replace(b"@lists.example.org", b"@elsewhere.example.net"))
    town.look()
    assert town.place.cli("let-through", "1").code == 1
    assert len(town.box.mail.held()) == 1


def test_the_mailbox_of_the_sandbox_is_read_as_any_other(place: Place, box: Sandbox) -> None:
    place.settings |= MAILBOX | {
        "IMAP_PORT": str(box.imap_port),
        "IMAP_USERNAME": box.member,
        "IMAP_PASSWORD": box.mailbox_password,
    }
    assert place.cli("add", place.letter(to="listserv")).code == 0
    assert place.cli("worker", "--once").code == 0
    assert place.cli("worker", "--once").code == 0
    history = place.json("show", "1/listserv")["posts"][0]["history"]
    assert [entry.get("what", entry["kind"]) for entry in history] == ["queue", "attempt", "publish", "distributed"]
    assert place.cli("channels", "check", "listserv").code == 0


def test_the_watcher_sees_what_a_mailbox_never_shows_of_its_own(town: Town) -> None:
    other = town.box.member.replace("coordinator", "first.member")
    watcher = {"HOST": "127.0.0.1", "SECURITY": "none", "PORT": str(town.box.imap_port), "USERNAME": other}
    town.place.settings |= {f"WATCHER_{name}": value for name, value in watcher.items()}
    town.place.settings["WATCHER_PASSWORD"] = town.box.mailbox_password
    town.send()
    town.look()
    assert town.told()[3:] == ["distributed"]
    assert town.history()[-1]["evidence"]["mailbox"] == other
    town.deliver()
    town.look()
    assert town.told()[3:] == ["distributed"]  # the copy of another member is not a second one


def test_a_watcher_that_is_half_filled_is_refused(town: Town) -> None:
    town.place.settings["WATCHER_HOST"] = "imap.example.org"
    refused = town.place.cli("queue")
    assert refused.code == 1
    assert "The watcher is half filled" in refused.err + refused.out


def test_a_test_of_the_list_is_sent_once_and_shows_what_the_list_makes_of_a_mail(town: Town) -> None:
    refused = town.place.cli("channels", "test", "listserv")
    assert (refused.code, town.place.states()) == (1, {})
    assert town.place.cli("channels", "test", "facebook", "--yes").code == 1
    assert town.place.json("channels", "test", "listserv", "--yes") == {"announcement": 1, "shown": None}
    town.look()
    town.deliver()
    town.look()
    assert town.told()[3:] == ["distributed"]
    house = town.place.house()
    shown = house.desk.what_lists_show()["listserv"]
    house.close()
    assert (shown["prefix"], shown["marks"]) == (town.list.prefix.strip(), ["List-Id", "List-Post"])
    assert (shown["is_from_rewritten"], shown["is_id_kept"]) == (False, True)
    assert shown["after_s"] >= 0


def test_a_notice_that_comes_before_its_post_is_on_record_is_read_once_more(town: Town) -> None:
    town.list.moderated = True
    town.send()
    house = town.place.house()
    try:
        [errand] = [errand for errand in house.new_worker()[1].errands if errand.name == "mailbox"]
        with house.store.write() as tx:  # as it stands between the sending and the record of it
            tx.exec_driver_sql("UPDATE posts SET state = 'publishing', worker = 'w', lease_until = due_at")
        town.mailbox.put(b"From: a@example.net\r\nSubject: Before\r\n\r\nHello\r\n")
        town.deliver()
        town.mailbox.put(b"From: a@example.net\r\nSubject: After\r\n\r\nHello\r\n")
        errand.do()
        assert "held" not in town.told()
        with house.store.write() as tx:
            tx.exec_driver_sql("UPDATE posts SET state = 'published', worker = NULL, lease_until = NULL")
        errand.do()
    finally:
        house.close()
    assert town.state() == "held"
    town.look()
    assert town.told().count("held") == 1


def test_the_limit_that_a_list_names_is_kept_and_the_next_long_mail_is_warned_of(town: Town) -> None:
    town.place.settings["LISTSERV_SIZE_KB"] = "200"
    assert town.place.house().desk.limits_named() == {}
    town.send(body="long words " * 2500)
    assert town.deliver() != []
    town.look()
    house = town.place.house()
    assert house.desk.limits_named() == {"listserv": 40.0}
    assert town.state() == "held"
    told = house.desk.concern_about_size(house.desk.target("listserv"), "x" * 50_000)
    assert told == "The mail has 48.8 KB; the list takes 40 KB, as its own answer to an earlier mail said."
    assert house.desk.concern_about_size(house.desk.target("listserv"), "x" * 40_000) is None
    house.close()
    town.place.json("channels", "habits", "listserv", "--size-kb", "60")
    house = town.place.house()
    assert house.desk.concern_about_size(house.desk.target("listserv"), "x" * 50_000) is None
    house.close()
