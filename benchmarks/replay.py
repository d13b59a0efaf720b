"""How a long call opens, plays and scrolls in a browser: the replay page and the call's own page, in Chromium without
a GPU, on a call that is made for it in a throw-away data folder.

    python benchmarks/replay.py [--turns 6500] [--against CHECKOUT] [--report FILE]

The call has the sample calls' sound and words over and over, a mood for each turn and an alert every 100. Of each page:
seconds from the navigation to the first row on the screen; bytes that came until then (without sound); frames a second
and the longest frame while the sound plays, and while somebody scrolls through the whole transcript; the heap after a
collection, and the elements on the page. A machine that does other things draws fewer frames, so those of a page that
only counts them are measured right before and told beside. `--against` measures another checkout's service and
dashboard (its `service/web/static` must be built) in the same run, taking turns.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import CDPSession, Page, expect, sync_playwright
from rich.console import Console

from service.bench.report import write_report

ROOT = Path(__file__).parents[1]
MAKE = Path(__file__).with_name("long_call.py")
CALL_ID = "long"
USER, PASSWORD = "bench", "correct horse battery"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--autoplay-policy=no-user-gesture-required", "--enable-precise-memory-info"),
]
PLAYED_S = 10.0
IDLE_S = 3.0
SCROLL_S = 5.0
OPEN_WITHIN_MS = 120_000

# Counts frames, and the longest time between two, from start() to stop().
WATCH = """
window.watch = {
  row: null,
  start() {
    this.times = [];
    this.on = true;
    const next = (time) => { this.times.push(time); if (this.on) requestAnimationFrame(next); };
    requestAnimationFrame(next);
  },
  stop() {
    this.on = false;
    const gaps = this.times.slice(1).map((time, index) => time - this.times[index]);
    return { fps: 1000 * gaps.length / (this.times.at(-1) - this.times[0]), longest_ms: Math.max(...gaps) };
  },
};
(function look() {
  const row = document.querySelector('.said');
  if (row === null || row.getBoundingClientRect().height === 0) requestAnimationFrame(look);
  else requestAnimationFrame(() => { window.watch.row = performance.now(); });
})();
"""
BLANK = "<!doctype html><title>reference</title><p>nothing happens here</p>"


def environment(checkout: Path, data_dir: Path) -> dict[str, str]:
    """The environment of a checkout's Python, with this data folder."""
    return {**os.environ, "PYTHONPATH": str(checkout), "CALLWARDEN_DATA_DIR": str(data_dir)}


def run(checkout: Path, data_dir: Path, *arguments: str, given: str = "") -> None:
    """Run Python with the checkout's packages to its end."""
    subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment(checkout, data_dir),
        input=given,
        text=True,
        check=True,
        capture_output=True,
    )


@contextmanager
def service(checkout: Path, turns: int) -> Generator[str, None, None]:
    """The address of the checkout's service, with one long call in its data folder."""
    with tempfile.TemporaryDirectory(prefix="callwarden-replay-") as folder:
        data_dir = Path(folder)
        run(checkout, data_dir, str(MAKE), str(data_dir), CALL_ID, str(turns))
        create = ("-m", "service.cli", "users", "create", USER, "--role", "compliance", "--password-stdin")
        run(checkout, data_dir, *create, given=PASSWORD + "\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", "0"],
            cwd=checkout,
            env=environment(checkout, data_dir),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield address(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def address(process: subprocess.Popen[str]) -> str:
    """The address that a starting service prints. Blocks until it does."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"listens on (http://\S+)", line):
            return found[1]
    raise SystemExit("the service ended before it listened")


class Opened:
    """A page, and the bytes that came for it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bytes = 0
        self._sound: set[str] = set()
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.on("Network.responseReceived", self._began)
        self._session.on("Network.loadingFinished", self._ended)
        self._session.send("Network.enable")

    def _began(self, seen: dict[str, Any]) -> None:
        if "/recording" in seen["response"]["url"]:
            self._sound.add(seen["requestId"])

    def _ended(self, seen: dict[str, Any]) -> None:
        if seen["requestId"] not in self._sound:
            self.bytes += int(seen["encodedDataLength"])

    def frames(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> dict[str, float]:
        """Frames per second and the longest frame, while `meanwhile` runs for so many seconds."""
        self.page.evaluate("watch.start()")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            meanwhile()
        return {name: round(value, 1) for name, value in self.page.evaluate("watch.stop()").items()}

    def reference(self) -> float:
        """Frames a second of a page that only counts them, now."""
        blank = self.page.context.new_page()
        blank.set_content(BLANK)
        fps = Opened(blank).frames(IDLE_S, lambda: blank.wait_for_timeout(100))["fps"]
        blank.close()
        self.page.bring_to_front()
        return fps

    def opened(self, url: str) -> dict[str, float]:
        """Opens the page. Returns seconds to the first row on the screen, and the bytes that came until then."""
        self.bytes = 0
        self.page.goto(url, wait_until="commit")
        while (row := self.page.evaluate("window.watch?.row ?? null")) is None:  # the page's policy forbids eval()
            self.page.wait_for_timeout(100)
        self.page.wait_for_timeout(500)
        return {"first_row_s": round(row / 1000, 2), "kilobytes": round(self.bytes / 1000)}

    def held(self) -> dict[str, float]:
        """The heap after a collection, and the number of elements on the page."""
        self._session.send("HeapProfiler.collectGarbage")
        used = self.page.evaluate("performance.memory.usedJSHeapSize")
        return {
            "heap_mib": round(used / 2**20, 1),
            "elements": self.page.evaluate("document.querySelectorAll('*').length"),
        }

    def scrolled(self) -> dict[str, float]:
        """Through the whole transcript, a page of it every tenth of a second and in leaps."""
        box = self.page.locator(".talk ol").first.bounding_box()
        view = self.page.viewport_size or {"width": 0, "height": 0}
        if box is not None:
            self.page.mouse.move(box["x"] + 200, min(view["height"] - 60, max(box["y"], 0) + 100))

        def wheel() -> None:
            self.page.mouse.wheel(0, 600)
            self.page.wait_for_timeout(50)

        return self.frames(SCROLL_S, wheel)


def replay(browser_page: Page, url: str) -> dict[str, Any]:
    opened = Opened(browser_page)
    figures: dict[str, Any] = {**opened.opened(f"{url}/calls/{CALL_ID}/replay"), "reference_fps": opened.reference()}
    page = opened.page
    page.locator("button.play").click(timeout=OPEN_WITHIN_MS)
    expect(page.locator(".time")).to_have_text(re.compile(r"^0:0[1-9]"), timeout=OPEN_WITHIN_MS)
    played = opened.frames(PLAYED_S, lambda: page.wait_for_timeout(100))
    figures["playing"] = {**played, "position": page.locator(".time").text_content()}
    page.locator("button.play").click()
    page.get_by_role("checkbox").uncheck()
    return {**figures, "scrolling": opened.scrolled(), **opened.held()}


def call_page(browser_page: Page, url: str) -> dict[str, Any]:
    opened = Opened(browser_page)
    figures: dict[str, Any] = {**opened.opened(f"{url}/calls/{CALL_ID}"), "reference_fps": opened.reference()}
    opened.page.locator(".talk .scroller").evaluate("e => { e.scrollTop = 0; }")
    return {**figures, "scrolling": opened.scrolled(), **opened.held()}


PAGES = {"replay": replay, "call": call_page}


def measured(url: str) -> dict[str, Any]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(url)
        page.fill("input[name=username]", USER)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("nav")
        page.close()
        found: dict[str, Any] = {}
        for name, look in PAGES.items():
            page = context.new_page()
            found[name] = look(page, url)
            page.close()
        browser.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=6500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    checkouts = {"this": ROOT} | ({"against": asked.against.resolve()} if asked.against else {})
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in checkouts}
    with running(checkouts, asked.turns) as urls:
        for _ in range(asked.rounds):
            for name, url in urls.items():
                rounds[name].append(measured(url))
    figures = {name: middle(found) for name, found in rounds.items()}
    Console().print_json(data=figures)
    if asked.report:
        write_report(asked.report, "benchmarks/replay.py", {"turns": asked.turns, "rounds": asked.rounds}, figures)


@contextmanager
def running(checkouts: dict[str, Path], turns: int) -> Generator[dict[str, str], None, None]:
    if not checkouts:
        yield {}
        return
    (name, checkout), *others = checkouts.items()
    with service(checkout, turns) as url, running(dict(others), turns) as urls:
        yield {name: url, **urls}


def middle(found: list[Any]) -> Any:
    """The median of each figure over the rounds."""
    if isinstance(found[0], dict):
        return {name: middle([each[name] for each in found]) for name in found[0]}
    return round(median(found), 2) if isinstance(found[0], int | float) else found[-1]


if __name__ == "__main__":
    main()
