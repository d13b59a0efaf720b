"""The ports of the store, one for each kind of reader. One contract suite checks every implementation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from asr.types import Utterance
from detectors.contract import EarlierContact, Finding, Sentiment, Severity, Statement
from service.ingest.source import Source
from service.record.export import RecordRow
from service.record.facts import (
    Alert,
    AlertState,
    Call,
    CallState,
    Fact,
    FindingWithdrawn,
    GapMarked,
    NoteWritten,
    Notice,
)
from service.record.note import CallNote
from service.record.summary import CallSummary
from service.storage.outbox_port import Outbox

UserRole = Literal["supervisor", "compliance", "integrator", "admin"]

KeyRight = Literal["stream", "events", "metrics"]
"""`stream` may send calls; `events` may also ask for a call's events back; `metrics` may read /metrics."""


class StorageError(Exception):
    """Base of everything a store raises."""


class StorageUnavailable(StorageError):
    """The database cannot be written or read now (full disk, lock, lost server): try again later."""


class NotFound(StorageError):
    """No such call, alert, user, source or key."""


class AlreadyExists(StorageError):
    """A user name, source name, key or call id is taken."""


class StaleChange(StorageError):
    """The thing to be changed is no longer as it was seen: an alert in another state, a source that somebody else
    changed."""


class LastAdmin(StorageError):
    """The change would leave no enabled admin, so nobody could undo it."""


class SourceInUse(StorageError):
    """The source has gateway keys in force."""


class TooManyWebhooks(StorageError):
    """There are as many webhooks as there can be."""


class Unstorable(StorageError):
    """A value no store can keep: a figure that is not finite, a fact of another call, an identifier over 512 bytes."""


class InvalidCursor(StorageError):
    """The cursor is not the `next` of a page of this query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFact:
    """One line of a call's append-only event log. `seq` counts from 1 within the call, without holes."""

    call_id: str
    seq: int
    at: datetime
    fact: Fact
    summary: CallSummary
    """The call's summary with this fact folded in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Everything known of a call, as the replay page needs it. Tuples in the order of their time.

    `note`: the record of its outcome as the last person left it, else as it is drafted from `statements`.
    """

    summary: CallSummary
    utterances: tuple[Utterance, ...]
    sentiments: tuple[Sentiment, ...]
    findings: tuple[Finding, ...]
    alerts: tuple[Alert, ...]
    gaps: tuple[GapMarked, ...]
    notices: tuple[Notice, ...]
    withdrawals: tuple[FindingWithdrawn, ...]
    statements: tuple[Statement, ...]
    note: CallNote
    edits: tuple[NoteWritten, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuery:
    """Newest first. `cursor` is the `next` of the page before.

    `text` is looked for in agent, customer, id and what was said.
    """

    state: CallState | None = None
    flagged: bool | None = None
    agent: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """One page of calls; `next` is the cursor of the page after it, None on the last one."""

    calls: tuple[CallSummary, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """One page of records; `next` as in CallPage."""

    rows: tuple[RecordRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """Newest first."""

    states: tuple[AlertState, ...] = ()
    severities: tuple[Severity, ...] = ()
    call_id: str | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """`calls`: those that the page's alerts were raised in, each once."""

    alerts: tuple[Alert, ...]
    calls: tuple[Call, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    role: UserRole
    password_hash: str
    created_at: datetime
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What of a user becomes what; None stays as it is."""

    role: UserRole | None = None
    password_hash: str | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """A gateway's key: `id` is its public part, `secret_hash` a SHA-256 of the secret part.

    `source` is whose it is, as it was known when the key was read. A source may have several keys.
    """

    id: str
    source: Source
    secret_hash: str
    rights: tuple[KeyRight, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class Gateway(Protocol):
    """Who connects: a gateway key, or a source that showed another credential."""

    @property
    def source(self) -> Source:
        """The source of its calls."""
        ...

    @property
    def rights(self) -> tuple[KeyRight, ...]:
        """What it may do."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeylessGateway:
    """A source whose connection showed its credential, and no key."""

    source: Source
    rights: tuple[KeyRight, ...] = ("stream", "events")


AuditEvent = Literal[
    "login_succeeded",
    "login_failed",
    "login_throttled",
    "logout",
    "password_changed",
    "key_refused",
    "handshake_denied",
    "live_opened",
    "recording_played",
    "transcript_read",
    "records_exported",
    "alert_changed",
    "note_written",
    "user_added",
    "user_changed",
    "source_added",
    "source_changed",
    "source_removed",
    "key_made",
    "key_revoked",
    "webhook_added",
    "webhook_removed",
    "webhook_tested",
    "webhook_stopped",
    "delivery_resent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the audit log. `who` is the user, empty for an unknown one. `subject` is what the event was done to:
    a call, an alert, a user, a source, a key or a webhook."""

    at: datetime
    event: AuditEvent
    who: str
    subject: str
    address: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """The newest `limit` entries that are so."""

    event: AuditEvent | None = None
    who: str | None = None
    subject: str | None = None
    limit: int = 50


MOST_CONTACTS = 100
"""Calls with one debtor in a month that are told: more than any law allows, and any habit shows in them."""


class FactLog(Protocol):
    """Every call's append-only log. Every method may raise StorageUnavailable; nothing is half written."""

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        """Write facts to the call's event log and its tables, in one transaction, in order.

        The first fact of a call is CallOpened (AlreadyExists if the id is taken); NotFound for an unknown call or
        alert; AlreadyExists for an utterance or alert id that is taken; StaleChange as in `change_alert`; Unstorable.
        Text that cannot be stored everywhere (NUL, lone surrogates) comes back with U+FFFD in its place.
        """
        ...

    async def facts(self, call_id: str, after: int = 0, limit: int = 1000) -> list[LoggedFact]:
        """The event log after `seq`, oldest first; NotFound. The summary in each is the call's present one."""
        ...

    def storable(self, fact: Fact, call_id: str) -> Fact:
        """The fact as the log of this call would give it back. Needs no database; raises Unstorable."""
        ...


class CallIndex(Protocol):
    """What is known of calls. Every method may raise StorageUnavailable."""

    async def call(self, call_id: str) -> CallRecord:
        """Everything known of a call; NotFound."""
        ...

    async def summary(self, call_id: str) -> CallSummary:
        """The present summary of a call; NotFound."""
        ...

    async def calls(self, query: CallQuery) -> CallPage:
        """A page of calls; InvalidCursor."""
        ...

    async def live_calls(self) -> list[CallSummary]:
        """Calls nobody closed, oldest first, whoever owns them."""
        ...

    async def contacts(
        self, customer: str, since: datetime, but: str, known_at: datetime | None = None
    ) -> tuple[EarlierContact, ...]:
        """Calls with this customer that began since then, of any source, newest first, but for the call `but`; at most
        MOST_CONTACTS. `known_at`: as the log had them then, None for now."""
        ...

    async def next_call_id(self, announced: str, claimed: Collection[str] = ()) -> str:
        """An id that no call has: the announced one, else `announced~n` with some n from 2 on.

        `claimed` are ids given to calls whose opening may not be stored yet. Reads a number of rows that grows with
        the logarithm of how many calls have had the id.
        """
        ...


OWNED_FOR = timedelta(seconds=30)
"""A live call is its owner's for so long after that last said so. Clocks of installations on one database may differ by
some seconds."""


class CallOwnership(Protocol):
    """Which installation a live call belongs to, of several on one database. Every method may raise
    StorageUnavailable."""

    async def own(self, call_ids: Collection[str], now: datetime) -> None:
        """These live calls are this installation's for OWNED_FOR more; a call is from its opening, and from
        where it goes on after its end."""
        ...

    async def left(self, now: datetime, *, own: bool) -> list[CallSummary]:
        """Live calls that nobody owns any more, oldest first; with `own` this installation's, too: at the start, those
        that its last process left."""
        ...


class AlertQueue(Protocol):
    """Alerts and what people decide about them. Every method may raise StorageUnavailable."""

    async def alert(self, alert_id: str) -> Alert:
        """An alert by its id; NotFound."""
        ...

    async def alerts(self, query: AlertQuery) -> AlertPage:
        """A page of alerts; InvalidCursor."""
        ...

    async def change_alert(
        self,
        alert_id: str,
        state: AlertState,
        by: str,
        at: datetime,
        note: str,
        among: Collection[AlertState] | None = None,
    ) -> LoggedFact:
        """Move an alert: open -> acknowledged -> confirmed | dismissed (acknowledging may be skipped); a decision
        may be changed to the other one, never undone to open. `among`: the states it may be in now, for one who
        decides by what they saw. StaleChange otherwise."""
        ...


class CallNotes(Protocol):
    """The records of calls, and what people write into them. Every method may raise StorageUnavailable."""

    async def records(self, query: CallQuery) -> RecordPage:
        """The records of a page of calls; InvalidCursor."""
        ...

    async def write_note(self, call_id: str, note: CallNote, by: str, at: datetime, seen: int) -> LoggedFact:
        """Correct the record of a call of which the author has seen `seen` edits: StaleChange where there are more by
        now, for nobody's correction is lost unseen. NotFound, Unstorable."""
        ...


class Sources(Protocol):
    """What is known of gateways. Every method may raise StorageUnavailable."""

    async def add_source(self, source: Source) -> None:
        """AlreadyExists."""
        ...

    async def source(self, name: str) -> Source:
        """A source by its name; NotFound."""
        ...

    async def sources(self) -> list[Source]:
        """All sources, by name."""
        ...

    async def change_source(self, changed: Source, seen: Source) -> None:
        """Put it in the place of the source of its name. NotFound; StaleChange where that is not any more as `seen`,
        for nobody's change is lost unseen."""
        ...

    async def remove_source(self, name: str) -> None:
        """Remove it with its revoked keys. NotFound, SourceInUse. What is stored of its calls keeps its name."""
        ...


class Accounts(Protocol):
    """Users and gateway keys. Every method may raise StorageUnavailable."""

    async def add_user(self, user: User) -> None:
        """AlreadyExists also for a name that differs from another in the case of its letters alone."""
        ...

    async def user(self, name: str) -> User:
        """A user by name; NotFound."""
        ...

    async def users(self) -> list[User]:
        """All users, by name."""
        ...

    async def change_user(self, name: str, changes: UserChanges) -> User:
        """Change a user, who is returned as they are now. NotFound, LastAdmin."""
        ...

    async def add_key(self, key: GatewayKey) -> None:
        """Its source is added with it, if there is none of its name. AlreadyExists for a taken id, and where the
        source is stored with other settings than the key says."""
        ...

    async def key(self, key_id: str) -> GatewayKey:
        """A key by its id; NotFound."""
        ...

    async def keys(self) -> list[GatewayKey]:
        """All keys, oldest first, revoked ones included."""
        ...

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """End a key. One that was revoked before keeps its first time. NotFound."""
        ...


class AuditTrail(Protocol):
    """Who did what. Every method may raise StorageUnavailable."""

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add to the audit log, in order. Nothing changes it or takes from it."""
        ...

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        """Newest first."""
        ...


class Checked(Protocol):
    """A store whose state can be asked for."""

    async def check(self) -> None:
        """Raises StorageUnavailable, with the reason, where nothing can be read or written now."""
        ...


class CallStore(FactLog, CallIndex, CallOwnership, AlertQueue, CallNotes, Checked, Protocol):
    """What the path of a call needs: its log, what is known of it, its alerts, its record."""


class Store(CallStore, Sources, Accounts, AuditTrail, Outbox, AbstractAsyncContextManager[object], Protocol):
    """Everything, for the composition root and the endpoints. One contract suite holds each implementation to it.

    Entering connects and brings the schema to the newest migration; it raises StorageError.
    """
