"""Exotel's Stream applet: one party, 100 ms of raw 16-bit PCM a message. Source: Exotel's "WebSocket protocol"."""

from __future__ import annotations

from collections.abc import Mapping

from asr.audio.pcm import SampleEncoding
from asr.types import Role
from service.simulation.credentials import basic, with_query
from service.simulation.gateway_client import ConnectionRequest, SimulatedCall
from service.simulation.media_streams import Json, MediaStreamClient


class ExotelClient(MediaStreamClient):
    """The applet carries the caller alone, who is the customer here. What is told of the call stands in the URL."""

    encoding: SampleEncoding = "pcm_s16le"
    tracks: Mapping[str, Role] = {"inbound": "customer"}

    def __init__(self, call: SimulatedCall) -> None:
        super().__init__(call)
        stream = call.id_of("stream").replace("-", "")
        self._ids = {"stream_sid": f"MZ{stream}", "call_sid": self.call_id, "account_sid": f"AC{call.unique}"}

    @property
    def call_id(self) -> str:
        return f"CA{self._call.unique}"

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=with_query(self._call.url, self._call.told), headers=basic(self._call.key))

    def greetings(self) -> list[Json]:
        return [{"event": "connected"}]

    def start(self) -> Json:
        start: Json = {
            **self._ids,
            "from": "+919800000001",
            "to": "+918000000001",
            "custom_parameters": dict(self._call.told),
            "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
        }
        return {"event": "start", "stream_sid": self._ids["stream_sid"], "start": start}

    def media(self, track: str, chunk: int, at: int, payload: str) -> Json:
        del track
        media = {"chunk": str(chunk), "timestamp": str(at), "payload": payload}
        return {"event": "media", "stream_sid": self._ids["stream_sid"], "media": media}

    def stop(self) -> list[Json]:
        told = {"call_sid": self.call_id, "account_sid": self._ids["account_sid"], "reason": "callended"}
        return [{"event": "stop", "stream_sid": self._ids["stream_sid"], "stop": told}]

    def number(self, sequence: int) -> Json:
        return {"sequence_number": str(sequence)}
