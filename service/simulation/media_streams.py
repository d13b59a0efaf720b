"""What the vendors have in common whose streams are Twilio's in another spelling: JSON text, audio in base64, a message
a track. The stream runs on the customer's leg, so the customer is `inbound`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from asr.audio.pcm import Pcm, SampleEncoding, encode
from asr.types import Role, Seconds
from service.simulation.credentials import in_path
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SimulatedCall, SpeakingClient

Json = dict[str, Any]

BOTH: Final[Mapping[str, Role]] = {"inbound": "customer", "outbound": "agent"}


class MediaStreamClient(SpeakingClient):
    """A subclass says how its vendor writes `start`, `media` and `stop`. Times count from the stream's first packet."""

    encoding: SampleEncoding = "mulaw"
    tracks: Mapping[str, Role] = BOTH

    def __init__(self, call: SimulatedCall) -> None:
        super().__init__(call)
        self._sent = 0
        self._chunks = dict.fromkeys(self.tracks, 0)
        self._first: Seconds | None = None

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=in_path(self._call.url, self._call.key))

    def begin(self) -> list[Message]:
        return [*map(json.dumps, self.greetings()), self._numbered(self.start())]

    def audio(self, packet: Packet) -> list[Message]:
        self._first = packet.at if self._first is None else self._first
        at = round((packet.at - self._first) * 1000)
        legs = ((track, packet.legs[role]) for track, role in self.tracks.items())
        return [self._media(track, at, pcm) for track, pcm in legs if pcm is not None]

    def end(self) -> list[Message]:
        return [self._numbered(each) for each in self.stop()]

    def greetings(self) -> list[Json]:
        """What comes before `start`, and has no number."""
        return [{"event": "connected", "protocol": "Call", "version": "1.0.0"}]

    def start(self) -> Json:
        raise NotImplementedError

    def media(self, track: str, chunk: int, at: int, payload: str) -> Json:
        """`chunk`: from 1 on each track. `at`: in milliseconds."""
        raise NotImplementedError

    def stop(self) -> list[Json]:
        """Empty where the vendor has none."""
        raise NotImplementedError

    def number(self, sequence: int) -> Json:
        """How the vendor numbers its messages."""
        return {"sequenceNumber": str(sequence)}

    def _media(self, track: str, at: int, pcm: Pcm) -> Message:
        self._chunks[track] += 1
        payload = base64.b64encode(encode(pcm, self.encoding)).decode()
        return self._numbered(self.media(track, self._chunks[track], at, payload))

    def _numbered(self, message: Json) -> Message:
        self._sent += 1
        return json.dumps({**message, **self.number(self._sent)})
