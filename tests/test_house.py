"""The house guards itself: what may stand where, and that the docs say what the code does."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from outreach.settings import Settings
from tests import docs

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "outreach"
MODULES = sorted(PACKAGE.rglob("*.py"))
TRACKED = [
    ROOT / name
    for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
]


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def where(module: Path) -> str:
    return str(module.relative_to(ROOT))


def test_the_queue_folder_holds_no_python() -> None:
    assert [where(file) for file in (ROOT / "queue").rglob("*.py")] == []


def test_no_module_shadows_the_standard_library_or_a_dependency() -> None:
    known = set(sys.stdlib_module_names) | set(packages_distributions())
    known -= {"outreach", "tests"}
    names = {module.stem for module in MODULES} | {folder.name for folder in PACKAGE.rglob("*") if folder.is_dir()}
    assert names & known - {"__init__", "__main__", "__pycache__"} == set()


def writes_a_state(node: ast.AST) -> bool:
    """An UPDATE of posts, in Core or in words, that names the column `state`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(re.search(r"(?is)update\s+posts\s+set\s[^;]*\bstate\b", node.value))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "values":
        return False
    is_of_posts = any(isinstance(n, ast.Name) and n.id == "posts" for n in ast.walk(node.func))
    return is_of_posts and any(keyword.arg in ("state", None) for keyword in node.keywords)


def test_only_the_door_of_the_store_writes_the_state_of_a_post() -> None:
    writers = {where(m) for m in MODULES for node in ast.walk(tree(m)) if writes_a_state(node)}
    assert writers == {"outreach/store/claims.py", "outreach/store/moves.py"}


@pytest.mark.parametrize(
    "source",
    [
        "update(posts).values(state='x')",
        "text('UPDATE posts SET worker = 1, state = 2')",
        "posts.update().values(**row)",
    ],
)
def test_the_guard_of_the_door_sees_a_second_door(source: str) -> None:
    assert any(writes_a_state(node) for node in ast.walk(ast.parse(source)))


def test_the_clock_is_read_in_one_place() -> None:
    readers = {
        where(m) for m in MODULES if re.search(r"datetime\.now\(|time\.time\(|utcnow\(", m.read_text(encoding="utf-8"))
    }
    assert readers - {"outreach/sandbox/clock.py"} == {"outreach/bootstrap.py"}


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        where(m) for m in MODULES if re.search(r"os\.environ|getenv\(|dotenv_values\(", m.read_text(encoding="utf-8"))
    }
    assert readers == {"outreach/bootstrap.py"}


def broad_catches(module: Path) -> int:
    return sum(
        isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
        for node in ast.walk(tree(module))
    )


def test_everything_is_caught_only_around_a_channel_call_and_around_a_beat() -> None:
    found = {where(m): broad_catches(m) for m in MODULES if broad_catches(m) and "sandbox" not in m.parts}
    assert found == {
        "outreach/publisher.py": 1,
        "outreach/watch/doubts.py": 1,
        "outreach/watch/handing_over.py": 1,
        "outreach/watch/preflight.py": 1,
        "outreach/doors/worker.py": 1,
    }


def test_nothing_is_async_but_the_wire_of_the_page_which_waits_for_nothing() -> None:
    found = {where(m) for m in MODULES for node in ast.walk(tree(m)) if isinstance(node, ast.AsyncFunctionDef)}
    assert found == {"outreach/doors/web/wire.py"}


def test_files_and_functions_stay_small() -> None:
    own = [m for m in MODULES if "migrations" not in m.parts]
    long_files = [where(m) for m in own if len(m.read_text(encoding="utf-8").splitlines()) > 415]
    functions = [(m, n) for m in own for n in ast.walk(tree(m)) if isinstance(n, ast.FunctionDef)]
    long_functions = [f"{where(m)}: {n.name}" for m, n in functions if (n.end_lineno or 0) - n.lineno >= 50]
    assert (long_files, long_functions) == ([], [])


def test_readme_draws_and_lists_what_the_code_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert docs.written(readme) == readme, "write it with: python -m tests.docs"


def test_the_example_settings_are_those_of_the_code() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert text == docs.env_example(), "write it with: python -m tests.docs"
    assert set(re.findall(r"(?m)^([A-Z_]+)=", text)) == set(Settings.model_fields)


def test_no_setting_is_read_by_a_name_that_is_not_declared() -> None:
    named = {name for m in MODULES for name in re.findall(r"settings\.([A-Z][A-Z_]+)\b", m.read_text(encoding="utf-8"))}
    assert named - set(Settings.model_fields) == set()


def test_every_setting_is_used() -> None:
    code = "\n".join(m.read_text(encoding="utf-8") for m in MODULES)
    assert [name for name in Settings.model_fields if len(re.findall(rf"\b{name}\b", code)) < 2] == []


def test_what_is_shipped_is_what_the_queue_folder_has() -> None:
    for name in ("templates", "seed"):
        ours = {f.name: f.read_bytes() for f in (ROOT / "queue" / name).iterdir()}
        shipped = {f.name: f.read_bytes() for f in (PACKAGE / "shipped" / name).iterdir()}
        assert ours == shipped


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_has_hashes_and_no_hosts(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9._\[\]-]+==[\w.+]+( ; [^/]+)? \\", line)] == []


def test_the_project_speaks_of_itself_alone() -> None:
    # The words are put together here, so that this file does not hold them.
    forbidden = ["/wo" + "rk/", "../sha" + "red", "/op" + "t/", "pypi" + ".org", "registry" + ".npmjs"]
    texts = [(f, f.read_bytes()) for f in TRACKED if f.is_file() and f.suffix not in (".jpg", ".png")]
    assert [(where(f), word) for f, text in texts for word in forbidden if word.encode() in text] == []


def test_examples_name_no_real_host() -> None:
    known = re.compile(
        r"(example\.(org|com|net)|facebook\.com|127\.0\.0\.1|localhost|keepachangelog\.com|w3\.org|ogp\.me|host\b|\.invalid)",
        re.I,
    )
    shown = [f for f in TRACKED if f.suffix == ".md" and f.is_file()]
    hosts = {
        (where(f), h) for f in shown for h in re.findall(r"https?://([^/\s)>\"'`\]]+)", f.read_text(encoding="utf-8"))
    }
    assert {pair for pair in hosts if not known.search(pair[1])} == set()


def test_the_help_of_make_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"(?m)^\.PHONY: (.*)$", makefile)[1].split())  # type: ignore[index]
    explained = set(re.findall(r"(?m)^([a-z]+):.*## ", makefile))
    assert {"run", "test", "check", "bench", "lock", "help"} <= phony == explained
