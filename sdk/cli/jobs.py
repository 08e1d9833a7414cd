"""The commands about jobs of a service: a whole table is sent, and fetched when it is done."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mizzle.cli import options
from mizzle.cli.estimate import give
from mizzle.cli.output import Output
from mizzle.cli.source import Source, wanted
from mizzle.cli.terminal import fields, say, table
from mizzle.client.jobs import Job, Jobs
from mizzle.errors import InvalidInput
from mizzle.progress import track
from mizzle.tables.variables import Variables, variables
from mizzle.types import DEFAULT_LEVEL, DEFAULT_THRESHOLD, DEFAULT_UNIT, FACTS
from mizzle.wire import printable

jobs = typer.Typer(help="Whole tables as jobs of a service, done beside everybody's requests.")
_Id = Annotated[str, typer.Argument(metavar="ID", help="Of the job.", show_default=False)]
_All = Annotated[bool, typer.Option("--matrix", help="Every two columns.")]
_Target = Annotated[
    str | None, typer.Option("--target", metavar="T", help="Each column against this column or group.")
]
_NewId = Annotated[
    str | None, typer.Option("--id", metavar="ID", help="A name for the job; drawn at random when left out.")
]
_Url = Annotated[
    str | None,
    typer.Option("--url", envvar=options.URL, help="Of the service; the key comes from MIZZLE_API_KEY."),
]


@jobs.command()
def submit(
    file: options.File,
    matrix: _All = False,
    target: _Target = None,
    columns: options.Columns = None,
    group: options.Groups = None,
    exclude: options.Exclude = None,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    strict: options.Strict = False,
    level: options.Level = DEFAULT_LEVEL,
    unit: options.Unit = DEFAULT_UNIT,
    threshold: options.Threshold = DEFAULT_THRESHOLD,
    deduplicate: options.Deduplicate = False,
    id: _NewId = None,
    url: _Url = None,
    as_json: options.Json = False,
) -> None:
    """Send a table; prints the job's id. The same table under the same id is the same job."""
    if matrix == (target is not None):
        raise InvalidInput("say either --matrix or --target T")
    with Jobs(url) as client:
        source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na, strict)
        read, chosen = source.chosen(columns, group, exclude, target)
        if read.notes:
            say(f"mizzle: {printable('; '.join(read.notes))}")
        request: dict[str, Any] = {"missing": missing, "level": level, "unit": unit, "threshold": threshold}
        request |= {"what": "matrix"} if target is None else {"what": "rank", "target": target}
        request["groups"] = chosen["groups"]
        job = client.submit(_columns(read.frame, chosen, target, deduplicate), request, id)
    print(json.dumps(job) if as_json else job["id"])


@jobs.command("list")
def list_jobs(url: _Url = None, as_json: options.Json = False) -> None:
    """The jobs of this key, the newest first."""
    with Jobs(url) as client:
        listed = client.all()
    if as_json:
        print(json.dumps({"jobs": listed}))
        return
    head = ("id", "what", "state", "done", "pairs", "created")
    table(head, ([str(job[name]) for name in head] for job in listed), ("done", "pairs"))


@jobs.command()
def show(id: _Id, url: _Url = None, as_json: options.Json = False) -> None:
    """A job as it stands."""
    with Jobs(url) as client:
        _print(client.find(id), as_json)


@jobs.command()
def wait(id: _Id, url: _Url = None, as_json: options.Json = False, quiet: options.Quiet = False) -> int:
    """Follow a job until it has ended; ends with 1 if it failed or was cancelled."""
    with Jobs(url) as client:
        try:
            job = _followed(client, id, quiet)
        except KeyboardInterrupt:
            say(f"mizzle: interrupted; the job goes on: mizzle jobs wait {printable(id)}")
            raise
    _print(job, as_json)
    return 0 if job["state"] == "done" else 1


@jobs.command()
def result(
    id: _Id,
    url: _Url = None,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The answers of a job that is done."""
    output = Output(out, force, as_json, quiet)
    output.check()
    with Jobs(url) as client:
        answers = client.result(id)
    give(output, answers)


@jobs.command()
def cancel(id: _Id, url: _Url = None) -> None:
    """Cancel a job that has not ended, or forget one that has."""
    with Jobs(url) as client:
        job = client.drop(id)
    print("forgotten" if job is None else job["state"])


def _columns(frame: Any, chosen: Mapping[str, Any], target: str | None, deduplicate: bool) -> Variables:
    """The columns that are sent, each by itself; labels and times travel as numbers, which is said."""
    single = chosen["columns"]
    names = None if single is None else wanted(single, chosen["groups"], target)
    columns = variables(frame, names, None, chosen["missing"], deduplicate=deduplicate)
    noticed = dict.fromkeys(notice for column in columns for notice in column.notes)
    for notice in (*columns.notices, *noticed):
        if notice.code in ("left_out", *FACTS):
            say(f"mizzle: {printable(notice.message)}")
    return columns


def _followed(client: Jobs, id: str, quiet: bool) -> Job:
    """A job at its end; a bar shows its pairs on the way."""
    job, before = client.find(id), 0
    with track(False if quiet else None, job["pairs"]) as advance:
        for job in client.follow(id):
            advance(job["done"] - before)
            before = job["done"]
    return job


def _print(job: Job, as_json: bool) -> None:
    if as_json:
        print(json.dumps(job))
        return
    lines = [(name, str(job[name])) for name in ("id", "what", "state")]
    failed = f", {job['failed']} of them with an error" if job["failed"] else ""
    lines.append(("pairs", f"{job['done']} of {job['pairs']} done{failed}"))
    lines += [(name, job[name]) for name in ("created", "started", "ended", "expires") if job[name]]
    if job["error"]:
        lines.append(("error", job["error"]["detail"]))
    fields(lines)
