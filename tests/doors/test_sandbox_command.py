"""`outreach sandbox`: a process of its own that says where everything is, serves, and ends in order."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.channels.servers import a_closed_port

ROOT = Path(__file__).parents[2]


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "outreach", "sandbox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300", "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_in_one_line_serves_and_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "--json", "--pages", "2", "--lists", "3") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (len(told["pages"]), len(told["lists"])) == (2, 3)
        answer = requests.post(
            f"{told['graph_url']}/v26.0/{told['page_id']}/feed",
            data={"message": "Hello"},
            headers={"Authorization": f"Bearer {told['page_token']}"},
            timeout=30,
        )
        assert answer.json()["id"].startswith(told["page_id"])
        with smtplib.SMTP(told["smtp_host"], told["smtp_port"], timeout=30) as smtp:
            assert smtp.noop()[0] == 250
        process.send_signal(number)
        rest, said = process.communicate(timeout=30)
        assert (process.returncode, rest, said) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_people_are_shown_a_table_and_told_that_it_is_not_facebook(tmp_path: Path) -> None:
    port = a_closed_port()
    with running(tmp_path, "--http-port", str(port)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
        shown = "".join(lines)
        assert "This is a sandbox, not Facebook" in shown
        assert f"http://127.0.0.1:{port}" in shown
        token = requests.get(f"http://127.0.0.1:{port}/_sandbox", timeout=30).json()["page_token"]
        assert token in shown.replace("\n", "")


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with running(tmp_path, "--json") as first:
        assert first.stdout is not None
        port = json.loads(first.stdout.readline())["graph_url"].rpartition(":")[2]
        with running(tmp_path, "--http-port", port, "--json") as second:
            told, said = second.communicate(timeout=20)
    assert (second.returncode, said) == (1, "")
    assert json.loads(told)["error"] == {
        "message": "The sandbox cannot listen: address already in use.",
        "where": "--http-port, --smtp-port",
        "next": "Choose another port, or 0 for a free one.",
    }
