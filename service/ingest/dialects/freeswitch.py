"""What FreeSWITCH's modules have in common that fork a channel's audio to a WebSocket: perhaps a first text, then
binary 16-bit PCM.

Source: the modules' own documents and code. The fork runs on one leg of a call. Its only or left channel is what that
leg's party says; the right one is what that leg hears, so what the other party says. The audio itself tells neither
rate, nor channels, nor call: the query of the URL and the first text do, where both name a field the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from asr.types import ROLES, Role, Seconds
from service.ingest.dialect import FactStored, Handshake, News, Reply, SendText, StreamDialect
from service.ingest.dialects.event_message import json_text
from service.ingest.events import (
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    MAX_AUDIO_BYTES,
    CallAnnounced,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    Message,
    Notes,
    call_fields_at,
    call_id_at,
    check_audio_size,
    digits_at,
    flag_at,
    metadata_at,
    parse_message,
    role_named,
    text_at,
)
from service.ingest.frames import FrameAligner
from service.ingest.source import Source
from service.record.facts import AlertChanged, AlertRaised, FindingWithdrawn, UtteranceHeard

RATES: Final = (8000, 16_000)
MAX_EARLY_BYTES: Final = MAX_AUDIO_BYTES
"""Audio kept until the call is known: 16 s of the widest form, two channels at 16 kHz."""
METADATA_SECONDS: Final[Seconds] = 0.5
"""How long a call that its URL names waits for a first text, which a module sends as soon as it is connected."""
OVERTAKING_BYTES: Final = 6400
"""Audio that such a call waits with, for another thread of the module sends it and may be first: 0.1 to 0.4 s."""

_TOLD: Final = (UtteranceHeard, AlertRaised, AlertChanged, FindingWithdrawn)
"""What goes back: each message becomes an event of FreeSWITCH, so no more than what was said and what is wrong."""
_KNOWN: Final = frozenset(("call_id", "role", "events", "agent", "customer", "language", "jurisdiction", "started_at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkWire:
    """What differs between the modules. `call_ids`: the fields that may name the call, the first one that does counts.
    `rate` and `mix`: the fields that tell the audio's form. `renamed`: fields of the first text by which the vendor
    means something else than the metadata of that name do. `event`: how a fact is sent back, None where nothing may
    be."""

    call_ids: tuple[str, ...] = ("call_id",)
    rate: str = "rate"
    mix: str = "mix"
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    event: Callable[[FactStored], dict[str, object]] | None = None


class ForkDialect(StreamDialect):
    """One connection. Where its fields name no `role`, the source's first track is the party on the leg that runs the
    fork.

    The first text begins the call. Where the query names call, rate and channels, the call begins without one, too, as
    soon as none can be expected any more. Audio that comes before is kept, within a bound. Only a close ends it.
    """

    def __init__(self, wire: ForkWire, source: Source, handshake: Handshake) -> None:
        super().__init__()
        self._wire = wire
        self._source = source
        self._query = handshake.query
        self._begins_at: Seconds | None = None
        self._aligner = FrameAligner(2)
        self._early: list[bytes] = []
        self._early_bytes = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Within a call a dialplan may send whatever it likes; only digits are heeded."""
        fields = _fields(message)
        if self._call is None:
            return self._begin(fields)
        if fields.get("event") == "dtmf":
            return [*digits_at(fields, "dtmf", self._call.roles[0])]
        if any(name in fields for name in self._wire.call_ids):
            late = "came when the call had begun without them; they are left out"
            return [Irregularity(kind="order", field="metadata", message=late)]
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation. An empty message, which one module sends when it shuts down, means nothing."""
        check_audio_size(message)
        return self._audio(message) if self._call is not None else self._keep_early(message)

    def deadline(self) -> Seconds | None:
        """A call that the query names begins METADATA_SECONDS after the first `tick`, which comes at once."""
        if self._call is not None or not self._named_by_query:
            return None
        return self._begins_at or 0.0

    def tick(self, now: Seconds) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        if self._begins_at is None:
            self._begins_at = now + METADATA_SECONDS
            return []
        return self._begin({})

    def tell(self, news: News) -> Sequence[Reply]:
        """What was said and what is wrong, where the call asks for it and the module passes it on."""
        wanted = self._wire.event if self._call is not None and self._call.wants_events else None
        if wanted is not None and isinstance(news, FactStored) and isinstance(news.fact, _TOLD):
            return [SendText(text=json_text(wanted(news)))]
        return super().tell(news)

    @property
    def _named_by_query(self) -> bool:
        names = (self._wire.rate, self._wire.mix)
        return all(name in self._query for name in names) and any(name in self._query for name in self._wire.call_ids)

    def _begin(self, fields: Message) -> list[GatewayEvent]:
        notes: Notes = []
        told = {self._wire.renamed.get(name, name): value for name, value in fields.items()}
        self._call = call = self._announced({**self._query, **told}, notes)
        self._aligner = FrameAligner(2 * len(call.roles))
        early, self._early = self._early, []
        return [call, *notes, *(event for payload in early for event in self._audio(payload))]

    def _announced(self, fields: Message, notes: Notes) -> CallAnnounced:
        wire = self._wire
        return CallAnnounced(
            call_id=_call_id(fields, wire.call_ids),
            roles=self._roles(fields),
            call_roles=ROLES,  # the other leg may have a fork of its own
            clock="arrival",
            encoding="pcm_s16le",
            rate=_rate(fields, wire.rate),
            **call_fields_at(fields, notes),
            metadata=_metadata(fields, _KNOWN | {wire.rate, wire.mix}, notes),
            wants_events=wire.event is not None and flag_at(fields, "events", notes),
        )

    def _roles(self, fields: Message) -> tuple[Role, ...]:
        named, field = fields.get("role"), self._wire.mix
        first = self._source.first_track if named is None else role_named(named, "role")
        match text_at(fields, field, 16).lower():
            case "mono":
                return (first,)
            case "stereo":
                return (first, *(role for role in ROLES if role != first))
            case "mixed":
                told = "is mixed, and nobody can tell two parties on one channel apart: use stereo, or mono on each leg"
                raise ProtocolViolation(field, told, CLOSE_UNSUPPORTED)
            case _:
                raise ProtocolViolation(field, "must be mono or stereo, as the fork was started")

    def _keep_early(self, payload: bytes) -> list[GatewayEvent]:
        self._early_bytes += len(payload)
        if payload:  # empty messages are free for the peer, so they may not cost memory here
            self._early.append(payload)
        if self._named_by_query and self._early_bytes > OVERTAKING_BYTES:
            return self._begin({})
        if self._early_bytes > MAX_EARLY_BYTES:
            told = f"must tell call, rate and channels before {MAX_EARLY_BYTES} bytes of audio; so may the URL"
            raise ProtocolViolation("metadata", told)
        return []

    def _audio(self, message: bytes) -> list[GatewayEvent]:
        return self._aligner.arrived(message)


def _fields(text: str) -> Message:
    """What a text tells: a JSON object, or anything else, which is metadata as it is. Raises ProtocolViolation where
    it is too big."""
    try:
        return parse_message(text)
    except ProtocolViolation as violation:
        if violation.close_code == CLOSE_TOO_BIG:
            raise
        return {"metadata": text}


def _call_id(fields: Message, names: Sequence[str]) -> str:
    for name in names:
        if call_id := call_id_at(fields, name):
            return call_id
    raise ProtocolViolation(names[0], "is missing: name the call in the metadata, or in the query of the URL")


def _rate(fields: Message, name: str) -> int:
    """Samples a second, also as the modules' commands have it (`8k`)."""
    told = text_at(fields, name, 32)
    for rate in RATES:
        if told in (str(rate), f"{rate // 1000}k"):
            return rate
    raise ProtocolViolation(name, f"must be one of {', '.join(map(str, RATES))} samples a second")


def _metadata(fields: Message, known: frozenset[str], notes: Notes) -> dict[str, str]:
    """All other fields. What stands in an object counts as if it stood beside it."""
    others = {name: value for name, value in fields.items() if name not in known}
    objects = [cast("Message", value) for value in others.values() if isinstance(value, dict)]
    nested = {name: value for each in objects for name, value in each.items()}
    flat = {name: value for name, value in others.items() if not isinstance(value, dict)}
    return metadata_at({"metadata": {**nested, **flat}}, "metadata", notes)
