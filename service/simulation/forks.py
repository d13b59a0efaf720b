"""FreeSWITCH's forks and jambonz: a first text, then binary 16-bit PCM of both parties, the customer on the left, for
the fork runs on the customer's leg. Source: the READMEs of mod_audio_stream and mod_audio_fork, jambonz' `listen`."""

from __future__ import annotations

import json

import numpy as np

from asr.audio.pcm import Pcm, encode
from service.simulation.credentials import basic, bearer
from service.simulation.gateway_client import ConnectionRequest, Message, Packet, SpeakingClient


def interleaved(left: Pcm | None, right: Pcm | None) -> bytes | None:
    """Little-endian samples in turn; a side of which nothing has come is silence. None where neither has."""
    either = left if left is not None else right
    if either is None:
        return None
    sides = [np.zeros_like(either) if side is None else side for side in (left, right)]
    return encode(np.stack(sides, axis=1).reshape(-1), "pcm_s16le")


class StereoForkClient(SpeakingClient):
    """What the three have in common."""

    def audio(self, packet: Packet) -> list[Message]:
        sound = interleaved(packet.legs["customer"], packet.legs["agent"])
        return [] if sound is None else [sound]


class ModuleClient(StereoForkClient):
    """A module of FreeSWITCH. What the service tells it becomes an event of FreeSWITCH."""

    def begin(self) -> list[Message]:
        """The metadata that the integrator gives, which name the form of the sound: a module tells nothing."""
        form = {"rate": f"{self._call.rate // 1000}k", "mix": "stereo", "role": "customer"}
        return [json.dumps({"call_id": self.call_id, **form, **self._call.told})]

    def received(self, message: Message) -> list[Message]:
        return super().received(message) if isinstance(message, bytes) else []


class ForkClient(ModuleClient):
    """drachtio's mod_audio_fork. An empty binary message comes when it shuts down."""

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url, headers=basic(self._call.key), subprotocol="audio.drachtio.org")

    def end(self) -> list[Message]:
        return [b""]


class AudioStreamClient(ModuleClient):
    """mod_audio_stream. It sends no frame where a side has none, and offers compression."""

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url, headers=bearer(self._call.key), deflate=True)

    def audio(self, packet: Packet) -> list[Message]:
        return [] if any(pcm is None for pcm in packet.legs.values()) else super().audio(packet)


class JambonzClient(StereoForkClient):
    """jambonz' `listen`, which describes the call itself."""

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url, headers=basic(self._call.key), subprotocol="audio.jambonz.org")

    def begin(self) -> list[Message]:
        call = {
            "sampleRate": self._call.rate,
            "mixType": "stereo",
            "callSid": self.call_id,
            "direction": "inbound",
            "from": "1001",
            "to": "+8613800000000",
            "callId": f"{self._call.unique}@sip.example.com",
            "sipStatus": 200,
            "callStatus": "in-progress",
        }
        return [json.dumps({**call, "role": "customer", **self._call.told})]
