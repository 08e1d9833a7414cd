"""How jobs use a model that has nothing else to do."""

from pathlib import Path

import pytest
from fakes import FakeEstimator
from job_bodies import ended, put, table, tensor_body

from mizzle.service.app import create_app
from mizzle.service.inference import runner
from mizzle.service.inference.warm_up import Measured, measured
from mizzle.service.jobs import runner as job_runner
from mizzle.service.settings import Settings


@pytest.mark.parametrize("overhead", [0.0, 0.02])
def test_an_idle_model_gets_whole_chunks_at_once(
    fake: FakeEstimator,
    settings: Settings,
    in_lifespan,
    connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    overhead: float,
) -> None:
    """It counts as idle whatever a batch costs by itself: a job would wait for a busy one, here for good."""
    monkeypatch.setattr(job_runner, "_IDLE_WAIT_SECONDS", 1e6)
    speed = Measured(cells_per_second=1e7, overhead=overhead, batch_cells=10**6)
    monkeypatch.setattr(runner, "measured", lambda estimator: measured(estimator) and speed)
    chosen = settings.model_copy(update={"jobs_dir": tmp_path / "jobs", "max_batch_items": 16})

    async def scenario(app):
        async with connect(app) as http:
            await put(http, "one", tensor_body(table(41, 9)))
            return await ended(http, "one")

    assert in_lifespan(create_app(chosen, fake), scenario)["state"] == "done"
    assert fake.batches == [8, 8, 8, 8, 4]
