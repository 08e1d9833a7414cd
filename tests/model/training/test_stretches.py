"""How far intervals are stretched: by what each draw needs; kinds count alike however many draws."""

import numpy as np
import pytest

from mizzle.model.labels.network import Network
from mizzle.model.quantiles import LEVELS
from mizzle.model.training import labels

COUNT = len(LEVELS)


def constant(steps: np.ndarray) -> Network:
    """A network that answers the same whatever it is told."""
    layers = ((np.zeros((1, COUNT)), steps),)
    return Network(np.zeros(1), np.ones(1), layers, 1.0)


def draws(nats: np.ndarray) -> labels.Draws:
    ones = np.ones(len(nats))
    return labels.Draws(np.zeros((len(nats), 1)), 2.0 * ones, 0.5 * ones, 99.0 * ones, nats, 100 * ones)


def test_the_least_stretch_holds_the_truth_and_a_smaller_one_does_not() -> None:
    network = constant(np.array([(level - 0.5) * 4.0 for level in LEVELS]))
    sample = draws(np.random.default_rng(1).uniform(0.5, 4.0, 50))
    needed = labels.stretches(network, sample)
    for nats, stretch in zip(sample.nats, needed, strict=True):
        one = draws(np.array([nats]))
        for factor, holds in ((1.001, 1.0), (0.999, 0.0)):
            stretched = Network(network.centre, network.spread, network.layers, stretch * factor)
            assert labels.coverage(stretched, one)[0] == holds


def test_every_kind_weighs_the_same() -> None:
    values = np.concatenate([np.full(900, 1.0), np.full(10, 2.0)])
    kinds = np.array(["many"] * 900 + ["few"] * 10)
    assert labels.even_share(values, kinds, 0.49) == pytest.approx(1.0)
    assert labels.even_share(values, kinds, 0.51) == pytest.approx(2.0)
    assert np.quantile(values, 0.51) == pytest.approx(1.0)
