"""Genesys Cloud AudioHook Monitor: numbered JSON transactions, binary mu-law of both parties. Source: Genesys'
"AudioHook protocol reference".

`opened` is waited for before audio, and `closed` after the end. Pings come after a second and every five.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

import numpy as np

from asr.audio.pcm import Pcm, encode
from asr.types import Role, Seconds
from service.simulation.gateway_client import (
    ConnectionRequest,
    Message,
    Packet,
    SessionFailed,
    SimulatedCall,
    SpeakingClient,
)

Json = dict[str, Any]

RATE: Final = 8000

_ROLES: Final[dict[str, Role]] = {"external": "customer", "internal": "agent"}
_CHANNELS: Final = (["external", "internal"], ["external"], ["internal"])
_OFFERED: Final[list[Json]] = [
    {"type": "audio", "format": "PCMU", "channels": channels, "rate": RATE} for channels in _CHANNELS
]
_PING_FIRST: Final[Seconds] = 1.0
_PING_EVERY: Final[Seconds] = 5.0
_LANGUAGES: Final = {"zh": "zh-CN", "en": "en-US"}


class AudioHookClient(SpeakingClient):
    """One session."""

    def __init__(self, call: SimulatedCall) -> None:
        super().__init__(call)
        self._organization = call.id_of("organization")
        self._session = call.id_of("session")
        self._seq = self._server_seq = 0
        self._media: Json | None = None
        self._paused = self._closing = self._over = False
        self._parting = ""
        self._samples = 0
        self._missing_since: Seconds | None = None
        self._ping_at: Seconds = _PING_FIRST

    @property
    def ready(self) -> bool:
        return self._media is not None

    @property
    def over(self) -> bool:
        return self._over

    @property
    def _position(self) -> Seconds:
        return self._samples / RATE

    def opening(self) -> ConnectionRequest:
        headers = {
            "Audiohook-Organization-Id": self._organization,
            "Audiohook-Session-Id": self._session,
            "Audiohook-Correlation-Id": self._call.id_of("correlation"),
            "X-API-KEY": self._call.key,
        }
        return ConnectionRequest(url=self._call.url, headers=headers)

    def begin(self) -> list[Message]:
        numbers = {"ani": "+13125550100", "aniName": "", "dnis": "+13125550101"}
        told = dict(self._call.told)
        language = told.pop("language", "")
        parameters: Json = {
            "organizationId": self._organization,
            "conversationId": self.call_id,
            "participant": {"id": self._call.id_of("participant"), **numbers},
            "media": _OFFERED,
            **({"language": _LANGUAGES.get(language, language)} if language else {}),
            **({"customConfig": told} if told else {}),
        }
        return [self._message("open", parameters)]

    def audio(self, packet: Packet) -> list[Message]:
        if self._closing:
            return []
        sound = None if self._paused else self._interleaved(packet)
        if sound is None:
            self._missing_since = self._position if self._missing_since is None else self._missing_since
            self._samples += round(packet.seconds * RATE)
            return self._pings()
        messages = [*self._discarded(), sound]
        self._samples += round(packet.seconds * RATE)
        return [*messages, *self._pings()]

    def end(self) -> list[Message]:
        return self._close("end")

    def received(self, message: Message) -> list[Message]:
        if isinstance(message, bytes):
            raise SessionFailed("the service sent binary, which a Monitor takes for error 415")
        said = _read(message)
        self._server_seq += 1
        if said.get("seq") != self._server_seq:
            raise SessionFailed(f"a message of the service has seq {said.get('seq')!r}, not {self._server_seq}")
        if said.get("clientseq") not in range(self._seq + 1) or said.get("id") != self._session:
            raise SessionFailed("a message of the service names another session, or a clientseq that was not sent")
        return self._answer(str(said.get("type")), said.get("parameters", {}))

    def _answer(self, kind: str, parameters: Json) -> list[Message]:
        match kind:
            case "opened":
                return self._opened(parameters)
            case "closed":
                return self._closed()
            case "disconnect" | "reconnect":
                told = (kind, parameters.get("reason"), parameters.get("info"))
                self._parting = ": ".join(str(each) for each in told if each)
                return self._close(kind)
            case "pause":
                self._paused = True
                return [self._message("paused", {})]
            case "resume":
                self._paused = False
                return [self._message("resumed", self._missed())]
            case _:  # `pong`, `updated` and `event` ask for nothing
                return []

    def _closed(self) -> list[Message]:
        self._over = True
        if self._parting:
            raise SessionFailed(f"the service ended the session: {self._parting}")
        return []

    def _opened(self, parameters: Json) -> list[Message]:
        media = parameters.get("media") or []
        if len(media) != 1 or media[0] not in _OFFERED:
            raise SessionFailed("`opened` must choose one of the offered media, unchanged")
        self._media = media[0]
        self._paused = bool(parameters.get("startPaused", False))
        return []

    def _interleaved(self, packet: Packet) -> bytes | None:
        """Samples in turn in the chosen order; a party of whom nothing has come is silence. None where nobody has."""
        roles: list[Role] = [_ROLES[name] for name in (self._media or _OFFERED[0])["channels"]]
        legs = [packet.legs[role] for role in roles]
        either = next((pcm for pcm in legs if pcm is not None), None)
        if either is None:
            return None
        sides: list[Pcm] = [np.zeros_like(either) if pcm is None else pcm for pcm in legs]
        return encode(np.stack(sides, axis=1).reshape(-1), "mulaw")

    def _discarded(self) -> list[Message]:
        """What was not sent before this place is told."""
        return [] if self._missing_since is None else [self._message("discarded", self._missed())]

    def _missed(self) -> Json:
        start = self._position if self._missing_since is None else self._missing_since
        self._missing_since = None
        return {"start": _duration(start), "discarded": _duration(self._position - start)}

    def _pings(self) -> list[Message]:
        if self._position < self._ping_at:
            return []
        self._ping_at += _PING_EVERY
        return [self._message("ping", {})]

    def _close(self, reason: str) -> list[Message]:
        if self._closing:
            return []
        self._closing = True
        return [*self._discarded(), self._message("close", {"reason": reason})]

    def _message(self, kind: str, parameters: Json) -> str:
        self._seq += 1
        head = {"version": "2", "id": self._session, "type": kind, "seq": self._seq, "serverseq": self._server_seq}
        return json.dumps({**head, "position": _duration(self._position), "parameters": parameters})


def _read(text: str) -> Json:
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("parameters", {}), dict):
        raise SessionFailed("the service sent a text that is no message of AudioHook")
    return cast("Json", said)


def _duration(seconds: Seconds) -> str:
    """ISO 8601, to the sample."""
    return f"PT{round(seconds, 6):.6f}".rstrip("0").rstrip(".") + "S"
