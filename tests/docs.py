"""The parts of README and .env.example that are made from the code. `python -m tests.docs` writes them; a test compares."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from outreach.doors.cli import app
from outreach.lifecycle import diagram
from outreach.settings import Settings

ROOT = Path(__file__).parents[1]
_GROUPS = (
    ("OUTREACH_", "The service. Nothing here is needed to try it."),
    ("FACEBOOK_", "The Facebook Page. Without number and token there is no channel called facebook."),
    ("LISTSERV_", "The listserv. Without an address there is no channel called listserv."),
    ("MAILMAN_", "Mailman's own interface for the list's members, where it answers this machine."),
    ("SMTP_", "The submission server of the sender's address."),
    (
        "DKIM_",
        "Signing, for who sends directly. A provider's submission server signs by itself: then leave these empty.",
    ),
    ("IMAP_", "A mailbox that gets the list's mail. Without it a mail in doubt waits for a person."),
    (
        "WATCHER_",
        "A second mailbox, of another member at another provider: Gmail, for one, never shows a list's copy of one's own mail.",
    ),
)


def default_of(name: str) -> str:
    """Give the default of a setting as one would write it."""
    value = Settings.model_fields[name].default
    value = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    if value is None:
        return ""
    if isinstance(value, Path):
        return f"./{value}"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def env_example() -> str:
    """Make the whole of `.env.example`."""
    lines = [
        "# Copy this to .env and fill in what you need. The environment wins over the file; empty means the default."
    ]
    for prefix, about in _GROUPS:
        lines += ["", f"# {about}"]
        for name, field in Settings.model_fields.items():
            if name.startswith(prefix):
                lines += [f"# {field.description}", f"{name}={default_of(name)}"]
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """Make the README's table of settings."""
    rows = [
        f"| `{name}` | {f'`{default}`' if (default := default_of(name)) else '–'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what it says |", "|---|---|---|", *rows])


def commands() -> Iterator[tuple[str, str]]:
    """Give every command with the first line of its help."""
    root = typer.main.get_command(app)
    yield from _commands_of(root, "outreach")


def _commands_of(command: Any, name: str) -> Iterator[tuple[str, str]]:
    for child_name, child in getattr(command, "commands", {}).items():
        usage = " ".join(p.metavar or p.name.upper() for p in child.params if p.param_type_name == "argument")
        yield f"{name} {child_name} {usage}".strip(), (child.help or "").split("\n")[0].strip()
        yield from _commands_of(child, f"{name} {child_name}")


def commands_table() -> str:
    """Make the README's table of commands."""
    rows = [f"| `{usage.replace('|', chr(92) + '|')}` | {about} |" for usage, about in sorted(commands())]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def lifecycle_diagram() -> str:
    """Make the README's drawing of the life of a post."""
    return f"```mermaid\n{diagram()}\n```"


BLOCKS = {"life": lifecycle_diagram, "settings": settings_table, "commands": commands_table}


def written(readme: str) -> str:
    """Give the README with every made part as it has to be."""
    for name, make in BLOCKS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n)(?:.*?\n)?(<!-- /{name} -->)", re.DOTALL)
        made = make().replace("\\", r"\\")
        readme, count = pattern.subn(rf"\g<1>{made}\n\g<2>", readme)
        assert count == 1, f"README has no part called {name}"
    return readme


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(written(readme.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / ".env.example").write_text(env_example(), encoding="utf-8")
