"""Bodies as problems, in three formats: which reader reads what, and what they have in common.

Pure functions of bytes: they know neither HTTP nor the event loop, so that they can run in any thread. No
error repeats anything of a body.
"""

from collections.abc import Mapping, Sequence

from mizzle.errors import InvalidInput, InvalidRequest, UnsupportedMedia
from mizzle.service.formats import json_problem, npy_problem, safetensors_problem
from mizzle.service.formats.problem import MAX_LEVELS, Problem
from mizzle.wire import JSON, NPY, SAFETENSORS

__all__ = [
    "INLINE_BYTES",
    "JSON",
    "MAX_LEVELS",
    "MEDIA_TYPES",
    "NPY",
    "SAFETENSORS",
    "Problem",
    "read_many",
    "read_one",
]

INLINE_BYTES = 64 * 1024  # larger bodies are read beside the event loop
MEDIA_TYPES = frozenset({JSON, NPY, SAFETENSORS})


def read_one(media: str, content: bytes, query: Mapping[str, str], grid: Sequence[float]) -> Problem:
    """The problem in a body.

    Args:
        media: one of MEDIA_TYPES.
        query: parameters of the address; only .npy has any.
        grid: the model's levels, which bound the levels that can be asked for.

    Raises:
        InvalidInput: Malformed where the body cannot be read, else what is wrong with the problem.
    """
    if media == NPY:
        return npy_problem.one(content, query, grid)
    _check(media, query)
    reader = json_problem.one if media == JSON else safetensors_problem.one
    return reader(content, grid)


def read_many(
    media: str, content: bytes, query: Mapping[str, str], grid: Sequence[float], most: int
) -> list[Problem | InvalidInput]:
    """The problems in a body, in order, each as itself or as what is wrong with it.

    Args:
        media, query, grid: as for `read_one`.
        most: how many problems one body may hold.

    Raises:
        InvalidInput: of the body as a whole; TooLarge for more than `most` problems.
    """
    if media == NPY:
        raise InvalidRequest("one .npy holds one problem; send many as JSON or as safetensors")
    _check(media, query)
    reader = json_problem.many if media == JSON else safetensors_problem.many
    return reader(content, grid, most)


def _check(media: str, query: Mapping[str, str]) -> None:
    if media not in MEDIA_TYPES:
        raise UnsupportedMedia(f"the media type must be one of {', '.join(sorted(MEDIA_TYPES))}")
    if query:
        raise InvalidRequest(
            f"the address has parameters; only {NPY} takes any, others have levels in the body"
        )
