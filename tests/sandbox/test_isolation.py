"""The sandbox stands alone: it shares no code with what it tests, and starts fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import outreach.sandbox
from outreach.sandbox import Sandbox

FOLDER = Path(outreach.sandbox.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
OUTSIDERS = {"python_multipart"}


def imported(tree: ast.AST) -> list[tuple[int, str]]:
    """Return level and module of every import, those inside functions too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_imports_the_standard_library_and_its_neighbours_only(path: Path) -> None:
    strangers = [
        (level, name)
        for level, name in imported(ast.parse(path.read_text()))
        if level > 1 or (level == 0 and name.partition(".")[0] not in sys.stdlib_module_names | OUTSIDERS)
    ]
    assert strangers == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_is_named_like_one_of_the_standard_library(path: Path) -> None:
    assert path.stem.startswith("__") or path.stem not in sys.stdlib_module_names


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = [
        "requests",
        "sqlalchemy",
        "PIL",
        "pydantic",
        "jinja2",
        "aiosmtpd",
        "asyncio",
        "python_multipart",
        "structlog",
    ]
    code = f"import sys, outreach.sandbox; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_each_sandbox_has_secrets_of_its_own() -> None:
    first, second = Sandbox(), Sandbox()
    assert first.page_token != second.page_token
    assert first.app_secret != second.app_secret
    assert first.page_id != second.page_id
    assert first.page_token not in repr(first.pages)
