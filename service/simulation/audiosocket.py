"""Asterisk's AudioSocket over TCP: a UUID, then frames of 16-bit PCM of one leg. Source: Asterisk's documents of
res_audiosocket."""

from __future__ import annotations

import uuid
from typing import Final

from asr.audio.pcm import encode
from asr.types import Role
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SimulatedCall, SpeakingClient

_UUID: Final = 0x01
_AUDIO: Final = {8000: 0x10, 16_000: 0x12}


class AudioSocketClient(SpeakingClient):
    """The connection of the leg of `role`, whose UUID is the token that was reserved for it. It ends with its stream:
    Asterisk sends no frame for it."""

    def __init__(self, call: SimulatedCall, role: Role) -> None:
        super().__init__(call)
        self._role: Role = role

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url)

    def begin(self) -> list[Message]:
        return [_frame(_UUID, uuid.UUID(self._call.tokens[self._role]).bytes)]

    def audio(self, packet: Packet) -> list[Message]:
        pcm = packet.legs[self._role]
        return [] if pcm is None else [_frame(_AUDIO[self._call.rate], encode(pcm, "pcm_s16le"))]


def _frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload
