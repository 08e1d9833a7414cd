"""Many problems over HTTP: packed by the published limits, bounded, in order, and each with its own error."""

import asyncio
import threading

import httpx2
import numpy as np
import pytest
from fakes import FakeEstimator
from scripted import URL, Service, pairs_of, problem

import mizzle
from mizzle import cost


@pytest.fixture
def service(fake: FakeEstimator):
    return Service(fake)


def _same(answers, pairs, fake):
    return answers == [fake.estimate(x, y) for x, y in pairs]


def test_one_request_where_one_will_do(service, draw, fake: FakeEstimator) -> None:
    pairs = [draw(n=20 + i, dx=1 + i % 3, seed=i) for i in range(20)]
    with service.client() as client:
        assert _same(client.estimate_many(pairs), pairs, fake)
        assert _same(client.estimate_many(pairs), pairs, fake)
    assert service.counts == [20, 20]
    assert service.asked_limits == 1


LIMITS = {
    "max_request_problems": 3,
    "max_request_cells": 1700,
    "max_body_bytes": 2000,
}


@pytest.mark.parametrize("limit", LIMITS)
def test_batches_keep_every_limit(fake: FakeEstimator, draw, limit: str) -> None:
    """1700 cells hold three padded problems of 45 rows and 1 + 1 columns, 2000 bytes hold one."""
    service = Service(fake, **{limit: LIMITS[limit]})
    pairs = [draw(n=45, dx=1, seed=i) for i in range(10)]
    with service.client() as client:
        assert _same(client.estimate_many(pairs), pairs, fake)
    assert cost.size(45, 1, 1).cells * 3 <= 1700 < cost.size(45, 1, 1).cells * 4
    expected = [1] * 10 if limit == "max_body_bytes" else [1, 3, 3, 3]
    assert sorted(service.counts) == expected
    assert max(service.sizes) <= service.limits["max_body_bytes"]


@pytest.mark.parametrize(
    ("speed", "always", "counts"),
    [
        (10**6, None, [8] * 5),  # a service of version 0.9, which admits 16 problems without saying so
        (10**6, 16, [8] * 5),
        (10**6, 20, [10] * 4),
        (10**6, 0, [1] + [3] * 13),
        (2000, None, [1] + [3] * 13),
    ],
)
def test_batches_are_no_larger_than_what_may_wait(
    fake: FakeEstimator, draw, speed, always: int | None, counts
) -> None:
    """Half of what may wait is three problems; half of what always may, if that is half a second of work."""
    service = Service(fake, queue_cells=3400, cells_per_second=speed, always_admitted_problems=always)
    pairs = [draw(n=45, dx=1, seed=i) for i in range(40)]
    with service.client() as client:
        assert _same(client.estimate_many(pairs), pairs, fake)
    assert sorted(service.counts) == counts


def test_nothing_is_asked_for_no_problem(service) -> None:
    with service.client() as client:
        assert client.estimate_many([]) == []
    assert service.asked_limits == 0


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_problem_cells": 1000}, "1000: send fewer"),
        ({"max_body_bytes": 3000}, "3000 bytes"),
        ({"max_columns": 3}, "4 columns"),
    ],
)
def test_a_problem_too_large_for_the_service_is_an_error_of_its_own(
    fake: FakeEstimator, draw, limits, words: str
) -> None:
    service = Service(fake, **limits)
    small, large = draw(n=20, dx=1), draw(n=200, dx=4)
    with service.client() as client:
        result = client.estimate_many([small, large, small], errors="return")
        with pytest.raises(mizzle.InvalidInput, match=f"pair 1 .*{words}"):
            client.estimate_many([small, large, small])
    assert [isinstance(item, mizzle.Estimate) for item in result] == [True, False, True]
    assert isinstance(result[1], mizzle.TooLarge | mizzle.TooManyColumns)
    assert service.counts == [2]


def test_a_batch_that_is_too_large_after_all_is_sent_in_halves(service, draw, fake: FakeEstimator) -> None:
    """A proxy in front may take less than the service itself."""
    service.refuse = lambda tensors: problem(413, "too_large") if len(tensors) > 6 else None
    pairs = [draw(n=20, dx=1, seed=i) for i in range(10)]
    with service.client() as client:
        assert _same(client.estimate_many(pairs), pairs, fake)
    assert sum(service.counts) == 10
    assert max(service.counts) <= 3


def test_a_lost_batch_is_the_error_of_each_of_its_problems(fake: FakeEstimator, draw) -> None:
    service = Service(fake, max_request_problems=2)
    pairs = [draw(n=20 + i, dx=1, seed=i) for i in range(6)]

    def refuse(tensors):
        return problem(500, "internal_error") if len(tensors["x.0"]) == 22 else None

    service.refuse = refuse
    with service.client() as client:
        result = client.estimate_many(pairs, errors="return")
        with pytest.raises(mizzle.MizzleError, match="words") as caught:
            client.estimate_many(pairs)
    assert [getattr(item, "code", None) for item in result] == [
        None,
        None,
        *["internal_error"] * 2,
        None,
        None,
    ]
    assert caught.value.code == "internal_error"


def test_a_service_that_cannot_be_asked_is_one_error(draw) -> None:
    with mizzle.Client("http://127.0.0.1:9") as client:
        client._sleep = lambda _: None
        with pytest.raises(mizzle.ServiceUnreachable):
            client.estimate_many([draw()], errors="return")


@pytest.mark.parametrize("answers", [[], [{}], [{"estimate": {}}], {}, [{"error": 1}], [{"error": {"a": 1}}]])
def test_an_answer_of_another_form_is_refused(service, draw, answers) -> None:
    service.refuse = lambda tensors: httpx2.Response(200, json={"answers": answers})
    with service.client() as client, pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
        client.estimate_many([draw()])


def test_an_unknown_error_of_an_item_goes_by_its_status(service, draw) -> None:
    error = {"code": "code_of_next_year", "status": 422, "detail": "words"}
    service.refuse = lambda tensors: httpx2.Response(200, json={"answers": [{"error": error}]})
    with service.client() as client:
        [result] = client.estimate_many([draw()], errors="return")
    assert type(result) is mizzle.InvalidInput


def test_float32_is_sent_where_it_holds_everything(service, draw, fake: FakeEstimator) -> None:
    x, y = (side.astype(np.float32) for side in draw(n=20, dx=2))
    hard = [(x + np.float64(1e-12), y), (x.astype(float) * 1e300, y), (x, np.arange(20) + 2.0**30)]
    with service.client() as client:
        client.estimate_many([(x, y), *hard])
    [tensors] = service.sent
    kinds = [(x.dtype.itemsize, y.dtype.itemsize) for x, y in pairs_of(tensors)]
    assert kinds == [(4, 4), (8, 4), (8, 4), (4, 8)]
    for (sent_x, sent_y), (given_x, given_y) in zip(pairs_of(tensors), [(x, y), *hard], strict=True):
        np.testing.assert_array_equal(sent_x, given_x)
        np.testing.assert_array_equal(sent_y[:, 0], given_y.reshape(-1))


def test_progress_is_told(fake: FakeEstimator, draw) -> None:
    service, reported = Service(fake, max_request_problems=4), []
    pairs = [draw(n=20, dx=1, seed=i) for i in range(10)]
    pairs[3] = ([1.0], [2.0])
    with service.client() as client:
        client.estimate_many(pairs, errors="return", progress=lambda *now: reported.append(now))
    assert reported[0] == (1, 10)  # what is not asked is done first
    assert reported[-1] == (10, 10)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


def test_a_bar_is_drawn_where_it_is_wanted(service, draw, capsys: pytest.CaptureFixture[str]) -> None:
    with service.client() as client:
        client.estimate_many([draw()] * 3)
        assert capsys.readouterr() == ("", "")
        client.estimate_many([draw()] * 3, progress=False)
        assert capsys.readouterr() == ("", "")
        client.estimate_many([draw()] * 3, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err


def test_errors_is_one_of_two_words(service, draw) -> None:
    with service.client() as client, pytest.raises(mizzle.InvalidInput, match="'raise' or 'return'"):
        client.estimate_many([draw()], errors="ignore")


def test_many_stay_within_the_concurrency(fake: FakeEstimator, draw) -> None:
    """With room for 3, the first 3 wait for one another (a barrier) and no fourth is ever there."""
    together, lock, counts = threading.Barrier(3, timeout=20), threading.Lock(), {"now": 0, "most": 0}

    def wait(_) -> None:
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        together.wait()
        with lock:
            counts["now"] -= 1
        together.wait()

    service = Service(fake, max_request_problems=1)
    service.refuse = wait
    with service.client(concurrency=3) as client:
        assert len(client.estimate_many([draw()] * 9)) == 9
    assert counts["most"] == 3


def test_many_stay_within_the_concurrency_async(fake: FakeEstimator, draw) -> None:
    service, counts = Service(fake, max_request_problems=1), {"now": 0, "most": 0}

    async def serve(request):
        counts["now"] += 1
        counts["most"] = max(counts["most"], counts["now"])
        for _ in range(20):
            await asyncio.sleep(0)
        counts["now"] -= 1
        return service(request)

    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(serve)) as http:
            client = mizzle.AsyncClient(URL, http_client=http, concurrency=3)
            return await client.estimate_many([draw()] * 9)

    assert len(asyncio.run(ask())) == 9
    assert counts["most"] <= 3


def test_the_first_failure_ends_the_asking(fake: FakeEstimator, draw) -> None:
    """One at a time: what comes after the batch that failed is not sent."""
    service = Service(fake, max_request_problems=1)
    sizes = []

    def refuse(tensors):
        sizes.append(len(tensors["x.0"]))
        return problem(500, "internal_error")

    service.refuse = refuse
    with service.client(concurrency=1) as client, pytest.raises(mizzle.MizzleError):
        client.estimate_many([draw(n=20 + i) for i in range(50)])
    assert sizes == [20]
