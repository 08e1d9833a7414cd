"""Build a folder of data sets on disk: by many processes, in pieces, and after a stop from where it was.

Worker processes make shards as bytes; the one process that was started writes them, each to a temporary file
that is synced and then renamed, and then the manifest, in the same way. So a shard counts once it is in the
manifest, and whatever is killed leaves a folder that the same command completes to the same bytes.
"""

import fcntl
import hashlib
import json
import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from mizzle.errors import ExecutorFailed, Fault, InvalidInput
from mizzle.executors import Executing, opened
from mizzle.executors.local import interrupts_wait
from mizzle.metadata_gen import prior
from mizzle.metadata_gen.prior import ranges
from mizzle.metadata_gen.prior.ranges import EVERYTHING, Limits
from mizzle.metadata_gen.store.shards import (
    FORMAT,
    MANIFEST,
    intact,
    pack,
    read_manifest,
)
from mizzle.metadata_gen.store.summary import named
from mizzle.metadata_gen.stream import DataSet, dataset

PARTIAL: Final = ".partial"
NOT_SOURCES: Final = ("__main__.py", "store")  # sources that draw nothing
Packed = tuple[bytes, dict[str, Any]]
PackedShards = Generator[tuple[int, Packed], None, None]
Records = dict[int, dict[str, Any]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """The content of a folder: data sets 0 .. count - 1 of a seed, `shard` of them in each file.

    Attributes:
        seed, limits: those of `dataset(seed, i, limits)`.
        count: number of data sets.
        shard: number of data sets in a file.

    Raises:
        InvalidInput: a number is out of range.
    """

    seed: int
    count: int
    shard: int = 2000
    limits: Limits = EVERYTHING

    def __post_init__(self) -> None:
        _within("seed", self.seed, 0)
        _within("count", self.count, 1)
        _within("shard", self.shard, 1)
        _within("max-rows", self.limits.rows, *ranges.ROWS)
        _within("max-columns", self.limits.columns, *ranges.COLUMNS)

    def describe(self) -> dict[str, Any]:
        """All that the bytes depend on, as JSON-able data."""
        return {
            **vars(self),
            "limits": self.limits._asdict(),
            **{name: version(name) for name in ("mizzle", "numpy", "scipy")},
            "prior_sha256": hashlib.sha256(json.dumps(prior.describe()).encode()).hexdigest(),
            "code_sha256": _sources_sha256(),
        }

    def files(self) -> list[str]:
        """Names of the shards."""
        return [f"shard-{k:05d}.safetensors" for k in range(-(-self.count // self.shard))]

    def indices(self, k: int) -> range:
        """Data sets of shard k."""
        return range(k * self.shard, min((k + 1) * self.shard, self.count))


def _within(name: str, value: int, low: int, high: int | None = None) -> None:
    if value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"from {low} to {high}"
        raise InvalidInput(f"{name} is {value}; it must be {allowed}")


@cache
def _sources_sha256() -> str:
    """Of the generator's sources: half a folder from before an edit and half from after is neither."""
    room = Path(__file__).parent.parent
    files = sorted(path for path in room.rglob("*.py") if path.relative_to(room).parts[0] not in NOT_SOURCES)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def build(folder: Path, recipe: Recipe, workers: int = 0, executor: Executing | None = None) -> int:
    """Make what is missing of the recipe in the folder; with 0 workers in this process.

    Args:
        executor: who makes the shards in place of workers, such as "ray"; this process writes them.

    Returns:
        the number of shards made.

    Raises:
        InvalidInput: the folder holds something else, or another process writes to it.
        Fault: a data set could not be drawn, or a worker process died.
        KeyboardInterrupt: stopped; what is finished stays.
    """
    _within("workers", workers, 0, 1024)
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder):
        records = _resumed(folder, recipe)
        missing = [k for k in range(len(recipe.files())) if k not in records]
        if not missing:
            return 0
        _write_manifest(folder, recipe, records)
        done = recipe.count - sum(len(recipe.indices(k)) for k in missing)
        with tqdm(total=recipe.count, initial=done, unit="set") as bar:
            packed = _packed(recipe, missing, workers, executor, bar)
            with closing(packed):
                for k, (content, record) in packed:
                    records[k] = {"file": recipe.files()[k], **record}
                    _write(folder / records[k]["file"], content)
                    _write_manifest(folder, recipe, records)
    return len(missing)


# The folder


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Two processes must not write to a folder at the same time; the lock dies with its process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InvalidInput(f"another process is writing to {folder}; let it, or choose another") from None


def _resumed(folder: Path, recipe: Recipe) -> Records:
    """The intact shards of an earlier run of the same recipe; its temporary files are removed."""
    present = {path.name for path in folder.iterdir()}
    ours = {MANIFEST, *recipe.files()} if MANIFEST in present else set()
    partial = {name + PARTIAL for name in (MANIFEST, *recipe.files())}
    records = _records(folder, recipe) if MANIFEST in present else {}
    if foreign := sorted(present - ours - partial):
        raise InvalidInput(f"{folder} holds {foreign[0]}, which is no part of this; choose an empty folder")
    for name in present & partial:
        (folder / name).unlink()
    checked = tqdm(records.items(), "checking", unit="shard", leave=False, disable=not records)
    whole = {k: record for k, record in checked if intact(folder, record)}
    for k in sorted(records.keys() - whole.keys()):
        log.warning("%s is missing or damaged; making it again", records[k]["file"])
    return whole


def _records(folder: Path, recipe: Recipe) -> Records:
    """What the manifest vouches for.

    Raises:
        InvalidInput: it belongs to another recipe.
    """
    manifest = read_manifest(folder)
    there, here = manifest["recipe"], recipe.describe()
    differ = [f"{key} {there.get(key)} (here {here[key]})" for key in here if there.get(key) != here[key]]
    if differ:
        raise InvalidInput(f"{folder} was begun with {', '.join(differ)}; choose another folder")
    numbers = {name: k for k, name in enumerate(recipe.files())}
    return {numbers[record["file"]]: record for record in manifest["shards"]}


def _write_manifest(folder: Path, recipe: Recipe, records: Records) -> None:
    """Write the manifest."""
    shards = [records[k] for k in sorted(records)]
    totals: dict[str, Any] = {key: sum(s[key] for s in shards) for key in ("count", "bytes", "nudged")}
    for key in ("families", "nats"):
        labels = dict.fromkeys(label for s in shards for label in s[key])
        totals[key] = {label: sum(s[key].get(label, 0) for s in shards) for label in labels}
    text = {"format": FORMAT, "recipe": recipe.describe(), "totals": totals, "shards": shards}
    _write(folder / MANIFEST, json.dumps(text, indent=1).encode() + b"\n")


def _write(path: Path, content: bytes) -> None:
    """The file is there whole or not at all, even after a power cut."""
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    os.fsync(handle)  # of the folder: the new name itself
    os.close(handle)


# The shards


def _pack(recipe: Recipe, k: int, report: Callable[[int], object]) -> Packed:
    """Shard k, and what the manifest says of it; `report` is called with the number of data sets so far."""
    about = recipe.describe()
    del about["count"]  # a longer run of the same seed begins with the same shards
    return pack(_reported(recipe, k, report), about)


def _reported(recipe: Recipe, k: int, report: Callable[[int], object]) -> Iterator[DataSet]:
    for b, i in enumerate(recipe.indices(k), start=1):
        with named(recipe.seed, i, recipe.limits):
            data = dataset(recipe.seed, i, recipe.limits)
        yield data
        report(b)


def _packed(
    recipe: Recipe, missing: list[int], workers: int, executor: Executing | None, bar: "tqdm[Any]"
) -> PackedShards:
    """The missing shards as they become ready."""
    if executor is not None:
        return _elsewhere(recipe, missing, executor, bar)
    return _by_workers(recipe, missing, workers, bar) if workers else _in_this_process(recipe, missing, bar)


def _elsewhere(recipe: Recipe, missing: list[int], executor: Executing, bar: "tqdm[Any]") -> PackedShards:
    about = recipe.describe()
    with opened(executor, {}) as engine:
        for number, packed in engine.run(pack_elsewhere, ((recipe, about, k) for k in missing)):
            bar.update(len(recipe.indices(missing[number])))
            yield missing[number], packed


def pack_elsewhere(arrays: object, task: tuple[Recipe, dict[str, Any], int]) -> Packed:
    """What a worker makes of a task: a shard.

    Raises:
        ExecutorFailed: it would come out as another here.
    """
    recipe, about, k = task
    here = recipe.describe()
    if differ := [f"{key} {value} (here {here[key]})" for key, value in about.items() if here[key] != value]:
        raise ExecutorFailed(f"a worker is not as this process: {', '.join(differ)}; install the same there")
    return _pack(recipe, k, lambda _: None)


def _in_this_process(recipe: Recipe, missing: list[int], bar: "tqdm[Any]") -> PackedShards:
    for k in missing:
        yield k, _pack(recipe, k, lambda _: bar.update())


def _by_workers(recipe: Recipe, missing: list[int], workers: int, bar: "tqdm[Any]") -> PackedShards:
    """The missing shards as they become ready, at most workers + 1 of them under way."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the workers: small matrices, one core each
    context = multiprocessing.get_context("spawn")
    counts, stop = context.RawArray("q", len(recipe.files())), context.RawValue("b", 0)
    todo, running, done = iter(missing), dict[Future[Packed], int](), bar.n
    pool = ProcessPoolExecutor(workers, context, _start_worker, (counts, stop))
    try:
        while True:
            with interrupts_wait():
                more = islice(todo, workers + 1 - len(running))
                running |= {pool.submit(_pack_in_worker, recipe, k): k for k in more}
            if not running:
                return
            ready, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            bar.update(done + sum(counts) - bar.n)
            for future in ready:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise Fault("a worker process died, perhaps for lack of memory; the same command goes on") from error
    finally:
        stop.value = 1
        pool.shutdown(cancel_futures=True)


class _Stopped(Exception):
    """The parent wants no more of this shard."""


_counts: Any = None  # in a worker: data sets made of each shard, in memory shared with the parent
_stop: Any = None  # in a worker: not 0 once the parent wants it to end


def _start_worker(counts: Any, stop: Any) -> None:
    global _counts, _stop
    _counts, _stop = counts, stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot say goodbye, and a worker without one would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _pack_in_worker(recipe: Recipe, k: int) -> Packed:
    def report(b: int) -> None:
        _counts[k] = b
        if _stop.value:
            raise _Stopped

    return _pack(recipe, k, report)
