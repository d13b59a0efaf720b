"""`callwarden demo`: the service, a first user and key, and the sample calls played through it, round and round."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from detectors.contract import DetectorError
from service.access.keys import new_key
from service.access.passwords import Passwords
from service.access.source_description import source_of_key
from service.app import serve_until_stopped
from service.audio_files.call import read_call_audio
from service.cli import arguments
from service.cli.accounts import generated_password
from service.cli.terminal import err, fail, leave, out
from service.client import CallStart, StreamFailed, stream_call
from service.logs import configure_logging
from service.private_files import prepare_folder
from service.samples import SampleCall, sample_calls
from service.settings import Settings
from service.storage.port import AlreadyExists, StorageError, Store, User, UserChanges
from service.storage.sql import SqlStore
from service.unusable import Unusable

USER = "demo"
AT_ONCE = 3
"""Calls side by side: enough to make a wall, few enough for a laptop that does other things."""
BETWEEN_SECONDS = 4.0


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8080,
    data_dir: Annotated[Path, typer.Option(help="Folder for the demo's store and recordings.")] = Path("data/demo"),
    calls: Annotated[int, typer.Option(min=1, max=16, help="Sample calls played side by side.")] = AT_ONCE,
) -> None:
    """Start the service on this machine and play the sample calls through its real gateway. Ctrl-C stops it."""
    settings = arguments.settings(host=host, port=port, data_dir=data_dir)
    configure_logging(settings)
    try:
        asyncio.run(_demo(settings, calls))
    except (DetectorError, StorageError, Unusable, OSError) as problem:
        fail(str(problem))
    leave()


async def _demo(settings: Settings, calls: int) -> None:
    await asyncio.to_thread(prepare_folder, settings.data_dir, with_store=not settings.database_url)
    password, key = await _accounts(settings)
    played: list[asyncio.Task[None]] = []

    def ready(url: str) -> None:
        _welcome(url, password, key)
        played.append(asyncio.create_task(_play_round(url.replace("http", "ws", 1) + "/v1/stream", key, calls)))

    try:
        await serve_until_stopped(settings, ready=ready)
    finally:
        for task in played:
            task.cancel()
        await asyncio.gather(*played, return_exceptions=True)
    out.print("The demo has stopped.")


async def _accounts(settings: Settings) -> tuple[str, str]:
    """A password for the browser and a gateway key, both made anew at every start: the ones before stop working."""
    async with SqlStore(settings.store_url) as store:
        key, plaintext = new_key(await source_of_key(store, "demo", {}), ["stream", "events"])
        for old in await store.keys():
            if old.source.name == "demo" and old.revoked_at is None:
                await store.revoke_key(old.id, datetime.now(UTC))
        await store.add_key(key)
        return await _password(store), plaintext


async def _password(store: Store) -> str:
    password = generated_password()
    hashed = await Passwords().hash(password)
    user = User(name=USER, role="admin", password_hash=hashed, created_at=datetime.now(UTC))
    try:
        await store.add_user(user)
    except AlreadyExists:
        changes = UserChanges(role="admin", password_hash=hashed, disabled=False)
        await store.change_user(USER, changes)
    return password


def _welcome(url: str, password: str, key: str) -> None:
    out.print(f"\n[bold]Callwarden is running.[/]  Open  [bold cyan]{url}[/]")
    out.print(f"  user      {USER}")
    out.print(f"  password  {password}", markup=False)
    out.print(f"  gateway   {url.replace('http', 'ws', 1)}/v1/stream")
    out.print(f"  key       {key}", markup=False)
    out.print("\nSample calls are playing through the gateway in real time. Ctrl-C stops everything.\n")


async def _play_round(url: str, key: str, at_once: int) -> None:
    """Keep `at_once` calls going until cancelled, beginning a few seconds apart."""
    queue = itertools.cycle(sorted(sample_calls(), key=lambda sample: (sample.lang != "zh", sample.id)))
    async with asyncio.TaskGroup() as group:
        for index in range(at_once):
            group.create_task(_play(queue, url, key, delay=index * BETWEEN_SECONDS))


async def _play(queue: Iterator[SampleCall], url: str, key: str, delay: float) -> None:
    await asyncio.sleep(delay)
    for sample in queue:
        await _play_call(sample, url, key)
        await asyncio.sleep(BETWEEN_SECONDS)


async def _play_call(sample: SampleCall, url: str, key: str) -> None:
    """Play a call. If the service refuses it for now, it is tried again when the service asks for that."""
    audio = await asyncio.to_thread(read_call_audio, sample.audio)
    while True:
        try:
            await stream_call(audio, _start(sample), url=url, key=key, seen=lambda _fact: None)
            return
        except StreamFailed as problem:
            err.print(f"{sample.id}: {problem}", markup=False)
            if problem.retry_after is None:
                return
            await asyncio.sleep(problem.retry_after)


def _start(sample: SampleCall) -> CallStart:
    """The sample's own hour, today: one of them calls at night."""
    today = datetime.now(sample.started_at.tzinfo)
    started = sample.started_at.replace(year=today.year, month=today.month, day=today.day)
    return CallStart(
        call_id=f"{sample.id}-{secrets.token_hex(3)}",
        language=sample.lang,
        jurisdiction=sample.jurisdiction,
        started_at=started,
        agent=sample.agent,
        customer=sample.customer,
        metadata=sample.metadata,
    )
