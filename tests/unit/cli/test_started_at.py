from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import typer

from service.cli.arguments import moment


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/New_York"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_zone")
def test_a_start_keeps_the_offset_it_was_given_wherever_the_machine_stands() -> None:
    at = moment("--started-at", "2026-03-02T22:40:00+08:00")
    assert at is not None
    assert (at.isoformat(), at.utcoffset()) == ("2026-03-02T22:40:00+08:00", timedelta(hours=8))
    assert moment("--started-at", None) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-02T22:40:00", "has no offset from UTC"),
        ("22:40", "not an ISO 8601 time"),
        ("", "not an ISO 8601 time"),
    ],
)
def test_a_start_that_no_clock_can_be_told_of_is_refused(
    text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        moment("--started-at", text)
    assert told in capsys.readouterr().err
