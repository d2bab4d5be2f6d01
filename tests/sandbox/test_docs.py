"""What the documents say of the sandbox and of the calls to the Graph API is what there is: nothing more, nothing less."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest
import requests

from outreach.sandbox import Sandbox, control, error_table, mischief, smtp_faults
from outreach.sandbox.call_table import CALLS
from outreach.sandbox.rules import Rules
from tests import graph_docs, sandbox_docs

TEXT = sandbox_docs.FILE.read_text(encoding="utf-8")


def part(heading: str) -> str:
    """Give a part of the document by its heading."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> set[str]:
    return set(re.findall(r"(?m)^\| `([^`]+)` \|", text))


def test_every_rule_is_documented_with_its_default() -> None:
    assert first_column(part("Rules")) == {rule.name for rule in dataclasses.fields(Rules)}
    told = dict(re.findall(r"(?m)^\| `(\w+)` \| `([^`]+)` \|", part("Rules")))
    ours = {name: getattr(Rules(), name) for name in told}
    assert {name: ast.literal_eval(value) for name, value in told.items()} == ours


def test_every_fault_is_documented() -> None:
    assert first_column(part("Faults").partition("Errors by")[0]) == set(mischief.HOWS)
    assert set(re.findall(r"`([a-z_*]+)`", part("Faults").partition("narrow it")[0])) - {"op", "method", "path"} == set(
        mischief.OPS
    )
    mail = part("Faults").rpartition("Of mail")[2]
    assert set(re.findall(r"`([A-Z]+)`", mail)) == set(smtp_faults.VERBS)
    assert set(smtp_faults._WORDS) <= set(re.findall(r"`([a-z-]+)`", mail))


def test_every_error_is_documented() -> None:
    assert sandbox_docs.written(TEXT) == TEXT, "write it with: python -m tests.sandbox_docs"
    rows = part("Faults").partition("<!-- errors -->")[2].partition("<!-- /errors -->")[0]
    names = {name for line in rows.splitlines() for name in re.findall(r"`(\w+)`", line.partition(" | ")[0])}
    assert names == set(error_table.ROWS)


def test_every_endpoint_is_documented_and_there(box: Sandbox) -> None:
    told = set(re.findall(r"(?m)^\| `(GET|POST) /_sandbox/?(\w*)` \|", part("The control interface")))
    assert told == {("GET", name) for name in control._SHOWN} | {("POST", name) for name in control._DONE}
    for method, name in told:
        answer = requests.request(method, f"{box.graph_url}/_sandbox/{name}".rstrip("/"), json={}, timeout=30)
        assert answer.status_code in (200, 400)


def test_the_list_of_calls_is_current() -> None:
    assert graph_docs.FILE.read_text(encoding="utf-8") == graph_docs.document(), (
        "write it with: python -m tests.graph_docs"
    )


def test_every_call_in_the_source_is_in_the_table() -> None:
    made = graph_docs.every_call()
    assert len(made) > 8
    assert [call for call in made if call.path is None] == [], "name the edge where the call is made"
    assert [call for call in made if not any(graph_docs.is_of(call, known) for known in CALLS)] == []


@pytest.mark.parametrize(("call", "module"), graph_docs.IN_A_ROUND_ABOUT_WAY.items(), ids=lambda each: str(each))
def test_what_is_said_to_be_called_in_a_round_about_way_stands_in_that_module(
    call: tuple[str, str], module: str
) -> None:
    assert call in {(known.method, known.edge) for known in CALLS}
    fixed = [part for part in call[1].split("/") if part and not part.startswith("{")]
    assert re.search(rf"(?m)(^|/){'/'.join(fixed)}([?]|$)", graph_docs.words_of(module))


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('def f(self): self._get("/me/picture")', "/me/picture"),
        ('def f(self): self._post("likes", {})', "/{}/likes"),
        ('def f(self): self._http.get(f"/{self.page}/tabs", {})', "/{}/tabs"),
        ('def f(self):\n where = f"/{self.page}/tabs"\n self._http.post(where, {})', "/{}/tabs"),
    ],
)
def test_a_call_that_is_not_in_the_table_is_seen(source: str, path: str) -> None:
    (made,) = graph_docs.made_in(source, "x.py")
    assert made.path == path
    assert not any(graph_docs.is_of(made, known) for known in CALLS)


def test_a_call_whose_path_cannot_be_read_is_told() -> None:
    (made,) = graph_docs.made_in("def f(self): self._http.get(self.where(), {})", "x.py")
    assert made.path is None


def test_what_only_hands_on_a_path_is_no_call_of_its_own() -> None:
    source = 'def _post(self, edge): self._http.post(f"/{self.page}/{edge}", {})\ndef _get(self, path): self._http.get(path, {})'
    assert list(graph_docs.made_in(source, "x.py")) == []


def test_the_documents_name_each_other() -> None:
    readme = (Path(sandbox_docs.FILE).parents[1] / "README.md").read_text(encoding="utf-8")
    assert "docs/sandbox.md" in readme
    assert "docs/graph-calls.md" in readme
