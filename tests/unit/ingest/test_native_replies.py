"""What the native socket says back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from service.ingest.dialect import CallTaken, FactStored
from service.ingest.dialects import native_replies
from service.ingest.events import ProtocolViolation
from service.record.facts import CallClosed, GapMarked

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_ready_tells_whether_the_call_is_resumed() -> None:
    assert json.loads(native_replies.ready(CallTaken(call_id="c-1", resumed=True))) == {
        "type": "ready",
        "call_id": "c-1",
        "resumed": True,
    }


def test_an_error_names_the_field_and_the_close_code() -> None:
    assert json.loads(native_replies.error(ProtocolViolation("rate", "must be 8000", 1008))) == {
        "type": "error",
        "field": "rate",
        "message": "must be 8000",
        "code": 1008,
    }


def test_an_event_wraps_the_stored_fact() -> None:
    fact = GapMarked(role="agent", start=1.0, end=2.5, reason="lost")
    assert json.loads(
        native_replies.event(FactStored(call_id="c-1", seq=7, at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC), fact=fact))
    ) == {
        "type": "event",
        "call_id": "c-1",
        "seq": 7,
        "at": "2026-03-02T09:30:00+00:00",
        "fact": {"type": "gap", "role": "agent", "start": 1.0, "end": 2.5, "reason": "lost"},
    }


def test_finished_gives_duration_and_ending() -> None:
    assert json.loads(
        native_replies.finished("c-1", CallClosed(ended_at=NOON, duration=61.2345, ending="completed"))
    ) == {
        "type": "finished",
        "call_id": "c-1",
        "duration": 61.234,
        "ending": "completed",
    }
