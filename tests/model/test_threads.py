"""One thread to an operation while an answer is computed, and torch's own setting as it was afterwards."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

import mizzle
from mizzle.backends import local
from mizzle.model import Estimator, torch_engine
from mizzle.model.statistics.tokens import tokenise
from mizzle.model.threads import single_thread, use_single_thread

SETTING = 4  # of the caller, who may have a model of his own to train
PATIENCE = 20.0


@pytest.fixture(autouse=True)
def setting() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(SETTING)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Per batch: the thread that computes it, its number of threads, and that of one that starts then."""
    seen: list[tuple[str, int, int]] = []

    def spying(batch):
        own = torch.get_num_threads(), elsewhere(torch.get_num_threads)
        seen.append((threading.current_thread().name, *own))
        return tokenise(batch)

    monkeypatch.setattr(torch_engine, "tokenise", spying)
    return seen


def elsewhere(work: Callable[[], int]) -> int:
    """The result of work in a new thread."""
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(PATIENCE)
    [result] = results
    return result


def samples(count: int, n: int = 60) -> list[tuple[np.ndarray, np.ndarray]]:
    x, noise = np.random.default_rng(0).normal(size=(2, count, n, 2))
    return list(zip(x, x + noise, strict=True))


def as_it_was() -> bool:
    return torch.get_num_threads() == elsewhere(torch.get_num_threads) == SETTING


def test_an_answer_of_the_library_is_computed_by_one_thread(inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_shared", Estimator.load(engine="torch"))
    mizzle.estimate(*samples(1)[0])
    mizzle.estimate_many(samples(3))
    assert inside
    assert {own[1:] for own in inside} == {(1, SETTING)}
    assert as_it_was()


def test_each_thread_of_a_pool_computes_alone(inside) -> None:
    table = np.random.default_rng(1).normal(size=(50, 40))
    columns = [(table[:, [i]], table[:, [i + 1]]) for i in range(39)]
    answers = local.LocalBackend(Estimator.load(engine="torch")).for_tables().estimate_many(columns)
    assert len(answers) == len(columns)
    assert all(name.startswith("mizzle") for name, _, _ in inside)
    assert {own[1:] for own in inside} == {(1, SETTING)}
    assert as_it_was()


def test_a_pool_has_as_many_threads_as_torch() -> None:
    model = Estimator.load(engine="torch")
    for threads in (1, 3):
        torch.set_num_threads(threads)
        with model.thread_pool() as pool:
            assert pool._max_workers == threads


def test_a_failed_answer_leaves_the_setting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(batch):
        raise RuntimeError("no room")

    model = Estimator.load(engine="torch")
    monkeypatch.setattr(torch_engine, "tokenise", failing)
    with pytest.raises(RuntimeError, match="no room"):
        model.estimate(*samples(1)[0])
    assert as_it_was()


def test_threads_that_first_use_torch_during_an_answer_have_the_setting_for_good() -> None:
    """Each of these is new to torch while another one computes."""
    start = threading.Barrier(8)
    settings: list[int] = []

    def answer() -> None:
        start.wait(PATIENCE)
        for _ in range(20):
            with single_thread():
                assert torch.get_num_threads() == 1
        settings.append(torch.get_num_threads())

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert settings == [SETTING] * 8
    assert as_it_was()


def test_a_thread_can_be_set_for_good_and_no_other_is() -> None:
    assert elsewhere(lambda: use_single_thread() + 10 * torch.get_num_threads()) == SETTING + 10
    assert as_it_was()


def test_answers_do_not_depend_on_the_setting() -> None:
    x, noise = np.random.default_rng(2).normal(size=(2, 2000, 6))
    answers = []
    for threads in (1, 2, 3, 4):
        torch.set_num_threads(threads)
        answers.append(Estimator.load(engine="torch").estimate(x, x + noise))
    assert answers == answers[:1] * 4


def test_nested_contexts_end_with_the_outermost() -> None:
    with single_thread():
        with single_thread():
            pass
        assert torch.get_num_threads() == 1
    assert as_it_was()
