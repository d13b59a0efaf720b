"""Reads what an integrator says of a call where a vendor allows only names and texts, and nothing nested."""

from __future__ import annotations

import json
from typing import Final, cast

from service.ingest.events import Irregularity
from service.ingest.fields import Message, Notes, metadata_at

_OF_THE_CALL: Final = frozenset({"call_id", "agent", "customer", "language", "jurisdiction", "started_at", "metadata"})


def metadata_among(parameters: Message, notes: Notes, where: str) -> dict[str, str]:
    """The parameters that are none of a call's own fields. One named `metadata` may hold a JSON object of more."""
    entries = {name: value for name, value in parameters.items() if name not in _OF_THE_CALL}
    packed = parameters.get("metadata")
    if isinstance(packed, str) and packed.strip():
        entries = {**_unpacked(packed, notes, where), **entries}
    elif isinstance(packed, dict):
        entries = {**cast("dict[str, object]", packed), **entries}
    return metadata_at({"metadata": entries}, "metadata", notes, where)


def object_in(packed: str) -> Message | None:
    """A JSON object that travels as text; None for anything else."""
    try:
        entries: object = json.loads(packed)
    except (ValueError, RecursionError):
        return None
    return cast("Message", entries) if isinstance(entries, dict) else None


def _unpacked(packed: str, notes: Notes, where: str) -> Message:
    entries = object_in(packed)
    if entries is None:
        told = "must be a JSON object in a string; it is left out"
        notes.append(Irregularity(kind="value", field=where + "metadata", message=told))
    return entries or {}
