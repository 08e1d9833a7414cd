"""What `import mizzle` loads, what it offers, and what it says when torch is missing."""

import subprocess
import sys

import pytest

import mizzle
from mizzle import errors
from mizzle.backends import local


def _python(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_neither_torch_nor_web_libraries():
    code = (
        "import mizzle, sys; mizzle.MizzleError, mizzle.Estimate;"
        "heavy = {'torch', 'fastapi', 'uvicorn', 'pydantic', 'httpx2', 'pandas', 'numpy'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    assert _python(code).strip() == "[]"


def test_the_client_loads_no_torch_and_no_service():
    code = (
        "import mizzle, sys; mizzle.Client('http://127.0.0.1:1').close(); mizzle.AsyncClient;"
        "print(sorted({'torch', 'fastapi', 'pydantic'} & sys.modules.keys()))"
    )
    assert _python(code).strip() == "[]"


def test_every_public_name_exists():
    assert set(mizzle.__all__) <= set(dir(mizzle))
    for name in mizzle.__all__:
        assert getattr(mizzle, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mizzle.nonsense


def test_every_error_of_the_tree_is_public_and_found_by_its_code():
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


def test_without_torch_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['torch'] = None\n"  # makes `import torch` fail
        "import mizzle\n"
        "try: mizzle.estimate(range(20), range(20))\n"
        "except mizzle.MissingExtra as error: print(error)"
    )
    assert "pip install 'mizzle[local]'" in _python(code)


def test_without_fastapi_serving_names_the_extra():
    code = (
        "import sys; sys.modules['fastapi'] = None\n"
        "from mizzle import cli; sys.stderr = sys.stdout; print(cli.main(['serve']))"
    )
    assert "pip install 'mizzle[service]'\n1" in _python(code)


def test_bad_input_is_refused_before_the_model_is_loaded(monkeypatch):
    monkeypatch.setattr(local, "_loaded", lambda: pytest.fail("loaded"))
    with pytest.raises(mizzle.TooFewSamples):
        mizzle.estimate([1.0], [1.0])
