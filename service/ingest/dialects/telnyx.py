"""Telnyx Media Streaming, `WS /v1/telnyx`: payloads of RTP without their headers, whose order is not guaranteed.

Source: Telnyx's "Media Streaming over WebSockets" and its AsyncAPI description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from asr.audio.pcm import Encoding, sample_bytes
from asr.types import Role
from service.ingest.base64_text import decoded
from service.ingest.dialects.media_streams import ALAW, MULAW, SNAKE_CASE, MediaStreamDialect
from service.ingest.events import CallAnnounced, GatewayEvent, Irregularity, ProtocolViolation
from service.ingest.fields import Message, Notes, integer_at, object_at, text_at
from service.ingest.parameters import object_in
from service.ingest.reordering import NumberedMedia, ReorderWindow
from service.ingest.source import Source

ENCODINGS: Final[Mapping[str, Encoding]] = {
    **MULAW,
    **ALAW,
    "g722": "g722",
    "opus": "opus",
}
"""L16, which is big-endian here by RFC 3551, 4.5.11, is refused: reports contradict each other on what really comes.
AMR-WB has no decoder here."""

_PACKET_MS: Final = 20
"""Of G.722 and Opus, whose bytes do not tell how long they last."""


class TelnyxDialect(MediaStreamDialect):
    """A start names no tracks, so a stream brings both legs.

    Sequence numbers count nothing here: a message that seems to be missing may still come.
    """

    vendor = "Telnyx"
    names = SNAKE_CASE
    ids = ("call_control_id", "call_session_id", "stream_id")
    encodings = ENCODINGS
    rates = (8000, 16_000)

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._windows: dict[Role, ReorderWindow] = {}
        self._arrived = 0

    def _parameters(self, fields: Message, start: Message, notes: Notes) -> Message:
        told = {name: start.get(name) for name in ("from", "to", "call_session_id")}
        named = _named(start.get("custom_parameters"))
        given = super()._parameters(fields, start, notes) if named is None else named
        return {**told, **_client_state(start.get("client_state")), **given}

    def _begin(self, call: CallAnnounced) -> None:
        super()._begin(call)
        self._windows = {role: ReorderWindow() for role in call.roles}

    def _count(self, fields: Message) -> list[Irregularity]:
        return []

    def _within(self, kind: object, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        if kind != "error":
            return super()._within(kind, fields, call)
        title = text_at(object_at(fields, "payload"), "title", 128, "payload.")
        told = f"Telnyx tells of an error of its own: {title or 'without a title'}"
        return [Irregularity(kind="unreadable", field="error", message=told)]

    def _media(self, media: Message, call: CallAnnounced) -> list[GatewayEvent]:
        role = self._role(media, call)
        if role is None:
            return self._audio(media, call)
        self._arrived += 1
        self._windows[role].push(_numbered(media, call), self._arrived)
        ready = [message for window in self._windows.values() for message in window.ready(self._arrived)]
        return [event for message in ready for event in self._audio(message, call)]

    def _started_again(self, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        return [*self.held(), *super()._started_again(fields, call)]

    def _stop(self) -> list[GatewayEvent]:
        return [*self.held(), *super()._stop()]

    def held(self) -> list[GatewayEvent]:
        """All that waits for what has not come. Numbers may begin anew after it."""
        call, windows = self._call, self._windows
        if call is None:
            return []
        self._windows = {role: ReorderWindow() for role in windows}
        waiting = [message for window in windows.values() for message in window.flush()]
        return [event for message in waiting for event in self._audio(message, call)]


def _numbered(media: Message, call: CallAnnounced) -> NumberedMedia:
    at = _number(media, "timestamp")
    until = (at or 0) + _milliseconds(media.get("payload"), call)
    return NumberedMedia(at=at, until=until, chunk=_number(media, "chunk"), media=media)


def _milliseconds(payload: object, call: CallAnnounced) -> float:
    """How long the base64 lasts."""
    if call.encoding in ("g722", "opus"):
        return _PACKET_MS
    size = len(payload) * 3 // 4 if isinstance(payload, str) else 0
    return 1000 * size / (call.rate * sample_bytes(call.encoding))


def _number(media: Message, name: str) -> int | None:
    """What cannot be read numbers nothing; an odd timestamp is told of where it is used."""
    try:
        return integer_at(media, name)
    except ProtocolViolation:
        return None


def _named(parameters: object) -> Message | None:
    """A list of names and values, as they are set; the documents show an object on the wire, for which None stands."""
    if not isinstance(parameters, list):
        return None
    entries = [cast("Message", each) for each in cast("list[object]", parameters) if isinstance(each, dict)]
    return {name: each.get("value") for each in entries if isinstance(name := each.get("name"), str)}


def _client_state(state: object) -> Message:
    """Base64 of what the integrator set: the fields of a JSON object, or one text."""
    try:
        text = (decoded(state) or b"").decode()
    except UnicodeDecodeError:
        return {}
    fields = object_in(text)
    return fields if fields is not None else {"client_state": text or None}
