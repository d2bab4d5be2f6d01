"""The specification, tried out by Schemathesis: every operation keeps what it says, whatever is sent."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.specified import PARTS

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS)
def test_every_operation_keeps_its_word(part: str, migrated_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.api.specified", part, str(migrated_file), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=560)
    assert (done.returncode, done.stdout.strip(), done.stderr[-2000:] if done.returncode else "") == (0, "", "")
