"""Running the command inside the test, on a fake."""

from mizzle import cli
from mizzle import estimator as estimators
from mizzle.backends import local


def shared(fake, monkeypatch):
    """The fake in place of the estimator of this process, and no service in the environment."""
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
