"""Takes pictures of pages of a running service.

    .venv/bin/python -m tools.pictures OUT URL USER PASSWORD SIZE LANG THEME PATH [PATH...]

PATH may be LIVE, the first call on the wall, or REPLAY, the first flagged call of the list.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ARGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


SOUGHT = {
    "LIVE": ("/", "article h2 a"),
    "REPLAY": ("/calls", "tr:has(.critical) a[href*=replay], tr:has(.high) a[href*=replay]"),
}


def found(page: Page, url: str, name: str) -> str:
    where, link = SOUGHT[name]
    page.goto(url + where)
    return (page.locator(link).first.get_attribute("href") or "/") + ("?t=40" if name == "REPLAY" else "")


def main() -> None:
    out, url, user, password, size, lang, theme, *paths = sys.argv[1:]
    width, height = (int(n) for n in size.split("x"))
    Path(out).mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            locale="zh-CN" if lang == "zh" else "en-GB",
            color_scheme="dark" if theme == "dark" else "light",
        )
        page.on("console", lambda m: print("console", m.type, m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: print("pageerror", e))
        page.goto(url)
        if user != "-":
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", password)
            page.keyboard.press("Enter")
            page.wait_for_selector("nav")
        for path in paths:
            page.goto(url + (found(page, url, path) if path in SOUGHT else path))
            page.wait_for_timeout(2600)
            name = re.sub(r"[^a-z0-9]+", "-", path.split("?")[0].lower()).strip("-") or "wall"
            page.screenshot(path=f"{out}/{name}-{size}-{lang}-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main()
