"""`outreach up`: the worker and the page in one process."""

from collections.abc import Callable

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import begun, stopping_on_signals, telling_outages


def run(house: House, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the page and work until told to stop; `say` is told the page's address."""
    with telling_outages(house):
        worker = begun(house)
        with served(create(house), host=host, port=port) as address, stopping_on_signals(worker):
            say(address)
            worker.start()
            worker.wait()
            worker.stop()
