"""Requests by route, status and time, counted in plain dictionaries and read by Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


class RouteFigures:
    """What happened on one route; a route is a row of the URL map, so there are few."""

    __slots__ = ("buckets", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def count(self, status: int, seconds: float) -> None:
        """Adds one finished request; streams count their status, but no time."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def count_stream(self, status: int) -> None:
        """Adds one finished stream, whose length says nothing about us."""
        self.statuses[status] = self.statuses.get(status, 0) + 1


class GatewayMetrics(Collector):
    """The collector of one gateway; labels come from the URL map only."""

    def __init__(self, open_streams: Callable[[], int]) -> None:
        self._routes: dict[str, RouteFigures] = {}
        self._open_streams = open_streams

    def route(self, name: str) -> RouteFigures:
        """The figures of one route, made on first use."""
        figures = self._routes.get(name)
        if figures is None:
            figures = self._routes[name] = RouteFigures()
        return figures

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        requests = CounterMetricFamily(
            "opsjob_gateway_requests", "Answered requests.", labels=("route", "status")
        )
        seconds = HistogramMetricFamily(
            "opsjob_gateway_request_seconds", "Time to the end of the answer.", labels=("route",)
        )
        for name, figures in self._routes.items():
            for status, count in figures.statuses.items():
                requests.add_metric((name, str(status)), count)
            if figures.seconds:
                seconds.add_metric((name,), _cumulated(figures.buckets), figures.seconds)
        yield requests
        yield seconds
        streams = GaugeMetricFamily("opsjob_gateway_open_streams", "Live streams open now.")
        streams.add_metric((), self._open_streams())
        yield streams


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    rows: list[tuple[str, float]] = []
    for bound, count in zip((*(str(bound) for bound in BUCKETS), "+Inf"), buckets, strict=True):
        total += count
        rows.append((bound, total))
    return rows
