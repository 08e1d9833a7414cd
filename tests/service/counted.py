"""What metrics stand at."""


def series(metrics):
    """Every series, as its name and labels."""
    samples = (sample for metric in metrics.registry.collect() for sample in metric.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples}


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0.0
