"""A live call belongs to one installation for as long as that says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.add_column("calls", sa.Column("owner", sa.Text))
    op.add_column("calls", sa.Column("owned_until", sa.DateTime(timezone=True)))
