"""A credential's secret is sealed for its source, kept where none is given, and told where it cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from service.access.credentials import new_credential, secret_of, unreadable
from service.access.sealing import Sealer
from service.ingest.source import CredentialKind, Source
from service.invalid_field import InvalidField
from service.record.webhook import Webhook
from service.storage.sql import SqlStore
from service.unusable import Unusable
from tests.scenes import NOON

TOKEN = "0123456789abcdef0123456789abcdef"
PBX = Source(name="pbx")
Stored: TypeAlias = Callable[..., Awaitable[SqlStore]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Stored]:
    """Gives a store that knows these sources and webhooks, and no others."""
    opened = SqlStore(f"sqlite:///{tmp_path / 'c.db'}")

    async def knowing(*sources: Source, webhooks: Sequence[Webhook] = ()) -> SqlStore:
        for before in await opened.sources():
            await opened.remove_source(before.name)
        for source in sources:
            await opened.add_source(source)
        for webhook in webhooks:
            await opened.add_webhook(webhook)
        return opened

    async with opened:
        yield knowing


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer(tmp_path / "master.key")


async def test_the_first_secret_makes_the_master_key_and_a_later_one_never_does(store: Stored, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    first = await new_credential(await store(), Sealer(path), PBX, "twilio", "", TOKEN)
    known = replace(PBX, credential=first)
    assert await asyncio.to_thread(secret_of, known, Sealer(path)) == TOKEN
    await asyncio.to_thread(path.unlink)
    for sealed, asked in ((known, replace(PBX, name="other")), (PBX, known)):
        with pytest.raises(Unusable, match="is missing"):
            await new_credential(await store(sealed), Sealer(path), asked, "twilio", "", TOKEN)
    webhook = Webhook(name="w", created_at=NOON, origin="https://x.org", sealed_url="1.a.b")
    with pytest.raises(Unusable, match="is missing"):
        await new_credential(await store(webhooks=[webhook]), Sealer(path), PBX, "twilio", "", TOKEN)
    assert not await asyncio.to_thread(path.exists)


async def test_without_a_secret_the_one_of_its_kind_stays(store: Stored, sealer: Sealer) -> None:
    known = replace(PBX, credential=await new_credential(await store(), sealer, PBX, "header", "X-One", TOKEN))
    renamed = await new_credential(await store(known), sealer, known, "header", "X-Two", None)
    assert (renamed.name, renamed.sealed) == ("x-two", known.credential.sealed)
    with pytest.raises(InvalidField, match="needs a secret"):
        await new_credential(await store(known), sealer, known, "basic", "user", None)
    assert (await new_credential(await store(known), sealer, known, "key", "", None)).sealed == ""


async def test_an_api_key_finds_one_source(store: Stored, sealer: Sealer) -> None:
    first = replace(PBX, credential=await new_credential(await store(), sealer, PBX, "audiohook", "key-1", TOKEN))
    other = replace(PBX, name="other")
    with pytest.raises(InvalidField, match="API key of another source"):
        await new_credential(await store(first, other), sealer, other, "audiohook", "key-1", TOKEN)
    assert (await new_credential(await store(first), sealer, first, "audiohook", "key-1", TOKEN)).name == "key-1"


@pytest.mark.parametrize("kind", ["header", "basic", "twilio", "signalwire", "plivo", "audiohook"])
async def test_a_secret_of_one_kind_opens_as_no_other(store: Stored, sealer: Sealer, kind: CredentialKind) -> None:
    name = "name" if kind in ("header", "basic", "audiohook") else ""
    made = await new_credential(await store(), sealer, PBX, kind, name, TOKEN)
    other: CredentialKind = "twilio" if kind == "header" else "header"
    with pytest.raises(Unusable, match=f"the {other} secret of source pbx"):
        secret_of(replace(PBX, credential=replace(made, kind=other)), sealer)


async def test_each_secret_that_cannot_be_read_is_told_in_a_sentence(
    store: Stored, sealer: Sealer, tmp_path: Path
) -> None:
    good = replace(PBX, credential=await new_credential(await store(), sealer, PBX, "twilio", "", TOKEN))
    moved = replace(good, name="moved")
    assert unreadable([PBX, good], sealer) == []
    [told] = unreadable([PBX, good, moved], sealer)
    assert "source moved was changed" in told
    assert len(await asyncio.to_thread(unreadable, [good, moved], Sealer(tmp_path / "none"))) == 2
