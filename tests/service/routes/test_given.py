"""`given` over HTTP: three formats, alone and in a batch, answer as this process does."""

import io
import json

import numpy as np
import pytest
from fakes import FakeEstimator
from safetensors.numpy import save

import mizzle
from mizzle import wire

RNG = np.random.default_rng(5)
Z = RNG.standard_normal((80, 2))
X, Y = Z[:, :1] + RNG.standard_normal((80, 1)), Z[:, :1] + RNG.standard_normal((80, 1))
FIELDS = {"x": X.tolist(), "y": Y.tolist(), "given": Z.tolist()}


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


BODIES = {
    wire.JSON: ("", json.dumps({**FIELDS, "levels": "all"}).encode()),
    wire.NPY: ("?dim_x=1&dim_given=2&levels=all", npy(np.hstack([X, Y, Z]))),
    wire.SAFETENSORS: ("", save({"x": X, "y": Y, "given": Z}, {"levels": "all"})),
}


@pytest.fixture
def expected(fake: FakeEstimator) -> mizzle.Estimate:
    return mizzle.Client.local(fake).estimate(X, Y, given=Z)


@pytest.mark.parametrize("media", BODIES)
def test_every_format_takes_what_is_given(play, expected, media: str) -> None:
    query, body = BODIES[media]

    async def scenario(http):
        return await http.post(f"/v1/estimate{query}", content=body, headers={"content-type": media})

    response = play(scenario)
    assert response.status_code == 200, response.text
    assert wire.estimate(response.json()) == expected


def test_a_batch_may_hold_problems_with_and_without(play, expected, fake) -> None:
    plain = {"x": FIELDS["x"], "y": FIELDS["y"]}
    problems = [plain, FIELDS, {**FIELDS, "given": FIELDS["x"]}, {**FIELDS, "given": [[1.0]] * 5}, plain]
    tensors = {"x.0": X, "y.0": Y, "x.1": X, "y.1": Y, "given.1": Z}

    async def scenario(http):
        first = await http.post("/v1/estimate:batch", json={"problems": problems, "levels": "all"})
        media = {"content-type": wire.SAFETENSORS}
        second = await http.post(
            "/v1/estimate:batch", content=save(tensors, {"levels": "all"}), headers=media
        )
        return first.json()["answers"], second.json()["answers"]

    answers, of_tensors = play(scenario)
    without = mizzle.Client.local(fake).estimate(X, Y)
    assert [wire.estimate(answers[i]["estimate"]) for i in (0, 1, 4)] == [without, expected, without]
    assert (answers[2]["estimate"]["mi"], answers[2]["estimate"]["dim_z"]) == (0.0, 1)
    assert answers[3]["error"]["code"] == "length_mismatch"
    assert [wire.estimate(item["estimate"]) for item in of_tensors] == [without, expected]


@pytest.mark.parametrize(
    ("query", "body", "media"),
    [
        ("", json.dumps({**FIELDS, "given": FIELDS["given"][:50]}).encode(), wire.JSON),
        ("", json.dumps({**FIELDS, "given": [None] * 80}).encode(), wire.JSON),
        ("?dim_x=1&dim_given=3", npy(np.hstack([X, Y, Z])), wire.NPY),
        ("?dim_given=0", npy(np.hstack([X, Y, Z])), wire.NPY),
        ("", save({"x": X, "y": Y, "z": Z}), wire.SAFETENSORS),
    ],
)
def test_what_is_given_wrongly_is_refused(play, query: str, body: bytes, media: str) -> None:
    async def scenario(http):
        return await http.post(f"/v1/estimate{query}", content=body, headers={"content-type": media})

    response = play(scenario)
    assert response.status_code == 422, response.text
