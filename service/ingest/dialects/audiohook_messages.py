"""AudioHook's messages: what every one bears, in both directions, and how it writes durations. Plain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asr.types import Seconds
from service.ingest.dialect import SendText
from service.ingest.events import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_RESTARTING,
    CLOSE_TOO_BIG,
    CLOSE_TRY_LATER,
    CLOSE_UNAUTHORIZED,
    ProtocolViolation,
)
from service.ingest.fields import Message, integer_at, object_at, parse_message, text_at

VERSION: Final = "2"
MAX_INFO: Final = 512

_DURATION: Final = re.compile(r"PT(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})S", re.ASCII)
_BAD_MESSAGE: Final = 400
_ERROR_CODES: Final = {
    CLOSE_TOO_BIG: 413,
    CLOSE_INTERNAL_ERROR: 500,
    CLOSE_RESTARTING: 503,
    CLOSE_TRY_LATER: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMessage:
    """A message of the client. `kind` is such as `open`. The other fields that every message has are checked."""

    kind: str
    parameters: Message


class Numbering:
    """One session's id and both sides' sequence numbers, which have no gap: on a stream of bytes none can be lost.

    `session`: the id, "" where the first message tells it."""

    def __init__(self, session: str) -> None:
        self._id = session
        self._received = 0
        self._sent = 0

    def read(self, text: str) -> ClientMessage:
        """Reads the next message. Raises ProtocolViolation for anything else."""
        fields = parse_message(text)
        if fields.get("version") != VERSION:
            raise ProtocolViolation("version", f"must be {VERSION!r}")
        session = text_at(fields, "id", 64)
        if not session or session != (self._id or session):
            raise ProtocolViolation("id", "must be the session's")
        self._id = session
        self._count(fields)
        return ClientMessage(kind=text_at(fields, "type", 64), parameters=object_at(fields, "parameters"))

    def _count(self, fields: Message) -> None:
        """The message's number. A wrong one is told, and the next message is expected to follow it."""
        due, seq = self._received + 1, integer_at(fields, "seq")
        self._received = max(0, due if seq is None else seq)
        if seq != due:
            raise ProtocolViolation("seq", f"must be {due}, is {'missing' if seq is None else seq}")
        if not 0 <= (integer_at(fields, "serverseq") or 0) <= self._sent:
            raise ProtocolViolation("serverseq", f"may be {self._sent} at most")

    def write(self, kind: str, parameters: Mapping[str, object] | None = None) -> SendText:
        """The next message to the client, such as `opened`."""
        self._sent += 1
        head = {"version": VERSION, "id": self._id, "type": kind, "seq": self._sent, "clientseq": self._received}
        message = {**head, "parameters": parameters or {}}
        return SendText(text=json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def duration_at(message: Message, name: str, where: str) -> Seconds:
    """Seconds of a duration as AudioHook writes them, `PT1.2S`. Raises ProtocolViolation."""
    form = _DURATION.fullmatch(text_at(message, name, 32, where))
    if form is None:
        raise ProtocolViolation(where + name, "must be a duration such as PT1.2S")
    return float(form[1])


def duration(seconds: Seconds) -> str:
    """A duration as AudioHook reads it, to the millisecond."""
    return f"PT{max(0.0, seconds):.3f}".rstrip("0").rstrip(".") + "S"


def disconnect(violation: ProtocolViolation) -> Mapping[str, object]:
    """Parameters of the `disconnect` that tells the violation. `info` begins with AudioHook's own error code."""
    if violation.close_code == CLOSE_UNAUTHORIZED:
        return {"reason": "unauthorized", "info": str(violation)[:MAX_INFO]}
    code = _ERROR_CODES.get(violation.close_code, _BAD_MESSAGE)
    return {"reason": "error", "info": f"{code} {violation}"[:MAX_INFO]}
