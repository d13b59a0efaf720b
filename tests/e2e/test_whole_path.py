"""A call in, an alert on a supervisor's screen, the flagged call replayed: everything real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from service.samples import SampleCall, sample_calls
from tests.e2e.conftest import PASSWORD, Running, callwarden

pytestmark = [pytest.mark.model, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def service(start: Callable[..., Running]) -> Running:
    running = start()
    callwarden("users", "create", "boss", "--password-stdin", data_dir=running.data_dir, given=PASSWORD + "\n")
    return running


@pytest.fixture(scope="module")
def sample() -> SampleCall:
    """The call in which the collector says that he is the police."""
    return next(sample for sample in sample_calls() if sample.id == "zh-fake-police")


@pytest.fixture(scope="module")
def page(browser: Browser, service: Running) -> Page:
    page = browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 800})
    page.goto(service.url)
    page.fill("input[name=username]", "boss")
    page.fill("input[name=password]", PASSWORD)
    page.click("button.main")
    expect(page.get_by_role("heading", name="No calls right now")).to_be_visible()
    return page


def streaming(service: Running, sample: SampleCall) -> subprocess.Popen[str]:
    """The stream command, at real time."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "service.cli", "stream", str(sample.audio)),
            *("--url", service.gateway, "--key", service.key, "--json"),
            *("--language", sample.lang, "--jurisdiction", sample.jurisdiction),
            *("--started-at", sample.started_at.isoformat(), "--agent", sample.agent, "--customer", sample.customer),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def test_a_supervisor_sees_the_alert_while_the_call_is_on(
    service: Running, page: Page, sample: SampleCall, record_property: Callable[[str, object], None]
) -> None:
    offending = next(turn for turn in sample.expected.findings if turn.category == "impersonation_authority").turn
    client = streaming(service, sample)
    begun = _first_card(page)
    alert = page.locator("aside li.critical").first
    expect(alert).to_be_visible(timeout=60_000)
    seen = time.monotonic()
    delay = seen - begun - sample.turns[offending].end
    record_property("seconds from the end of the offending utterance to the alert in the browser", round(delay, 2))
    print(f"\nalert in the browser {delay:.2f} s after the end of the offending utterance")
    out, err = client.communicate(timeout=120)
    assert client.returncode == 0, err
    heard = json.loads(out)
    categories = {alert["category"] for alert in heard["alerts"]}
    assert "impersonation_authority" in categories
    assert {"identity_company", "recording_notice"} <= categories, "the missed duties"
    assert all(alert["speaker"] == "agent" for alert in heard["alerts"])
    assert len(heard["utterances"]) >= len(sample.turns) - 2
    assert delay < 10, "late by any measure"


def _first_card(page: Page) -> float:
    """When the call appeared on the wall, which is when its first audio came."""
    expect(page.locator("article.card")).to_be_visible(timeout=30_000)
    return time.monotonic()


def test_the_flagged_call_is_replayed_with_sound_and_words_in_step(service: Running, page: Page) -> None:
    page.goto(service.url + "/calls")
    row = page.get_by_role("row").filter(has_text="A7719")
    row.get_by_role("link").click()
    mark = page.locator("button.mark.critical").first
    expect(mark).to_be_visible()
    mark.click()  # seeks there and plays
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    clock = page.get_by_label("Playback position")
    expect(clock).to_have_text(re.compile(r"^0:(0[7-9]|[1-5]\d)\.\d / 0:5\d"), timeout=20_000)
    expect(page.locator("li.said.now")).to_have_count(1)


def test_a_decision_is_kept_with_who_and_why(service: Running, page: Page) -> None:
    card = page.locator("article.alert.critical").first
    card.get_by_role("button", name="Confirm").click()
    card.get_by_role("textbox").fill("said he was police")
    card.get_by_role("button", name="Submit").or_(card.locator("button.main")).first.click()
    expect(card.locator(".state")).to_have_text("Confirmed")
    page.reload()
    expect(page.locator("article.alert.critical").first).to_contain_text("said he was police")


def test_the_page_speaks_chinese_too(page: Page, service: Running) -> None:
    page.goto(service.url)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("link", name="实时监控")).to_be_visible()
