"""Rankings and commands with `given`: every variable against the target where other columns are known."""

import json

import numpy as np
import pytest
from commanded import runner

import mizzle

RNG = np.random.default_rng(11)
Z = RNG.standard_normal(400)
FRAME = {
    "confounded": Z + 0.5 * RNG.standard_normal(400),
    "direct": RNG.standard_normal(400),
    "z": Z,
}
FRAME["target"] = Z + 0.7 * FRAME["direct"] + 0.5 * RNG.standard_normal(400)


def estimate_of(pair):
    """Of a pair that has one."""
    assert pair.estimate is not None
    return pair.estimate


def test_a_ranking_given_a_confounder() -> None:
    plain = {pair.x: estimate_of(pair).mi for pair in mizzle.rank(FRAME, "target").pairs}
    ranking = mizzle.rank(FRAME, "target", given=["z"])
    conditional = {pair.x: estimate_of(pair) for pair in ranking.pairs}
    assert list(conditional) == ["direct", "confounded"]
    assert plain["confounded"] > 0.2
    assert conditional["confounded"].mi < 0.03
    assert conditional["direct"].mi == pytest.approx(0.5 * np.log(0.74 / 0.25), abs=0.15)
    columns = {name: np.array(FRAME[name]) for name in FRAME}
    assert conditional["direct"] == mizzle.estimate(columns["direct"], columns["target"], given=columns["z"])
    assert mizzle.Client.local().rank(FRAME, "target", given=["z"]).pairs == ranking.pairs


def test_rows_that_lack_what_is_given_are_dropped() -> None:
    frame = {**FRAME, "z": np.where(np.arange(400) < 10, np.nan, Z)}
    pairs = mizzle.rank(frame, "target", given=["z"], missing="drop").pairs
    assert {estimate_of(pair).n for pair in pairs} == {390}
    assert {pair.dropped for pair in pairs} == {10}


def test_what_is_determined_is_0_in_a_table_of_nothing_else() -> None:
    frame = {"copy": 2.0 * Z, "z": Z, "target": FRAME["target"]}
    [pair] = mizzle.rank(frame, "target", given=["z"]).pairs
    assert estimate_of(pair).mi == 0.0
    assert estimate_of(pair).model == mizzle.estimate(Z, FRAME["target"]).model


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ("z", mizzle.InvalidInput),
        ([], mizzle.InvalidInput),
        (["target"], mizzle.InvalidInput),
        (["nothing"], mizzle.MissingColumn),
        (["z", "direct", "confounded"], mizzle.InvalidInput),
    ],
)
def test_wrong_names_are_refused(columns, error) -> None:
    with pytest.raises(error):
        mizzle.rank(FRAME, "target", given=columns)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "table.csv"
    rows = np.column_stack(list(FRAME.values()))
    np.savetxt(path, rows, delimiter=",", header=",".join(FRAME), comments="")
    return path


def test_the_command_takes_columns_that_are_given(file, capsys, monkeypatch) -> None:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    run = runner(capsys)
    code, out, _ = run("estimate", file, "--x", "confounded", "--y", "target", "--given", "z", "--json")
    answer = json.loads(out)
    assert (code, answer["dim_z"]) == (0, 1)
    assert answer["mi"] == pytest.approx(
        estimate_of(mizzle.rank(FRAME, "target", given=["z"]).pairs[1]).mi, abs=0.01
    )
    code, out, _ = run("estimate", file, "--x", "confounded", "--y", "target", "--given", "z")
    assert "I(confounded; target | z)" in out
    code, _, err = run("estimate", file, "--x", "confounded", "--y", "target", "--given", "target")
    assert code
    assert "twice" in err


def test_the_command_ranks_given_columns(file, capsys, monkeypatch) -> None:
    monkeypatch.delenv("MIZZLE_BASE_URL", raising=False)
    run = runner(capsys)
    for more in ((), ("--columns", "direct,confounded")):
        code, out, _ = run("rank", file, "--target", "target", "--given", "z", *more, "--json")
        assert (code, [pair["x"] for pair in json.loads(out)["pairs"]]) == (0, ["direct", "confounded"])
