"""Where the compiled engine was built nothing needs torch; where it was not, torch takes its place."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import numpy as np
import pytest

import mizzle
from mizzle.errors import ModelUnavailable
from mizzle.model import Estimator, engines, native, torch_engine
from mizzle.model.native import library
from mizzle.service.settings import read, unknown_variables

DATA = Path(__file__).parents[1] / "examples" / "breast_cancer.csv"
PATIENCE = 120  # seconds after which a process that was started has failed
built = pytest.mark.skipif(not native.available(), reason=str(native.reason()))
# As if it were not installed, in a process and in those that it starts.
BLOCKED = "import sys\nsys.modules['torch'] = sys.modules['jaxtyping'] = None\n"


@pytest.fixture
def blocked(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that has no torch."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKED)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No compiled engine."""
    monkeypatch.setenv("MIZZLE_NATIVE_LIBRARY", str(tmp_path / "libmizzle.so"))
    library.load.cache_clear()
    yield
    library.load.cache_clear()


def output(arguments: list[str], environment: dict[str, str] | None = None) -> str:
    """What Python prints, as a process of its own."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_torch_is_blocked(blocked: dict[str, str]) -> None:
    code = "try: import torch\nexcept ModuleNotFoundError: print('none')"
    assert output(["-c", code], blocked) == "none\n"


@built
@pytest.mark.parametrize(
    "question",
    [
        "mizzle.estimate(x, y)",
        "mizzle.estimate_many([(x, y)] * 3)[0]",
        "next(iter(mizzle.matrix(np.column_stack([x, y])))).estimate",
        "next(iter(mizzle.rank({'x': x, 'y': y}, 'y'))).estimate",
    ],
)
def test_the_library_answers(question: str, blocked: dict[str, str]) -> None:
    code = f"import mizzle, numpy as np; x, y = np.random.default_rng(0).normal(size=(2, 100)); {question}.mi"
    output(["-W", "error", "-c", code], blocked)


@built
def test_the_command_answers(blocked: dict[str, str]) -> None:
    columns = ["--x", "mean_radius", "--y", "worst_area"]
    text = output(["-m", "mizzle", "estimate", str(DATA), *columns, "--json"], blocked)
    assert json.loads(text)["n"] == 569


@built
def test_the_service_answers(blocked: dict[str, str]) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    with serving(blocked) as (url, _), mizzle.Client(url) as client:
        assert client.estimate(x, y) == mizzle.estimate(x, y)


class serving:
    """`mizzle serve` in an environment; its address and the ids of its processes."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "mizzle", "serve", "--port=0"]
        environment = {**environment, "MIZZLE_DRAIN_SECONDS": "0.2"}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def __enter__(self) -> tuple[str, list[int]]:
        assert self._process.stdout
        words = self._process.stdout.readline().split()
        url = next(word for word in words if word.startswith("http://"))
        with httpx2.Client(base_url=url, trust_env=False) as http:
            while http.get("/startupz").status_code != 200:
                assert self._process.poll() is None
        listed = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        children = [int(child) for file in listed for child in file.read_text().split()]
        return url, [self._process.pid, *children]

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=PATIENCE)


@built
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc here")
def test_the_service_leaves_torch_where_it_is() -> None:
    """It is installed, the device is "auto", and neither the service nor its worker has it in memory."""
    with serving({**os.environ, "CUDA_VISIBLE_DEVICES": "", "MIZZLE_DEVICE": "cpu"}) as (_, processes):
        loaded = [Path(f"/proc/{process}/maps").read_text() for process in processes]
    assert len(loaded) == 2
    assert "libmizzle" in loaded[1]
    assert not any("torch" in own for own in loaded)


@built
def test_the_compiled_engine_is_what_answers_on_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIZZLE_ENGINE", raising=False)
    model = Estimator.load()
    assert (model.engine, model.device, model.card["engine"]) == ("native", "cpu", "native")


def test_the_variable_says_which_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_ENGINE", "torch")
    assert Estimator.load().engine == "torch"
    monkeypatch.setenv("MIZZLE_ENGINE", "steam")
    with pytest.raises(ModelUnavailable, match="no engine steam; choose auto, native, torch"):
        Estimator.load()


@built
def test_an_argument_overrides_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_ENGINE", "torch")
    assert Estimator.load(engine="native").engine == "native"


def test_the_variables_are_known_to_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_ENGINE", "native")
    monkeypatch.setenv("MIZZLE_NATIVE_LIBRARY", "/nowhere")
    assert unknown_variables() == []
    assert read().engine == "native"


@built
def test_the_compiled_engine_has_no_other_device() -> None:
    with pytest.raises(ModelUnavailable, match="has no device cuda"):
        Estimator.load(device="cuda", engine="native")


@built
@pytest.mark.parametrize(("driver", "cuda"), [(False, True), (True, False), (True, True)])
def test_a_gpu_is_torchs(driver: bool, cuda: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch is asked for one only where there is a driver, and computes only where it has one."""
    monkeypatch.delenv("MIZZLE_ENGINE", raising=False)
    monkeypatch.setattr(engines, "_has_driver", lambda: driver)
    monkeypatch.setattr(torch_engine, "has_cuda", lambda: cuda)
    monkeypatch.setattr(torch_engine, "load", lambda *_: pytest.fail("torch"))
    if driver and cuda:
        with pytest.raises(pytest.fail.Exception, match="torch"):
            Estimator.load(device="auto")
    else:
        assert Estimator.load(device="auto").device == "cpu"


@built
def test_torch_without_what_it_needs_here_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has torch for himself may lack jaxtyping."""
    monkeypatch.delenv("MIZZLE_ENGINE", raising=False)
    monkeypatch.setattr(engines, "_has_driver", lambda: True)
    monkeypatch.setitem(sys.modules, "jaxtyping", None)
    assert Estimator.load(device="auto").engine == "native"


@pytest.mark.usefixtures("unbuilt")
def test_torch_answers_in_its_place() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    model = Estimator.load()
    assert model.engine == "torch"
    assert model.estimate(x, y).n == 60


@pytest.mark.usefixtures("unbuilt")
def test_an_engine_that_was_not_built_cannot_be_chosen() -> None:
    with pytest.raises(ModelUnavailable, match=r"was not built .*; install mizzle where there is a C\+\+"):
        Estimator.load(engine="native")


def test_without_either_the_error_says_what_to_install(blocked: dict[str, str]) -> None:
    code = (
        "import mizzle\ntry: mizzle.estimate(range(20), range(20))\nexcept mizzle.MissingExtra as e: print(e)"
    )
    text = output(["-c", code], {**blocked, "MIZZLE_NATIVE_LIBRARY": "nowhere"})
    assert "the compiled engine was not built" in text
    assert "torch is not installed" in text
    assert "pip install 'mizzle[local]'" in text


@built
def test_threads_and_batches_are_singles_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    model = Estimator.load(threads=4, engine="native")
    tables = [model.prepare(*rng.normal(size=(2, n, d))) for n in (12, 40, 300) for d in (1, 2, 5)] * 9
    tables.insert(5, model.prepare(np.ones((30, 1)), rng.normal(size=(30, 1))))
    alone = [model.run([table])[0] for table in tables]
    assert model.run(tables) == alone
    assert Estimator.load(threads=1, engine="native").run(tables) == alone
    with model.thread_pool() as pool:
        assert list(pool.map(model.run, [tables] * 4)) == [alone] * 4


@built
@pytest.mark.parametrize("workers", [1, 3, 4])
@pytest.mark.parametrize("count", [1, 3, 33, 200])
def test_groups_cover_all_problems_once(count: int, workers: int) -> None:
    model = Estimator.load(engine="native")
    rng = np.random.default_rng(4)
    tables = [model.prepare(*rng.normal(size=(2, n, 1))) for n in rng.integers(10, 90, count)]
    groups = [*model._engine.groups(tables, workers)]
    assert sorted(place for group in groups for place in group) == list(range(count))
    assert max(map(len, groups)) <= 32
    assert len(groups) >= min(count, workers)
