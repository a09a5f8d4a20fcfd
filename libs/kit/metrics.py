"""Metrics of the process in the Prometheus format; one registry, whatever is composed in it."""

from collections.abc import Sequence
from threading import Lock

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_lock = Lock()
_made: dict[str, Counter | Gauge | Histogram] = {}

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    """A number that only grows; asking twice for the same name gives the same one."""
    with _lock:
        found = _made.get(name)
        if not isinstance(found, Counter):
            _made[name] = found = Counter(name, meaning, labels)
        return found


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    """A number that goes up and down."""
    with _lock:
        found = _made.get(name)
        if not isinstance(found, Gauge):
            _made[name] = found = Gauge(name, meaning, labels)
        return found


def histogram(
    name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
) -> Histogram:
    """A distribution; seconds unless the name says otherwise."""
    with _lock:
        found = _made.get(name)
        if not isinstance(found, Histogram):
            _made[name] = found = Histogram(name, meaning, labels, buckets=buckets)
        return found


def exposition() -> tuple[str, bytes]:
    """Content type and body of the answer to /metrics."""
    return CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
