"""A plan of adaptation that takes seconds."""

from collections.abc import Iterator

import pytest

from mizzle.adaptation import fitting, running


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Few maps, few problems, one pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "_MAPS", (1, 1, 1))
        patch.setattr(running, "_PASSES", 3)
        patch.setattr(running, "_FITTED_PER_MINUTE", 6)
        patch.setattr(running, "_CALIBRATED", 48)
        patch.setattr(running, "_JUDGED", 32)
        patch.setattr(running, "_ORDINARY", 16)
        patch.setattr(fitting, "_PASSES", 1)
        yield
