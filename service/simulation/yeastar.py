"""Yeastar P-Series, WebSocket audio push: both channels in turn, audio in base64. Source: Yeastar's administrator guide
of the feature, in Chinese."""

from __future__ import annotations

import base64
import json

from asr.audio.pcm import encode
from asr.types import ROLES, Role
from service.simulation.credentials import with_query
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SpeakingClient


class YeastarClient(SpeakingClient):
    """The agent is on an extension and the customer on a trunk. Messages tell no rate, so the address does."""

    def opening(self) -> ConnectionRequest:
        rate = {"rate": str(self._call.rate)} if self._call.rate != 8000 else {}
        return ConnectionRequest(url=with_query(self._call.url, rate), headers={"X-API-Key": self._call.key})

    def audio(self, packet: Packet) -> list[Message]:
        return [
            self._message(role, "process", base64.b64encode(encode(pcm, "pcm_s16le")).decode())
            for role in ROLES
            if (pcm := packet.legs[role]) is not None
        ]

    def end(self) -> list[Message]:
        return [self._message(role, "end", "") for role in ROLES]

    def _message(self, role: Role, status: str, audio: str) -> Message:
        number = self._call.told.get(role) or ("1009" if role == "agent" else "13800138000")
        channel = f"PJSIP/{number}-00000006" if role == "agent" else "PJSIP/trunk-00000005"
        ids = {"callid": self.call_id, "callflow": "", "number": number}
        return json.dumps({**ids, "status": status, "channelid": channel, "audio": audio})
