"""Vonage Voice API: a first text, then binary 16-bit PCM of one leg. Source: Vonage's "WebSockets" guide."""

from __future__ import annotations

import json

from asr.audio.pcm import encode
from asr.types import Role
from service.simulation.credentials import in_path
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SimulatedCall, SpeakingClient


class VonageClient(SpeakingClient):
    """The connection of the leg of `role`. It ends with its close."""

    def __init__(self, call: SimulatedCall, role: Role) -> None:
        super().__init__(call)
        self._role: Role = role

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=in_path(self._call.url, self._call.key))

    def begin(self) -> list[Message]:
        headers = {"call_id": self.call_id, "role": self._role, **self._call.told}
        form = {"event": "websocket:connected", "content-type": f"audio/l16;rate={self._call.rate}"}
        return [json.dumps({**form, **headers})]

    def audio(self, packet: Packet) -> list[Message]:
        pcm = packet.legs[self._role]
        return [] if pcm is None else [encode(pcm, "pcm_s16le")]
