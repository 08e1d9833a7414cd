"""Fuzz the parsers for minutes: `make fuzz`, or `fuzz.py TARGET ..` for some of them.

Each target has a process of its own. With atheris, coverage guides it (libFuzzer, with the same damages
as its mutator); without, damages are drawn from the corpus alone. A body that breaks a law is written to the
corpus, where the tests find it from then on.
"""

import argparse
import faulthandler
import io
import itertools
import logging
import os
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import nullcontext, redirect_stderr
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
try:
    import atheris
except ImportError:  # it has no wheels for some systems
    atheris = None
instrumented = atheris.instrument_imports(include=["mizzle"]) if atheris else nullcontext()
with redirect_stderr(io.StringIO()), instrumented:  # it names every module
    from target import CORPUS, Target
    from targets import TARGETS

GROWN = HERE.parent.parent / "build" / "fuzz"  # what coverage adds to the corpus, from run to run
_MAX_SECONDS = 2.0  # of processor time for one body
_MAX_MEMORY = 6 * 2**30  # of address space: what wants more fails, instead of the machine
_MAX_BODY = 64 * 2**10
_TRACED = 256  # one body in so many is also checked for what it allocates
_LEAST_SECONDS = 2


def main() -> int:
    """1 where a law was broken."""
    options = _options()
    if options.files:
        return _repeat(TARGETS[options.targets[0]], [Path(file).read_bytes() for file in options.files])
    if options.number is not None:
        target = TARGETS[options.targets[0]]
        return _repeat(target, [target.mutator.drawn(options.number)])
    return _fuzz_all(options.targets or list(TARGETS), options.seconds, options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", choices=[[], *TARGETS], help="all, without any", metavar="TARGET"
    )
    parser.add_argument("--seconds", type=float, default=300.0, help="in all, split among the targets")
    parser.add_argument("--seed", type=int, default=None, help="of chance; another one each time, without")
    parser.add_argument(
        "--files", nargs="+", help="bodies to repeat instead, of the one target that is named"
    )
    parser.add_argument("--number", type=int, help="of a damaged body to repeat, as the tests count them")
    return parser.parse_args()


def _repeat(target: Target, bodies: list[bytes]) -> int:
    for body in bodies:
        print(f"{body[:200]!r}: {target.run_traced(body)}")
    return 0


def _fuzz_all(names: list[str], seconds: float, seed: int | None) -> int:
    """Every target for an equal part of the time."""
    print(f"{'target':20} {'executions':>12}{'' if atheris else '  (without atheris: no coverage guidance)'}")
    broken = []
    for name in names:
        code, output = _in_child(TARGETS[name], max(_LEAST_SECONDS, seconds / len(names)), seed)
        counts = re.findall(r"^(?:Done |#)(\d+)", output, re.MULTILINE)
        print(f"{name:20} {max(map(int, counts), default=0):>12}", flush=True)
        if code:
            broken.append(name)
            print(output[-4000:], flush=True)
    print(f"laws are broken by {', '.join(broken)}" if broken else "no law was broken")
    return int(bool(broken))


def _in_child(target: Target, seconds: float, seed: int | None) -> tuple[int, str]:
    """Exit status and output of a process that fuzzes a target; libFuzzer ends the one that it is in."""
    sys.stdout.flush()
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            os._exit(_fuzz(target, seconds, seed))
        _, status = os.waitpid(child, 0)
        log.seek(0)
        return os.waitstatus_to_exitcode(status), log.read().decode(errors="replace")


def _fuzz(target: Target, seconds: float, seed: int | None) -> int:
    """One target in this process."""
    warnings.simplefilter("ignore")
    logging.disable()
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, resource.RLIM_INFINITY))
    (GROWN / target.name).mkdir(parents=True, exist_ok=True)
    chosen = random.randrange(1, 2**31) if seed is None else seed
    return (_with_coverage if atheris else _by_chance)(target, seconds, chosen)


def _by_chance(target: Target, seconds: float, seed: int) -> int:
    end = time.monotonic() + seconds
    for count in itertools.count():
        if time.monotonic() > end:
            print(f"Done {count}", flush=True)
            return 0
        try:
            _check(target, target.mutator.drawn(seed + count), count)
        except Exception:
            print(f"#{count}", flush=True)
            return 1
    raise AssertionError


def _with_coverage(target: Target, seconds: float, seed: int) -> int:
    count = itertools.count()

    def mutate(body: bytes, max_size: int, seed: int) -> bytes:
        rng = random.Random(seed)
        return (
            target.mutator.damaged(body, rng)[:max_size]
            if rng.random() < 0.8
            else atheris.Mutate(body, max_size)
        )

    settings = {
        "max_total_time": round(seconds),
        "max_len": _MAX_BODY,
        "seed": seed,
        "timeout": 60,
        "rss_limit_mb": 0,
        "artifact_prefix": f"{GROWN / target.name}-",
        "print_final_stats": 0,
    }
    folders = [str(GROWN / target.name), *([str(target.folder)] if target.folder.is_dir() else [])]
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in settings.items()), *folders]
    for body in target.made():
        _grown(target).write_bytes(body)
    atheris.Setup(arguments, lambda body: _check(target, body, next(count)), custom_mutator=mutate)
    atheris.Fuzz()  # which ends this process
    return 0


def _grown(target: Target) -> Path:
    """The file of a seed that is made by code."""
    return GROWN / target.name / "made"


def _check(target: Target, body: bytes, count: int) -> None:
    """Check a body, and the time that it takes; one that breaks a law is kept.

    Raises:
        Exception: a law is broken.
    """
    start = time.process_time()
    try:
        (target.run_traced if count % _TRACED == _TRACED - 1 else target.run)(body)
        taken = time.process_time() - start
        assert taken < _MAX_SECONDS, f"{len(body)} bytes took {taken:.1f} s"
    except BaseException:
        file = target.keep(body).relative_to(CORPUS.parent.parent.parent)
        traceback.print_exc()
        repeat = f"{sys.executable} {__file__} {target.name} --files {file}"
        print(f"\n{target.name}: a law is broken by {file}\nTo repeat it: {repeat}", flush=True)
        raise


if __name__ == "__main__":
    sys.exit(main())
