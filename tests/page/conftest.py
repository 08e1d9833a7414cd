"""The page in a real browser: the system's Chromium, driven by Playwright, against a service on loopback."""

import itertools
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from fakes import PATIENCE, FakeEstimator

from mizzle import estimator as estimators
from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys
from mizzle.service.routes import page as page_routes
from mizzle.service.settings import Settings

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# The policy of the page stands in the answer; what it forbids is told to the page itself.
_WATCH = """
globalThis.violations = [];
document.addEventListener("securitypolicyviolation",
    (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@contextmanager
def serving(estimator: Any, keys: Keys | None = None, **chosen: Any) -> Iterator[str]:
    """The service with its pages on a real socket; the url of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(Settings(**chosen), estimator, keys=keys)
    config = uvicorn.Config(app, http="h11", lifespan="on", log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx2.Client(base_url=url, trust_env=False) as http:
            while http.get("/startupz").status_code != 200:
                pass
        yield url
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="package")
def serve() -> Callable[..., Any]:
    """`serving`, for tests that choose."""
    return serving


@pytest.fixture(scope="package")
def real() -> Iterator[str]:
    """A service with the shipped weights."""
    with serving(estimators.load()) as url:
        yield url


@pytest.fixture(scope="package")
def quick() -> Iterator[str]:
    """A service with the stand-in, which knows normal variables only."""
    with serving(FakeEstimator()) as url:
        yield url


# Of the package, and no wider: while Playwright runs, no other test could run an event loop in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One Chromium for all tests here."""
    if CHROMIUM is None:
        pytest.skip(
            "there is no Chromium: the page is tested in a browser (Debian: apt-get install chromium)"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers run as root, where Chromium's sandbox does not start.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@contextmanager
def visiting(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a fresh profile; at the end, checks what no page of ours may ever do.

    These are: to run into the policy, to fail, to open a dialog of the browser, to ask anybody else.
    """
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(url: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        home = "/".join(url.split("/")[:3])
        page.on("dialog", lambda dialog: _refuse(dialog, wrong))
        page.on("pageerror", lambda error: wrong.append(f"error {error}"))
        page.on("console", lambda message: _judge(message, wrong))
        page.on("request", lambda request: _forbid(request.url, home, wrong))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            wrong += page.evaluate("globalThis.violations ?? []")
        context.close()
    assert wrong == []


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """`visiting`, of one test."""
    with visiting(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(browser: Any, quick: str) -> Iterator[Any]:
    """A page that the tests of a file share: each gives it a table of its own."""
    with visiting(browser) as opened:
        yield opened(quick)


def _refuse(dialog: Any, wrong: list[str]) -> None:
    wrong.append(f"dialog {dialog.message}")
    dialog.dismiss()


def _judge(message: Any, wrong: list[str]) -> None:
    """Refusals of the service show on the console, and are tested for; anything else is a fault."""
    if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
        wrong.append(f"{message.type} {message.text}")


def _forbid(url: str, home: str, wrong: list[str]) -> None:
    """An address that is neither the service's nor made by the page is a fault."""
    if not url.startswith((home + "/", f"blob:{home}/", "data:image/")):
        wrong.append(url)


@pytest.fixture
def answered() -> Callable[[Any], Any]:
    """Waits for an answer; the card of it."""

    def wait(page: Any) -> Any:
        card = page.locator("#answer article")
        card.wait_for()
        return card

    return wait


@pytest.fixture(scope="package")
def give() -> Callable[..., None]:
    """Gives a page a file, as text or bytes, and waits until it is open, or refused."""
    numbers = itertools.count()

    def given(page: Any, content: str | bytes, name: str | None = None, bad: bool = False) -> None:
        name = name or f"table{next(numbers)}.csv"
        data = content.encode() if isinstance(content, str) else content
        page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": data})
        (page.get_by_role("alert") if bad else page.locator("#table", has_text=name)).wait_for()

    return given


@pytest.fixture(scope="package")
def paths() -> tuple[str, ...]:
    """What belongs to the pages."""
    return page_routes.PATHS
