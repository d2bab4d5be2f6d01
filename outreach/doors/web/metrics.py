"""`/healthz` and `/metrics`: a few figures from the store and the clock, true also when no worker runs."""

from collections.abc import Iterator
from dataclasses import asdict

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from outreach.bootstrap import House
from outreach.store import StoreTrouble, explained, figures
from outreach.store.figures import Figures

_GAUGES = {
    "overdue": "Posts that nothing holds back and that are not out though they were due.",
    "unconfirmed": "Posts that may be out or not.",
    "missed": "Posts that were missed in the last 14 days and still are.",
    "failed": "Posts that failed in the last 14 days and still are.",
    "queued": "Posts that wait for their time, counted up to 10000.",
    "paused_channels": "Channels that let nothing out.",
    "open_alarms": "Alarms that are not over.",
}


def add(app: FastAPI, house: House) -> None:
    """Add both addresses."""
    registry = CollectorRegistry()
    registry.register(_Figures(house))

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        try:
            found = _read(house)
        except StoreTrouble as trouble:
            return JSONResponse({"ok": False, "problems": [explained(trouble).message]}, status_code=503)
        return _health(found)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _read(house: House) -> Figures:
    with house.store.read() as tx:
        return figures.read(tx, house.clock.now())


def _health(found: Figures) -> JSONResponse:
    problems = list(found.problems())
    told = {"ok": not problems, "problems": problems} | asdict(found)
    told["seconds_since_the_last_beat"] = told.pop("since_beat_s")
    return JSONResponse(told, status_code=503 if problems else 200)


class _Figures(Collector):
    """Reads the figures each time it is asked."""

    def __init__(self, house: House) -> None:
        self._house = house

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: that would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give everything; without the database, only that it cannot be used and what this process knows."""
        try:
            found: Figures | None = _read(self._house)
        except StoreTrouble:
            found = None
        yield GaugeMetricFamily("outreach_database_up", "1 while the database can be read.", float(found is not None))
        if found is not None:
            yield from _gauges(found)
        buckets, sum_s = self._house.lateness.counted()
        about = "How many seconds after their planned time posts were out."
        yield HistogramMetricFamily("outreach_lateness_seconds", about, buckets=buckets, sum_value=sum_s)


def _gauges(found: Figures) -> Iterator[Metric]:
    for name, about in _GAUGES.items():
        yield GaugeMetricFamily(f"outreach_{name}", about, float(getattr(found, name)))
    yield GaugeMetricFamily("outreach_safe_mode", "1 while safe mode is on.", float(found.safe_mode))
    if found.since_beat_s is not None:
        about = "Seconds since a worker last gave a sign; missing when none runs."
        yield GaugeMetricFamily("outreach_last_beat_age_seconds", about, found.since_beat_s)
