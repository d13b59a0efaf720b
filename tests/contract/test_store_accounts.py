"""What every store must do: know who may enter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.ingest.source import Source
from service.storage.port import AlreadyExists, GatewayKey, LastAdmin, NotFound, Store, User, UserChanges
from tests.scenes import AT

MEI = User(name="美", role="supervisor", password_hash="$argon2id$v=19$x", created_at=AT)
KEY = GatewayKey(
    id="0a1b2c3d4e5f",
    source=Source(name="pbx 🏢"),
    secret_hash="0" * 64,
    rights=("stream", "events"),
    created_at=AT,
)


async def test_user_is_read_as_added(store: Store) -> None:
    await store.add_user(MEI)
    await store.add_user(replace(MEI, name="adam", role="admin", disabled=True))
    assert await store.user("美") == MEI
    assert [user.name for user in await store.users()] == ["adam", "美"]
    assert (await store.users())[0].disabled


async def test_user_name_is_taken_once(store: Store) -> None:
    await store.add_user(MEI)
    with pytest.raises(AlreadyExists, match="美"):
        await store.add_user(replace(MEI, role="admin"))
    assert await store.user("美") == MEI


async def test_user_is_changed_but_for_name_and_birth(store: Store) -> None:
    await store.add_user(MEI)
    changed = replace(MEI, role="compliance", password_hash="$argon2id$v=19$y", disabled=True)
    changes = UserChanges(role="compliance", password_hash="$argon2id$v=19$y", disabled=True)
    assert await store.change_user("美", changes) == changed
    assert await store.user("美") == changed


async def test_what_is_not_named_of_a_user_stays(store: Store) -> None:
    await store.add_user(MEI)
    await store.change_user("美", UserChanges(disabled=True))
    await store.change_user("美", UserChanges(password_hash="$argon2id$v=19$y"))
    assert await store.user("美") == replace(MEI, disabled=True, password_hash="$argon2id$v=19$y")


async def test_a_name_that_differs_in_case_alone_is_taken(store: Store) -> None:
    await store.add_user(replace(MEI, name="Admin"))
    with pytest.raises(AlreadyExists, match="aDMIN"):
        await store.add_user(replace(MEI, name="aDMIN"))
    assert [user.name for user in await store.users()] == ["Admin"]


@pytest.mark.parametrize("changes", [UserChanges(disabled=True), UserChanges(role="supervisor")])
async def test_the_last_admin_stays_one(store: Store, changes: UserChanges) -> None:
    await store.add_user(replace(MEI, role="admin"))
    await store.add_user(replace(MEI, name="gone", role="admin", disabled=True))
    with pytest.raises(LastAdmin, match="美"):
        await store.change_user("美", changes)
    assert await store.user("美") == replace(MEI, role="admin")
    assert await store.change_user("美", UserChanges(role="admin", disabled=False)) == replace(MEI, role="admin")
    await store.change_user("gone", UserChanges(disabled=False))
    assert await store.change_user("美", changes) != replace(MEI, role="admin")


async def test_admins_who_disable_each_other_at_once_leave_one(store: Store) -> None:
    names = [f"admin-{number}" for number in range(6)]
    for name in names:
        await store.add_user(replace(MEI, name=name, role="admin"))
    changes = [UserChanges(disabled=True), UserChanges(role="integrator")]
    work = [store.change_user(name, changes[number % 2]) for number, name in enumerate([*names, *reversed(names)])]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    left = [user for user in await store.users() if user.role == "admin" and not user.disabled]
    assert len(left) == 1
    assert {type(outcome) for outcome in outcomes} == {User, LastAdmin}


async def test_user_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="美"):
        await store.user("美")
    with pytest.raises(NotFound, match="美"):
        await store.change_user("美", UserChanges(disabled=True))
    assert await store.users() == []


async def test_key_is_read_as_added(store: Store) -> None:
    await store.add_key(replace(KEY, id="young", rights=(), created_at=AT + timedelta(days=1)))
    await store.add_key(KEY)
    assert await store.key(KEY.id) == KEY
    assert [key.id for key in await store.keys()] == [KEY.id, "young"]


async def test_key_id_is_taken_once(store: Store) -> None:
    await store.add_key(KEY)
    with pytest.raises(AlreadyExists, match=KEY.id):
        await store.add_key(replace(KEY, source=Source(name="thief")))
    assert await store.key(KEY.id) == KEY


async def test_key_stays_revoked_since_the_first_time(store: Store) -> None:
    await store.add_key(KEY)
    await store.revoke_key(KEY.id, AT + timedelta(days=1))
    await store.revoke_key(KEY.id, AT + timedelta(days=2))
    assert await store.key(KEY.id) == replace(KEY, revoked_at=AT + timedelta(days=1))


async def test_key_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="none"):
        await store.key("none")
    with pytest.raises(NotFound, match="none"):
        await store.revoke_key("none", AT)
    assert await store.keys() == []


@pytest.mark.parametrize("name", ["\x00", "a\ud800"])
async def test_name_no_database_takes_is_nobodys(store: Store, name: str) -> None:
    with pytest.raises(NotFound):
        await store.user(name)
