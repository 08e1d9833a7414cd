"""Fuzz the parsers for minutes: `make fuzz`, or `fuzz.py TARGET ..` for some of them.

Every target runs in a process of its own. With atheris, coverage guides it (libFuzzer, with the same damages as
its mutator); without, damages are drawn from the corpus alone. A body that breaks a law is written to the corpus,
where the tests find it from then on.
"""

import argparse
import faulthandler
import io
import itertools
import logging
import random
import re
import resource
import subprocess
import sys
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
# Only a process that fuzzes one target needs to see which lines its bodies reach.
instrumented = (
    atheris.instrument_imports(include=["mizzle"]) if atheris and "--alone" in sys.argv else nullcontext()
)
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
    if options.alone:
        return _fuzz(TARGETS[options.targets[0]], options.seconds, options.seed)
    return _fuzz_all(options.targets or list(TARGETS), options.seconds, options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], help="all, without any", metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=300.0, help="in all, split among the targets")
    parser.add_argument("--seed", type=int, default=None, help="of chance; another one each time, without")
    parser.add_argument("--files", nargs="+", help="bodies to repeat instead, of the one target that is named")
    parser.add_argument("--number", type=int, help="of a damaged body to repeat, as the tests count them")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _repeat(target: Target, bodies: list[bytes]) -> int:
    for body in bodies:
        print(f"{body[:200]!r}: {target.run_traced(body)}")
    return 0


def _fuzz_all(names: list[str], seconds: float, seed: int | None) -> int:
    """Every target for an equal part of the time."""
    print(f"{'target':20} {'executions':>12}  {'' if atheris else '(without atheris: no coverage guidance)'}")
    broken = 0
    for name in names:
        part = max(_LEAST_SECONDS, seconds / len(names))
        chosen = [] if seed is None else ["--seed", str(seed)]
        command = [sys.executable, __file__, name, "--alone", "--seconds", str(part), *chosen]
        done = subprocess.run(command, capture_output=True, text=True)
        output = done.stdout + done.stderr
        counts = re.findall(r"^(?:Done |#)(\d+)", output, re.MULTILINE)
        print(f"{name:20} {max(map(int, counts), default=0):>12}", flush=True)
        if done.returncode:
            broken += 1
            print(output[-4000:], flush=True)
    print(f"{broken} of {len(names)} targets broke a law" if broken else "no law was broken")
    return int(bool(broken))


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
            print(f"Done {count}")
            return 0
        try:
            _check(target, target.mutator.drawn(seed + count), count)
        except Exception:
            print(f"#{count}")
            return 1
    raise AssertionError


def _with_coverage(target: Target, seconds: float, seed: int) -> int:
    count = itertools.count()

    def mutate(body: bytes, max_size: int, seed: int) -> bytes:
        rng = random.Random(seed)
        return target.mutator.damaged(body, rng)[:max_size] if rng.random() < 0.8 else atheris.Mutate(body, max_size)

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
    except Exception:
        file = target.keep(body).relative_to(CORPUS.parent.parent.parent)
        traceback.print_exc()
        print(f"\n{target.name}: a law is broken by {file}\nTo repeat it: {sys.executable} {__file__} {target.name} --files {file}")
        sys.stdout.flush()
        raise


if __name__ == "__main__":
    sys.exit(main())
