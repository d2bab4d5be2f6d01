"""The shelf: links are asked by few at once, however many wish it."""

import threading
import time

from outreach.doors.web.shelf import Shelf
from outreach.model import Content
from tests.channels.servers import RawServer

PATIENCE_S = 20.0


def linking(*links: str) -> Content:
    return Content("facebook_page", "Poster session\n\n" + " ".join(links))


def test_while_three_are_asking_nobody_else_waits() -> None:
    shelf = Shelf(is_sandbox=True, deadline_s=3)
    with RawServer() as silent:
        asking = [
            threading.Thread(target=shelf.look, args=(linking(f"{silent.url}/{n}"),), kwargs={"now_s": 0})
            for n in range(3)
        ]
        for thread in asking:
            thread.start()
        begun, number = time.monotonic(), 0
        while shelf.look(linking(f"https://example.org/{number}"), now_s=0) is not None:
            number += 1
            assert time.monotonic() - begun < PATIENCE_S
        for thread in asking:
            thread.join(PATIENCE_S)
    found = shelf.look(linking("https://example.org/again"), now_s=0)
    assert found is not None
    assert found.problems == ()
    dead = shelf.looked(linking(f"{silent.url}/0"), now_s=0)
    assert dead is not None
    assert "does not answer" in dead.problems[0].message
