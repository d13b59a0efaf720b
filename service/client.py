"""A gateway of our own: plays a recorded two-party call into `WS /v1/stream` as if it were live.

The stream command, the demo and the load benchmark speak through it; it knows the wire, nothing of the service.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import websockets
from pydantic import TypeAdapter
from websockets.frames import CloseCode

from asr.audio.pcm import encode
from asr.types import CallLanguage, Role, Seconds
from detectors.contract import Jurisdiction
from service.audio_files.call import CallAudio, CallSound, packets, read_call_audio
from service.record.facts import FACT, CallEnding, Fact

__all__ = ["CallAudio", "CallStart", "FactSeen", "StreamFailed", "read_call_audio", "refusal", "stream_call"]

PACKET_SECONDS = 0.02
"""What telephony gateways send: 20 ms a packet."""

_MESSAGE = TypeAdapter(dict[str, Any])


class StreamFailed(Exception):
    """The call could not be streamed; the message says what the service or the network answered. `retry_after`: the
    service refused it for now, and asks to be tried again in so many seconds."""

    def __init__(self, message: str, retry_after: Seconds | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStart:
    """What the start message tells. None leaves it to the service's defaults."""

    call_id: str
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    started_at: datetime | None = None
    agent: str = ""
    customer: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSeen:
    """One fact of the call came back, `at` seconds (monotonic) on our own clock."""

    fact: Fact
    at: float


async def stream_call(
    audio: CallSound,
    start: CallStart,
    *,
    url: str,
    key: str,
    seen: Callable[[FactSeen], None],
    sent: Callable[[Seconds], None] = lambda _seconds: None,
    pace: float = 1.0,
) -> CallEnding:
    """Play the call at `pace` times real time; returns once the service has wholly processed it.

    A packet is sent when the last of its audio would have been spoken. `seen` gets the call's facts as they come back,
    `sent` the seconds of audio sent so far. Raises StreamFailed.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with websockets.connect(
            url, additional_headers=headers, ping_interval=None, max_size=2**20, compression=None
        ) as socket:
            await socket.send(_start_message(audio, start))
            sender = asyncio.create_task(_send(socket, audio, pace, sent))
            try:
                return await _listen(socket, seen)
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
    except websockets.InvalidStatus as refused:
        raise StreamFailed(refusal(refused.response.status_code)) from refused
    except (OSError, websockets.WebSocketException) as cause:
        raise StreamFailed(f"{url}: {cause}") from cause


async def _send(
    socket: websockets.ClientConnection, audio: CallSound, pace: float, sent: Callable[[Seconds], None]
) -> None:
    packet = round(audio.rate * PACKET_SECONDS)
    begun = time.monotonic()
    try:
        given = 0
        async for pcm in packets(audio, packet):
            given += len(pcm)
            due = begun + given / audio.rate / pace
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await socket.send(encode(np.ascontiguousarray(pcm).reshape(-1), "mulaw"))
            sent(given / audio.rate)
        await socket.send(json.dumps({"type": "stop"}))
    except websockets.ConnectionClosed:
        return  # whoever reads the answers learns why


async def _listen(socket: websockets.ClientConnection, seen: Callable[[FactSeen], None]) -> CallEnding:
    try:
        async for text in socket:
            message = _MESSAGE.validate_json(text)
            if message["type"] == "error":
                told = f"the service refused {message['field']}: {message['message']}"
                raise StreamFailed(told, message.get("retry_after"))
            if message["type"] == "event":
                seen(FactSeen(fact=FACT.validate_python(message["fact"]), at=time.monotonic()))
            if message["type"] == "finished":
                return message["ending"]
    except websockets.ConnectionClosedError as cause:
        if cause.rcvd is not None and cause.rcvd.code == CloseCode.SERVICE_RESTART:
            raise StreamFailed("the service is stopping; what it has recorded of the call is kept") from cause
        raise StreamFailed(f"the connection broke before the call was processed: {cause}") from cause
    raise StreamFailed("the service closed the connection before the call was processed")


def _start_message(audio: CallSound, start: CallStart) -> str:
    roles: tuple[Role, Role] = ("agent", "customer")
    message = {
        "type": "start",
        "call_id": start.call_id,
        "legs": [{"role": role} for role in roles],
        "encoding": "mulaw",
        "rate": audio.rate,
        "channels": len(roles),
        "language": start.language,
        "jurisdiction": start.jurisdiction,
        "started_at": start.started_at.isoformat() if start.started_at else None,
        "agent": start.agent,
        "customer": start.customer,
        "metadata": start.metadata,
        "events": True,
    }
    return json.dumps({name: value for name, value in message.items() if value is not None}, ensure_ascii=False)


def refusal(status: int) -> str:
    """The meaning of an HTTP status that answers a handshake."""
    if status == 401:
        return "401: the key is missing or unknown (make one with: callwarden keys create --source NAME)"
    if status == 403:
        return "403: the key is revoked, or it may not stream calls"
    if status == 404:
        return "404: no gateway connects to this path (Callwarden's own dialect: ws://HOST:PORT/v1/stream)"
    return f"the service answered {status} to the handshake"
