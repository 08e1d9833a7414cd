"""Python environments for the programs whose libraries cannot live beside mizzle's.

BMI and MIST need numpy<2 and a jax of early 2024, which in turn need Python 3.11 or 3.10. Each gets an
environment under `.cache/environments/`, made once and again whenever its pins change. A program that
belongs into one starts itself again inside it:

    if not environments.inside("bmi"):
        raise SystemExit(environments.run_inside("bmi", __file__, sys.argv[1:]))

This module runs on both sides, so it imports the standard library only.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "environments"
STAMP = "requirements.json"
VERSIONS = ((3, 11), (3, 10))
_BMI = (
    "benchmark-mi==0.1.3", "jax==0.4.26", "jaxlib==0.4.26", "numpy==1.26.4", "scipy==1.12.0",
    "equinox==0.10.11", "optax==0.1.9", "safetensors==0.8.0", "tqdm==4.70.1",
)  # fmt: skip
# Steps of `pip install`, in order. MIST's own requirements name lightning, optuna and more, of which
# neither its generator nor its network needs any: hence the last step without them.
REQUIREMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "bmi": (_BMI,),
    "mist": (("torch==2.13.0",), (*_BMI, "omegaconf==2.4.0"), ("--no-deps", "mist-statinf==0.1.1")),
}


def ensure(name: str) -> Path:
    """The Python of an environment, which is made first if it is missing or its pins have changed."""
    if python := ready(name):
        return python
    folder = FOLDER / name
    base = interpreter()
    _say(f"making the environment {name} (some minutes, once) with {base}")
    _run([base, "-m", "venv", "--clear", folder])
    for step in REQUIREMENTS[name]:
        _run([_python(name), "-m", "pip", "install", "-q", "--disable-pip-version-check", *step])
    # Written last: an interrupted attempt leaves no stamp and is started again.
    (folder / STAMP).write_text(_stamp(name))
    return _python(name)


def ready(name: str) -> Path | None:
    """The Python of an environment if it was made from the present pins."""
    stamp = FOLDER / name / STAMP
    current = stamp.exists() and stamp.read_text() == _stamp(name)
    return _python(name) if current and _python(name).exists() else None


def inside(name: str) -> bool:
    """Whether this process runs in that environment."""
    return Path(sys.prefix).resolve() == (FOLDER / name).resolve()


def run_inside(name: str, script: str | Path, args: Sequence[str] = ()) -> int:
    """Runs a program in an environment, making it first if need be; gives its exit status."""
    command = [ensure(name), script, *args]
    return subprocess.run(command, env=variables(), check=False).returncode


def variables() -> dict[str, str]:
    """This process's environment variables without those that would leak its packages."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}


def interpreter() -> str:
    """A Python 3.11 or 3.10 that can make environments: this one, or the first on the PATH.

    Raises:
        SystemExit: there is none.
    """
    for candidate in _candidates():
        if _fits(candidate):
            return candidate
    raise SystemExit(
        "The benchmarks BMI and MIST need Python 3.11 or 3.10 (for jax 0.4.26 and pandas 1.5) with venv "
        "and ensurepip, and the PATH has none. Install one, for instance with `uv python install 3.11`, "
        "`pyenv install 3.11` or `apt-get install python3.11-venv`, and put it on the PATH."
    )


def _candidates() -> Iterator[str]:
    yield sys.executable
    for major, minor in VERSIONS:
        for folder in os.get_exec_path():
            path = Path(folder) / f"python{major}.{minor}"
            if path.exists():
                yield str(path)


def _fits(python: str) -> bool:
    # Only running it tells: pyenv's shims exist for versions that are not there.
    check = f"import ensurepip, sys, venv; sys.exit(sys.version_info[:2] not in {VERSIONS})"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def _python(name: str) -> Path:
    return FOLDER / name / "bin" / "python"


def _stamp(name: str) -> str:
    return json.dumps(REQUIREMENTS[name], indent=2) + "\n"


def _run(command: Sequence[str | Path]) -> None:
    # To stderr, since programs that start themselves again may print JSON to stdout.
    subprocess.run(command, env=variables(), stdout=sys.stderr, check=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
