"""What a vendor's gateway is to the player: a plain class that makes the vendor's messages, one a connection.

Each is written after the vendor's documents and never after our parser, which it is there to check.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from asr.audio.pcm import Pcm
from asr.types import Role, Seconds

Message: TypeAlias = str | bytes


class SessionFailed(Exception):
    """The service has ended the session, or did what the vendor's protocol forbids; the message says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCall:
    """What is played, as an integrator sets it up.

    `rate`: samples a second of its sound. `unique`: 32 hexadecimal digits that the vendor's ids are made of. `begun`:
    Unix time. `told`: what the integrator has the gateway tell of the call. `tokens`: those of the legs where the call
    was reserved. `attempt`: how often the gateway has connected before.
    """

    url: str
    key: str
    rate: int
    unique: str
    begun: Seconds
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    tokens: Mapping[Role, str] = field(default_factory=dict[Role, str])
    attempt: int = 0

    @property
    def uuid(self) -> str:
        """The call's UUID, in the form of most vendors."""
        return str(uuid.UUID(self.unique))

    def id_of(self, name: str) -> str:
        """A UUID of something else than the call, another one for each attempt."""
        return str(uuid.uuid5(uuid.UUID(self.unique), f"{name} {self.attempt}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequest:
    """How a connection is opened. `url`: ws, wss, or tcp. `deflate`: compression is offered."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    subprotocol: str | None = None
    deflate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A stretch of the call's sound, `seconds` long. `at`: its beginning, in seconds of the call. `legs`: the samples
    of each party, all of one length; None if nothing of that party has come."""

    at: Seconds
    seconds: Seconds
    legs: Mapping[Role, Pcm | None]

    @property
    def end(self) -> Seconds:
        """Where the packet ends, in seconds of the call."""
        return self.at + self.seconds


class GatewayClient(Protocol):
    """One connection of a vendor's gateway. Plain: packets and messages in, messages out."""

    @property
    def call_id(self) -> str:
        """The id by which the service knows the call."""
        ...

    @property
    def ready(self) -> bool:
        """Audio may be sent."""
        ...

    @property
    def over(self) -> bool:
        """Nothing more is to be waited for after the end."""
        ...

    def opening(self) -> ConnectionRequest:
        """How the connection is opened."""
        ...

    def begin(self) -> list[Message]:
        """The messages to send as soon as the connection is open."""
        ...

    def audio(self, packet: Packet) -> list[Message]:
        """The messages for a packet. Packets of which nothing has come are given, too."""
        ...

    def end(self) -> list[Message]:
        """The messages that tell the end of the call, before the connection is closed."""
        ...

    def received(self, message: Message) -> list[Message]:
        """The answer to a message of the service. Raises SessionFailed."""
        ...


class SpeakingClient:
    """The base of gateways that wait for nothing and read nothing."""

    def __init__(self, call: SimulatedCall) -> None:
        self._call = call

    @property
    def call_id(self) -> str:
        return self._call.uuid

    @property
    def ready(self) -> bool:
        return True

    @property
    def over(self) -> bool:
        return True

    def begin(self) -> list[Message]:
        return []

    def end(self) -> list[Message]:
        return []

    def received(self, message: Message) -> list[Message]:
        what = "text" if isinstance(message, str) else "binary"
        raise SessionFailed(f"the service sent {what}, but this gateway takes none")
