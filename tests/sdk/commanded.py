"""Running the command inside the test, on a fake that answers tables, too."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mizzle import cli
from mizzle import estimator as estimators
from mizzle.backends import local


@contextmanager
def _thread_pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def shared(fake, monkeypatch):
    """The fake in place of the estimator of this process, and no service in the environment."""
    fake.side, fake.pair, fake.thread_pool = (lambda values: values), fake.prepare, _thread_pool
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda *_, **__: fake)
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    return fake


def runner(capsys):
    """A function of the command's arguments, which gives exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.main([str(word) for word in arguments])
        return code, *capsys.readouterr()

    return run
