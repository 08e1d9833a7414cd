"""What a client does, as values: a generator yields effects, a shell performs them and sends back what came.

So everything that is decided is decided once, without a socket, a thread or an event loop: a blocking shell
and an asynchronous one run the same generators.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from mizzle.errors import MizzleError

T = TypeVar("T")


class Call(NamedTuple):
    """A request of HTTP: the path, with its query, below the service's address.

    Attributes:
        max_answer_bytes: of the answer once it is decompressed; a longer one is no answer.
    """

    method: str
    path: str
    content: bytes = b""
    media: str | None = None
    max_answer_bytes: int = 2**20


class Send(NamedTuple):
    """Send a request, for at most so many seconds; sends back a `retry.Reply`."""

    call: Call
    seconds: float


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Compute(NamedTuple):
    """Call a function that computes, which must not stall an event loop; sends back its result."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


class Gather(NamedTuple):
    """Run several generators, some at once. `done` gets the number and the result of each as it ends."""

    tasks: Sequence[Generator[Any, Any, Any]]
    done: Callable[[int, Any], None]


Step = Send | Sleep | Compute | Gather
Steps = Generator[Step, Any, T]


def run(steps: Steps[T], perform: Callable[[Step], Any]) -> T:
    """The result of steps that `perform` performs one after another; its errors are thrown into them."""
    resume: Callable[[], Step] = partial(next, steps)
    try:
        while True:
            try:
                step = resume()
            except StopIteration as done:
                result: T = done.value
                return result
            try:
                resume = partial(steps.send, perform(step))
            except MizzleError as error:
                resume = partial(steps.throw, error)
    finally:
        steps.close()


def perform_compute(step: Step) -> Any:
    """Performs the steps of a backend that does nothing but compute."""
    assert isinstance(step, Compute)
    return step.function(*step.arguments)
