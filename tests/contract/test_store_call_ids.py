"""What every store must do: give a call an id that no other call has, however often its gateway has used one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from service.storage.migrate import load_scripts, upgrade
from service.storage.port import Store
from service.storage.reading import next_call_id
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT


async def _open(store: Store, *call_ids: str) -> None:
    for call_id in call_ids:
        await store.append(call_id, [scenes.opened(call_id)], AT)


async def test_an_id_that_no_call_has_is_taken_as_it_is(store: Store) -> None:
    assert await store.next_call_id("pbx-1") == "pbx-1"


async def test_ids_used_before_are_numbered_from_two(store: Store) -> None:
    given_ids: list[str] = []
    for _ in range(12):
        given_ids.append(await store.next_call_id("pbx-1"))
        await _open(store, given_ids[-1])
    assert given_ids == ["pbx-1", *(f"pbx-1~{number}" for number in range(2, 13))]


@pytest.mark.parametrize(
    ("others", "announced", "expected"),
    [
        (["a~2", "a~3", "a~b", "a~02", "a~", "A", "a2", "a_~2"], "a", "a"),
        (["a", "A~2", "a~02", "a~b", "a ~2", "a~2 "], "a", "a~2"),
        (["A"], "a", "a"),
        (["a"], "A", "A"),
        (["a%", "ab", "ab~2"], "a%", "a%~2"),
        (["a_", "ab~2", "a_~2"], "a_", "a_~3"),
        (["a\\", "a\\\\~2"], "a\\", "a\\~2"),
        (["a'--", "a'--~2"], "a'--", "a'--~3"),
        (["a~2"], "a~2", "a~2~2"),
        (["a~2", "a~2~2"], "a~2", "a~2~3"),
        (["Ä"], "ä", "ä"),
        (["e\u0301"], "\u00e9", "\u00e9"),
        (["a", "a~999999999999999999999999999999"], "a", "a~2"),
        (["通话", "通话~2"], "通话", "通话~3"),
        (["x" * 128, "x" * 128 + "~2"], "x" * 128, "x" * 128 + "~3"),
    ],
)
async def test_ids_that_only_look_alike_are_other_calls(
    store: Store, others: list[str], announced: str, expected: str
) -> None:
    await _open(store, *others)
    assert await store.next_call_id(announced) == expected


async def test_an_id_that_no_database_takes_is_given_as_it_will_be_stored(store: Store) -> None:
    await _open(store, "a\ufffd")
    assert await store.next_call_id("a\x00") == "a\ufffd~2"


async def test_ids_claimed_by_calls_that_are_not_stored_yet_are_left_alone(store: Store) -> None:
    await _open(store, "a", "a~2")
    assert await store.next_call_id("a", claimed=["a~3", "b"]) == "a~4"
    assert await store.next_call_id("c", claimed=["c"]) == "c~2"


async def test_three_hundred_calls_of_one_id_cost_a_few_look_ups(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'c.db'}")
    await store.open()
    await _open(store, "a", *(f"a~{number}" for number in range(2, 301)))
    await store.close()
    found, looked_up = await asyncio.to_thread(_found_with_look_ups, tmp_path / "c.db")
    assert found == "a~301"
    assert looked_up <= 19


def _found_with_look_ups(file: Path) -> tuple[str, int]:
    engine = sa.create_engine(f"sqlite:///{file}")
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    with engine.connect() as connection:
        found = next_call_id(connection, "a", ())
    engine.dispose()
    return found, len(statements)


@pytest.fixture(scope="module")
def empty_database() -> sa.Engine:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        upgrade(connection, load_scripts())
    return engine


@given(claimed=st.sets(st.sampled_from(["a", *(f"a~{number}" for number in range(2, 40))])))
def test_whatever_is_taken_the_id_given_is_free(empty_database: sa.Engine, claimed: set[str]) -> None:
    with empty_database.connect() as connection:
        found = next_call_id(connection, "a", claimed)
    assert found not in claimed
    assert found == "a" or (found.startswith("a~") and found.removeprefix("a~").isdigit())
