"""Running the command inside the test, on a fake."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from mizzle import cli
from mizzle import estimator as estimators
from mizzle.backends import local
from mizzle.estimator import EstimatorLike

Run = Callable[..., tuple[int, str, str]]
E = TypeVar("E", bound=EstimatorLike)


def shared(fake: E, monkeypatch: pytest.MonkeyPatch) -> E:
    """The fake in place of the estimator of this process, and no service in the environment."""
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda *_, **__: fake)
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    return fake


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function of the command's arguments, which gives exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(word) for word in arguments])
        return code, *capsys.readouterr()

    return run
