"""Compiles the tests ahead, a share on each core: else every worker of a first run would compile all of them by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_COLLECT = (
    sys.executable,
    "-m",
    "pytest",
    "--collect-only",
    "-qq",
    "-n0",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
)


def not_compiled() -> list[Path]:
    """Give the test files that this pytest has not compiled since they changed, the largest first."""
    files = sorted(_HERE.rglob("test_*.py"), key=lambda file: -file.stat().st_size)
    return [file for file in files if not _is_compiled(file)]


def _is_compiled(file: Path) -> bool:
    compiled = (
        file.parent / "__pycache__" / f"{file.stem}.{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
    )
    return compiled.is_file() and compiled.stat().st_mtime >= file.stat().st_mtime


def main() -> None:
    """Let pytest collect what is not compiled, which keeps it compiled; what is wrong with a file the tests themselves tell."""
    files, count = not_compiled(), os.cpu_count() or 1
    if len(files) < 20 or count == 1:
        return
    shares = [files[n::count] for n in range(count)]
    for running in [subprocess.Popen([*_COLLECT, *map(str, share)], stdout=subprocess.DEVNULL) for share in shares]:
        running.wait()


if __name__ == "__main__":
    main()
