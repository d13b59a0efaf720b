"""Tells a stored fact to a gateway that asked for the events of its call."""

from __future__ import annotations

import json

from service.ingest.dialect import FactStored
from service.record.facts import FACT


def event_message(stored: FactStored) -> dict[str, object]:
    """One stored fact of the call, in `seq` order, for a key that has the right to events."""
    body = FACT.dump_python(stored.fact, mode="json")
    told = {"call_id": stored.call_id, "seq": stored.seq, "at": stored.at.isoformat()}
    return {"type": "event", **told, "fact": body}


def json_text(message: dict[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
