"""What a client does, as values: a generator yields what it needs, a shell does it and sends back what came.

So everything that is decided is decided once, without a socket, a thread or an event loop: a blocking shell
and an asynchronous one run the same generators.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from mizzle.errors import MizzleError

T = TypeVar("T")


class Call(NamedTuple):
    """A request of HTTP: the path, with its query, below the service's address."""

    method: str
    path: str
    content: bytes = b""
    media: str | None = None


class Send(NamedTuple):
    """Send a request, for at most so many seconds; sends back a `retry.Reply`."""

    call: Call
    seconds: float


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Work(NamedTuple):
    """Compute, which an event loop must not be stalled with; sends back the result."""

    do: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


class Together(NamedTuple):
    """Do several of these, some at once. `done` gets the number and the result of each as it ends."""

    all: Sequence[Generator[Any, Any, Any]]
    done: Callable[[int, Any], None]


Step = Send | Sleep | Work | Together
Steps = Generator[Step, Any, T]


def drive(steps: Steps[T], do: Callable[[Step], Any]) -> T:
    """The result of steps that `do` does one after another; its errors are thrown into them."""
    resume: Callable[[], Step] = partial(next, steps)
    try:
        while True:
            try:
                step = resume()
            except StopIteration as done:
                result: T = done.value
                return result
            try:
                resume = partial(steps.send, do(step))
            except MizzleError as error:
                resume = partial(steps.throw, error)
    finally:
        steps.close()


def compute(step: Step) -> Any:
    """Does the steps of an asker that needs nothing but work."""
    assert isinstance(step, Work)
    return step.do(*step.arguments)
