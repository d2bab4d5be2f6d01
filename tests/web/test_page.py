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


def queue_one(house: House, tmp_path: Path) -> None:
    house.desk.add(parse(LETTER), folder=tmp_path)


def test_an_empty_queue_says_how_to_fill_it(address: str) -> None:
    page = requests.get(address, timeout=5)
    assert page.status_code == 200
    assert "Nothing is queued. Queue something with: outreach add LETTER.md" in page.text


def test_a_queued_announcement_is_shown_with_its_zone_and_without_running_its_title(
    address: str, house: House, tmp_path: Path
) -> None:
    queue_one(house, tmp_path)
    page = requests.get(address, timeout=5).text
    assert "Poster session &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "America/New_York" in page


def test_what_went_out_is_shown_with_its_address(address: str, house: House, sandbox: Sandbox, tmp_path: Path) -> None:
    queue_one(house, tmp_path)
    Worker(house).once()
    permalink = sandbox.graph.public_posts()[0].permalink_url
    assert f'href="{permalink}"' in requests.get(address, timeout=5).text
    announcement = requests.get(f"{address}/announcements/1", timeout=5).text
    assert "attempt 1: published" in announcement
    assert "Bring a poster &amp; a friend." in announcement


@pytest.mark.parametrize("path", ["/announcements/9", "/announcements/x", "/announcements/1%2F..%2F"])
def test_what_is_not_there_is_a_plain_404(address: str, path: str) -> None:
    page = requests.get(address + path, timeout=5)
    assert page.status_code == 404
    assert "Traceback" not in page.text


def test_health_is_bad_without_a_worker_and_good_with_one(address: str, house: House, tmp_path: Path) -> None:
    before = requests.get(f"{address}/healthz", timeout=5)
    worker = Worker(house)
    worker.start()
    after = requests.get(f"{address}/healthz", timeout=5)
    worker.stop()
    assert (before.status_code, after.status_code) == (503, 200)
    assert after.json()["overdue"] == 0


def test_every_answer_keeps_the_page_to_itself(address: str) -> None:
    for path in ("/", "/static/style.css", "/nowhere"):
        headers = requests.get(address + path, timeout=5).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"


def test_nothing_can_be_changed_through_the_page(address: str) -> None:
    assert [requests.request(m, address, timeout=5).status_code for m in ("POST", "PUT", "DELETE")] == [405, 405, 405]


def test_the_page_names_no_other_host_but_those_it_was_given(address: str) -> None:
    page = requests.get(address, timeout=5).text
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
    answer = requests.get(address, headers={"Host": "pages.example.org"}, timeout=5)
    assert (answer.status_code, "Queue" in answer.text) == (400, False)
