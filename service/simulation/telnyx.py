"""Telnyx Media Streaming in PCMU. Source: Telnyx' AsyncAPI specification of it."""

from __future__ import annotations

from service.simulation.media_streams import Json, MediaStreamClient


class TelnyxClient(MediaStreamClient):
    @property
    def call_id(self) -> str:
        return f"v3:{self._call.unique}"

    def greetings(self) -> list[Json]:
        return [{"event": "connected", "version": "1.0.0"}]

    def start(self) -> Json:
        start: Json = {
            "user_id": self._call.id_of("user"),
            "call_control_id": self.call_id,
            "call_session_id": self._call.uuid,
            "from": "+13125550100",
            "to": "+13125550101",
            "custom_parameters": dict(self._call.told),
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        return {"event": "start", "stream_id": self._call.id_of("stream"), "start": start}

    def media(self, track: str, chunk: int, at: int, payload: str) -> Json:
        media = {"track": track, "chunk": str(chunk), "timestamp": str(at), "payload": payload}
        return {"event": "media", "stream_id": self._call.id_of("stream"), "media": media}

    def stop(self) -> list[Json]:
        told = {"user_id": self._call.id_of("user"), "call_control_id": self.call_id}
        return [{"event": "stop", "stream_id": self._call.id_of("stream"), "stop": told}]

    def number(self, sequence: int) -> Json:
        return {"sequence_number": str(sequence)}
