"""What the native dialect's socket says back: one JSON text message each."""

from __future__ import annotations

import json

from service.ingest.dialect import CallTaken, FactStored
from service.ingest.events import ProtocolViolation
from service.record.facts import FACT, CallClosed


def ready(taken: CallTaken) -> str:
    """The call is taken."""
    return _json({"type": "ready", "call_id": taken.call_id, "resumed": taken.resumed})


def error(violation: ProtocolViolation) -> str:
    """The last message before the socket is closed with the same code."""
    told: dict[str, object] = {"field": violation.field, "message": violation.message, "code": violation.close_code}
    if violation.retry_after is not None:
        told["retry_after"] = violation.retry_after
    return _json({"type": "error", **told})


def event(stored: FactStored) -> str:
    """One stored fact of the call, in `seq` order, for a key that has the right to events."""
    body = FACT.dump_python(stored.fact, mode="json")
    told = {"call_id": stored.call_id, "seq": stored.seq, "at": stored.at.isoformat()}
    return _json({"type": "event", **told, "fact": body})


def finished(call_id: str, closed: CallClosed) -> str:
    """Everything that was sent is transcribed, judged and stored; the socket is closed with 1000 next."""
    told = {"call_id": call_id, "duration": round(closed.duration, 3), "ending": closed.ending}
    return _json({"type": "finished", **told})


def _json(message: dict[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
