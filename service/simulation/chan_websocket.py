"""Asterisk's chan_websocket with JSON events: MEDIA_START, then binary 16-bit PCM of one leg. Source: Asterisk's
documents of the channel driver."""

from __future__ import annotations

import json
from typing import Final

from asr.audio.pcm import encode
from asr.types import Role
from service.simulation.credentials import basic
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SimulatedCall, SpeakingClient

_FORMATS: Final = {8000: "slin", 16_000: "slin16"}


class ChanWebsocketClient(SpeakingClient):
    """The channel of the leg of `role`. It ends with its close."""

    def __init__(self, call: SimulatedCall, role: Role) -> None:
        super().__init__(call)
        self._role: Role = role

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url, headers=basic(self._call.key, "asterisk"), subprotocol="media")

    def begin(self) -> list[Message]:
        number = 2 * self._call.attempt + (1 if self._role == "agent" else 2)
        told = {"call_id": self.call_id, "role": self._role, **self._call.told}
        started = {
            "event": "MEDIA_START",
            "connection_id": "callwarden",
            "channel": f"WebSocket/callwarden/0x{self._call.unique[:12]}",
            "channel_id": f"{int(self._call.begun)}.{number}",
            "format": _FORMATS[self._call.rate],
            "optimal_frame_size": self._call.rate // 25,
            "ptime": 20,
            "channel_variables": {f"CALLWARDEN_{name.upper()}": value for name, value in told.items()},
        }
        return [json.dumps(started)]

    def audio(self, packet: Packet) -> list[Message]:
        pcm = packet.legs[self._role]
        return [] if pcm is None else [encode(pcm, "pcm_s16le")]
