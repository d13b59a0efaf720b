"""The first schema.

Types are spelled out here and not taken from `service.storage.tables`: a migration says what was, not what is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _figure(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _of_call(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=f"fk_{table}_call_id", ondelete="CASCADE")


def _evidence() -> list[sa.Column[Any]]:
    texts = [_text(name) for name in ("kind", "category", "rule", "severity")]
    span = [_figure("score"), _text("role"), _figure("start"), _figure("end"), _text("quote")]
    reasons = [_json("title"), _json("why"), _json("cites")]
    return [*texts, *span, *reasons, _text("utterance_id", nullable=True), _flag("decided_by_transcript")]


def upgrade() -> None:
    _calls_and_log()
    _what_was_said()
    _what_was_found()
    _who_may_enter()


def _calls_and_log() -> None:
    op.create_table(
        "calls",
        _text("id"),
        _number("seq"),
        *(_text(name) for name in ("state", "source", "agent", "customer", "language", "jurisdiction")),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        _figure("duration"),
        _number("risk"),
        _number("alert_count"),
        _text("summary"),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_started_at_id", "calls", ["started_at", "id"])
    op.create_index("ix_calls_state", "calls", ["state"])
    op.create_index("ix_calls_agent", "calls", ["agent"])
    op.create_table(
        "events",
        _text("call_id"),
        _number("seq"),
        _moment("at"),
        _text("type"),
        _text("payload"),
        _of_call("events"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="pk_events"),
    )


def _what_was_said() -> None:
    op.create_table(
        "utterances",
        *(_text("call_id"), _text("id"), _number("seq"), _text("role"), _number("index")),
        *(_figure("start"), _figure("end"), _text("text"), _text("language"), _figure("confidence"), _json("words")),
        _of_call("utterances"),
        sa.PrimaryKeyConstraint("call_id", "id", name="pk_utterances"),
    )
    op.create_table(
        "sentiments",
        *(_text("call_id"), _number("seq"), _text("utterance_id"), _text("role"), _figure("at")),
        *(_figure("score"), _text("label"), _text("emotion"), _figure("trend")),
        _of_call("sentiments"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="pk_sentiments"),
    )
    op.create_table(
        "gaps",
        *(_text("call_id"), _number("seq"), _text("role", nullable=True)),
        *(_figure("start"), _figure("end"), _text("reason")),
        _of_call("gaps"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="pk_gaps"),
    )


def _what_was_found() -> None:
    op.create_table(
        "findings",
        *(_text("call_id"), _number("seq"), _text("detector"), *_evidence()),
        _of_call("findings"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="pk_findings"),
    )
    op.create_index("ix_findings_category", "findings", ["category"])
    op.create_table(
        "alerts",
        *(_text("id"), _text("call_id"), _number("seq"), *_evidence(), _moment("raised_at"), _figure("latency")),
        *(_text("state"), _text("changed_by", nullable=True), _moment("changed_at", nullable=True), _text("note")),
        _of_call("alerts"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_raised_at_id", "alerts", ["raised_at", "id"])
    op.create_index("ix_alerts_state_raised_at", "alerts", ["state", "raised_at"])
    op.create_index("ix_alerts_call_id", "alerts", ["call_id"])


def _who_may_enter() -> None:
    op.create_table(
        "users",
        *(_text("name"), _text("role"), _text("password_hash"), _moment("created_at"), _flag("disabled")),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "gateway_keys",
        *(_text("id"), _text("source"), _text("secret_hash"), _json("rights"), _text("first_track")),
        *(_moment("created_at"), _moment("revoked_at", nullable=True)),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_keys"),
    )
