"""The prior over looks: a random injective map of one to four latents of a side, by its kind.

The benchmarks hold further kinds out, to see whether more of them carry over: bells along a grid or a latent,
spectra, rotation matrices, distances to anchors, products and ratios, spirals, delayed waves, polynomials at
nodes, growth and survival curves, log-sums, covariances, arms and tori stay out of this page.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.maps import decoders, expansions, pictures, profiles, surfaces
from mizzle.metadata_gen.maps.looks import Function, Look, projected
from mizzle.metadata_gen.maps.side_map import Injection
from mizzle.metadata_gen.prior.draws import chance, real, reals, whole
from mizzle.metadata_gen.prior.map_ranges import LOOK_ROWS, LOOKS

Builder = Callable[[Rng, int, int], Function]  # of latents, and of the columns that there is room for


def random_look(rng: Rng, dim: int, max_columns: int) -> Injection:
    """A look of `dim` latents at 2 dim + 1 <= max_columns columns or fewer, of any kind that fits."""
    names = kinds(dim)
    while True:
        look = look_of_kind(rng, names[int(rng.integers(len(names)))], dim, max_columns)
        if look.dim_out <= max_columns:
            return look


def kinds(dim: int) -> tuple[str, ...]:
    """The KINDS that show so many latents; those in PLANAR need two, those in SHORT show three at most."""
    return tuple(k for k in KINDS if (dim > 1 or k not in PLANAR) and (dim < 4 or k not in SHORT))


def look_of_kind(rng: Rng, kind: str, dim: int, max_columns: int) -> Injection:
    """A look of this kind, one of KINDS, with parameters from `map_ranges.LOOKS`.

    Kinds whose number of columns follows from dim may exceed max_columns.
    """
    return Look(_BUILDERS[kind](rng, dim, max_columns), dim)


def with_mixtures(rng: Rng, dim: int, max_columns: int) -> Injection:
    """Columns and mixtures of them, dim < max_columns: for what is a look already."""
    return Look(_mixtures(rng, dim, max_columns), dim)


def _real(rng: Rng, key: str) -> float:
    return real(rng, key, LOOKS)


def _reals(rng: Rng, key: str, size: int) -> Array:
    return reals(rng, key, size, LOOKS)


def _whole(rng: Rng, key: str, at_most: int | None = None) -> int:
    return whole(rng, key, at_most, LOOKS)


def _columns(rng: Rng, k: int, room: int) -> int:
    """At least 2 k + 1: so many columns, in general position, keep k-dimensional sides apart."""
    return 2 * k + _whole(rng, "columns.extra", max(room - 2 * k, 1))


def _scales(rng: Rng, d: int) -> Array:
    return reals(rng, "warp.scale", d) if chance(rng, "looks.scaled") else np.full(d, 1.0)


def components(rng: Rng, function: Function, k: int, room: int) -> Function:
    """The leading principal components of a function of normal latents, not whitened."""
    images = function(rng.standard_normal((LOOK_ROWS, k)))
    center = images.mean(axis=0)
    squares, directions = np.linalg.eigh((images - center).T @ (images - center))
    # what is smaller is rounding error
    count = min(_columns(rng, k, room), int((squares > 1e-11 * squares[-1]).sum()))
    return partial(projected, function=function, center=center, directions=directions[:, ::-1][:, :count])


def _maybe_components(rng: Rng, function: Function, k: int, room: int) -> Function:
    wide = function(np.zeros((1, k))).shape[1] > room
    return components(rng, function, k, room) if wide or chance(rng, "looks.components") else function


# Decoders


def _layer(rng: Rng, inputs: int, units: int) -> decoders.Layer:
    weights = rng.standard_normal((inputs, units)) * _real(rng, "gain") * (2.0 / np.sqrt(inputs + 1.0))
    return weights, rng.standard_normal(units)


def _straight(rng: Rng, k: int, d: int) -> Array:
    """The linear part of a decoder: orthogonal directions, all of one weight."""
    directions = np.linalg.qr(rng.standard_normal((d, k)))[0].T
    return np.asarray(_real(rng, "linear") * np.sqrt(d / k) * directions)


def _decoder(name: str, depth: int = 1) -> Builder:
    def build(rng: Rng, k: int, room: int) -> Function:
        units = _whole(rng, "units")
        layers = [_layer(rng, units if i else k, units) for i in range(depth)]
        small = chance(rng, "looks.components")
        d = units if small else _columns(rng, k, room)
        outer = rng.standard_normal((units, d)) * (_scales(rng, d) / np.sqrt(units))
        function = partial(
            decoders.decoded,
            activation=decoders.ACTIVATIONS[name],
            layers=layers,
            outer=outer,
            linear=_straight(rng, k, d),
        )
        return components(rng, function, k, room) if small else function

    return build


def _residual(rng: Rng, k: int, room: int) -> Function:
    d, units = _columns(rng, k, room), _whole(rng, "units")
    blocks = [
        (*_layer(rng, d, units), rng.standard_normal((units, d)) / np.sqrt(units))
        for _ in range(_whole(rng, "blocks"))
    ]
    return partial(decoders.residual, start=_straight(rng, k, d), blocks=blocks)


def _gated(rng: Rng, k: int, room: int) -> Function:
    d = _columns(rng, k, room)
    gate, value = (_layer(rng, k, d) for _ in range(2))
    return partial(decoders.gated, gate=gate, value=value, linear=_straight(rng, k, d))


def _cosines(rng: Rng, k: int, room: int) -> Function:
    weights = rng.standard_normal((k, 40)) * _real(rng, "gain.waves")
    function = partial(decoders.cosines, weights=weights, bias=_reals(rng, "phase", 40))
    return components(rng, function, k, room)


def _graph(rng: Rng, k: int, room: int) -> Function:
    name = ("tanh", "sine", "softplus", "swish")[int(rng.integers(4))]
    weights, bias = _layer(rng, k, _columns(rng, k, room) - k)
    return partial(decoders.with_graph, activation=decoders.ACTIVATIONS[name], weights=weights, bias=bias)


# Expansions of every latent


def _powers(rng: Rng, k: int, room: int) -> Function:
    return partial(expansions.powers, degree=_whole(rng, "degree", room // k))


def _chebyshev(rng: Rng, k: int, room: int) -> Function:
    degree, scale = _whole(rng, "degree.high", room // k), _real(rng, "scale.squash")
    return _maybe_components(rng, partial(expansions.chebyshev, degree=degree, scale=scale), k, room)


def _hermite(rng: Rng, k: int, room: int) -> Function:
    degree = max(_whole(rng, "degree.high", room // k - 1), 1)
    return partial(expansions.hermite, degree=degree, scale=_real(rng, "scale.hermite"))


def _hats(rng: Rng, k: int, room: int) -> Function:
    knots = np.linspace(-2.5, 2.5, _whole(rng, "degree.high") + 2)
    size = k * len(knots)
    return partial(expansions.hats, knots=knots, mixing=random_rotation(rng, size)[:, :room])


def _harmonics(rng: Rng, k: int, room: int) -> Function:
    orders = range(1, 1 + _whole(rng, "harmonics", max(room // (2 * k), 1)))
    return _maybe_components(rng, _angles(rng, k, list(orders)), k, room)


def _phases(rng: Rng, k: int, room: int) -> Function:
    return _angles(rng, k, [1])


def _angles(rng: Rng, k: int, orders: list[int]) -> Function:
    span, start, scale = _reals(rng, "span", k), _reals(rng, "phase", k), _real(rng, "scale.squash")
    return partial(expansions.harmonics, span=span, start=start, orders=orders, scale=scale)


def _torus(rng: Rng, k: int, room: int) -> Function:
    """Sums that are made of the angles by adding one to another, or taking it away, a few times."""
    sums = np.eye(k)
    for _ in range(_whole(rng, "sums")):
        i, j = rng.permutation(k)[:2]
        sums[i] += rng.choice((-1.0, 1.0)) * sums[j]
    span, start = _reals(rng, "span", k), _reals(rng, "phase", k)
    return partial(expansions.torus, span=span, start=start, sums=sums, scale=_real(rng, "scale.squash"))


def _lissajous(rng: Rng, k: int, room: int) -> Function:
    waves = _whole(rng, "waves", max(room // k - 1, 1))
    frequency, phase = (_reals(rng, key, waves * k).reshape(waves, k) for key in ("frequency.knot", "phase"))
    return partial(expansions.lissajous, frequency=frequency, phase=phase, scale=_real(rng, "scale.squash"))


def _helix(rng: Rng, k: int, room: int) -> Function:
    return partial(expansions.helix, frequency=_reals(rng, "frequency", k), pitch=_reals(rng, "pitch", k))


def _staircase(rng: Rng, k: int, room: int) -> Function:
    stairs = _whole(rng, "stairs", max(room // k - 1, 1))
    frequency = _reals(rng, "frequency", stairs * k).reshape(stairs, k)
    phase = _reals(rng, "phase", stairs * k).reshape(stairs, k)
    return partial(expansions.staircase, frequency=frequency, phase=phase, depth=_real(rng, "stairs.depth"))


def _views(rng: Rng, k: int, room: int) -> Function:
    names = list(expansions.MONOTONE)
    kinds = [names[i] for i in rng.permutation(len(names))[: _whole(rng, "views", room // k)]]
    gains = _reals(rng, "scale.exp", len(kinds) * k).reshape(len(kinds), k)
    return partial(expansions.views, kinds=kinds, gains=gains)


# Across latents


def _embedding(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.linear, matrix=_full_rank(rng, k, _columns(rng, k, room)))


def _mixtures(rng: Rng, k: int, room: int) -> Function:
    matrix = _full_rank(rng, k, _whole(rng, "columns.mixtures", max(room - k, 1)))
    return partial(surfaces.with_mixtures, matrix=matrix)


def _wavelets(rng: Rng, k: int, room: int) -> Function:
    """Every latent is the coefficient of a step wavelet of its own, or of two, on 2^levels places."""
    levels = min(_whole(rng, "wavelets"), room.bit_length() - 1)
    constant, *waves = _step_waves(levels)
    order = rng.permutation(len(waves))
    matrix = np.array([waves[i] for i in order[:k]])
    for row, i in enumerate(order[k : 2 * k]):
        matrix[row] += rng.standard_normal() * waves[i]
    matrix[0] += rng.standard_normal() * constant  # or columns without a wave would be 0
    return partial(surfaces.linear, matrix=matrix)


def _step_waves(levels: int) -> Array:
    """Haar's wavelets on 2^levels places and the constant, shape (2^levels, 2^levels)."""
    waves = np.full((1, 1), 1.0)
    for _ in range(levels):
        waves = np.vstack([np.kron(waves, [1.0, 1.0]), np.kron(np.eye(len(waves)), [1.0, -1.0])])
    return waves


def _full_rank(rng: Rng, k: int, d: int) -> Array:
    """Normal entries, some rows and columns larger than others."""
    rows = _reals(rng, "gain", k)[:, None]
    return np.asarray(rows * rng.standard_normal((k, d)) * _scales(rng, d))


def _extremes(rng: Rng, k: int, room: int) -> Function:
    d = _columns(rng, k, room) - k
    first, second = (rng.standard_normal((k, d)) / np.sqrt(k) for _ in range(2))
    return partial(surfaces.with_extremes, first=first, second=second)


def _cumulative(rng: Rng, k: int, room: int) -> Function:
    matrix = rng.standard_normal((k, _columns(rng, k, room))) * _real(rng, "gain")
    return partial(surfaces.cumulative, matrix=matrix, mean=bool(rng.random() < 0.5))


def _ordered(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.ordered, scale=_real(rng, "scale.exp"))


def _exponents(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.exponents, scale=_real(rng, "scale.exp"), span=_real(rng, "span"))


def _share_matrix(rng: Rng, k: int, room: int) -> Array:
    d = k + _whole(rng, "columns.mixtures", max(room - k - 1, 1)) - 1
    directions = np.linalg.qr(rng.standard_normal((d, k)))[0].T
    return np.asarray(directions * np.sqrt(d / k) * _real(rng, "gain.shares"))


def _softmax(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.softmax_shares, matrix=_share_matrix(rng, k, room))


def _cumulative_shares(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.cumulative_shares, matrix=_share_matrix(rng, k, room))


def _sticks(rng: Rng, k: int, room: int) -> Function:
    shift = -np.log(np.arange(k, 0, -1.0)) + 0.3 * rng.standard_normal(k)
    return partial(surfaces.broken_sticks, gain=_real(rng, "gain.shares"), shift=shift)


def _stereographic(rng: Rng, k: int, room: int) -> Function:
    turn = random_rotation(rng, k + 1)
    return partial(surfaces.stereographic, scale=_real(rng, "scale.sphere"), turn=turn)


def _exponential_map(rng: Rng, k: int, room: int) -> Function:
    return partial(surfaces.exponential_map, reach=_real(rng, "reach"), turn=random_rotation(rng, k + 1))


def _hyperboloid(rng: Rng, k: int, room: int) -> Function:
    turn = random_rotation(rng, k + 1)
    return partial(surfaces.hyperboloid, scale=2.0 * _real(rng, "scale.sphere"), turn=turn)


# Pictures and profiles


def _picture(kind: Callable[..., Array], *keys: str) -> Builder:
    """A picture whose parameters are drawn at these keys, by the names that stand behind the dot."""

    def build(rng: Rng, k: int, room: int) -> Function:
        parameters = {key.split(".")[0]: _real(rng, key) for key in keys}
        function = partial(kind, side=_whole(rng, "side"), **parameters)
        return components(rng, function, k, room)

    return build


def _profile(kind: Callable[..., Array], low: float, high: float, **keys: str) -> Builder:
    """A course at evenly spaced times from low to high; keys say where parameters are drawn."""

    def build(rng: Rng, k: int, room: int) -> Function:
        times = np.linspace(low, high, _whole(rng, "times"))
        function = partial(kind, times=times, **{name: _real(rng, key) for name, key in keys.items()})
        return _maybe_components(rng, function, k, room)

    return build


def _template(rng: Rng, k: int, room: int) -> Function:
    waves = np.column_stack(
        [0.8 * rng.standard_normal(3), 1.5 * _reals(rng, "gain", 3), _reals(rng, "phase", 3)]
    )
    times = np.linspace(-2.0, 2.0, _whole(rng, "times"))
    function = partial(profiles.templates, times=times, waves=waves, stretch=_real(rng, "stretch"))
    return _maybe_components(rng, function, k, room)


_BUILDERS: Final[Mapping[str, Builder]] = MappingProxyType(
    {
        **{f"{name} decoder": _decoder(name) for name in decoders.ACTIVATIONS},
        "deep decoder": _decoder("tanh", 2),
        "deep swish decoder": _decoder("swish", 2),
        "residual decoder": _residual,
        "gated decoder": _gated,
        "cosines": _cosines,
        "graph": _graph,
        "powers": _powers,
        "chebyshev": _chebyshev,
        "hermite": _hermite,
        "hats": _hats,
        "harmonics": _harmonics,
        "phases": _phases,
        "torus": _torus,
        "lissajous": _lissajous,
        "helix": _helix,
        "staircase": _staircase,
        "views": _views,
        "embedding": _embedding,
        "mixtures": _mixtures,
        "wavelets": _wavelets,
        "extremes": _extremes,
        "cumulative": _cumulative,
        "ordered": _ordered,
        "exponents": _exponents,
        "shares": _softmax,
        "cumulative shares": _cumulative_shares,
        "sticks": _sticks,
        "stereographic": _stereographic,
        "exponential map": _exponential_map,
        "hyperboloid": _hyperboloid,
        "disc": _picture(pictures.disc, "soft", "size"),
        "ring": _picture(pictures.ring, "soft", "size"),
        "rectangle": _picture(pictures.rectangle, "soft"),
        "grating": _picture(pictures.grating, "frequency.grating", "base"),
        "checker": _picture(pictures.checker, "frequency.checker", "skew"),
        "half-plane": _picture(pictures.half_plane, "soft", "base"),
        "shaded ball": _picture(pictures.shaded_ball, "soft"),
        "sawtooth": _profile(profiles.sawtooth, 0.0, 6.0, ratio="ratio"),
        "clipped wave": _profile(profiles.clipped_wave, 0.0, 6.0, gain="sharpness"),
        "decays": _profile(profiles.decays, 0.05, 2.5, rate="rate"),
        "templates": _template,
        "power laws": _profile(profiles.power_laws, 0.37, 2.6, spread="spread"),
        "plateau": _profile(profiles.plateau, -1.0, 1.0, soft="soft.plateau"),
        "broken line": _profile(profiles.broken_line, -1.0, 1.0, soft="soft"),
    }
)
KINDS: Final = tuple(_BUILDERS)
PLANAR: Final = ("torus", "extremes", "ordered", "exponents", "decays")
SHORT: Final = ("half-plane", "decays", "templates", "power laws", "plateau", "broken line")
