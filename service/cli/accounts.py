"""`callwarden keys` and `callwarden users`. They work on the store itself."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from asr.types import CallLanguage, Role
from detectors.contract import Jurisdiction
from detectors.timezones.zones import NoZone, zone_name
from service.access.keys import new_key
from service.access.passwords import Passwords
from service.access.source_description import source_of_key
from service.cli import arguments
from service.cli.arguments import DataDir
from service.cli.terminal import err, fail, out
from service.ingest.source import Clock, Source
from service.names import checked_name
from service.private_files import prepare_folder
from service.storage.port import (
    AuditEntry,
    AuditEvent,
    GatewayKey,
    KeyRight,
    StorageError,
    Store,
    User,
    UserChanges,
    UserRole,
)
from service.storage.sql import SqlStore
from service.unusable import Unusable
from service.web.schemas import MAX_PASSWORD, MIN_PASSWORD

T = TypeVar("T")

keys = typer.Typer(help="Gateway keys: create, list, revoke.", no_args_is_help=True)
users = typer.Typer(help="Users: create, change a password, list.", no_args_is_help=True)

UserName = Annotated[str, typer.Argument(help="The name to log in with.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@keys.command("create")
def create_key(
    source: Annotated[str, typer.Option(help="The gateway's name, as calls will show it.")] = "gateway",
    events: Annotated[bool, typer.Option(help="May the gateway get its calls' events back?")] = True,
    first_track: Annotated[
        Role | None, typer.Option(help="Whom the source's first (inbound) track carries; else the customer.")
    ] = None,
    language: Annotated[
        CallLanguage | None, typer.Option(help="The language of its calls, where they do not name theirs.")
    ] = None,
    jurisdiction: Annotated[
        Jurisdiction | None, typer.Option(help="Whose law its calls are judged by, where they do not say.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="Where the debtors live whom it calls, such as Asia/Shanghai.")] = "",
    clock: Annotated[
        Clock | None, typer.Option(help="What its audio is placed by, in place of what its dialect is placed by.")
    ] = None,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="A key for monitoring: reads /metrics, sends no calls.")
    ] = False,
    max_calls: Annotated[int | None, typer.Option(min=1, max=1000, help="Most live calls of this gateway.")] = None,
    max_share: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="Most of the speech that can be recognised, e.g. 0.5.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it; it is shown this once."""
    rights: list[KeyRight] = ["metrics"] if metrics else ["stream", "events"] if events else ["stream"]
    _checked(source)
    said = {
        "first_track": first_track,
        "language": language,
        "jurisdiction": jurisdiction,
        "timezone": _zone(timezone, jurisdiction, data_dir),
        "clock": clock,
        "max_calls": max_calls,
        "max_share": max_share,
    }
    key, plaintext = with_store(data_dir, lambda store: _made(store, source, said, rights))
    out.print(plaintext)
    may = ", ".join(key.rights)
    err.print(f"Key {key.id} for {source}, may: {may}. Keep it now: only its hash is stored.")


def _zone(timezone: str, jurisdiction: Jurisdiction | None, data_dir: Path | None) -> str:
    """The zone that the name means under the key's law, or the service's."""
    try:
        law = jurisdiction or arguments.settings(data_dir=data_dir).jurisdiction
        return zone_name(timezone, law) if timezone else ""
    except NoZone as problem:
        fail(f"--timezone {problem}")


async def _made(
    store: Store, name: str, said: Mapping[str, object], rights: Sequence[KeyRight]
) -> tuple[GatewayKey, str]:
    source = await source_of_key(store, name, {field: value for field, value in said.items() if value})
    key, plaintext = new_key(source, rights)
    await store.add_key(key)
    await store.add_audit([noted("key_made", key.id, f"{name}: {', '.join(key.rights)}")])
    return key, plaintext


@keys.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Every key, without its secret."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "source", "rights", "first track", "defaults", "quota", "made", "state"):
        table.add_column(title)
    for key in with_store(data_dir, lambda store: store.keys()):
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "valid"
        made = f"{key.created_at:%Y-%m-%d %H:%M}"
        rights, source = ", ".join(key.rights), key.source
        told = (source.name, rights, source.first_track, _defaults(source), _quota(source))
        table.add_row(key.id, *told, made, state)
    out.print(table)


def _defaults(source: Source) -> str:
    clock = f"clock: {source.clock}" if source.clock else ""
    return ", ".join(filter(None, (source.language, source.jurisdiction, source.timezone, clock)))


def _quota(source: Source) -> str:
    calls = f"{source.max_calls} calls" if source.max_calls is not None else ""
    share = f"{source.max_share:.0%} of the speech" if source.max_share is not None else ""
    return ", ".join(filter(None, (calls, share))) or "none"


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `keys list`.")], data_dir: DataDir = None
) -> None:
    """End a key; connections it has open go on until they close. A running service may take it for a minute more."""
    with_store(data_dir, lambda store: store.revoke_key(key_id, datetime.now(UTC)), noted("key_revoked", key_id))
    out.print(f"Key {key_id} is revoked")


@users.command("create")
def create_user(
    name: UserName,
    role: Annotated[UserRole, typer.Option(help="What the user may do.")] = "supervisor",
    password_stdin: FromStdin = False,
    data_dir: DataDir = None,
) -> None:
    """Make a user. Without --password-stdin the password is asked for on the terminal."""
    user = User(
        name=_checked(name),
        role=role,
        password_hash=Passwords().hash_now(_password(password_stdin)),
        created_at=datetime.now(UTC),
    )
    with_store(data_dir, lambda store: store.add_user(user), noted("user_added", name, role))
    out.print(f"{name} may log in as {role}")


@users.command("passwd")
def change_password(name: UserName, password_stdin: FromStdin = False, data_dir: DataDir = None) -> None:
    """Give a user a new password; sessions opened with the old one end."""
    hashed = Passwords().hash_now(_password(password_stdin))

    changes = UserChanges(password_hash=hashed)
    with_store(data_dir, lambda store: store.change_user(name, changes), noted("user_changed", name, "new password"))
    out.print(f"{name} has a new password")


@users.command("list")
def list_users(data_dir: DataDir = None) -> None:
    """Every user and role."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "role", "made", "state"):
        table.add_column(title)
    for user in with_store(data_dir, lambda store: store.users()):
        table.add_row(user.name, user.role, f"{user.created_at:%Y-%m-%d}", "disabled" if user.disabled else "active")
    out.print(table)


def generated_password() -> str:
    """A password nobody has to think of: 96 bits."""
    return secrets.token_urlsafe(12)


def _checked(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as problem:
        fail(str(problem))


def _password(from_stdin: bool) -> str:
    password = sys.stdin.readline().rstrip("\n") if from_stdin else _asked()
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        fail(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return password


def _asked() -> str:
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)


def noted(event: AuditEvent, subject: str, detail: str = "") -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), event=event, who="", subject=subject, address="command line", detail=detail)


def with_store(data_dir: Path | None, work: Callable[[Store], Awaitable[T]], noted: AuditEntry | None = None) -> T:
    """Do something with the configured store; once it is done, `noted` is added to the audit log."""
    settings = arguments.settings(data_dir=data_dir)
    url = settings.store_url

    async def opened() -> T:
        await asyncio.to_thread(prepare_folder, settings.data_dir, with_store=not settings.database_url)
        async with SqlStore(url) as store:
            done = await work(store)
            await store.add_audit([noted] if noted else [])
            return done

    try:
        return asyncio.run(opened())
    except (StorageError, Unusable) as problem:
        fail(str(problem))
