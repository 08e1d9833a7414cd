"""Draw the page as it answers about the data set of `questions.py`.

python examples/page_picture.py docs/playground.png

Needs a Chromium of the system, which Playwright drives.
"""

import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

import mizzle

_QUESTION = "#data=breast_cancer&mode=pair&x=mean_texture&y=worst_area"


def main() -> None:
    """Start the service, ask in a browser, save what it shows, stop."""
    command = [sys.executable, "-m", "mizzle", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            url = next(word for word in service.stdout.readline().split() if word.startswith("http://"))
            with mizzle.Client(url) as client:
                while not client.ready():
                    pass
            _draw(url, sys.argv[1])
        finally:
            service.terminate()


def _draw(url: str, file: str) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/{_QUESTION}")
        page.get_by_text("How sure").wait_for()
        page.screenshot(path=file, full_page=True)
        chromium.close()


if __name__ == "__main__":
    main()
