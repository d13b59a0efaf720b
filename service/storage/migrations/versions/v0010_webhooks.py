"""Webhooks, and the outbox of what each is told.

A delivery refers to its webhook by name alone: a call's facts are stored together with what is told of them, and must
not wait for, or fail with, somebody who removes the webhook in the same moment.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"

_MOMENT = sa.DateTime(timezone=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "webhooks",
        *_texts("name", "origin", "sealed_url", "sealed_secret", "shape", "language", "timezone", "stopped_why"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("alerts_from", sa.Text),
        sa.Column("call_started", sa.Boolean, nullable=False),
        sa.Column("call_ended", sa.Boolean, nullable=False),
        sa.Column("digest_hour", sa.Integer),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", _MOMENT),
        sa.Column("stopped_at", _MOMENT),
        sa.PrimaryKeyConstraint("name", name="pk_webhooks"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        *_texts("webhook", "event_id", "event", "state", "answer", "problem"),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried_at", _MOMENT),
        sa.Column("status", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_webhook_event_id", "deliveries", ["webhook", "event_id"], unique=True)
    op.create_index("ix_deliveries_webhook_id", "deliveries", ["webhook", "id"])
    op.create_index("ix_deliveries_due_at", "deliveries", ["due_at"])
