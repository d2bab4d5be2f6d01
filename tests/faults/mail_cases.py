"""Everything a mail server may do to a submission: before the final dot, at it, and after it."""

from functools import partial

from tests.faults.cases import Case, Scenario
from tests.faults.ground import Ground

VERBS = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT")
BEFORE_THE_DOT = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY")
ENDS = ("close", "reset", "hang")


def _hit(verb: str, how: str, keep: bool, delay_s: float, ground: Ground) -> None:
    ground.box.mail.fail(verb, how, keep=keep, delay_s=delay_s)
    ground.write("Alpha", to="listserv")
    ground.write("Behind it", to="listserv")
    ground.write("Beside it")
    ground.once()
    ground.expect(ground.copies("Beside it", "facebook") == 1, "a mail kept a Page post waiting")


def _one(verb: str, how: str, *, keep: bool = False, delay_s: float = 0.0) -> Scenario:
    name = f"{how} at {verb}{', kept' if keep else ''}{', slowly' if delay_s else ''}"
    return Scenario(name, partial(_hit, verb, how, keep, delay_s))


def _often(verb: str, how: str, ground: Ground) -> None:
    """The server is ill for a while: every try of an hour meets the same."""
    ground.box.mail.fail(verb, how, times=5)
    ground.write("Alpha", to="listserv")
    ground.once()


CASES = (
    Case(25, "SMTP 4xx and 5xx at each verb", tuple(
        _one(verb, code) for verb in VERBS for code in ("421", "451", "550", *(("535",) if verb == "AUTH" else ()))
    )),
    Case(26, "SMTP accepted, then nothing more is heard", tuple(
        _one("DOT", how, keep=True, delay_s=1.5 if how == "hang" else 0.0) for how in ENDS
    )),
    Case(60, "SMTP broken off before the final dot", (
        *(_one(verb, how, delay_s=1.5 if how == "hang" else 0.0) for verb in BEFORE_THE_DOT for how in ENDS),
        _one("BODY", "close-mid"),
    )),
    Case(61, "SMTP broken off at the final dot, and not kept", tuple(
        _one("DOT", how, delay_s=1.5 if how == "hang" else 0.0) for how in ENDS
    )),
    Case(62, "SMTP slow at each verb", tuple(
        _one(verb, "ok", delay_s=1.6 if verb == "DOT" else 0.4) for verb in VERBS
    )),
    Case(63, "SMTP ill for a while", tuple(
        Scenario(f"{how} at {verb}", partial(_often, verb, how)) for verb, how in (("CONNECT", "close"), ("MAIL", "451"), ("DOT", "451"))
    )),
)  # fmt: skip
