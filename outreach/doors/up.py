"""`outreach up`: the worker and the page in one process."""

from collections.abc import Callable

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import begun, stopping_on_signals, telling_outages


def _where_to_begin(house: House, address: str) -> str:
    """Give the page's address; while nobody can log in, a link that makes the first admin and opens once."""
    if not house.access.needs_a_first_admin():
        return address
    return f"{address}/links/{house.access.first_admin_link()}"


def run(house: House, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the page and work until told to stop; `say` is told where to open the page."""
    with telling_outages(house):
        worker = begun(house)
        with served(create(house), host=host, port=port) as address, stopping_on_signals(worker):
            say(f"Open this; end with Ctrl-C:\n{_where_to_begin(house, address)}")
            worker.start()
            worker.wait()
            worker.stop()
