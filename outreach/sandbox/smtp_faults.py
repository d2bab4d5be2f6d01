"""Faults of the mail side: at which verb, and what happens there."""

import re
from dataclasses import dataclass

VERBS = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT")
_WORDS = {"close", "reset", "hang", "ok", "close-mid"}
_REPLY = re.compile(r"[2-5]\d\d( .*)?")


@dataclass(frozen=True, slots=True)
class SmtpFault:
    """One way to go wrong at one verb. `keep` (at DOT only): the mail is distributed before things go wrong."""

    verb: str
    how: str
    keep: bool = False
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "verb", {".": "DOT", "HELO": "EHLO"}.get(self.verb, self.verb))
        if self.verb not in VERBS:
            raise ValueError(f"no verb {self.verb!r}; known: {', '.join(VERBS)}")
        if self.how not in _WORDS and not _REPLY.fullmatch(self.how):
            raise ValueError(f"no fault {self.how!r}; known: a reply code, {', '.join(sorted(_WORDS))}")
        if self.keep and self.verb != "DOT":
            raise ValueError("keep is for the final dot: verb='DOT'")
        if self.how == "close-mid" and self.verb != "BODY":
            raise ValueError("close-mid is for verb='BODY'")
        if self.verb == "BODY" and self.how[0].isdigit():
            raise ValueError("a server cannot answer in the middle of a body; use verb='DOT'")

    @property
    def reply(self) -> str:
        """The whole reply line of a fault that answers."""
        return self.how if " " in self.how else f"{self.how} The sandbox was told to say so"

    @property
    def answers(self) -> bool:
        """Say whether the client gets a reply line."""
        return self.how[0].isdigit()
