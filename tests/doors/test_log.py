"""The log of a command: every line, in order, as long as somebody reads; and never a reason to wait."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from outreach.doors.cli.log import MOST_WAITING, NeverWaiting, is_heard
from tests.doors.place import until


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    yield reader, stream
    os.close(reader)
    stream.close()


def a_logger(stream: TextIO) -> logging.Logger:
    logger = logging.Logger("test")
    logger.addHandler(NeverWaiting(stream))
    return logger


def test_every_line_is_written_in_order(pipe: tuple[int, TextIO]) -> None:
    reader, stream = pipe
    logger = a_logger(stream)
    for number in range(3):
        logger.warning("line %d ü\udcff", number)
    logger.handlers[0].flush()

    assert os.read(reader, 4096).decode() == "line 0 ü\\udcff\nline 1 ü\\udcff\nline 2 ü\\udcff\n"


def test_a_pipe_that_nobody_empties_holds_nothing_up(pipe: tuple[int, TextIO]) -> None:
    _, stream = pipe
    logger = a_logger(stream)
    for number in range(MOST_WAITING + 2000):
        logger.warning("line %d, long enough to fill the pipe before long %s", number, "." * 50)
    logger.handlers[0].flush()  # gives up after a second


def test_what_is_no_file_is_written_to_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    logger = a_logger(sys.stderr)
    logger.warning("here")

    until(lambda: "here\n" in capsys.readouterr().err)


def test_a_full_pipe_is_not_heard(monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, TextIO]) -> None:
    _, stream = pipe
    monkeypatch.setattr(sys, "stdout", stream)
    assert is_heard()
    os.set_blocking(stream.fileno(), False)
    with suppress(BlockingIOError):
        while True:
            os.write(stream.fileno(), b"x" * 65536)
    assert not is_heard()
