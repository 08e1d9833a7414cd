"""What `import mizzle` loads, what it offers, and what it says when torch is missing."""

import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mizzle
from mizzle import errors
from mizzle.backends import local
from mizzle.deprecated import MOVED

# Made by version 0.9.0: a Matrix of three pairs, one with an error, a Ranking of the first, and Limits.
PICKLED = Path(__file__).with_name("results_of_0_9.pickle")
PATHS = [  # that stay as they are
    "mizzle.cli:main",
    "mizzle.client:AsyncClient",
    "mizzle.client:Client",
    "mizzle.cost:cells",
    "mizzle.errors:MizzleError",
    "mizzle.errors:by_code",
    "mizzle.estimator:EstimatorLike",
    "mizzle.estimator:load",
    "mizzle.metadata_gen:Shards",
    "mizzle.metadata_gen:dataset",
    "mizzle.metadata_gen.family:Family",
    "mizzle.metadata_gen.prior:draw",
    "mizzle.metadata_gen.stream:DataSet",
    "mizzle.model:Estimator",
    "mizzle.model.estimator:Estimator",
    "mizzle.service.app:create_app",
    "mizzle.service.settings:Settings",
    "mizzle.sklearn:MutualInfoSelector",
    "mizzle.sklearn:mi_score",
    "mizzle.tables:matrix",
    "mizzle.tables:rank",
    "mizzle.torch:Audit",
    "mizzle.torch:MutualInformation",
    "mizzle.types:Estimate",
    "mizzle.types:ModelInfo",
    "mizzle.types:Notice",
    "mizzle.version:__version__",
    "mizzle.wire:answer",
]
OLD_PATHS = [  # that held public names, or classes of which objects are pickled
    "mizzle.about:Limits",
    "mizzle.about:ModelCard",
    "mizzle.arrays:MIN_ROWS",
    "mizzle.arrays:check_pair",
    "mizzle.async_client:AsyncClient",
    "mizzle.doctor:examine",
    "mizzle.job_errors:JobFailed",
    "mizzle.jobs:Jobs",
    "mizzle.local:estimate",
    "mizzle.local:estimate_many",
    "mizzle.metadata_gen.elliptical:MultivariateNormal",
    "mizzle.metadata_gen.ranges:Limits",
    "mizzle.metadata_gen.shards:Shards",
    "mizzle.pairs:Outcome",
    "mizzle.plan:Plan",
    "mizzle.results:Matrix",
    "mizzle.results:PairResult",
    "mizzle.results:Ranking",
    "mizzle.labels:Labels",
    "mizzle.variables:Variable",
]


def _python(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_neither_torch_nor_web_libraries() -> None:
    code = (
        "import mizzle, sys; mizzle.MizzleError, mizzle.Estimate;"
        "heavy = {'torch', 'fastapi', 'uvicorn', 'pydantic', 'httpx2', 'pandas', 'numpy'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    assert _python(code).strip() == "[]"


def test_the_client_loads_no_torch_and_no_service() -> None:
    code = (
        "import mizzle, sys; mizzle.Client('http://127.0.0.1:1').close(); mizzle.AsyncClient;"
        "print(sorted({'torch', 'fastapi', 'pydantic'} & sys.modules.keys()))"
    )
    assert _python(code).strip() == "[]"


def test_every_public_name_exists() -> None:
    for name in mizzle.__all__:
        assert getattr(mizzle, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mizzle.nonsense


def test_nothing_but_public_names_is_listed() -> None:
    listed = set(dir(mizzle))
    assert listed >= {*mizzle.__all__, "__all__", "__doc__", "__file__", "__path__", "__version__"}
    assert {name for name in listed if not name.startswith("__")} == {*mizzle.__all__} - {"__version__"}


def _at(path):
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("path", PATHS)
def test_public_paths_stay(path: str) -> None:
    assert _at(path) is not None


def _forget_old_modules() -> None:
    for old in MOVED:
        sys.modules.pop(f"mizzle.{old}", None)


@pytest.mark.parametrize("old", MOVED)
def test_old_modules_are_the_new_ones_and_say_so(old) -> None:
    _forget_old_modules()
    with pytest.warns(DeprecationWarning, match=f"mizzle.{old} is now mizzle.{MOVED[old]};") as noticed:
        exec(compile(f"import mizzle.{old}", "theirs.py", "exec"), {})
    assert noticed[0].filename == "theirs.py"
    module = sys.modules[f"mizzle.{old}"]
    assert module is import_module(f"mizzle.{MOVED[old]}")
    assert module.__spec__
    assert module.__name__ == module.__spec__.name == f"mizzle.{MOVED[old]}"


@pytest.mark.filterwarnings("ignore:.* is now:DeprecationWarning")
@pytest.mark.parametrize("path", OLD_PATHS)
def test_old_paths_lead_to_the_same_objects(path: str) -> None:
    _forget_old_modules()
    assert _at(path) is not None


def test_old_names_are_ours_alone() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("about")
    with pytest.raises(ModuleNotFoundError):
        import_module("mizzle.nonsense")


@pytest.mark.filterwarnings("ignore:.* is now:DeprecationWarning")
def test_what_was_pickled_by_0_9_can_be_loaded() -> None:
    _forget_old_modules()
    matrix, ranking, limits = pickle.loads(PICKLED.read_bytes())
    assert isinstance(matrix, mizzle.Matrix)
    assert isinstance(ranking, mizzle.Ranking)
    estimate = matrix["a", "b"].estimate
    assert estimate
    assert estimate.interval(0.9) == (0.1, 0.4)
    assert isinstance(matrix["a", "c"].error, mizzle.TooFewSamples)
    assert len(matrix.to_csv().splitlines()) == 4
    assert ranking.pairs == matrix.pairs[:1]
    assert limits == mizzle.Limits(10, 64, (0.005, 0.995), max_body_bytes=7)


def test_every_error_of_the_tree_is_public_and_found_by_its_code() -> None:
    waiting, codes = [errors.MizzleError], set()
    while waiting:
        cls = waiting.pop()
        waiting += [sub for sub in cls.__subclasses__() if "code" in vars(sub)]  # else a private kind of it
        assert getattr(mizzle, cls.__name__) is cls
        assert errors.by_code(cls.code) is cls
        assert cls.__name__ in errors.__doc__
        assert cls.code not in codes
        codes.add(cls.code)
    assert errors.by_code("nonsense") is None
    assert errors.by_code(["nonsense"]) is None


def test_without_any_engine_the_error_names_the_extra() -> None:
    code = (
        "import os, sys; sys.modules['torch'] = None\n"  # makes `import torch` fail
        "os.environ['MIZZLE_NATIVE_LIBRARY'] = 'none'\n"
        "import mizzle\n"
        "try: mizzle.estimate(range(20), range(20))\n"
        "except mizzle.MissingExtra as error: print(error)"
    )
    assert "pip install 'mizzle[local]'" in _python(code)


def test_without_fastapi_serving_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None\n"
        "from mizzle import cli; sys.stderr = sys.stdout; print(cli.main(['serve']))"
    )
    assert "pip install 'mizzle[service]'\n1" in _python(code)


def test_bad_input_is_refused_before_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_loaded", lambda: pytest.fail("loaded"))
    with pytest.raises(mizzle.TooFewSamples):
        mizzle.estimate([1.0], [1.0])
