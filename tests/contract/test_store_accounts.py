"""What every store must do: know who may enter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.storage.port import AlreadyExists, GatewayKey, NotFound, Store, User
from tests.scenes import AT

MEI = User(name="美", role="supervisor", password_hash="$argon2id$v=19$x", created_at=AT)
KEY = GatewayKey(
    id="0a1b2c3d4e5f",
    source="pbx 🏢",
    secret_hash="0" * 64,
    rights=("stream", "events"),
    first_track="customer",
    created_at=AT,
)


async def test_zone_of_a_source_is_kept(store: Store) -> None:
    elsewhere = replace(KEY, id="5e4d3c2b1a0f", timezone="America/New_York")
    await store.add_key(KEY)
    await store.add_key(elsewhere)
    assert [await store.key(KEY.id), await store.key(elsewhere.id)] == [KEY, elsewhere]


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
    await store.replace_user(replace(changed, created_at=AT + timedelta(days=1)))
    assert await store.user("美") == changed


async def test_user_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="美"):
        await store.user("美")
    with pytest.raises(NotFound, match="美"):
        await store.replace_user(MEI)
    assert await store.users() == []


async def test_key_is_read_as_added(store: Store) -> None:
    await store.add_key(replace(KEY, id="young", rights=(), created_at=AT + timedelta(days=1)))
    await store.add_key(KEY)
    assert await store.key(KEY.id) == KEY
    assert [key.id for key in await store.keys()] == [KEY.id, "young"]


async def test_key_id_is_taken_once(store: Store) -> None:
    await store.add_key(KEY)
    with pytest.raises(AlreadyExists, match=KEY.id):
        await store.add_key(replace(KEY, source="thief"))
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
