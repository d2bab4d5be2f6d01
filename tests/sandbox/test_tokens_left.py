"""No file that a test run leaves behind holds a token: the search finds one that does."""

import sqlite3
from pathlib import Path

import pytest

from outreach.sandbox import Sandbox
from tests.tokens_left import tokens_left, without_tokens


def test_every_token_and_secret_of_a_sandbox_can_be_told_as_one(box: Sandbox, tmp_path: Path) -> None:
    for number, text in enumerate((box.page_token, box.user_token, box.app_secret, box.app_token)):
        (tmp_path / f"{number}.log").write_text(f"GET /v26.0/me?access_token={text} 200")
        with pytest.raises(AssertionError, match="is shown"):
            without_tokens(f"<p>{text}</p>")
    assert tokens_left(tmp_path) == ["0.log", "1.log", "2.log", "3.log"]
    for file in tmp_path.iterdir():
        file.unlink()


def test_a_token_in_a_database_is_found_in_it_or_in_its_journal(box: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "outreach.db"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x TEXT)")
        database.execute("INSERT INTO t VALUES (?)", (f"asked for {box.page_token}",))
        database.commit()
        found = tokens_left(tmp_path)
    database.close()
    assert found in (["outreach.db"], ["outreach.db-wal"], ["outreach.db", "outreach.db-wal"])
    for each in tmp_path.iterdir():
        each.unlink()


def test_what_is_given_tokens_on_purpose_and_what_holds_none_is_left_alone(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"FACEBOOK_PAGE_TOKEN={box.page_token}")
    (tmp_path / "page.html").write_text("<p>Connected as EAA…</p>")
    assert tokens_left(tmp_path) == []


def test_a_token_across_the_border_of_two_pieces_is_found(box: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "large.log"
    file.write_bytes(b"x" * ((1 << 20) - 5) + box.page_token.encode())
    assert tokens_left(tmp_path) == ["large.log"]
    file.unlink()


def test_what_ran_so_far_left_no_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert tokens_left(tmp_path_factory.getbasetemp()) == []
