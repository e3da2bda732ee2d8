"""Helpers for tests that need the page in a real browser: serve it, drive it, take its picture.

    with served(Warmup(load)) as server, chromium() as browser, opened(browser, server.url) as visit:
        visit.ask("How big was Alibaba at its peak?")
        visit.page.locator(".turn.answered").wait_for()
        visit.page.screenshot(path="answer.png")

`opened` fails the test if the page wrote an error to the console or asked another host for anything.
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

from ui.server import PageServer, build_server
from ui.warmup import Warmup

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-lcd-text",
)

expect.set_options(timeout=20_000)  # milliseconds; five seconds, the default, is little where others use the cores


def find_chromium() -> str:
    """The path of a Chromium or Chrome; fails with what to install if there is none."""
    for candidate in (*_NAMES, *_PATHS):
        if found := shutil.which(candidate):
            return found
    raise RuntimeError(
        f"No browser found (looked for {', '.join(_NAMES)}). The browser tests need Chromium or Chrome: "
        "on Debian and Ubuntu `apt-get install -y chromium`, on macOS `brew install --cask chromium`."
    )


@contextlib.contextmanager
def served(warmup: Warmup, *, port: int = 0, **options: int) -> Iterator[PageServer]:
    """The page over that warm-up, served from a thread on a free port until the block ends."""
    server = build_server(warmup, port=port, **options)
    listening = threading.Event()
    thread = threading.Thread(target=server.serve_until_stopped, kwargs={"on_listening": listening.set})
    thread.start()
    try:
        assert listening.wait(60), "the server did not come up within a minute"
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive(), "the server did not end within 20 s"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium that keeps to itself."""
    flags = [*_FLAGS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One tab. `errors` are console errors and uncaught exceptions, `strangers` requests to other hosts."""

    page: Page
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def ready(self) -> "Visit":
        """Wait until the models are loaded."""
        self.page.locator(".pill.ready").wait_for(timeout=180_000)
        return self

    def ask(self, question: str) -> None:
        """Type the question and press Enter."""
        box = self.page.get_by_label("Your question")
        box.fill(question)
        box.press("Enter")

    def add(self, *files: Path) -> None:
        """Give articles to the page, as its button does."""
        with self.page.expect_file_chooser() as chooser:
            self.page.locator("#add").click()
        chooser.value.set_files(files)

    def answered(self, *, turns: int = 1, timeout_s: float = 120) -> None:
        """Wait until that many turns are finished."""
        finished = self.page.locator("#finished .turn").nth(turns - 1)
        finished.wait_for(timeout=1000 * timeout_s)


@contextlib.contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1360,
    height: int = 850,
    scale: float = 1,
    strict: bool = True,
) -> Iterator[Visit]:
    """A tab on the page in a profile of its own; with `strict`, errors and foreign requests fail the test at
    the end.
    """
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page())
    here = urlsplit(url).netloc

    def note_request(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob") and parts.netloc != here:
            visit.strangers.append(address)

    visit.page.on("request", lambda request: note_request(request.url))
    visit.page.on("console", lambda said: visit.errors.append(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        visit.page.goto(url, wait_until="domcontentloaded")
        visit.page.locator("#question textarea").wait_for(timeout=60_000)
        yield visit
    finally:
        context.close()
    if strict:
        assert visit.strangers == []
        assert visit.errors == []
