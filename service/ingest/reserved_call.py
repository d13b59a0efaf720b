"""A call that is told of before its legs connect, whatever dialect they will speak. Plain."""

from __future__ import annotations

from typing import cast

from asr.types import ROLES, Role
from service.ingest.events import CallAnnounced, ProtocolViolation
from service.ingest.fields import Message, Notes, call_fields_at, call_id_at, metadata_at, role_named


def reserved_call(fields: Message) -> tuple[CallAnnounced, Notes]:
    """The call, in a form that its legs' dialect tells anew. Raises ProtocolViolation; what a call can do without is
    left out where it cannot be kept, and noted."""
    notes: Notes = []
    call_id = call_id_at(fields, "call_id")
    if not call_id:
        raise ProtocolViolation("call_id", "is missing")
    announced = CallAnnounced(
        call_id=call_id,
        roles=_legs(fields.get("legs")),
        encoding="pcm_s16le",
        rate=8000,
        **call_fields_at(fields, notes),
        metadata=metadata_at(fields, "metadata", notes),
    )
    return announced, notes


def _legs(value: object) -> tuple[Role, ...]:
    if value is None:
        return ROLES
    if not isinstance(value, list) or not value:
        raise ProtocolViolation("legs", 'must list the parties, such as ["agent","customer"]')
    named = {role_named(each, "legs") for each in cast("list[object]", value)}
    return tuple(role for role in ROLES if role in named)
