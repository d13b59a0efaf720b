"""Gateways come back while the database is away; a revoked key does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.access import keys as web_keys
from service.access.denial import KeyForbidden, KeyMissing
from service.access.keys import new_key, verified_key
from service.access.store_cache import FRESH_SECONDS, MOST_KEPT, PATIENCE_SECONDS, STALE_SECONDS, StoreCache
from service.ingest.source import Source
from service.storage.port import GatewayKey, NotFound, StorageUnavailable
from tests.scenes import AT


class _Keys:
    """The part of a store that knows keys; counts how often it is asked."""

    def __init__(self, *keys: GatewayKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.asked = 0
        self.away = False
        self.silent = False

    async def key(self, key_id: str) -> GatewayKey:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise StorageUnavailable("the database does not answer")
        if key_id not in self.keys:
            raise NotFound(key_id)
        return self.keys[key_id]


KEY, PLAIN = new_key(Source(name="pbx"), ("stream",))
WRONG = PLAIN[:-4] + ("AAAA" if not PLAIN.endswith("AAAA") else "BBBB")
now = [0.0]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now[0] = 0.0
    monkeypatch.setattr(web_keys, "steady_now", lambda: now[0])


def known(store: _Keys, patience_seconds: float = PATIENCE_SECONDS) -> StoreCache[GatewayKey]:
    return StoreCache(store.key, patience_seconds=patience_seconds)


async def test_a_key_verified_a_minute_ago_is_not_asked_for_again() -> None:
    store = _Keys(KEY)
    keys = known(store)
    for now[0] in (0.0, 1.0, FRESH_SECONDS - 1):
        assert await verified_key(keys, PLAIN, "stream") == KEY
    assert store.asked == 1
    now[0] = FRESH_SECONDS
    await verified_key(keys, PLAIN)
    assert store.asked == 2


async def test_a_gateway_comes_back_while_the_store_is_away_for_ten_minutes() -> None:
    store = _Keys(KEY)
    keys = known(store)
    await verified_key(keys, PLAIN)
    store.away = True
    now[0] = STALE_SECONDS - 1
    assert await verified_key(keys, PLAIN) == KEY
    now[0] = STALE_SECONDS
    with pytest.raises(StorageUnavailable):
        await verified_key(keys, PLAIN)


async def test_a_silent_store_is_not_waited_for_where_the_key_is_known() -> None:
    store = _Keys(KEY)
    keys = known(store, patience_seconds=0.01)
    await verified_key(keys, PLAIN)
    store.silent, now[0] = True, FRESH_SECONDS
    assert await verified_key(keys, PLAIN) == KEY


async def test_a_wrong_secret_is_refused_by_what_is_kept_too() -> None:
    store = _Keys(KEY)
    keys = known(store)
    await verified_key(keys, PLAIN)
    for store.away in (False, True):
        with pytest.raises(KeyMissing):
            await verified_key(keys, WRONG)


async def test_guesses_fill_nothing() -> None:
    keys = known(_Keys(KEY))
    for guess in (WRONG, "cw_ffffffffffff_" + "x" * 43, "nonsense", None):
        with pytest.raises(KeyMissing):
            await verified_key(keys, guess)
    assert len(keys) == 0


async def test_a_key_revoked_here_is_refused_at_once() -> None:
    store = _Keys(KEY)
    keys = known(store)
    await verified_key(keys, PLAIN)
    found = await keys.find(KEY.id, 0.0)
    store.keys[KEY.id] = replace(KEY, revoked_at=AT)
    keys.forget()
    assert found is not None
    keys.keep(found)  # a handshake that had read the key before it was revoked
    with pytest.raises(KeyForbidden):
        await verified_key(keys, PLAIN)


async def test_a_key_revoked_or_removed_elsewhere_is_refused_after_a_minute() -> None:
    store = _Keys(KEY)
    keys = known(store)
    await verified_key(keys, PLAIN)
    store.keys[KEY.id] = replace(KEY, revoked_at=AT)
    now[0] = FRESH_SECONDS
    with pytest.raises(KeyForbidden):
        await verified_key(keys, PLAIN)
    store.away, now[0] = True, FRESH_SECONDS + 1
    with pytest.raises(StorageUnavailable):
        await verified_key(keys, PLAIN)


async def test_what_is_kept_is_bounded() -> None:
    made = [new_key(Source(name="pbx"), ("stream",)) for _ in range(MOST_KEPT + 50)]
    keys = known(_Keys(*(key for key, _plain in made)))
    for _key, plain in made:
        await verified_key(keys, plain)
    assert len(keys) == MOST_KEPT


async def test_a_source_changed_here_is_changed_at_the_next_handshake() -> None:
    store = _Keys(KEY)
    keys = known(store)
    await verified_key(keys, PLAIN)
    store.keys[KEY.id] = changed = replace(KEY, source=replace(KEY.source, language="en"))
    keys.forget()
    for now[0] in (0.0, 1.0):
        assert await verified_key(keys, PLAIN) == changed
    assert store.asked == 2
