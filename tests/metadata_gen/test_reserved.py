"""Looks that are reserved: injective as all others, of kinds that the prior does not draw."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from mizzle.metadata_gen import reserved
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import Injection
from mizzle.metadata_gen.prior import looks

ROWS, SEEDS, STEP = 300, 6, 1e-5
LEAST = 1e-3  # change of the image for a change of the latents, in standard deviations of both
CASES = [(kind, k) for kind, (low, high) in reserved.LATENTS.items() for k in range(low, high + 1)]


def drawn(kind: str, k: int) -> list[tuple[Injection, Array]]:
    """Looks of a kind with much room and little, and rows of latents."""
    rngs = [np.random.default_rng([seed, k]) for seed in range(SEEDS)]
    return [
        (
            reserved.reserved_look(rng, k, (64, 2 * k + 1)[seed % 2], kind),
            rng.standard_normal((ROWS, k)),
        )
        for seed, rng in enumerate(rngs)
    ]


@pytest.mark.parametrize(("kind", "k"), CASES)
def test_small_and_large_changes_of_latents_change_the_image(kind: str, k: int) -> None:
    for look, z in drawn(kind, k):
        image = look.forward(z)
        size = np.sqrt(image.var(axis=0).sum())
        slopes = [(look.forward(z + e) - look.forward(z - e)) / (2.0 * STEP) for e in STEP * np.eye(k)]
        least = np.linalg.svd(np.stack(slopes, axis=2), compute_uv=False)[:, -1] / size
        assert np.quantile(least, 0.05) >= LEAST
        assert (pdist(image) / pdist(z)).min() >= LEAST * size
        assert (np.ptp(image, axis=0) > 0.0).all()


def test_the_prior_draws_none_of_these() -> None:
    assert not set(reserved.LATENTS) & set(looks.KINDS)


def test_problems_depend_on_seed_and_number_alone() -> None:
    first, again, other = reserved.dataset(3, 5), reserved.dataset(3, 5), reserved.dataset(3, 6)
    assert first.x.tobytes() == again.x.tobytes()
    assert first.x.tobytes() != other.x.tobytes()
    assert first.truth == again.truth
