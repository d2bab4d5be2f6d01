"""`python -m tests.mail.matrix`: what the samples mean, against what they are taken for; exit code 1 if any differs."""

import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from outreach.mail.meaning import Sent, Verdict
from outreach.mail.recognising import meaning
from tests.mail.samples import SAMPLES

POST = Sent(
    "1/listserv",
    "<0a1b2c@example.org>",
    "tmm-sig@lists.example.org",
    "Call for abstracts",
    "Send yours by Friday to room 7.",
)


def counted() -> Counter[tuple[Verdict, Verdict]]:
    """Count the samples by what they mean and what they are taken for."""
    return Counter((sample.verdict, meaning(sample.make(POST), [POST]).verdict) for sample in SAMPLES)


def main() -> int:
    """Print the matrix."""
    found = counted()
    drawn = Table("means", *(str(verdict) for verdict in Verdict), title=f"{len(SAMPLES)} mails: taken for", box=None)
    for verdict in Verdict:
        drawn.add_row(str(verdict), *(str(found[verdict, other] or "·") for other in Verdict))
    Console(width=200).print(drawn)
    return int(any(meant is not taken for meant, taken in found))


if __name__ == "__main__":
    sys.exit(main())
