"""`make audit`: no silence where nothing was checked, and every package is looked up."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError

import audit
import pytest
from packaging.requirements import Requirement

KNOWN = {("PyPI", "jinja2", "2.4.1"): "PYSEC-0000-1"}


class Database:
    """Answers as OSV does, and remembers what it was asked.

    Attributes:
        faults: identifiers by ecosystem, name and version.
        queries: what it was asked.
        status: of its answers.
    """

    def __init__(self) -> None:
        self.faults = dict(KNOWN)
        self.queries: list[tuple[str, str, str]] = []
        self.status = 200
        database = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = database.answer(
                    query["package"]["ecosystem"], query["package"]["name"], query["version"]
                )
                self.send_response(database.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/query"

    def answer(self, *package: str) -> bytes:
        self.queries.append((package[0], package[1], package[2]))
        fault = self.faults.get(self.queries[-1])
        return json.dumps({"vulns": [{"id": fault, "affected": []}]} if fault else {}).encode()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    database = Database()
    with database.server:
        thread = threading.Thread(target=database.server.serve_forever)
        thread.start()
        yield database
        database.server.shutdown()
        thread.join()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["audit.py", *arguments])
        return audit.main()

    return run


def test_every_locked_package_and_library_of_the_page_is_looked_up(database, run, capfd) -> None:
    assert run("--database", database.url, "torch==2.13.0") == 0
    locked = {(pin.name, next(iter(pin.specifier)).version) for pin in audit.locked()}
    assert {name for name, _ in locked} >= {"numpy", "uv", "setuptools", "pip", "sigstore", "cibuildwheel"}
    libraries = json.loads((audit.ROOT / "service/page/vendor/manifest.json").read_text())
    wanted = {("PyPI", *package) for package in locked | {("torch", "2.13.0")}}
    wanted |= {("npm", name, entry["version"]) for name, entry in libraries.items()}
    assert wanted | set(KNOWN) == set(database.queries)
    assert "NOT CHECKED" not in "".join(capfd.readouterr())


def test_what_only_another_python_installs_is_looked_up() -> None:
    versions = [pin for pin in audit.locked() if pin.name == "numpy"]
    assert len({str(pin.specifier) for pin in versions}) > 1  # by markers
    lines = [line for column in audit.rounds(versions) for line in column]
    assert sorted(lines) == sorted({f"numpy{pin.specifier}" for pin in versions})


def test_a_known_fault_of_a_package_fails(database, run, monkeypatch, capfd) -> None:
    monkeypatch.setattr(audit, "locked", lambda: [Requirement("numpy==2.5.5 ; python_version > '9'")])
    database.faults["PyPI", "numpy", "2.5.5"] = "PYSEC-0000-2"
    assert run("--database", database.url) == 1
    assert "PYSEC-0000-2" in capfd.readouterr().out


def test_a_known_fault_of_the_page_fails(database, run, monkeypatch, capfd) -> None:
    monkeypatch.setattr(audit, "locked", list)
    libraries = json.loads((audit.ROOT / "service/page/vendor/manifest.json").read_text())
    database.faults["npm", "d3", libraries["d3"]["version"]] = "GHSA-0000-3"
    assert run("--database", database.url) == 1
    assert "d3: GHSA-0000-3" in capfd.readouterr().out


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--online",), 1)])
def test_a_database_out_of_reach_is_said(database, run, options, code, capfd) -> None:
    database.server.server_close()
    assert run("--database", database.url, *options) == code
    assert capfd.readouterr().out.startswith("NOT CHECKED")


def test_a_database_that_knows_nothing_fails(database, run, capfd) -> None:
    database.faults.clear()
    assert run("--database", database.url) == 1
    assert capfd.readouterr().out.startswith("NOT CHECKED")


def test_a_database_that_fails_is_no_clean_answer(database, run) -> None:
    database.status = 500
    with pytest.raises(HTTPError):
        run("--database", database.url)


def test_a_failure_of_pip_audit_fails(database, run, monkeypatch) -> None:
    monkeypatch.setattr(audit, "locked", lambda: [Requirement("numpy")])  # no version
    assert run("--database", database.url) == 1
