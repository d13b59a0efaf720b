"""Twilio Media Streams, a fork of both tracks. Source: Twilio's "Media Streams - WebSocket Messages"."""

from __future__ import annotations

from service.simulation.media_streams import Json, MediaStreamClient


class TwilioClient(MediaStreamClient):
    """No header can be sent, so the key is in the path."""

    @property
    def call_id(self) -> str:
        return f"CA{self._call.unique}"

    @property
    def stream_id(self) -> str:
        return "MZ" + self._call.id_of("stream").replace("-", "")

    def start(self) -> Json:
        start: Json = {
            "streamSid": self.stream_id,
            "accountSid": f"AC{self._call.unique}",
            "callSid": self.call_id,
            "tracks": list(self.tracks),
            "customParameters": dict(self._call.told),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }
        return {"event": "start", "streamSid": self.stream_id, "start": start}

    def media(self, track: str, chunk: int, at: int, payload: str) -> Json:
        media = {"track": track, "chunk": str(chunk), "timestamp": str(at), "payload": payload}
        return {"event": "media", "streamSid": self.stream_id, "media": media}

    def stop(self) -> list[Json]:
        told = {"accountSid": f"AC{self._call.unique}", "callSid": self.call_id}
        return [{"event": "stop", "streamSid": self.stream_id, "stop": told}]
