"""`mizzle.torch`: values of `mizzle.estimate`, gradients, and how it behaves inside torch."""

import math
import sys
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mizzle
from mizzle.errors import InvalidInput, InvalidLevel, InvalidShape, LengthMismatch, MissingExtra, NotFinite
from mizzle.estimator import load
from mizzle.torch import LARGEST_ROWS, MutualInformation


def sample(n: int = 60, d: int = 2, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, d))
    both = x, x + rng.normal(size=(n, d))
    return tuple(torch.from_numpy(side).to(dtype).requires_grad_() for side in both)  # type: ignore[return-value]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_value_is_that_of_estimate(dtype: torch.dtype) -> None:
    """To the bit in double precision; else rounded once, to the precision of x."""
    x, y = sample(dtype=dtype)
    answer = mizzle.estimate(x.detach().double().numpy(), y.detach().double().numpy())
    assert MutualInformation()(x, y).item() == torch.tensor(answer.mi, dtype=torch.float64).to(dtype).item()
    low, high = MutualInformation().interval(x, y, 0.9)
    ends = torch.tensor(answer.interval(0.9), dtype=torch.float64).to(dtype)
    assert (low.item(), high.item()) == tuple(ends.tolist())
    quantile = MutualInformation(quantile=0.25)(x, y)
    assert quantile.item() == torch.tensor(answer.quantile(0.25), dtype=torch.float64).to(dtype).item()


def test_bits_are_nats_over_log_2() -> None:
    x, y = sample()
    bits, nats = (MutualInformation(unit=unit)(x, y) for unit in ("bits", "nats"))
    assert bits.item() == pytest.approx(nats.item() / math.log(2), rel=1e-12)
    of_bits, of_nats = (torch.autograd.grad(value, x)[0] for value in (bits, nats))
    torch.testing.assert_close(
        of_bits, of_nats / math.log(2), rtol=1e-4, atol=1e-6
    )  # sums in single precision


def test_a_batch_has_a_value_each() -> None:
    x, y = sample()
    pairs = torch.stack([x, y.flip(0)]), torch.stack([y, x])
    values = MutualInformation()(*pairs)
    alone = [MutualInformation()(*pair).item() for pair in zip(*pairs, strict=True)]
    assert values.shape == (2,)
    assert values.tolist() == alone
    (slope,) = torch.autograd.grad(values.sum(), x)
    assert slope.shape == x.shape
    assert bool(slope.any())


def test_gradients_of_a_quantile_and_of_an_interval_reach_both_sides() -> None:
    x, y = sample()
    low, high = MutualInformation().interval(x, y)
    for value in (MutualInformation(quantile=0.1)(x, y), low + 2 * high):
        for slope in torch.autograd.grad(value, (x, y)):
            assert bool(slope.isfinite().all())
            assert bool(slope.any())


def test_labels_of_whole_numbers_need_no_gradient() -> None:
    x, _ = sample(100)
    y = (x.detach()[:, 0] > 0).long()
    value = MutualInformation()(x, y)
    assert value.item() == mizzle.estimate(x.detach().numpy(), y.numpy()).mi
    value.backward()
    assert x.grad is not None
    assert bool(x.grad.any())


def test_there_is_nothing_to_train_nor_to_save() -> None:
    module = MutualInformation()
    assert not list(module.parameters())
    assert not module.state_dict()
    assert repr(module) == "MutualInformation(quantile='mean', unit='nats')"


def test_second_derivatives_are_refused() -> None:
    x, y = sample()
    (slope,) = torch.autograd.grad(MutualInformation()(x, y), x, create_graph=True)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        slope.square().sum().backward()


def test_a_graph_that_is_kept_for_others_is_no_second_derivative() -> None:
    """create_graph is also wanted where only another part of the loss is differentiated twice."""
    x, y = sample()
    loss = MutualInformation()(x, y) + (x**3).sum()
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    assert bool(slope.isfinite().all())


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_compiled_function_keeps_it_whole(dynamic: bool) -> None:
    """`fullgraph` fails where anything breaks the graph."""

    def loss(x: Tensor, y: Tensor) -> Tensor:
        value: Tensor = MutualInformation()(torch.tanh(x) * 2, y)
        return value.square()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager", dynamic=dynamic)
    x, y = sample()
    values = [function(x, y) for function in (loss, compiled)]
    assert values[0].item() == values[1].item()
    slopes = [torch.autograd.grad(value, (x, y)) for value in values]
    for eager, other in zip(*slopes, strict=True):
        torch.testing.assert_close(eager, other)


def test_operators_are_as_torch_wants_them() -> None:
    from mizzle.torch.operators import information, slopes

    x, y = sample(20, 1)
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(information, (x[None], y[None], [0.5]), test_utils=checks)
    upstream = torch.ones(1, 1, dtype=torch.float64)
    torch.library.opcheck(slopes, (x[None], y[None], [0.5], upstream, True, True), test_utils=checks)


def test_a_forked_thread_or_no_grad_changes_nothing() -> None:
    x, y = sample()
    with torch.no_grad():
        assert MutualInformation()(x, y).item() == MutualInformation()(x, y).item()
    with torch.inference_mode():
        assert MutualInformation()(x.detach(), y.detach()).item() > 0


def test_learning_starts_from_independence_and_arrives() -> None:
    """A direction of five, from 80 degrees off: the cosine rises above .95 in 60 steps.

    Deterministic: one seed, no batches. The best that 300 rows allow is above .99 on average.
    """
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(300, 5)))
    y = x[:, 0] + 0.5 * torch.from_numpy(rng.normal(size=300))
    w = torch.tensor([0.17, 1.0, 0, 0, 0], dtype=torch.float64, requires_grad=True)
    adam, mi = torch.optim.Adam([w], lr=0.1), MutualInformation()
    for _ in range(60):
        adam.zero_grad()
        (-mi(x @ w, y)).backward()
        adam.step()
    assert abs(w[0].item()) / w.norm().item() > 0.95


def test_the_number_of_rows_with_gradients_is_that_of_the_training() -> None:
    assert load().card["rows"][1] == LARGEST_ROWS
    x = torch.randn(LARGEST_ROWS + 1, 1, requires_grad=True)
    with pytest.raises(InvalidInput, match=r"gradients are of at most 10,000"):
        MutualInformation()(x, x)


BAD = {
    "three axes and two": (lambda: (torch.zeros(2, 20, 1), torch.zeros(20, 1)), InvalidShape),
    "four axes": (lambda: (torch.zeros(1, 2, 20, 1), torch.zeros(1, 2, 20, 1)), InvalidShape),
    "rows that differ": (lambda: (torch.zeros(20, 1), torch.zeros(21, 1)), LengthMismatch),
    "batches that differ": (lambda: (torch.zeros(2, 20, 1), torch.zeros(3, 20, 1)), LengthMismatch),
    "no tensor": (lambda: (np.zeros((20, 1)), torch.zeros(20, 1)), InvalidShape),
    "complex": (lambda: (torch.zeros(20, 1, dtype=torch.complex64), torch.zeros(20, 1)), InvalidInput),
    "not finite": (lambda: (torch.full((20, 1), math.nan), torch.zeros(20, 1)), NotFinite),
    "few rows": (lambda: (torch.zeros(3, 1), torch.zeros(3, 1)), InvalidInput),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    pair, error = BAD[case]
    with pytest.raises(error):
        MutualInformation()(*pair())


@pytest.mark.parametrize("quantile", ["median", 0.0, 1.0, 1, None, math.nan])
def test_bad_quantiles_are_refused(quantile: object) -> None:
    with pytest.raises(InvalidLevel, match="quantile"):
        MutualInformation(quantile=quantile)  # type: ignore[arg-type]


def test_bad_units_are_refused() -> None:
    with pytest.raises(InvalidInput, match="unit"):
        MutualInformation(unit="bans")  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore")
def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mizzle.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mizzle\[torch\]'"):
        import_module("mizzle.torch")


def test_it_is_a_part_of_models() -> None:
    """In a module with others, whose parameters alone are trained."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.mi = nn.Linear(2, 1), MutualInformation()

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            value: Tensor = self.mi(self.encoder(x), y)
            return value

    model = Model()
    x, y = sample(dtype=torch.float32)
    model(x, y).backward()
    assert {name for name, _ in model.named_parameters()} == {"encoder.weight", "encoder.bias"}
    assert model.encoder.weight.grad is not None
    assert bool(model.encoder.weight.grad.any())
