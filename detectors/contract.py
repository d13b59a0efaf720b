"""The detector contract: utterances, with their sound and their meaning, and the passing of time in; findings,
sentiment and statements out.

A `Detector` is loaded once and shared by all calls; `open` gives one call its own `CallDetector`, which may
keep state. Both are plain and synchronous: no clock, no IO, no threads. The runner isolates and times them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import ClassVar, Final, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from asr.types import ROLES, CallLanguage, Role, Seconds, Utterance

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")

Jurisdiction = Literal["CN", "US", "UK"]
Currency = Literal["CNY", "USD", "GBP"]

HISTORY_DAYS: Final = 30
"""The longest span that a law counts calls over is a week; habits show in a month."""

FindingKind = Literal["violation", "duty_missing", "mood"]
"""`mood`: a party's mood has turned, by which nobody has broken a rule."""
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)
SentimentLabel = Literal["negative", "neutral", "positive"]
Emotion = Literal["anger", "fear", "sadness", "frustration", "neutral", "relief", "joy"]

Said = Literal[
    "promise",
    "refusal",
    "hardship",
    "dispute",
    "complaint",
    "callback",
    "stop",
    "wrong_number",
    "third_party",
    "vulnerable",
    "asks_identity",
    "confirms_identity",
]
"""What somebody on the debtor's side says that belongs into the record. `stop`: asks not to be called. `third_party`:
turns out to be somebody else than the debtor. `vulnerable`: is in crisis, gravely ill, bereaved, or a child."""


class DetectorError(Exception):
    """Base of everything a detector or a rule pack raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """The same sentence for a Chinese and an English reader."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierContact:
    """An earlier call with the same debtor. `duration` is 0 while it is live. `legs`: the parties that it has; `spoke`:
    who said something in it. `said`: what whoever answered stated, with how sure that is, 1 where a person wrote it
    down. `metadata`: the integrator's own of that call."""

    call_id: str
    started_at: datetime
    duration: Seconds
    spoke: tuple[Role, ...]
    legs: tuple[Role, ...] = ROLES
    said: dict[Said, float] = field(default_factory=dict[Said, float])
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What is known of a call before a word is said.

    `started_at` carries an offset, which fixes the instant and nothing else. `timezone` names the zone by whose clock
    the call is judged, the debtor's; empty leaves it to the metadata and the jurisdiction. `metadata` is the
    integrator's own: string to string. `legs`: the parties that it has. `history`: the debtor's other calls of the last
    HISTORY_DAYS, newest first; None where the debtor is not named, or nobody could be asked.
    """

    call_id: str
    language: CallLanguage
    jurisdiction: Jurisdiction
    started_at: datetime
    timezone: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    legs: tuple[Role, ...] = ROLES
    history: tuple[EarlierContact, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackVersion:
    """The rule pack that judges. `sha256` is over the names and contents of all its files, so a finding names exactly
    the rules that were in force."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule met, one duty missed or a mood that has turned, with the evidence a person needs to judge it.

    `category` is the taxonomy's id (for a missed duty: the duty's id). `rule` names the rule in its pack and is
    what cool-downs count by. `score` lies in (0, 1]. `start`/`end` span the evidence on the audio clock;
    `quote` are the very words (empty for a missed duty or a timing rule). `decided_by_transcript` is False
    where metadata or an ear must confirm. `cites` are keys of the taxonomy's cite index, `CODE#article`.

    Detectors leave the rest to whoever asks them. `pack`: the rules that were in force. `sentence`: what was said,
    around the quote; `lead`: the sentence that was said before it, by `lead_role`, as far as it was known then. All
    are empty or None in records older than the field. `detectors/sentences.py` bounds both sentences.
    """

    kind: FindingKind
    category: str
    rule: str
    detector: str
    severity: Severity
    score: float
    role: Role
    start: Seconds
    end: Seconds
    quote: str
    title: Bilingual
    why: Bilingual
    cites: tuple[str, ...]
    utterance_id: str | None = None
    decided_by_transcript: bool = True
    pack: PackVersion | None = None
    sentence: str = ""
    lead: str = ""
    lead_role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A detector takes back its own finding, because what came later shows that there was nothing. `rule`, `role`,
    `start` and `end` identify the finding; `why` is for people."""

    rule: str
    role: Role
    start: Seconds
    end: Seconds
    why: Bilingual


Conduct = Literal[
    "greeting",
    "gives_identity",
    "recording_notice",
    "verifies",
    "purpose",
    "empathy",
    "listening",
    "options",
    "official_channel",
    "complaint_channel",
    "respects",
    "escalates",
    "confirms_promise",
    "thanks",
]
"""What an agent does well. `respects`: grants a request to stop, to wait or to write."""
SAID: tuple[Said, ...] = get_args(Said)
CONDUCT: tuple[Conduct, ...] = get_args(Conduct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one utterance says or does, of the things that belong into the record of a call.

    `quote`: the utterance's text. `score` lies in (0, 1]. Of a promise and its confirmation: `amount` in `currency`, to
    be paid on `day`; of a `callback`: `day` and `hour`, by the debtor's clock. Each is None where it was not said.
    """

    kind: Said | Conduct
    role: Role
    start: Seconds
    end: Seconds
    quote: str
    utterance_id: str
    score: float
    amount: Decimal | None = None
    currency: Currency | None = None
    day: date | None = None
    hour: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """How one utterance sounds. `score` and `trend` lie in [-1, 1]; trend is the party's rolling mean."""

    utterance_id: str
    role: Role
    at: Seconds
    score: float
    label: SentimentLabel
    emotion: Emotion
    trend: float


Observation: TypeAlias = Finding | Withdrawn | Sentiment | Statement

Embedding: TypeAlias = NDArray[np.float32]
"""The meaning of a text: a float32 vector of length 1."""


class CallDetector(Protocol):
    """One detector's memory of one call."""

    def heard(self, utterance: Utterance) -> list[Observation]:
        """Judge one final utterance. Utterances of one role come in order; the two roles interleave by end time."""
        ...

    def elapsed(self, at: Seconds) -> list[Observation]:
        """The audio clock has reached `at`, and everything said before it has been heard. Returns what falls due by
        then."""
        ...

    def closed(self, at: Seconds) -> list[Observation]:
        """The call is over after `at` seconds. Returns the last findings. Nothing follows."""
        ...


@runtime_checkable
class Understanding(Protocol):
    """A call detector that judges by meaning."""

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        """Takes the place of `heard` where there is an encoder, and does the same with the utterance's meaning."""
        ...


class TextEncoder(Protocol):
    """Turns texts into their meanings. Blocks. It is called from any thread, also from several at once."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding for each text, shape (texts, size)."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A call detector that can judge words before their utterance has ended."""

    def foresee(self, utterance: Utterance) -> list[Finding]:
        """Findings that hold whatever is said next in an utterance that still goes on.

        The utterance's id, start and role are final; its text and end are those known so far. The call changes nothing,
        because `heard` gets the whole utterance later.
        """
        ...


@runtime_checkable
class GapAware(Protocol):
    """A call detector that blames somebody for what was not said. What was said unheard must count against nobody."""

    def unheard(self, start: Seconds, end: Seconds) -> None:
        """The agent's audio from `start` to `end` has no text. It is told in its place among the utterances."""
        ...


@runtime_checkable
class HoldAware(Protocol):
    """A call detector that goes by the time of day, and not only by the audio clock."""

    def held(self, at: Seconds, seconds: Seconds) -> None:
        """The audio clock stood still at `at` for so many `seconds` of real time, because no audio came, as on hold."""
        ...


class Detector(Protocol):
    """A loaded, validated detector."""

    id: ClassVar[str]
    """Stable, lower-case, unique in the registry: `lexical`, `duties`, `hours`, `sentiment`."""

    def open(self, call: CallContext) -> CallDetector:
        """A fresh memory for one call."""
        ...
