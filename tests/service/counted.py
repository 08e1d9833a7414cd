"""What metrics stand at."""

from mizzle.service.telemetry.metrics import Metrics


def series(metrics: Metrics) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every series, as its name and labels."""
    samples = (sample for metric in metrics.registry.collect() for sample in metric.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples}


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0
