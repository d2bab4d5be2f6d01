"""The page, asked over a real socket: it shows the queue and the history, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from outreach.bootstrap import House, build
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.model import BadInput
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.web.visitors import Guest, member

LETTER = "---\ntitle: Poster session <script>alert(1)</script>\nat: now\n---\nBring a poster & a friend.\n"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> Iterator[House]:
    made = build(
        read_settings(
            {
                "OUTREACH_QUEUE": str(tmp_path / "queue"),
                "FACEBOOK_GRAPH_URL": sandbox.graph_url,
                "FACEBOOK_PAGE_ID": sandbox.page_id,
                "FACEBOOK_PAGE_TOKEN": sandbox.page_token,
            }
        )
    )
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house, links={"the Page": "http://127.0.0.1:1/page"})) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def queue_one(house: House, tmp_path: Path) -> None:
    house.desk.add(parse(LETTER), folder=tmp_path)


def test_an_empty_queue_says_how_to_fill_it(ann: Guest) -> None:
    page = ann.get()
    assert page.status_code == 200
    assert "Nothing is queued." in page.text


def test_a_queued_announcement_is_shown_with_its_zone_and_without_running_its_title(
    ann: Guest, house: House, tmp_path: Path
) -> None:
    queue_one(house, tmp_path)
    page = ann.get().text
    assert "Poster session &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "America/New_York" in page


def test_what_went_out_is_shown_with_its_address(ann: Guest, house: House, sandbox: Sandbox, tmp_path: Path) -> None:
    queue_one(house, tmp_path)
    Worker(house).once()
    permalink = sandbox.graph.public_posts()[0].permalink_url
    assert f'href="{permalink}"' in ann.get().text
    announcement = ann.get("/announcements/1").text
    assert "Attempt 1: the channel took it" in announcement
    assert "Bring a poster &amp; a friend." in announcement


@pytest.mark.parametrize("path", ["/announcements/9", "/announcements/x", "/announcements/1%2F..%2F"])
def test_what_is_not_there_is_a_plain_404(ann: Guest, path: str) -> None:
    page = ann.get(path)
    assert page.status_code == 404
    assert "Traceback" not in page.text


def test_health_is_bad_without_a_worker_and_good_with_one(ann: Guest, house: House, tmp_path: Path) -> None:
    before = ann.get("/healthz")
    worker = Worker(house)
    worker.start()
    after = ann.get("/healthz")
    worker.stop()
    assert (before.status_code, after.status_code) == (503, 200)
    assert after.json()["overdue"] == 0


def test_every_answer_keeps_the_page_to_itself(address: str) -> None:
    for path in ("/", "/static/style.css", "/nowhere"):
        headers = requests.get(address + path, timeout=30).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_host_but_those_it_was_given(ann: Guest) -> None:
    page = ann.get().text
    assert page.count("http://") == page.count("http://127.0.0.1:1/page") == 1
    assert "https://" not in page


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org"])
def test_the_page_is_not_served_to_others(house: House, host: str) -> None:
    with pytest.raises(BadInput, match="only be served on this machine"), served(create(house), host=host):
        pass


def test_a_taken_port_is_told(house: House, address: str) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(BadInput, match=f"Port {port} cannot be used"), served(create(house), port=port):
        pass


def test_another_name_that_leads_here_is_refused(address: str) -> None:
    answer = requests.get(address, headers={"Host": "pages.example.org"}, timeout=30)
    assert (answer.status_code, "Queue" in answer.text) == (400, False)
