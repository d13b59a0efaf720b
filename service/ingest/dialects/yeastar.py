"""Yeastar P-Series, `WS /v1/yeastar`: JSON text, base64 PCM; a socket a call, its two channels in turn.

Source: Yeastar's "WebSocket Audio Streaming Overview" and "Audio Stream Fields". There is no start message, and nothing
tells the rate: the query of the URL does. The PBX takes no messages back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asr.types import ROLES, Role
from service.ingest.base64_text import decoded
from service.ingest.dialect import Handshake, StreamDialect
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    CallAnnounced,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    MAX_METADATA_VALUE,
    MAX_PARTY_LENGTH,
    call_id_at,
    integer_at,
    parse_message,
    text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.ingest.source import Source

RATES: Final = (8000, 16_000)
"""What the PBX can send, the first without being asked. A fragment has 1,280 bytes at either, so it does not tell."""
_MAX_CHANNEL: Final = 256
_CONFERENCE: Final = "conference"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fragment:
    """One message: a piece of what the party on a channel says, or that the channel has ended."""

    call_id: str
    channel: str
    number: str
    callflow: str
    ended: bool
    audio: object

    @property
    def of_extension(self) -> bool:
        """An extension's channel bears its own number (`PJSIP/1009-…`), an outside line's the name of its trunk."""
        return self.channel.rpartition("/")[2].rpartition("-")[0] == self.number != ""


class YeastarDialect(StreamDialect):
    """One connection. An outside line is the source's first track, an extension the second.

    The second message announces the call: by then the numbers of both parties are known, where both are connected. A
    conference that has shown one channel by then may have a connection for each party, so this one brings that party
    alone. A party whose channel has ended may get another one, as after a transfer. When none is left the call is over.
    """

    def __init__(self, source: Source, handshake: Handshake) -> None:
        super().__init__()
        self._source = source
        self._query = handshake.query
        self._first: _Fragment | None = None
        self._channels: dict[str, Role] = {}  # that have not ended, two at most
        self._joined: set[Role] = set()
        self._aligners = {role: FrameAligner(2) for role in ROLES}

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation; after the end for another call, which needs a connection of its own."""
        if self._call is None:
            return self._opening(_fragment(message))
        try:
            fragment = _fragment(message)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        return _after_end(fragment, self._call) if self._stopped else self._within(fragment, self._call)

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Everything in this dialect is text. Raises ProtocolViolation before the call is announced."""
        binary = f"{len(message)} bytes of binary; Yeastar's audio is text"
        if self._call is None:
            raise ProtocolViolation("message", binary, CLOSE_UNSUPPORTED)
        return [Irregularity(kind="unreadable", field="message", message=f"{binary}; it is left out")]

    def _opening(self, fragment: _Fragment) -> list[GatewayEvent]:
        if self._first is None:
            self._first = None if fragment.ended else fragment
            return []
        both = (self._first, fragment)
        self._call = call = self._announced(*both)
        return [call, *(event for each in both for event in self._within(each, call))]

    def _announced(self, first: _Fragment, second: _Fragment) -> CallAnnounced:
        rate = integer_at(self._query, "rate") or RATES[0]
        if rate not in RATES:
            raise ProtocolViolation("rate", f"must be {' or '.join(map(str, RATES))}, as the PBX is set, is {rate}")
        known = [second, first] if second.call_id == first.call_id else [first]
        numbers = {self._expected(fragment): fragment.number for fragment in known}
        alone = first.callflow == _CONFERENCE and len({fragment.channel for fragment in known}) == 1
        return CallAnnounced(
            call_id=first.call_id,
            roles=(self._expected(first),) if alone else ROLES,
            call_roles=ROLES,
            clock="arrival",
            encoding="pcm_s16le",
            rate=rate,
            agent=numbers.get("agent", ""),
            customer=numbers.get("customer", ""),
            metadata={"callflow": first.callflow} if first.callflow else {},
        )

    def _within(self, fragment: _Fragment, call: CallAnnounced) -> list[GatewayEvent]:
        if fragment.call_id != call.call_id:
            told = "is another call's; a connection carries one call, so it is left out"
            return [Irregularity(kind="order", field="callid", message=told)]
        if fragment.ended:
            return self._ended(fragment.channel, call)
        role, notes = self._party(fragment, call)
        return notes if role is None else [*notes, *self._audio(fragment, role)]

    def _expected(self, fragment: _Fragment) -> Role:
        return self._source.second_track if fragment.of_extension else self._source.first_track

    def _party(self, fragment: _Fragment, call: CallAnnounced) -> tuple[Role | None, list[GatewayEvent]]:
        """The party that speaks on the channel; None if both parties have a channel already."""
        if fragment.channel in self._channels:
            return self._channels[fragment.channel], []
        free: list[Role] = [role for role in call.roles if role not in self._channels.values()]
        if not free:
            told = "is of one party more than are listened to here; its audio is left out until another one has left"
            return None, [Irregularity(kind="leg", field="channelid", message=told)]
        expected = self._expected(fragment)
        role = self._channels[fragment.channel] = expected if expected in free else free[0]
        self._joined.add(role)
        if role == expected:
            return role, []
        told = f"is one of two extensions, or of two outside lines: the other one is taken for the {expected}"
        return role, [Irregularity(kind="leg", field="channelid", message=told)]

    def _audio(self, fragment: _Fragment, role: Role) -> list[GatewayEvent]:
        payload = decoded(fragment.audio)
        if payload is None:
            return [Irregularity(kind="payload", field="audio", message="is not base64; it is left out")]
        return self._aligners[role].arrived(payload, role=role)

    def _ended(self, channel: str, call: CallAnnounced) -> list[GatewayEvent]:
        """A party that has not come yet may still do so, until the connection is closed."""
        self._channels.pop(channel, None)
        return [] if self._channels or self._joined < {*call.roles} else self._stop()


def _fragment(message: str) -> _Fragment:
    """Raises ProtocolViolation."""
    fields = parse_message(message)
    call_id, channel = call_id_at(fields, "callid"), text_at(fields, "channelid", _MAX_CHANNEL)
    for name, value in (("callid", call_id), ("channelid", channel)):
        if not value:
            raise ProtocolViolation(name, "is missing")
    return _Fragment(
        call_id=call_id,
        channel=channel,
        number=text_at(fields, "number", MAX_PARTY_LENGTH),
        callflow=text_at(fields, "callflow", MAX_METADATA_VALUE),
        ended=text_at(fields, "status", 64).lower() == "end",
        audio=fields.get("audio"),
    )


def _after_end(fragment: _Fragment, call: CallAnnounced) -> list[GatewayEvent]:
    """Raises ProtocolViolation for another call: nothing would hear it, so its gateway must be told."""
    if fragment.ended:
        return []
    if fragment.call_id != call.call_id:
        told = "came after the end of this connection's call; another call needs another connection"
        raise ProtocolViolation("callid", told, ends_call=False)
    return [Irregularity(kind="order", field="status", message="came after the end of both channels; it is left out")]
