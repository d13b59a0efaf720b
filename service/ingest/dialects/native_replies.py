"""What the native dialect's socket says back: one JSON text message each."""

from __future__ import annotations

import json
from datetime import datetime

from asr.types import Seconds
from service.ingest.events import ProtocolViolation
from service.record.facts import FACT, CallEnding, Fact


def ready(call_id: str, *, resumed: bool) -> str:
    """The call is taken. `resumed`: it was known already and this connection goes on with it."""
    return _json({"type": "ready", "call_id": call_id, "resumed": resumed})


def error(violation: ProtocolViolation) -> str:
    """The last message before the socket is closed with the same code."""
    told: dict[str, object] = {"field": violation.field, "message": violation.message, "code": violation.close_code}
    if violation.retry_after is not None:
        told["retry_after"] = violation.retry_after
    return _json({"type": "error", **told})


def event(call_id: str, seq: int, at: datetime, fact: Fact) -> str:
    """One stored fact of the call, in `seq` order, for a key that has the right to events."""
    body = FACT.dump_python(fact, mode="json")
    return _json({"type": "event", "call_id": call_id, "seq": seq, "at": at.isoformat(), "fact": body})


def finished(call_id: str, duration: Seconds, ending: CallEnding) -> str:
    """Everything that was sent is transcribed, judged and stored; the socket is closed with 1000 next."""
    return _json({"type": "finished", "call_id": call_id, "duration": round(duration, 3), "ending": ending})


def _json(message: dict[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
