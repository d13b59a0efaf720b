"""Streams as the vendors of the Media Streams family write them, after the examples of their documents."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.ingest.dialect import Dialect, DialectOutput
from service.ingest.dialects.any_media_stream import AnyMediaStreamDialect
from service.ingest.dialects.exotel import ExotelDialect
from service.ingest.dialects.plivo import PlivoDialect
from service.ingest.dialects.signalwire import SignalWireDialect
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import CallAnnounced
from service.ingest.source import Source

PBX = Source(name="pbx", first_track="customer")
BOTH = ("inbound", "outbound")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorMessages:
    """`started` has a stream id that tells two streams of one call apart; `media` a track, a number from 1, a time in
    milliseconds and a payload. `call_id` is where `start` names the call, `format_at` where it tells the encoding."""

    dialect: Callable[[Source], Dialect]
    started: Callable[[str], Json]
    media: Callable[[str, int, int, str], Json]
    stop: Json
    call_id: str
    format_at: str
    parameters: Callable[[Mapping[str, str]], Json]
    """What is put beside or into `start` for the integrator's parameters."""

    def start(self, stream: str = "1", parameters: Mapping[str, str] | None = None, **changes: Any) -> str:
        """`changes` are those of the `start` object."""
        return self.start_with(changes, stream, parameters)

    def start_with(
        self, changes: Mapping[str, object], stream: str = "1", parameters: Mapping[str, str] | None = None
    ) -> str:
        """As `start`, with changes of names that no argument can have."""
        message = self.started(stream)
        told = self.parameters(parameters or {})
        message["start"].update(told.pop("start", {}))
        message["start"].update(changes)
        return json.dumps({**message, **told})

    def audio(self, payload: bytes, number: int = 1, at: int = 0, track: str = "inbound") -> str:
        """`at`: milliseconds from the start."""
        return json.dumps(self.media(track, number, at, base64.b64encode(payload).decode()))

    def open(self, source: Source = PBX, stream: str = "1", **changes: Any) -> tuple[Dialect, CallAnnounced]:
        """A connection whose stream has started."""
        dialect = self.dialect(source)
        [call] = dialect.text(self.start(stream, **changes))
        assert isinstance(call, CallAnnounced)
        return dialect, call

    @property
    def ends(self) -> str:
        return json.dumps(self.stop)


def _camel(sid: str, call: str, account: str) -> Callable[[str], Json]:
    def started(stream: str) -> Json:
        ids = {sid: f"stream-{stream}", call: "CA1", account: "AC1"}
        form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        return {"event": "start", "sequenceNumber": "1", "start": {**ids, "tracks": list(BOTH), "mediaFormat": form}}

    return started


def _twilio_media(track: str, number: int, at: int, payload: str) -> Json:
    media = {"track": track, "chunk": str(number), "timestamp": str(at), "payload": payload}
    return {"event": "media", "sequenceNumber": str(number + 1), "streamSid": "MZ1", "media": media}


def _wrapped(message: Json) -> Json:
    return {"timestamp": "2026-03-02T10:15:00.000Z", "direction": "inbound", "rawEvent": message}


def _signalwire_started(stream: str) -> Json:
    message = _camel("streamSid", "callSid", "accountSid")(stream)
    message["start"].update({"callSid": "76ac3c36", "mediaFormat": {"encoding": "audio/x-mulaw", "channels": 2}})
    return message


def _telnyx_started(stream: str) -> Json:
    form = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
    start = {"user_id": "U1", "call_control_id": "v2:C1", "call_session_id": "S1", "media_format": form}
    return {"event": "start", "sequence_number": "1", "stream_id": f"stream-{stream}", "start": start}


def _telnyx_media(track: str, number: int, at: int, payload: str) -> Json:
    media = {"track": track, "chunk": str(number), "timestamp": str(at), "payload": payload}
    return {"event": "media", "sequence_number": str(number + 1), "stream_id": "T1", "media": media}


def _plivo_started(stream: str) -> Json:
    return {**_camel("streamId", "callId", "accountId")(stream), "sequenceNumber": 1, "extra_headers": "{}"}


def _plivo_media(track: str, number: int, at: int, payload: str) -> Json:
    media = {"track": track, "timestamp": str(1_705_312_200_000 + at), "chunk": number, "payload": payload}
    return {"event": "media", "sequenceNumber": number + 1, "streamId": "P1", "media": media}


def _exotel_started(stream: str) -> Json:
    form = {"encoding": "audio/x-mulaw", "sample_rate": "8000"}
    ids = {"stream_sid": f"stream-{stream}", "call_sid": "CA1", "account_sid": "AC1"}
    start = {**ids, "tracks": list(BOTH), "media_format": form}
    return {"event": "start", "sequence_number": 1, "stream_sid": f"stream-{stream}", "start": start}


def _exotel_media(track: str, number: int, at: int, payload: str) -> Json:
    media = {"track": track, "chunk": number, "timestamp": str(at), "payload": payload}
    return {"event": "media", "sequence_number": number + 1, "stream_sid": "E1", "media": media}


TWILIO = VendorMessages(
    dialect=TwilioDialect,
    started=_camel("streamSid", "callSid", "accountSid"),
    media=_twilio_media,
    stop={"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}},
    call_id="callSid",
    format_at="mediaFormat",
    parameters=lambda given: {"start": {"customParameters": given}},
)
SIGNALWIRE = VendorMessages(
    dialect=SignalWireDialect,
    started=_signalwire_started,
    media=lambda *told: _wrapped(_twilio_media(*told)),
    stop=_wrapped({"event": "stop", "sequenceNumber": "2"}),
    call_id="callSid",
    format_at="mediaFormat",
    parameters=TWILIO.parameters,
)
TELNYX = VendorMessages(
    dialect=TelnyxDialect,
    started=_telnyx_started,
    media=_telnyx_media,
    stop={"event": "stop", "stream_id": "T1", "stop": {"user_id": "U1", "call_control_id": "v2:C1"}},
    call_id="call_control_id",
    format_at="media_format",
    parameters=lambda given: {"start": {"custom_parameters": given}},
)
PLIVO = VendorMessages(
    dialect=PlivoDialect,
    started=_plivo_started,
    media=_plivo_media,
    stop={"event": "stop", "streamId": "P1"},
    call_id="callId",
    format_at="mediaFormat",
    parameters=lambda given: {"extra_headers": ";".join(f"{name}={value}" for name, value in given.items())},
)
EXOTEL = VendorMessages(
    dialect=ExotelDialect,
    started=_exotel_started,
    media=_exotel_media,
    stop={"event": "stop", "stream_sid": "E1", "stop": {"call_sid": "CA1", "reason": "callended"}},
    call_id="call_sid",
    format_at="media_format",
    parameters=TELNYX.parameters,
)

VENDORS: dict[str, VendorMessages] = {
    "twilio": TWILIO,
    "signalwire": SIGNALWIRE,
    "telnyx": TELNYX,
    "plivo": PLIVO,
    "exotel": EXOTEL,
}


def on_one_address(source: Source = PBX) -> AnyMediaStreamDialect:
    """The connection on which every vendor is told apart."""
    return AnyMediaStreamDialect(source)


def told(dialect: Dialect, *messages: str) -> list[DialectOutput]:
    """All that the messages come to."""
    return [event for message in messages for event in dialect.text(message)]
