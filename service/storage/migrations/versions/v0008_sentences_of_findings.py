"""The sentence that a finding's words stand in, and the one that was said before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    for table in ("findings", "alerts"):
        for name in ("sentence", "lead"):
            op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
        op.add_column(table, sa.Column("lead_role", sa.Text))
