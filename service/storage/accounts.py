"""The part of the SQL store that knows who may enter: users, sources and their gateway keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from service.ingest.source import Source
from service.storage import codec, source_rows
from service.storage.database import Database
from service.storage.port import AlreadyExists, GatewayKey, LastAdmin, NotFound, User, UserChanges
from service.storage.tables import gateway_keys, sources, users

_KEYS = sa.select(gateway_keys, sources).join(sources, gateway_keys.c.source == sources.c.name)


class SqlAccounts:
    """Users and sources by name, gateway keys by id."""

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
        return codec.value_of(
            codec.USER, await self._one(sa.select(users).where(users.c.name == name), f"no user {name}")
        )

    async def users(self) -> list[User]:
        """All users, by name."""
        rows = await self._all(sa.select(users).order_by(users.c.name))
        return [codec.value_of(codec.USER, row) for row in rows]

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

    async def add_source(self, source: Source) -> None:
        await self._database.write(f"add source {source.name}", partial(source_rows.add, source=source))

    async def source(self, name: str) -> Source:
        found = await self._database.read(f"read source {name}", partial(source_rows.find, name=name))
        if found is None:
            raise NotFound(f"no source {name}")
        return found

    async def sources(self) -> list[Source]:
        """All sources, by name."""
        return await self._database.read("read sources", source_rows.every)

    async def change_source(self, changed: Source, seen: Source) -> None:
        work = partial(source_rows.change, changed=changed, seen=seen)
        await self._database.write(f"change source {changed.name}", work)

    async def remove_source(self, name: str) -> None:
        await self._database.write(f"remove source {name}", partial(source_rows.remove, name=name))

    async def add_key(self, key: GatewayKey) -> None:
        def add(connection: sa.Connection) -> None:
            source_rows.add_unless_there(connection, key.source)
            connection.execute(sa.insert(gateway_keys), codec.key_row(key))

        await self._database.write(f"add key {key.id}", add)

    async def key(self, key_id: str) -> GatewayKey:
        return codec.key_of(await self._one(_KEYS.where(gateway_keys.c.id == key_id), f"no key {key_id}"))

    async def keys(self) -> list[GatewayKey]:
        """All keys, oldest first, revoked ones included."""
        rows = await self._all(_KEYS.order_by(gateway_keys.c.created_at, gateway_keys.c.id))
        return [codec.key_of(row) for row in rows]

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """A key revoked twice keeps the first time."""
        first_time = sa.func.coalesce(gateway_keys.c.revoked_at, sa.bindparam("at", at, gateway_keys.c.revoked_at.type))
        statement = sa.update(gateway_keys).where(gateway_keys.c.id == key_id).values(revoked_at=first_time)
        await self._update(statement, f"no key {key_id}")

    async def _one(self, statement: sa.Select[Any], absent: str) -> sa.RowMapping:
        def find(connection: sa.Connection) -> sa.RowMapping | None:
            return connection.execute(statement).mappings().one_or_none()

        row = await self._database.read("read accounts", find)
        if row is None:
            raise NotFound(absent)
        return row

    async def _all(self, statement: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        def find(connection: sa.Connection) -> Sequence[sa.RowMapping]:
            return connection.execute(statement).mappings().all()

        return await self._database.read("read accounts", find)

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
