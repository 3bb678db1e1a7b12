# SPDX-License-Identifier: EUPL-1.2
"""Figures for the operator's Prometheus. None of them identifies a person, room or device."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sync.protocol.messages import ErrorCode

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_COMMIT_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CODES = frozenset(ErrorCode)

Gauges = Callable[[], Iterator[GaugeMetricFamily]]


class Meters:
    """The counters of one server for the operator's Prometheus: items, refusals, connections turned away, bytes of
    files and how long commits take. Counting is safe in any thread; the database's thread calls `commit`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more of each, that nobody reads
        self._registry = CollectorRegistry(auto_describe=False)
        self._items = self._counter("kansli_items_accepted", "Items that were given a position.")
        self._refusals = self._counter("kansli_refusals", "Requests that were refused, by the code.", ["code"])
        self._turned_away = self._counter(
            "kansli_turned_away", "Connections that were ended, or not taken, before a sign-in, by the reason.", ["why"]
        )
        self._file_bytes = self._counter(
            "kansli_file_bytes_accepted", "Bytes of parts of files that were stored whole."
        )
        commits = "kansli_commit_seconds", "How long the database took to have writes on the disk."
        self._commits = Histogram(*commits, registry=self._registry, buckets=_COMMIT_S)

    def _counter(self, name: str, help_text: str, labels: list[str] | None = None) -> Counter:
        return Counter(name, help_text, labels or [], registry=self._registry)

    def accepted(self, items: int) -> None:
        """Counts items that got positions."""
        self._items.inc(items)

    def refused(self, code: str) -> None:
        """Counts a refused request by its code."""
        self._refusals.labels(code if code in _CODES else "other").inc()

    def turned_away(self, why: str) -> None:
        """Counts a connection that was ended or refused before a sign-in, by the reason `why`: "address", "bytes",
        "late" or "oldest"."""
        self._turned_away.labels(why).inc()

    def stored(self, size_bytes: int) -> None:
        """Counts the bytes of a part of a file that is complete."""
        self._file_bytes.inc(size_bytes)

    def commit(self, took_s: float) -> None:
        """Records how many seconds a commit took."""
        self._commits.observe(took_s)

    def watch(self, gauges: Gauges) -> None:
        """Adds gauges, which are read whenever the figures are requested."""
        self._registry.register(_GaugeCollector(gauges))

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _GaugeCollector(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return self._gauges()


def gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    """One figure with its present value."""
    return GaugeMetricFamily(name, help_text, value=value)


def gauges_by(name: str, help_text: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    """A Prometheus gauge, called `name` and described by `help_text`, with a value for each of a few kinds. `values`:
    the value by kind; if it is empty, the gauge has no value. `label`: the Prometheus label that holds the kind."""
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family
