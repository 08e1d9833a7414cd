"""A parser of bytes, what must hold of it for any bytes, and the corpus that its fuzzing begins with."""

import hashlib
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mutator import PLAIN, Form, Mutator

from mizzle.errors import InvalidInput, MizzleError

CORPUS = Path(__file__).parent / "corpus"
MIB = 2**20
_KIB = 1 if sys.platform == "darwin" else 1024  # bytes of a unit of ru_maxrss
_MAX_RESIDENT = 64 * MIB  # more than any body of a fuzzer makes of its parser; what leaks is noticed, too
_MAX_MESSAGE = 2000
# Arrow's threads let go of a body a moment after it is read, and CPython before 3.12.9 crashes where tracing
# stops just then (gh-128679).
_SETTLED = 0.001  # seconds


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        name: of the target, and of its folder in the corpus.
        check: of any bytes; says in a word what became of them, and raises where a law is broken.
        form: of the bytes, so that a structure can be damaged whose length is told rightly.
        tokens: that the format is made of.
        made: seeds that depend on the code, besides those of the corpus.
        executions: in the tests, for about a second.
        peak: bytes that may be allocated at once for every byte of a body, and for none.
        read_share: of the damaged bodies, those that are right nevertheless, at least.
    """

    name: str
    check: Callable[[bytes], str]
    form: Form = PLAIN
    tokens: Sequence[bytes] = ()
    made: Callable[[], Sequence[bytes]] = tuple
    executions: int = 3000
    peak: tuple[int, int] = (400, 4 * MIB)
    read_share: float = 0.0

    @property
    def folder(self) -> Path:
        """Of its corpus."""
        return CORPUS / self.name

    @cached_property
    def seeds(self) -> list[bytes]:
        """Bodies of every valid kind, and those that broke something once."""
        return [file.read_bytes() for file in sorted(self.folder.glob("*"))] + list(self.made())

    @cached_property
    def mutator(self) -> Mutator:
        """Damages the seeds."""
        return Mutator(self.form, self.seeds, self.tokens)

    def run(self, body: bytes) -> str:
        """Check a body, and the growth of this process by it.

        Raises:
            Exception: a law is broken.
        """
        before = _resident()
        outcome = self.check(body)
        grown_by = _resident() - before
        assert grown_by <= _MAX_RESIDENT, f"{len(body)} bytes made the process grow by {grown_by // MIB} MiB"
        return outcome

    def run_traced(self, body: bytes) -> str:
        """Check a body and what Python allocates at once for it, which takes longer.

        Raises:
            Exception: a law is broken.
        """
        tracemalloc.start()
        try:
            outcome = self.run(body)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            time.sleep(_SETTLED)
            tracemalloc.stop()
        limit = self.peak[0] * len(body) + self.peak[1]
        assert peak <= limit, f"{len(body)} bytes took {peak} bytes of memory, more than {limit}"
        return outcome

    def keep(self, body: bytes) -> Path:
        """The file of the corpus into which a body that broke a law is written."""
        file = self.folder / f"crash-{hashlib.sha256(body).hexdigest()[:12]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        return file


def _resident() -> int:
    """The largest memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def refusal(error: MizzleError, *kinds: type[MizzleError]) -> str:
    """The word for a refusal, which is the caller's fault and says so in few words.

    Args:
        kinds: that are documented; any fault of a caller without them.
    """
    assert isinstance(error, kinds or InvalidInput), repr(error)
    assert error.status < 500, repr(error)
    assert 0 < len(str(error)) < _MAX_MESSAGE
    return type(error).__name__
