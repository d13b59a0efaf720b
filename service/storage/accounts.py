"""The part of the SQL store that knows who may enter: users and gateway keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.storage import codec
from service.storage.database import Database
from service.storage.port import AlreadyExists, GatewayKey, LastAdmin, NotFound, User, UserChanges
from service.storage.tables import gateway_keys, users


class SqlAccounts:
    """Users by name and gateway keys by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(self, user: User) -> None:
        doing = f"add user {user.name}"

        def add(connection: sa.Connection) -> None:
            alike = sa.select(users.c.name).where(sa.func.lower(users.c.name) == user.name.lower())
            if connection.execute(alike).first() is not None:
                raise AlreadyExists(f"{doing}: it is there already")
            connection.execute(sa.insert(users), codec.row_of(codec.USER, user))

        await self._database.write(doing, add)

    async def user(self, name: str) -> User:
        return codec.value_of(codec.USER, await self._one(users, users.c.name == name, f"no user {name}"))

    async def users(self) -> list[User]:
        """By name."""
        return [codec.value_of(codec.USER, row) for row in await self._all(users, users.c.name)]

    async def change_user(self, name: str, changes: UserChanges) -> User:
        def change(connection: sa.Connection) -> User:
            # The admins' rows are locked first, in order: of two who disable each other the second sees the first.
            working = sa.and_(users.c.role == "admin", users.c.disabled.is_(False))
            admins = connection.execute(sa.select(users.c.name).where(working).order_by(users.c.name).with_for_update())
            others = [admin for admin in admins.scalars() if admin != name]
            row = connection.execute(sa.select(users).where(users.c.name == name).with_for_update()).mappings()
            present = row.one_or_none()
            if present is None:
                raise NotFound(f"no user {name}")
            before = codec.value_of(codec.USER, present)
            after = _changed(before, changes)
            if _works_as_admin(before) and not _works_as_admin(after) and not others:
                raise LastAdmin(f"{name} is the last admin; make another one first")
            values = {"role": after.role, "password_hash": after.password_hash, "disabled": after.disabled}
            connection.execute(sa.update(users).where(users.c.name == name).values(values))
            return after

        return await self._database.write(f"change user {name}", change)

    async def add_key(self, key: GatewayKey) -> None:
        await self._insert(gateway_keys, codec.key_row(key), f"add key {key.id}")

    async def key(self, key_id: str) -> GatewayKey:
        row = await self._one(gateway_keys, gateway_keys.c.id == key_id, f"no key {key_id}")
        return codec.key_of(row)

    async def keys(self) -> list[GatewayKey]:
        """Oldest first, revoked ones included."""
        rows = await self._all(gateway_keys, gateway_keys.c.created_at, gateway_keys.c.id)
        return [codec.key_of(row) for row in rows]

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """A key revoked twice keeps the first time."""
        first_time = sa.func.coalesce(gateway_keys.c.revoked_at, sa.bindparam("at", at, gateway_keys.c.revoked_at.type))
        statement = sa.update(gateway_keys).where(gateway_keys.c.id == key_id).values(revoked_at=first_time)
        await self._update(statement, f"no key {key_id}")

    async def _insert(self, table: sa.Table, row: dict[str, Any], doing: str) -> None:
        await self._database.write(doing, lambda connection: connection.execute(sa.insert(table), row))

    async def _one(self, table: sa.Table, condition: sa.ColumnElement[bool], absent: str) -> sa.RowMapping:
        def find(connection: sa.Connection) -> sa.RowMapping | None:
            return connection.execute(sa.select(table).where(condition)).mappings().one_or_none()

        row = await self._database.read(f"read {table.name}", find)
        if row is None:
            raise NotFound(absent)
        return row

    async def _all(self, table: sa.Table, *order: sa.Column[Any]) -> Sequence[sa.RowMapping]:
        def find(connection: sa.Connection) -> Sequence[sa.RowMapping]:
            return connection.execute(sa.select(table).order_by(*order)).mappings().all()

        return await self._database.read(f"read {table.name}", find)

    async def _update(self, statement: sa.Update, absent: str) -> None:
        def update(connection: sa.Connection) -> int:
            return connection.execute(statement).rowcount

        if await self._database.write("change an account", update) == 0:
            raise NotFound(absent)


def _changed(user: User, changes: UserChanges) -> User:
    return replace(
        user,
        role=changes.role or user.role,
        password_hash=changes.password_hash or user.password_hash,
        disabled=user.disabled if changes.disabled is None else changes.disabled,
    )


def _works_as_admin(user: User) -> bool:
    return user.role == "admin" and not user.disabled
