"""Sources become records of their own, and gateway keys belong to them.

What a key said of its source goes into a source of that name. Keys in force that said different things of one name get
a source each, the newest the name itself, the others with a number behind it. A revoked key says nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"

_OPTIONAL = ("language", "jurisdiction", "clock")
_SETTINGS = ("first_track", "timezone", *_OPTIONAL, "max_calls", "max_share")
_LONGEST_STEM = 60


def upgrade() -> None:
    _make_sources()
    _fill_sources()
    with op.batch_alter_table("gateway_keys") as keys:
        for name in _SETTINGS:
            keys.drop_column(name)
        keys.create_foreign_key("fk_gateway_keys_source", "sources", ["source"], ["name"])


def _make_sources() -> None:
    op.create_table(
        "sources",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "first_track", "timezone", "public_url")),
        *(sa.Column(name, sa.Text) for name in ("dialect", *_OPTIONAL)),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("labels", "names", "networks", "credential")),
        sa.Column("idle_seconds", sa.Double),
        sa.Column("max_calls", sa.Integer),
        sa.Column("max_share", sa.Double),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
    )


def _fill_sources() -> None:
    bind = op.get_bind()
    table = sa.table("gateway_keys", *map(sa.column, ("id", "source", "created_at", "revoked_at", *_SETTINGS)))
    revoked = sa.case((table.c.revoked_at.is_(None), 0), else_=1)
    keys = bind.execute(sa.select(table).order_by(revoked, table.c.created_at.desc(), table.c.id)).mappings().all()
    made: dict[str, dict[str, Any]] = {}
    for key in keys:
        settings = {name: key[name] for name in _SETTINGS}
        names = _names(key["source"], taken={key["source"] for key in keys})
        source = next(name for name in names if made.get(name, settings) == settings or key["revoked_at"] is not None)
        if source not in made:
            made[source] = settings
            _insert(bind, source, settings)
        if source != key["source"]:
            bind.execute(sa.update(table).where(table.c.id == key["id"]).values(source=source))


def _names(name: str, taken: set[str]) -> Iterator[str]:
    """The name itself, then what comes nearest to it and is no other key's."""
    yield name
    yield from (numbered for n in count(2) if (numbered := f"{name[:_LONGEST_STEM]}-{n}") not in taken)


def _insert(bind: sa.Connection, name: str, settings: dict[str, Any]) -> None:
    new = {"labels": {}, "names": {}, "networks": [], "credential": {"kind": "key", "name": "", "sealed": ""}}
    columns = (*map(sa.column, ("name", "public_url", *_SETTINGS)), *(sa.column(each, sa.JSON) for each in new))
    bind.execute(sa.insert(sa.table("sources", *columns)).values(name=name, public_url="", **settings, **new))
