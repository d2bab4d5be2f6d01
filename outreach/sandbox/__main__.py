"""Run the sandbox alone: `python -m outreach.sandbox`, until SIGINT or SIGTERM."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .box import Sandbox
from .control import addresses

REDIRECT = "http://127.0.0.1:8000/connect/answer"


def main() -> int:
    """Serve until told to stop; with `--json`, one line with every address and credential says that it is ready."""
    options = _options()
    box = Sandbox(http_port=options.http_port, smtp_port=options.smtp_port, pages=options.pages, lists=options.lists)
    box.graph.rules.redirect_uris = set(options.redirect_uri or [REDIRECT])
    with until_told_to_stop(box) as told:
        sys.stderr.write(f"This is a sandbox, not Facebook: nothing it takes is published. {box.graph_url}\n")
        if options.json:
            sys.stdout.write(json.dumps(told) + "\n")
    return 0


@contextmanager
def until_told_to_stop(box: Sandbox) -> Iterator[dict[str, Any]]:
    """Serve; the block is given the addresses to show, and after it nothing happens until SIGINT or SIGTERM."""
    over = threading.Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with box:
            yield addresses(box)
            sys.stdout.flush()
            over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m outreach.sandbox", description=__doc__)
    parser.add_argument("--http-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--pages", type=int, default=1, help="how many Pages")
    parser.add_argument("--lists", type=int, default=1, help="how many mailing lists")
    told = f"where the log-in dialog may lead back to; may be given several times ({REDIRECT})"
    parser.add_argument("--redirect-uri", action="append", help=told)
    parser.add_argument(
        "--json", action="store_true", help="print addresses and credentials as one JSON line when ready"
    )
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
