"""What a source says of its calls: their language, their jurisdiction and the clock of their audio."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    for name in ("language", "jurisdiction", "clock"):
        op.add_column("gateway_keys", sa.Column(name, sa.Text))
