"""The rules that a finding was made by, the sound of an utterance, and calls by their debtor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    for table in ("findings", "alerts"):
        op.add_column(table, sa.Column("pack", sa.JSON))
    op.add_column("alerts", sa.Column("detector", sa.Text, nullable=False, server_default=""))
    op.add_column("utterances", sa.Column("acoustics", sa.JSON))
    op.create_index("ix_calls_customer_started_at", "calls", ["customer", "started_at"])
