"""What a worker process is told: its command, its surroundings, and where it is to die."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

Act = Literal["kill", "stop"]


@dataclass(frozen=True, slots=True)
class Order:
    """One command of the service, run in a process of its own.

    `ahead_s` moves both of its clocks. `point` names a kill point, struck at its `nth` passing, and only for the post
    with the title `about` when that is given. `modules` are watched line by line: the process dies at line `line` of
    what it executes in them, and `count_to` is the file that says how many there were.
    """

    words: tuple[str, ...]
    folder: str
    log: str
    settings: Mapping[str, str] = field(default_factory=dict)
    ahead_s: float = 0.0
    point: str = ""
    nth: int = 1
    act: Act = "kill"
    about: str = ""
    modules: tuple[str, ...] = ()
    line: int = 0
    count_to: str = ""

    def as_json(self) -> str:
        """Write it on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Order":
        """Read what `as_json` wrote."""
        read = json.loads(line)
        return cls(**read | {"words": tuple(read["words"]), "modules": tuple(read["modules"])})
