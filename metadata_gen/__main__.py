"""Make training data on disk, or show what the prior draws.

    python -m mizzle.metadata_gen --count 1000000 --out DIR --seed 1 --max-rows 500 --max-columns 32
    python -m mizzle.metadata_gen describe --count 20000 --seed 1 --out prior.png
    python -m mizzle.metadata_gen describe DIR

The first goes on where it was stopped, whenever the same command is given again. Exit codes: 0 done, 1 our
fault or the machine's, 2 bad input or usage, 130 interrupted.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from mizzle.errors import InvalidInput, MizzleError
from mizzle.metadata_gen.prior.ranges import EVERYTHING, Limits
from mizzle.metadata_gen.store import picture, summary
from mizzle.metadata_gen.store.build import Recipe, build
from mizzle.metadata_gen.store.shards import Shards

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    describing = arguments[:1] == ["describe"]
    try:
        if describing:
            _describe(_describe_parser().parse_args(arguments[1:]))
        else:
            _build(_build_parser().parse_args(arguments))
    except (MizzleError, OSError) as error:
        log.error("error: %s", error)
        return 2 if isinstance(error, InvalidInput) else 1
    except KeyboardInterrupt:
        resumable = "" if describing else "; whole files are kept, and the same command goes on from there"
        log.info("stopped%s", resumable)
        return 130
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = _parser("", __doc__)
    add = parser.add_argument
    add("--count", type=int, required=True, help="data sets to make")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for them")
    add("--seed", type=int, required=True, help="data set i depends on seed, i and limits alone")
    add("--workers", type=int, default=os.cpu_count(), help="processes; default %(default)s, one a core")
    add("--executor", choices=("local", "ray"), help="who makes them in place of --workers; a cluster of Ray")
    add("--shard", type=int, default=Recipe.shard, help="data sets in each file; default %(default)s")
    _add_limits(parser)
    return parser


def _describe_parser() -> argparse.ArgumentParser:
    parser = _parser(" describe", "Tell of what kind data sets are: those of a folder, or those of a seed.")
    add = parser.add_argument
    add("folder", type=Path, nargs="?", metavar="DIR", help="data sets on disk; without it the prior's own")
    add("--count", type=int, default=20_000, help="data sets to draw; default %(default)s")
    add("--seed", type=int, default=0, help="of the draws; default %(default)s")
    add("--out", type=Path, metavar="FILE", help="also draw a picture, such as prior.png")
    _add_limits(parser)
    return parser


def _parser(command: str, about: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m mizzle.metadata_gen" + command,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    for name, default in EVERYTHING._asdict().items():
        about = f"largest number of {name}{' of one side' * (name == 'columns')}; default {default}"
        parser.add_argument(f"--max-{name}", type=int, default=default, metavar="N", help=about)


def _build(options: argparse.Namespace) -> None:
    recipe = Recipe(options.seed, options.count, options.shard, _limits(options))
    shards = build(options.out, recipe, options.workers, options.executor)
    state = "is complete" if shards else "was complete already, every shard as it should be"
    log.info("%s %s: %d data sets", options.out, state, recipe.count)


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(options.max_rows, options.max_columns)


def _describe(options: argparse.Namespace) -> None:
    if options.out:
        picture.check(options.out)
    title, counted = _stored(options.folder) if options.folder else _drawn(options)
    print(title, summary.table(counted), sep="\n\n")
    if options.out:
        picture.draw(counted, title, options.out)


def _stored(folder: Path) -> tuple[str, summary.Summary]:
    shards = Shards(folder)
    recipe = shards.manifest["recipe"]
    return _title(recipe["count"], recipe["seed"], Limits(**recipe["limits"])), shards.summary()


def _drawn(options: argparse.Namespace) -> tuple[str, summary.Summary]:
    recipe = Recipe(options.seed, options.count, limits=_limits(options))
    indices = tqdm(range(recipe.count), unit="set", leave=False)
    drawn = summary.drawn(recipe.seed, indices, recipe.limits)
    return _title(recipe.count, recipe.seed, recipe.limits), drawn


def _title(count: int, seed: int, limits: Limits) -> str:
    size = f"at most {limits.rows} rows, and {limits.columns} columns a side"
    return f"{count:,} data sets of seed {seed}: {size}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
