"""What people give on the command line, as values."""

from __future__ import annotations

from datetime import datetime

from service.cli.terminal import fail


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time; without an offset it is this machine's own."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        fail(f"--started-at {text!r} is not an ISO 8601 time, such as 2026-03-02T10:15:00+08:00")


def pairs(given: list[str]) -> dict[str, str]:
    """`k=v` words as a mapping."""
    for pair in given:
        if "=" not in pair:
            fail(f"--metadata {pair!r} is not of the form k=v")
    return dict(pair.split("=", 1) for pair in given)
