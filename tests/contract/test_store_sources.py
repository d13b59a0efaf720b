"""What every store must do: know what is known of gateways, and which keys are whose."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from service.ingest.source import Credential, Source
from service.storage.port import AlreadyExists, NotFound, SourceInUse, StaleChange, Store
from tests.contract.test_store_accounts import KEY
from tests.scenes import AT

PBX = KEY.source
ABROAD = Source(
    name="pbx-us",
    dialect="twilio",
    first_track="agent",
    language="en",
    jurisdiction="US",
    timezone="America/New_York",
    clock="arrival",
    labels={"部门": "催收一部", "site": "Austin"},
    names={"call_id": "conversation", "started_at": "begun"},
    credential=Credential(kind="header", name="x-token", sealed="1.abc.def"),
    public_url="wss://calls.example.org",
    idle_seconds=900.0,
    networks=("10.0.0.0/8", "2001:db8::/32"),
    max_calls=12,
    max_share=0.5,
)


async def test_all_that_is_known_of_a_source_is_kept(store: Store) -> None:
    assert all(getattr(ABROAD, field.name) != getattr(PBX, field.name) for field in fields(Source))
    await store.add_source(ABROAD)
    await store.add_source(PBX)
    assert [await store.source(ABROAD.name), await store.source(PBX.name)] == [ABROAD, PBX]
    assert await store.sources() == [PBX, ABROAD]


async def test_a_source_name_is_taken_once(store: Store) -> None:
    await store.add_source(PBX)
    with pytest.raises(AlreadyExists, match="pbx"):
        await store.add_source(replace(ABROAD, name=PBX.name))
    assert await store.source(PBX.name) == PBX


async def test_a_source_is_changed_but_for_its_name(store: Store) -> None:
    await store.add_source(PBX)
    changed = replace(ABROAD, name=PBX.name)
    await store.change_source(changed, seen=PBX)
    assert await store.sources() == [changed]


async def test_nobodys_change_is_lost_unseen(store: Store) -> None:
    await store.add_source(PBX)
    wanted = [replace(PBX, labels={"author": str(number)}) for number in range(5)]
    outcomes = await asyncio.gather(*(store.change_source(each, seen=PBX) for each in wanted), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", *["StaleChange"] * 4]
    [won] = [each for each, outcome in zip(wanted, outcomes, strict=True) if outcome is None]
    assert await store.source(PBX.name) == won
    with pytest.raises(StaleChange, match="pbx"):
        await store.change_source(PBX, seen=PBX)


async def test_a_source_nobody_knows_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="pbx"):
        await store.source(PBX.name)
    with pytest.raises(NotFound, match="pbx"):
        await store.change_source(PBX, seen=PBX)
    with pytest.raises(NotFound, match="pbx"):
        await store.remove_source(PBX.name)
    assert await store.sources() == []


async def test_a_key_brings_the_source_that_is_not_there_yet(store: Store) -> None:
    await store.add_key(KEY)
    assert await store.sources() == [PBX]


async def test_keys_of_a_source_share_what_is_known_of_it(store: Store) -> None:
    second = replace(KEY, id="5e4d3c2b1a0f", created_at=AT + timedelta(days=1))
    for key in (KEY, second):
        await store.add_key(key)
    changed = replace(PBX, language="en")
    await store.change_source(changed, seen=PBX)
    assert [key.source for key in await store.keys()] == [changed, changed]
    assert (await store.key(KEY.id)).source == changed


async def test_a_key_changes_no_source(store: Store) -> None:
    await store.add_source(PBX)
    with pytest.raises(AlreadyExists, match="other settings"):
        await store.add_key(replace(KEY, source=replace(PBX, language="en")))
    assert (await store.sources(), await store.keys()) == ([PBX], [])


async def test_a_source_goes_with_its_revoked_keys_and_stays_with_one_in_force(store: Store) -> None:
    await store.add_key(KEY)
    await store.add_key(replace(KEY, id="5e4d3c2b1a0f"))
    await store.revoke_key(KEY.id, AT)
    with pytest.raises(SourceInUse, match="pbx"):
        await store.remove_source(PBX.name)
    assert len(await store.keys()) == 2
    await store.revoke_key("5e4d3c2b1a0f", AT)
    await store.remove_source(PBX.name)
    assert (await store.sources(), await store.keys()) == ([], [])
