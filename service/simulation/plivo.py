"""Plivo Audio Streaming of both tracks in mu-law. Source: Plivo's "Audio streaming" guide, which has no `stop`."""

from __future__ import annotations

from service.simulation.media_streams import Json, MediaStreamClient


class PlivoClient(MediaStreamClient):
    """Numbers are numbers, and times are Unix times in milliseconds, as text."""

    def greetings(self) -> list[Json]:
        return []

    def start(self) -> Json:
        start: Json = {
            "callId": self.call_id,
            "streamId": self._call.id_of("stream"),
            "accountId": "MA" + self._call.unique[:18].upper(),
            "tracks": list(self.tracks),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
        }
        return {"event": "start", "start": start, "extra_headers": self._extra_headers}

    def media(self, track: str, chunk: int, at: int, payload: str) -> Json:
        since = 0.0 if self._first is None else self._first
        clock = str(round((self._call.begun + since) * 1000) + at)
        media: Json = {"track": track, "timestamp": clock, "chunk": chunk, "payload": payload}
        ids = {"streamId": self._call.id_of("stream"), "extra_headers": self._extra_headers}
        return {"event": "media", "media": media, **ids}

    def stop(self) -> list[Json]:
        return []

    def number(self, sequence: int) -> Json:
        return {"sequenceNumber": sequence}

    @property
    def _extra_headers(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self._call.told.items())
