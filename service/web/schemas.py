"""Bodies that cross the HTTP edge and are not already facts, summaries or store values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from asr.types import CallLanguage
from detectors.contract import (
    CONDUCT,
    SAID,
    Bilingual,
    Conduct,
    Currency,
    Jurisdiction,
    PackVersion,
    Said,
    Severity,
)
from detectors.runtime.registry import RuleInfo
from detectors.timezones.zones import LONGEST
from service.access.credentials import MAX_SECRET
from service.access.source_rules import LONGEST_IDLE, MOST_CALLS, MOST_LABELS, MOST_NETWORKS
from service.access.view import ADMINS, EVERYBODY, GATEWAYS, KEEPERS, USERS, WATCHERS, View, shown_to
from service.ingest.source import Clock, CredentialKind, NamedField, Source
from service.names import NAME_PATTERN
from service.preview.masking import masked
from service.preview.values import ConnectionPreview
from service.record.facts import AlertState, NoteWritten
from service.record.note import LONGEST_TEXT, CallNote
from service.storage.port import GatewayKey, KeyRight, User, UserRole

MIN_PASSWORD = 10
MAX_PASSWORD = 256
"""Longer than any passphrase; bounds what argon2 is made to chew."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]
GivenPassword = Annotated[str, Field(max_length=MAX_PASSWORD)]


class _Body(BaseModel):
    """A request's body: unknown fields are mistakes worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(_Body):
    username: Annotated[str, Field(max_length=64)]
    password: GivenPassword


class PasswordChange(_Body):
    old: GivenPassword
    new: NewPassword


class StateChange(_Body):
    """`seen`: the state the alert was shown in. Absent stands for an undecided one."""

    state: Literal["acknowledged", "confirmed", "dismissed"]
    seen: AlertState | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class NoteChange(_Body):
    """The record of a call as it is to be. `seen`: how many edits its author has seen."""

    outcomes: Annotated[tuple[Said, ...], Field(max_length=len(SAID))] = ()
    conduct: Annotated[tuple[Conduct, ...], Field(max_length=len(CONDUCT))] = ()
    promise_amount: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)] | None = None
    promise_currency: Currency | None = None
    promise_day: date | None = None
    callback_day: date | None = None
    callback_hour: time | None = None
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    seen: Annotated[int, Field(ge=0)]

    def note(self) -> CallNote:
        """Without the count."""
        return CallNote(**self.model_dump(exclude={"seen"}))


class NewUser(_Body):
    name: Name
    role: UserRole
    password: NewPassword


class UserChange(_Body):
    """Absent fields stay as they are."""

    role: UserRole | None = None
    password: NewPassword | None = None
    disabled: bool | None = None


class NewKey(_Body):
    """A key, and what is known of its source: nothing need be said where there is one of this name."""

    source: Name
    rights: Annotated[tuple[KeyRight, ...], Field(min_length=1)] = ("stream",)
    first_track: Literal["agent", "customer"] | None = None
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    timezone: Annotated[str, Field(max_length=LONGEST)] = ""
    """Where the debtors live whom the source calls; empty where they live in several zones."""
    clock: Clock | None = None
    """What the source's audio is placed by; null: what its dialect is placed by."""
    max_calls: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_share: Annotated[float, Field(gt=0, le=1)] | None = None


def _without_defaults(schema: dict[str, Any]) -> None:
    """What is absent of a change stays as it is; a default in the document would say otherwise."""
    for field in schema["properties"].values():
        field.pop("default", None)


class NewCredential(_Body):
    """What a source's connections show, unless they show a gateway key. `name`: the header's, the user's, or
    AudioHook's API key. Without `secret` the one stays that a source has of this kind."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    kind: CredentialKind
    name: Annotated[str, Field(max_length=256)] = ""
    secret: Annotated[str, Field(max_length=MAX_SECRET)] | None = None


class SourceChange(_Body):
    """What becomes what of a source; what is absent stays as it is. `names`: under which name the vendor's metadata
    hold a field of ours."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    dialect: Annotated[str, Field(max_length=32)] | None = None
    first_track: Literal["agent", "customer"] = "customer"
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    timezone: Annotated[str, Field(max_length=LONGEST)] = ""
    clock: Clock | None = None
    labels: Annotated[dict[str, str], Field(max_length=MOST_LABELS)] = Field(default_factory=dict[str, str])
    names: dict[NamedField, str] = Field(default_factory=dict[NamedField, str])
    credential: NewCredential | None = None
    public_url: Annotated[str, Field(max_length=1024)] = ""
    idle_seconds: Annotated[float, Field(ge=1, le=LONGEST_IDLE)] | None = None
    networks: Annotated[tuple[str, ...], Field(max_length=MOST_NETWORKS)] = ()
    max_calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] | None = None
    max_share: Annotated[float, Field(gt=0, le=1)] | None = None


class NewSource(SourceChange):
    name: Name


class NewReservation(_Body):
    """A call that is told of before its legs connect; the fields mean what they do in the native start message, and
    take what they take there: what a call can do without may be anything."""

    call_id: str | int
    legs: tuple[Literal["agent", "customer"], ...] = ("agent", "customer")
    language: str | None = None
    jurisdiction: str | None = None
    started_at: str | None = None
    agent: JsonValue = None
    customer: JsonValue = None
    metadata: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What went wrong: `code` for programs, `message` for people, `field` where one is to blame."""

    code: str
    message: str
    field: str | None = None


@shown_to(EVERYBODY)
@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    error: Fault


@shown_to(WATCHERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAnswer:
    """The record of a call as it stands now, and who wrote what into it, oldest first."""

    note: CallNote
    edits: tuple[NoteWritten, ...]


Right = Literal["watch", "decide", "keys", "users", "webhooks"]
"""`watch` calls and recordings and acknowledge alerts; `decide` alerts and export records; manage gateway `keys`,
`users`, `webhooks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    name: str
    role: UserRole
    rights: tuple[Right, ...]


@shown_to(USERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnswer:
    """Who is logged in, and the token every change must carry as `X-CSRF-Token`."""

    user: Who
    csrf: str


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UserAnswer:
    name: str
    role: UserRole
    created_at: datetime
    disabled: bool


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UsersAnswer:
    users: tuple[UserAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAnswer:
    """A credential without its secret, which no one can read again."""

    kind: CredentialKind
    name: str


@shown_to(KEEPERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """What is known of a gateway; the fields are those of a source's change."""

    name: str
    dialect: str | None
    first_track: Literal["agent", "customer"]
    language: CallLanguage | None
    jurisdiction: Jurisdiction | None
    timezone: str
    clock: Clock | None
    labels: Mapping[str, str]
    names: Mapping[NamedField, str]
    credential: CredentialAnswer
    public_url: str
    idle_seconds: float | None
    networks: tuple[str, ...]
    max_calls: int | None
    max_share: float | None


@shown_to(KEEPERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesAnswer:
    sources: tuple[SourceAnswer, ...]


def _connections_seen(view: View, answer: ConnectionsAnswer) -> ConnectionsAnswer:
    """Who set a gateway up sees of which form personal data are; admins see them."""
    return answer if view == "admin" else replace(answer, connections=tuple(map(masked, answer.connections)))


@shown_to(KEEPERS, part=_connections_seen)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsAnswer:
    """Connections of a source, or those that fit none, the newest first."""

    connections: tuple[ConnectionPreview, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer:
    """A gateway key without its secret, which no one can read again."""

    id: str
    source: str
    rights: tuple[KeyRight, ...]
    first_track: Literal["agent", "customer"]
    language: CallLanguage | None
    jurisdiction: Jurisdiction | None
    timezone: str
    clock: Clock | None
    created_at: datetime
    revoked_at: datetime | None
    max_calls: int | None
    max_share: float | None


@shown_to(KEEPERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class KeysAnswer:
    keys: tuple[KeyAnswer, ...]


@shown_to(KEEPERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeyAnswer(KeyAnswer):
    """The one time that the whole key is shown."""

    key: str


@shown_to(GATEWAYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationAnswer:
    """A token for each leg, by its role, and for how long it may connect."""

    call_id: str
    tokens: Mapping[Literal["agent", "customer"], str]
    seconds: float


@shown_to(WATCHERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAnswer:
    """`pack` tells which rules these are."""

    pack: PackVersion
    rules: tuple[RuleInfo, ...]


@shown_to(WATCHERS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceAnswer:
    """What a reader of calls and alerts needs to know besides: the names of the laws that `cites` name by their codes,
    and what one alert of each severity adds to a call's `risk`."""

    laws: Mapping[str, Bilingual]
    risk_weights: Mapping[Severity, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing the service needs: does it work, and if not, what is to be done. Without what is not `required` calls
    are still taken."""

    ok: bool
    message: str = ""
    required: bool = True


def _readiness_seen(view: View, readiness: Readiness) -> Readiness:
    """Strangers are told what fails, and not why."""
    if view != "stranger":
        return readiness
    return replace(readiness, checks={name: replace(check, message="") for name, check in readiness.checks.items()})


@shown_to(EVERYBODY, part=_readiness_seen)
@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    ready: bool
    checks: dict[str, Check]


@shown_to(EVERYBODY)
@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    status: Literal["ok"] = "ok"


def user_answer(user: User) -> UserAnswer:
    """The user without the password hash."""
    return UserAnswer(name=user.name, role=user.role, created_at=user.created_at, disabled=user.disabled)


def source_answer(source: Source) -> SourceAnswer:
    """The source without its secret."""
    shown: dict[str, Any] = {field.name: getattr(source, field.name) for field in fields(SourceAnswer)}
    shown["credential"] = CredentialAnswer(kind=source.credential.kind, name=source.credential.name)
    return SourceAnswer(**shown)


def key_answer(key: GatewayKey) -> KeyAnswer:
    """The key without the secret's hash."""
    source = key.source
    return KeyAnswer(
        id=key.id,
        source=source.name,
        rights=key.rights,
        first_track=source.first_track,
        language=source.language,
        jurisdiction=source.jurisdiction,
        timezone=source.timezone,
        clock=source.clock,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        max_calls=source.max_calls,
        max_share=source.max_share,
    )


def new_key_answer(key: GatewayKey, plaintext: str) -> NewKeyAnswer:
    """The key with its secret."""
    return NewKeyAnswer(key=plaintext, **asdict(key_answer(key)))
