"""What is shown of a gateway's connection to whoever sets the gateway up. These dataclasses are the wire, too.

No sound is among them, no word that was said, and no secret. Personal data (metadata, who talks to whom) are for
admins; others see of which form it is (`service.preview.masking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from asr.audio.pcm import Encoding
from asr.types import Role, Seconds
from detectors.contract import Bilingual
from service.ingest.events import IrregularityKind
from service.ingest.source import Clock
from service.media.readings import LegReading

MappedName: TypeAlias = Literal[
    "call_id", "agent", "customer", "direction", "started_at", "language", "jurisdiction", "timezone"
]
Origin: TypeAlias = Literal["message", "query", "label", "source", "service", "law", "arrival", "dialect", "nothing"]
"""Whence a field of a call is: from a message of the gateway, the query of its URL, a label of its source, what else
its source says, the service's setting, the only one that its law knows, the moment at which it came, its dialect's own
rule; or nothing tells it."""

PreviewState: TypeAlias = Literal["waiting", "live", "refused", "ended"]
"""`waiting`: for a call to be announced. `refused`: the connection, or its call, was not taken or was ended for what it
did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHandshake:
    """What came before the first message. `dialect`: of the address that was asked for, empty for none. Values of
    headers stand only where they are known to be no secret; others are `…`."""

    dialect: str
    address: str
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedMessage:
    """`at`: seconds since the connection was opened. `size`: of a text in characters, else in bytes. `text`: as it
    came, but for secrets, sound and keys that were pressed; empty for binary."""

    at: Seconds
    kind: Literal["text", "binary"]
    size: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """A field of the call as it was understood. `place`: the field of the gateway's that holds the same."""

    name: MappedName
    value: str
    origin: Origin
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPreview:
    """One leg. `packets` and `audio`: what came, before anything was put in order. `jitter`: of the arrivals, as
    RFC 3550 has it. `longest_pause`: in which no audio came. `pace`: seconds of audio a second, the most of any second.
    `ahead`: by how much more audio came than time has passed since its first. `last_at`: when the last came.

    `encoding`, `rate`, `clock`: as it comes, and what it is placed by. `reading`: how its call takes it in, None before
    the call is taken."""

    role: Role
    encoding: Encoding
    rate: int
    clock: Clock
    packets: int
    audio: Seconds
    last_at: Seconds | None
    jitter: Seconds
    longest_pause: Seconds
    reordered: int
    pace: float
    ahead: Seconds
    reading: LegReading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewNotice:
    """Something odd that ended nothing, and how often it came."""

    kind: IrregularityKind
    field: str
    message: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRefusal:
    """Why the connection, or its call, was not taken or ended. `code` is for programs, `message` tells what was wrong
    with this one, `hint` how that is mended."""

    code: str
    message: str
    hint: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewEnding:
    """`by`: who ended the connection. `code` and `reason`: the close frame's; 1006 where it broke off."""

    at: Seconds
    by: Literal["gateway", "service"]
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPreview:
    """A connection, or one that was not let in. `times`: how often the same came again and was not let in.

    `credential`: what let it in: a key by its id, or the kind of the source's credential. `vendor`: which of several
    that share an address. `names_parties`: its messages say who is who, so the source's first track means nothing.
    `opened_at`: when it came, for the last time where it did so again; `seconds`: how long ago, or how long it lasted.
    `last_at`: when the last message came. `call_id`: the id that the call goes by here; empty before it is taken.
    """

    id: int
    seen: SeenHandshake
    opened_at: datetime
    times: int
    state: PreviewState
    seconds: Seconds
    credential: str
    vendor: str
    names_parties: bool
    texts: int
    binaries: int
    size: int
    last_at: Seconds | None
    messages: tuple[ArrivedMessage, ...]
    call_id: str
    resumed: bool
    fields: tuple[MappedField, ...]
    metadata: Mapping[str, str]
    legs: tuple[LegPreview, ...]
    digits: int
    notices: tuple[PreviewNotice, ...]
    refusal: PreviewRefusal | None
    ending: PreviewEnding | None
