"""The time zone of the debtors a source calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("gateway_keys", sa.Column("timezone", sa.Text, nullable=False, server_default=""))
