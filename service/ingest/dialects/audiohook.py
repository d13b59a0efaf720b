"""Genesys Cloud AudioHook Monitor, `WS /v1/audiohook`: JSON transactions, binary audio, both parties in one socket.

Source: Genesys' "AudioHook protocol reference" and its reference implementation. The client begins and ends a session;
this side asks it to end with `disconnect` or `reconnect`. Binary is never sent, for it is an error to the client. What
a session must not do ends it, and not its call: numbers that do not follow, another version or id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from asr.types import ROLES, Role, Seconds
from service.ingest.dialect import (
    CallProcessed,
    ConnectionRefused,
    DialectOutput,
    FactStored,
    Handshake,
    News,
    PartialRecognised,
    Reply,
    SendText,
)
from service.ingest.dialects.audiohook_messages import ClientMessage, Numbering, disconnect, duration_at
from service.ingest.dialects.audiohook_open import RATE, read_open
from service.ingest.dialects.audiohook_transcripts import interim, transcript
from service.ingest.events import (
    CLOSE_RESTARTING,
    CLOSE_TOO_BIG,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    MAX_METADATA_VALUE,
    Message,
    check_audio_size,
    language_at,
    optional_text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.record.facts import UtteranceHeard

CLOSED_WITHIN: Final[Seconds] = 8.0
"""`closed` must come within ten seconds of `close`, whatever is still to be recognised."""

_AT_ONCE: Final[Seconds] = 0.0
_WHERE: Final = "parameters."
_CALL_GOES_ON: Final = ("error", "reconnect")
"""Reasons to close after which another session of the same conversation may follow."""


class AudioHookDialect:
    """One session. `opened` is said before anything is asked of the service, since the client waits five seconds for it
    at most; a call that is then not taken gets `disconnect`.

    A connection probe, whose conversation's id is all zeros, is a session without a call.
    """

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._numbers = Numbering(handshake.headers.get("audiohook-session-id", ""))
        self._state: Literal["new", "open", "closing", "closed"] = "new"
        self._parting = False
        self._closed_by: Seconds | None = None
        self._call: CallAnnounced | None = None
        self._frame = 1
        self._aligner = FrameAligner(1)
        self._samples = 0
        self._told_until: dict[Role, Seconds] = dict.fromkeys(ROLES, 0.0)
        """How far each party's final texts reach: what comes late of an interim one is stale."""

    def text(self, message: str) -> list[DialectOutput]:
        """Raises ProtocolViolation."""
        said = self._said(message)
        if said.kind == "close":
            return self._close(said.parameters)
        if self._state == "closed" or (self._state == "new" and self._parting):
            return []
        if self._handshake.refused is not None:
            raise self._handshake.refused
        if said.kind == "ping":
            return [self._numbers.write("pong")]
        if self._state == "new":
            return self._open(said)
        try:
            outputs: list[DialectOutput] = self._within(said)
        except ProtocolViolation as violation:
            outputs = [tolerated(violation, "value")]
        return outputs if self._call is not None else [each for each in outputs if isinstance(each, SendText)]

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        check_audio_size(message)
        if self._state == "new":
            raise ProtocolViolation("open", "must come before audio")
        if self._call is None or not message:
            return []
        if self._state != "open":
            return [Irregularity(kind="order", field="audio", message="came after close; it is left out")]
        arrived = self._aligner.arrived(message, at=self._samples / RATE)
        received = sum(len(event.payload) for event in arrived if isinstance(event, AudioArrived))
        self._samples += received // self._frame
        return arrived

    def closed(self) -> list[GatewayEvent]:
        """A client that leaves without `close` may come back."""
        if self._call is None or self._parting or self._state != "open":
            return []
        self._state = "closed"
        return [CallStopped(call_over=False)]

    def held(self) -> list[GatewayEvent]:
        return []

    def tell(self, news: News) -> Sequence[Reply]:
        match news:
            case FactStored(fact=UtteranceHeard(utterance=utterance)) if self._wants(utterance.role):
                self._told_until[utterance.role] = utterance.end
                return [self._event(transcript(utterance, self._channels))]
            case PartialRecognised() if (
                news.text and self._wants(news.role) and news.start >= self._told_until[news.role]
            ):
                return [self._event(interim(news, self._channels))]
            case CallProcessed() | ConnectionRefused() if self._state in ("closing", "closed"):
                return self._finish()
            case CallProcessed():
                return self._part("disconnect", {"reason": "completed"})
            case ConnectionRefused(violation=violation) if violation.close_code == CLOSE_RESTARTING:
                return self._part("reconnect", {"info": str(violation)})
            case ConnectionRefused(violation=violation):
                return self._part("disconnect", disconnect(violation))
            case _:
                return []

    def deadline(self) -> Seconds | None:
        return self._closed_by

    def tick(self, now: Seconds) -> Sequence[DialectOutput]:
        """The first one after `close` tells what time it is."""
        if self._closed_by == _AT_ONCE:
            self._closed_by = now + CLOSED_WITHIN
            return []
        return self._finish()

    @property
    def _channels(self) -> tuple[Role, ...]:
        return () if self._call is None else self._call.roles

    def _wants(self, role: Role) -> bool:
        return self._call is not None and self._call.wants_events and role in self._channels and self._state != "closed"

    def _event(self, entity: Mapping[str, object]) -> SendText:
        return self._numbers.write("event", {"entities": [entity]})

    def _said(self, message: str) -> ClientMessage:
        """Raises ProtocolViolation: only what is too big ends a call that has begun."""
        try:
            return self._numbers.read(message)
        except ProtocolViolation as odd:
            if self._call is None or odd.close_code == CLOSE_TOO_BIG:
                raise
            raise ProtocolViolation(odd.field, odd.message, odd.close_code, ends_call=False) from odd

    def _open(self, said: ClientMessage) -> list[DialectOutput]:
        if said.kind != "open":
            raise ProtocolViolation("open", "must come first")
        opening = read_open(said.parameters, self._handshake.headers)
        self._state, self._call = "open", opening.call
        opened = self._numbers.write("opened", opening.opened)
        if opening.call is None:
            return [opened]
        self._frame = len(opening.call.roles) * (2 if opening.call.encoding == "pcm_s16le" else 1)
        self._aligner = FrameAligner(self._frame)
        return [opened, opening.call, *opening.notes]

    def _within(self, said: ClientMessage) -> list[DialectOutput]:
        match said.kind:
            case "resumed" | "discarded":
                self._samples += round(duration_at(said.parameters, "discarded", _WHERE) * RATE)
                return []
            case "update":
                return [self._numbers.write("updated"), *self._updated(said.parameters)]
            case "error":
                return [_error(said.parameters)]
            case "open":
                return [Irregularity(kind="order", field="open", message="came twice; the call goes on")]
            case _:  # `paused`: no audio comes, and `resumed` tells how much of it did not
                return []

    def _updated(self, parameters: Message) -> list[Irregularity]:
        """A call keeps the language that it was begun in."""
        begun = None if self._call is None else self._call.language
        if begun in (None, "auto") or language_at(parameters, "language", _WHERE) == begun:
            return []
        told = f"cannot be changed within a call, which goes on in {begun!r}"
        return [Irregularity(kind="value", field="parameters.language", message=told)]

    def _close(self, parameters: Message) -> list[DialectOutput]:
        """`closed` follows once everything that was said is processed, where this session is to tell that."""
        if self._state in ("closing", "closed"):
            return []
        self._state = "closing"
        if self._call is None or self._parting:
            return [*self._finish()]
        if parameters.get("reason") in _CALL_GOES_ON:
            return [*self._finish(), CallStopped(call_over=False)]
        self._closed_by = _AT_ONCE
        return [CallStopped()]

    def _part(self, kind: Literal["disconnect", "reconnect"], parameters: Message) -> list[Reply]:
        """Ask the client to close."""
        self._parting = True
        return [self._numbers.write(kind, parameters)]

    def _finish(self) -> list[SendText]:
        if self._state == "closed":
            return []
        self._state, self._closed_by = "closed", None
        return [self._numbers.write("closed")]


def _error(parameters: Message) -> Irregularity:
    told = optional_text_at(parameters, "message", MAX_METADATA_VALUE, [])
    code = optional_text_at(parameters, "code", 16, [])
    return Irregularity(kind="unreadable", field="error", message=f"the client tells of error {code}: {told}")
