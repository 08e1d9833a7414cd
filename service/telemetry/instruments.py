"""What metrics are made of: Prometheus instruments of one registry, whose labels have known values."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

Instrument = TypeVar("Instrument", bound=MetricWrapperBase)
PREFIX = "mizzle"
OTHER = "other"


def geometric(first: float, ratio: float, count: int) -> tuple[float, ...]:
    """Upper bounds of histogram buckets."""
    return tuple(first * ratio**i for i in range(count))


SECONDS = geometric(0.001, 2, 17)  # to 65 s
SHORT_SECONDS = geometric(0.0001, 2, 16)  # to 3.3 s
CELLS = geometric(256, 4, 10)  # to 67 million
ITEMS = geometric(1, 2, 9)  # to 256
SHARES = geometric(1 / 64, 2, 7)  # to 1


class Closed(Generic[Instrument]):
    """An instrument for each value of one label, all there from the start; what is not known is "other".

    From the start, because Prometheus takes a series that appears with value 1 for one that never rose.
    """

    def __init__(self, parent: Instrument, values: Iterable[str]) -> None:
        self._children = {value: parent.labels(value) for value in (*values, OTHER)}

    def __getitem__(self, value: str) -> Instrument:
        return self._children.get(value, self._children[OTHER])


class Instruments:
    """Makes instruments; `registry` holds them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def instrument(
        self, kind: type[Instrument], name: str, text: str, *labels: str, **more: Any
    ) -> Instrument:
        """An instrument by name, without the prefix."""
        return kind(name, text, labels, namespace=PREFIX, registry=self.registry, **more)

    def closed(
        self,
        kind: type[Instrument],
        name: str,
        text: str,
        label: str,
        values: Iterable[str],
        **more: Any,
    ) -> Closed[Instrument]:
        """An instrument for each value of a label."""
        return Closed(self.instrument(kind, name, text, label, **more), values)


class WithoutCreated(Collector):
    """A registry without the times at which counters were made, which would be a second series of each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
