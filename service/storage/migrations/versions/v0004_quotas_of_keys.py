"""A gateway key may have at most so many live calls, and so much of the speech that can be recognised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.add_column("gateway_keys", sa.Column("max_calls", sa.Integer))
    op.add_column("gateway_keys", sa.Column("max_share", sa.Double))
