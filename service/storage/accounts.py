"""The part of the SQL store that knows who may enter: users and gateway keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.storage import codec
from service.storage.database import Database
from service.storage.port import GatewayKey, NotFound, User
from service.storage.tables import gateway_keys, users


class SqlAccounts:
    """Users by name and gateway keys by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(self, user: User) -> None:
        async with self._database.writing(f"add user {user.name}") as connection:
            await connection.execute(sa.insert(users), codec.row_of(codec.USER, user))

    async def user(self, name: str) -> User:
        return codec.value_of(codec.USER, await self._one(users, users.c.name == name, f"no user {name}"))

    async def users(self) -> list[User]:
        """By name."""
        return [codec.value_of(codec.USER, row) for row in await self._all(users, users.c.name)]

    async def replace_user(self, user: User) -> None:
        values = {"role": user.role, "password_hash": user.password_hash, "disabled": user.disabled}
        await self._update(sa.update(users).where(users.c.name == user.name).values(values), f"no user {user.name}")

    async def add_key(self, key: GatewayKey) -> None:
        async with self._database.writing(f"add key {key.id}") as connection:
            await connection.execute(sa.insert(gateway_keys), codec.row_of(codec.KEY, key))

    async def key(self, key_id: str) -> GatewayKey:
        row = await self._one(gateway_keys, gateway_keys.c.id == key_id, f"no key {key_id}")
        return codec.value_of(codec.KEY, row)

    async def keys(self) -> list[GatewayKey]:
        """Oldest first, revoked ones included."""
        rows = await self._all(gateway_keys, gateway_keys.c.created_at, gateway_keys.c.id)
        return [codec.value_of(codec.KEY, row) for row in rows]

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """A key revoked twice keeps the first time."""
        first_time = sa.func.coalesce(gateway_keys.c.revoked_at, sa.bindparam("at", at, gateway_keys.c.revoked_at.type))
        statement = sa.update(gateway_keys).where(gateway_keys.c.id == key_id).values(revoked_at=first_time)
        await self._update(statement, f"no key {key_id}")

    async def _one(self, table: sa.Table, condition: sa.ColumnElement[bool], absent: str) -> dict[str, Any]:
        async with self._database.reading(f"read {table.name}") as connection:
            row = (await connection.execute(sa.select(table).where(condition))).mappings().one_or_none()
        if row is None:
            raise NotFound(absent)
        return dict(row)

    async def _all(self, table: sa.Table, *order: sa.Column[Any]) -> list[dict[str, Any]]:
        async with self._database.reading(f"read {table.name}") as connection:
            rows = (await connection.execute(sa.select(table).order_by(*order))).mappings().all()
        return [dict(row) for row in rows]

    async def _update(self, statement: sa.Update, absent: str) -> None:
        async with self._database.writing("change an account") as connection:
            changed = await connection.execute(statement)
        if changed.rowcount == 0:
            raise NotFound(absent)
