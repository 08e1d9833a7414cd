"""Problems shown by looks of kinds that no training draws: stand-ins for kinds yet to come.

How honest the intervals are for a kind that a network was not trained on is measured on these
(`benchmarks/reserved_looks.py`). So they stay out of the prior; and as designs may be chosen by them, out of
the benchmarks that are only reported.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.maps.looks import Function, Look, latent
from mizzle.metadata_gen.maps.side_map import Injection
from mizzle.metadata_gen.prior.latents import latents, with_looks
from mizzle.metadata_gen.prior.looks import components
from mizzle.metadata_gen.prior.ranges import EVERYTHING
from mizzle.metadata_gen.stream import DataSet, sampled

LATENTS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "projectiles": (1, 3),
        "perspective": (1, 4),
        "damped responses": (1, 3),
        "interference": (1, 2),
        "absorption curves": (1, 3),
        "saturation curves": (1, 3),
        "complex powers": (1, 2),
        "joint probabilities": (1, 3),
        "textures": (1, 4),
        "rules": (1, 4),
        "quadratic maps": (1, 4),
        "levers": (1, 3),
    }
)
"""The kinds, and how many latents each shows, from and to."""


def dataset(seed: int, i: int) -> DataSet:
    """Problem i of the stream with this seed, labelled by the kind of its looks."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i, 1)))
    room = EVERYTHING.columns
    hidden = latents(rng, room)
    fitting = [kind for kind in LATENTS if _fits(kind, hidden.dim_x) and _fits(kind, hidden.dim_y)]
    kind = fitting[int(rng.integers(len(fitting)))]
    family = with_looks(rng, hidden, room, partial(reserved_look, kind=kind))
    return sampled(rng, i, family)._replace(family=f"looks reserved {kind}")


def _fits(kind: str, dim: int) -> bool:
    return LATENTS[kind][0] <= dim <= LATENTS[kind][1]


def reserved_look(rng: Rng, dim: int, max_columns: int, kind: str) -> Injection:
    """A look of this kind at max_columns >= 2 dim + 1 columns or fewer."""
    function = _BUILDERS[kind](rng, dim)
    if function(np.zeros((1, dim))).shape[1] > max_columns or kind in _PICTURES:
        function = components(rng, function, dim, max_columns)
    return Look(function, dim)


def _positive(z: Array, i: int, spread: float) -> Array:
    """exp of a latent, of median 1."""
    return np.asarray(np.exp(spread * latent(z, i)))


def _between(z: Array, i: int, low: float, high: float) -> Array:
    return np.asarray(low + (high - low) * expit(1.3 * latent(z, i)))


def _projectiles(rng: Rng, k: int) -> Function:
    """Where it is at some times: speed, angle, height of the throw."""
    times = np.linspace(0.1, rng.uniform(0.8, 1.5), int(rng.integers(4, 10)))

    def path(z: Array) -> Array:
        speed, angle = _positive(z, 0, 0.3), _between(z, 1, 0.2, 1.3)
        rise = speed * np.sin(angle) * times - np.square(times) + 0.4 * latent(z, 2)
        return np.hstack([speed * np.cos(angle) * times, rise])

    return path


def _perspective(rng: Rng, k: int) -> Function:
    """Points of a body in the picture of a camera: two angles, and the place of the body."""
    points = rng.standard_normal((int(rng.integers(6, 16)), 3))

    def image(z: Array) -> Array:
        a, b = (_between(z, i, -1.0, 1.0) for i in (0, 1))
        x, y, depth = points.T
        x, depth = np.cos(a) * x + np.sin(a) * depth, np.cos(a) * depth - np.sin(a) * x
        y, depth = np.cos(b) * y - np.sin(b) * depth, np.cos(b) * depth + np.sin(b) * y
        away = 6.0 + depth
        return np.hstack([(x + 0.7 * latent(z, 2)) / away, (y + 0.7 * latent(z, 3)) / away])

    return image


def _damped_responses(rng: Rng, k: int) -> Function:
    """A swing that dies away: its frequency, its damping, its size."""
    times = np.linspace(0.3, 6.0, int(rng.integers(9, 25)))
    base = rng.uniform(0.8, 1.6)

    def course(z: Array) -> Array:
        frequency, damping = base * _positive(z, 0, 0.25), 0.3 * _positive(z, 1, 0.5)
        return np.asarray(_positive(z, 2, 0.4) * np.exp(-damping * times) * np.cos(frequency * times))

    return course


def _interference(rng: Rng, k: int) -> Function:
    """Waves on 9 x 9 places from a source beside them, which moves."""
    places = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, 9)] * 2), -1).reshape(-1, 2)
    wave = rng.uniform(2.0, 4.0)

    def picture(z: Array) -> Array:
        source = np.hstack([0.6 * latent(z, 0), 2.0 + 0.5 * np.tanh(latent(z, 1))])
        distance = np.linalg.norm(places - source[:, None], axis=2)
        return np.asarray(np.cos(wave * distance) / distance)

    return picture


def _absorption_curves(rng: Rng, k: int) -> Function:
    """What is taken up and carried off: both rates, and the dose."""
    times = np.linspace(0.2, 6.0, int(rng.integers(6, 16)))

    def course(z: Array) -> Array:
        out, into = _between(z, 0, 0.2, 0.6), _between(z, 1, 1.0, 2.5)
        return np.asarray(
            _positive(z, 2, 0.4) * into / (into - out) * (np.exp(-out * times) - np.exp(-into * times))
        )

    return course


def _saturation_curves(rng: Rng, k: int) -> Function:
    """An effect by dose: where it is half, how steep it is, how large."""
    doses = np.geomspace(0.1, 10.0, int(rng.integers(5, 14)))

    def course(z: Array) -> Array:
        steep = 1.5 * _positive(z, 1, 0.3)
        return np.asarray(_positive(z, 2, 0.3) * expit(steep * (np.log(doses) - 0.9 * latent(z, 0))))

    return course


def _complex_powers(rng: Rng, k: int) -> Function:
    """Powers of a complex number, whose size and angle the latents are."""
    highest, span = int(rng.integers(2, 5)), rng.uniform(0.4, 0.9) * np.pi

    def parts(z: Array) -> Array:
        powers = (_positive(z, 1, 0.3) * np.exp(1j * _between(z, 0, -span, span))) ** np.arange(
            1, highest + 1
        )
        return np.hstack([powers.real, powers.imag])

    return parts


def _joint_probabilities(rng: Rng, k: int) -> Function:
    """Probabilities of all outcomes of independent events."""
    gain, shift = rng.uniform(0.7, 1.4, k), rng.uniform(-1.0, 1.0, k)

    def outcomes(z: Array) -> Array:
        table = np.ones((len(z), 1))
        for p in expit(gain * z + shift).T[:, :, None]:
            table = np.hstack([table * p, table * (1.0 - p)])
        return table

    return outcomes


def _textures(rng: Rng, k: int) -> Function:
    """A texture under 9 x 9 pixels: moved along, moved across, larger, turned."""
    places = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, 9)] * 2), -1).reshape(-1, 2)
    waves, phases = rng.normal(0.0, 1.3, (2, 12)), rng.uniform(0.0, 2.0 * np.pi, 12)

    def picture(z: Array) -> Array:
        size, angle = _positive(z, 2, 0.25), _between(z, 3, -0.7, 0.7)
        a, b = (np.cos(angle) * size, np.sin(angle) * size)
        x = a * places[:, 0] - b * places[:, 1] + 0.5 * latent(z, 0)
        y = b * places[:, 0] + a * places[:, 1] + 0.5 * latent(z, 1)
        return np.asarray(np.cos(np.stack([x, y], -1) @ waves + phases).sum(-1))

    return picture


def _rules(rng: Rng, k: int) -> Function:
    """How true soft rules are that ask two things each, beside a plain share of the latents."""
    count = 2 * k + int(rng.integers(2, 8))
    first, second = rng.standard_normal((2, k, count)) * 1.5
    shift, plain = rng.normal(0.0, 0.5, (2, count)), 0.25 * rng.standard_normal((k, count))
    return lambda z: expit(z @ first + shift[0]) * expit(z @ second + shift[1]) + z @ plain


def _quadratic_maps(rng: Rng, k: int) -> Function:
    """Random linear maps, and as many quadratic ones."""
    count = 2 * k + int(rng.integers(1, 8))
    first, second, plain = rng.standard_normal((3, k, count)) / np.sqrt(k)
    return lambda z: z @ plain + 0.4 * (z @ first) * (z @ second)


def _levers(rng: Rng, k: int) -> Function:
    """The ends of rods that turn about the ends of others in space, each by a latent about its own axis."""
    axes = [random_rotation(rng, 3) for _ in range(k)]

    def ends(z: Array) -> Array:
        frame, end, out = np.broadcast_to(np.eye(3), (len(z), 3, 3)), np.zeros((len(z), 3)), []
        for i, axis in enumerate(axes):
            angle = _between(z, i, -1.4, 1.4)[:, 0]
            zero, unit = np.zeros_like(angle), np.ones_like(angle)
            turn = [
                [np.cos(angle), -np.sin(angle), zero],
                [np.sin(angle), np.cos(angle), zero],
                [zero, zero, unit],
            ]
            frame = frame @ axis @ np.moveaxis(np.array(turn), 2, 0)
            end = end + frame[:, :, 0]
            out.append(end)
        return np.hstack(out)

    return ends


_PICTURES: Final = ("interference", "textures")
_BUILDERS: Final[Mapping[str, Callable[[Rng, int], Function]]] = MappingProxyType(
    {
        "projectiles": _projectiles,
        "perspective": _perspective,
        "damped responses": _damped_responses,
        "interference": _interference,
        "absorption curves": _absorption_curves,
        "saturation curves": _saturation_curves,
        "complex powers": _complex_powers,
        "joint probabilities": _joint_probabilities,
        "textures": _textures,
        "rules": _rules,
        "quadratic maps": _quadratic_maps,
        "levers": _levers,
    }
)
