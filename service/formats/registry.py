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
    "parse_batch",
    "parse_problem",
]

INLINE_BYTES = 64 * 1024  # larger bodies are read beside the event loop
MEDIA_TYPES = frozenset({JSON, NPY, SAFETENSORS})


def parse_problem(media: str, content: bytes, query: Mapping[str, str], grid: Sequence[float]) -> Problem:
    """The problem in a body.

    Args:
        media: one of MEDIA_TYPES.
        query: parameters of the address; only .npy has any.
        grid: the model's levels, which bound the levels that can be asked for.

    Raises:
        InvalidInput: Malformed where the body cannot be read, else what is wrong with the problem.
    """
    if media == NPY:
        return npy_problem.parse_problem(content, query, grid)
    _check_media(media, query)
    parse = json_problem.parse_problem if media == JSON else safetensors_problem.parse_problem
    return parse(content, grid)


def parse_batch(
    media: str, content: bytes, query: Mapping[str, str], grid: Sequence[float], max_problems: int
) -> list[Problem | InvalidInput]:
    """The problems in a body, in order, each as itself or as what is wrong with it.

    Args:
        media, query, grid: as for `parse_problem`.
        max_problems: how many problems one body may hold.

    Raises:
        InvalidInput: of the body as a whole; TooLarge for more than `max_problems` problems.
    """
    if media == NPY:
        raise InvalidRequest("one .npy holds one problem; send many as JSON or as safetensors")
    _check_media(media, query)
    parse = json_problem.parse_batch if media == JSON else safetensors_problem.parse_batch
    return parse(content, grid, max_problems)


def _check_media(media: str, query: Mapping[str, str]) -> None:
    if media not in MEDIA_TYPES:
        raise UnsupportedMedia(f"the media type must be one of {', '.join(sorted(MEDIA_TYPES))}")
    if query:
        raise InvalidRequest(
            f"the address has parameters; only {NPY} takes any, others have levels in the body"
        )
