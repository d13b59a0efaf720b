"""The audit log's rows, inside a transaction of the caller's. They are only ever added to."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from service.storage import codec
from service.storage.port import AuditEntry, AuditQuery
from service.storage.tables import audit


def add(connection: sa.Connection, entries: Sequence[AuditEntry]) -> None:
    if entries:
        connection.execute(sa.insert(audit), [codec.row_of(codec.AUDIT, entry) for entry in entries])


def newest(connection: sa.Connection, query: AuditQuery) -> list[AuditEntry]:
    statement = sa.select(audit).order_by(audit.c.id.desc()).limit(max(1, query.limit))
    for column, wanted in ((audit.c.event, query.event), (audit.c.who, query.who), (audit.c.subject, query.subject)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return [codec.value_of(codec.AUDIT, row) for row in connection.execute(statement).mappings()]
