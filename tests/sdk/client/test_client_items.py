"""Items of a batch whose errors speak of the moment: asked again, like whole requests that fail so."""

import pytest
from fakes import FakeEstimator
from scripted import Service, problem

import mizzle
from mizzle import errors

PASSING = [
    errors.DeviceOutOfMemory,
    errors.NotReady,
    errors.Draining,
    errors.QueueFull,
    errors.RateLimited,
    errors.DeadlineExceeded,
]
LASTING = [errors.InferenceFailed, errors.InternalError, errors.NotFinite, errors.ServiceUnreachable]


@pytest.fixture
def service(fake: FakeEstimator):
    return Service(fake)


@pytest.fixture(params=["ask_many", "ask_many_async"])
def ask(request: pytest.FixtureRequest, service):
    """Both shells."""
    return getattr(service, request.param)


@pytest.fixture
def pairs(draw):
    """Samples that can be told apart by their number of rows: 20, 21, .."""
    return [draw(n=20 + i, seed=i) for i in range(6)]


def fail(service, error, *rows, times) -> None:
    """Samples of so many rows fail so many times."""
    left = dict.fromkeys(rows, times)

    def spoil(x, y):
        if left.get(len(x), 0) == 0:
            return None
        left[len(x)] -= 1
        return error("words")

    service.spoil = spoil


@pytest.mark.parametrize("error", PASSING)
def test_what_may_pass_is_asked_again_alone_and_in_its_place(
    ask, service, fake: FakeEstimator, pairs, error
) -> None:
    fail(service, error, 21, 24, times=2)
    assert ask(pairs) == [fake.estimate(x, y) for x, y in pairs]
    assert service.counts == [6, 2, 2]
    assert len(service.waits) == 2


@pytest.mark.parametrize("error", LASTING)
def test_what_lasts_is_asked_once(ask, service, pairs, error) -> None:
    fail(service, error, 21, times=9)
    result = ask(pairs, errors="return")
    assert [type(item) for item in result] == [mizzle.Estimate, error, *[mizzle.Estimate] * 4]
    assert (service.counts, service.waits) == ([6], [])


def test_two_more_tries_are_the_most(ask, service, pairs) -> None:
    fail(service, errors.DeviceOutOfMemory, 21, times=9)
    with pytest.raises(errors.DeviceOutOfMemory, match=r"pair 1 .*words"):
        ask(pairs)
    assert service.counts == [6, 1, 1]


def test_tries_of_the_request_and_of_its_items_are_counted_together(ask, service, pairs) -> None:
    refusals = [problem(503, "not_ready")]
    service.refuse = lambda tensors: refusals.pop() if refusals else None
    fail(service, errors.DeviceOutOfMemory, 21, times=9)
    result = ask(pairs, errors="return")
    assert type(result[1]) is errors.DeviceOutOfMemory
    assert service.counts == [6, 1]


def test_what_was_answered_outlives_a_second_request_that_fails(
    ask, service, fake: FakeEstimator, pairs
) -> None:
    fail(service, errors.DeviceOutOfMemory, 21, times=9)
    service.refuse = lambda tensors: problem(500, "internal_error") if service.sent else None
    result = ask(pairs, errors="return")
    assert type(result.pop(1)) is errors.DeviceOutOfMemory
    assert result == [fake.estimate(x, y) for x, y in (pairs[0], *pairs[2:])]
