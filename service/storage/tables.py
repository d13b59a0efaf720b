"""The tables, as SQLAlchemy sees them. The migrations make them; a test holds the two together.

The event log (`events`) is the truth and is only ever added to. The other tables of a call are its facts spread out
for queries, written in the same transaction. Column names are the field names of the dataclasses they hold.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from service.storage.codec import storable_text


class Words(sa.TypeDecorator[str]):
    """Text without what PostgreSQL or UTF-8 refuses, on the way in and in every comparison."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable_text(value)


class Moment(sa.TypeDecorator[datetime]):
    """An instant, kept in UTC; SQLite has no type for zones. Naive values are refused: which hour was meant?"""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no UTC offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _call_id() -> sa.Column[Any]:
    """A call is forgotten as a whole or not at all."""
    return sa.Column("call_id", Words, sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False)


calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("source", Words, nullable=False),
    sa.Column("agent", Words, nullable=False),
    sa.Column("customer", Words, nullable=False),
    sa.Column("language", Words, nullable=False),
    sa.Column("jurisdiction", Words, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("duration", sa.Double, nullable=False),
    sa.Column("risk", sa.Integer, nullable=False),
    sa.Column("alert_count", sa.Integer, nullable=False),  # those nobody dismissed: what "flagged" means
    sa.Column("summary", sa.Text, nullable=False),  # CallSummary as JSON: the call's present state, folded
    sa.Column("owner", Words),  # the installation that a live call belongs to, and until when unless it says so again
    sa.Column("owned_until", Moment),
    sa.Index(None, "started_at", "id"),
    sa.Index(None, "state"),
    sa.Index(None, "agent"),
    sa.Index(None, "customer", "started_at"),
)

events = sa.Table(
    "events",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("type", Words, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # the Fact as JSON
    sa.PrimaryKeyConstraint("call_id", "seq"),
)

utterances = sa.Table(
    "utterances",
    metadata,
    _call_id(),
    sa.Column("id", Words, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("role", Words, nullable=False),
    sa.Column("index", sa.Integer, nullable=False),
    sa.Column("start", sa.Double, nullable=False),
    sa.Column("end", sa.Double, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("language", Words, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("words", sa.JSON, nullable=False),
    sa.Column("acoustics", sa.JSON),
    sa.PrimaryKeyConstraint("call_id", "id"),
)

sentiments = sa.Table(
    "sentiments",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("utterance_id", Words, nullable=False),
    sa.Column("role", Words, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("label", Words, nullable=False),
    sa.Column("emotion", Words, nullable=False),
    sa.Column("trend", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("call_id", "seq"),
)


def _evidence() -> list[sa.Column[Any]]:
    """What a finding and the alert it raises have in common."""
    return [
        sa.Column("kind", Words, nullable=False),
        sa.Column("category", Words, nullable=False),
        sa.Column("rule", Words, nullable=False),
        sa.Column("severity", Words, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("quote", Words, nullable=False),
        sa.Column("title", sa.JSON, nullable=False),
        sa.Column("why", sa.JSON, nullable=False),
        sa.Column("cites", sa.JSON, nullable=False),
        sa.Column("utterance_id", Words),
        sa.Column("decided_by_transcript", sa.Boolean, nullable=False),
        sa.Column("pack", sa.JSON),  # the rules that were in force
        sa.Column("sentence", Words, nullable=False, server_default=""),
        sa.Column("lead", Words, nullable=False, server_default=""),
        sa.Column("lead_role", Words),
    ]


findings = sa.Table(
    "findings",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("detector", Words, nullable=False),
    *_evidence(),
    sa.PrimaryKeyConstraint("call_id", "seq"),
    sa.Index(None, "category"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", Words, primary_key=True),
    _call_id(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("detector", Words, nullable=False, server_default=""),
    *_evidence(),
    sa.Column("raised_at", Moment, nullable=False),
    sa.Column("latency", sa.Double, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("changed_by", Words),
    sa.Column("changed_at", Moment),
    sa.Column("note", Words, nullable=False),
    sa.Index(None, "raised_at", "id"),
    sa.Index(None, "state", "raised_at"),
    sa.Index(None, "call_id"),
)

gaps = sa.Table(
    "gaps",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("role", Words),
    sa.Column("start", sa.Double, nullable=False),
    sa.Column("end", sa.Double, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.PrimaryKeyConstraint("call_id", "seq"),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("role", Words, nullable=False),
    sa.Column("password_hash", Words, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("dialect", Words),
    sa.Column("first_track", Words, nullable=False),
    sa.Column("language", Words),
    sa.Column("jurisdiction", Words),
    sa.Column("timezone", Words, nullable=False),
    sa.Column("clock", Words),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("credential", sa.JSON, nullable=False),  # its secret sealed
    sa.Column("public_url", Words, nullable=False),
    sa.Column("idle_seconds", sa.Double),
    sa.Column("networks", sa.JSON, nullable=False),
    sa.Column("max_calls", sa.Integer),
    sa.Column("max_share", sa.Double),
)

gateway_keys = sa.Table(
    "gateway_keys",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("source", Words, sa.ForeignKey("sources.name"), nullable=False),
    sa.Column("secret_hash", Words, nullable=False),
    sa.Column("rights", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("event", Words, nullable=False),
    sa.Column("who", Words, nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("address", Words, nullable=False),
    sa.Column("detail", Words, nullable=False),
    sa.Index(None, "subject"),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("origin", Words, nullable=False),
    sa.Column("sealed_url", Words, nullable=False),
    sa.Column("sealed_secret", Words, nullable=False),
    sa.Column("shape", Words, nullable=False),
    sa.Column("language", Words, nullable=False),
    sa.Column("timezone", Words, nullable=False),
    sa.Column("alerts_from", Words),
    sa.Column("call_started", sa.Boolean, nullable=False),
    sa.Column("call_ended", sa.Boolean, nullable=False),
    sa.Column("digest_hour", sa.Integer),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", Moment),
    sa.Column("stopped_at", Moment),
    sa.Column("stopped_why", Words, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("webhook", Words, nullable=False),  # by name alone: see the migration
    sa.Column("event_id", Words, nullable=False),
    sa.Column("event", Words, nullable=False),  # OutgoingEvent as JSON
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("due_at", Moment),  # null once it is over
    sa.Column("state", Words, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("tried_at", Moment),
    sa.Column("status", sa.Integer),
    sa.Column("answer", Words, nullable=False),
    sa.Column("problem", Words, nullable=False),
    sa.Index(None, "webhook", "event_id", unique=True),
    sa.Index(None, "webhook", "id"),
    sa.Index(None, "due_at"),
)
