"""`callwarden sources`: what is known of gateways. They work on the store itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, get_args

import typer
from rich.table import Table

from asr.types import CallLanguage, Role
from detectors.contract import Jurisdiction
from service.access.sealing import Sealer
from service.access.source_description import SaidCredential, described, differences
from service.cli import arguments
from service.cli.accounts import noted, with_store
from service.cli.arguments import DataDir
from service.cli.terminal import fail, out
from service.ingest.source import Clock, CredentialKind, NamedField, Source
from service.invalid_field import InvalidField
from service.settings import Settings
from service.storage.port import Store

sources = typer.Typer(help="Sources: what is known of gateways; make, change, show, remove.", no_args_is_help=True)

SourceName = Annotated[str, typer.Argument(help="The source's name, as calls show it.")]
_CLEARABLE = ("dialect", "language", "jurisdiction", "timezone", "clock", "labels", "names", "networks", "public_url")
_FIGURES = ("idle_seconds", "max_calls", "max_share")


def _say(
    context: typer.Context,
    name: SourceName,
    dialect: Annotated[str | None, typer.Option(help="The only dialect it speaks.")] = None,
    first_track: Annotated[Role | None, typer.Option(help="Whom its first (inbound) track carries.")] = None,
    language: Annotated[CallLanguage | None, typer.Option(help="The language of its calls.")] = None,
    jurisdiction: Annotated[Jurisdiction | None, typer.Option(help="Whose law its calls are judged by.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Where the debtors live whom it calls.")] = None,
    clock: Annotated[Clock | None, typer.Option(help="What its audio is placed by.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="k=v, metadata of each of its calls. Repeatable.")] = None,
    named: Annotated[
        list[str] | None,
        typer.Option(help=f"FIELD=KEY of its metadata: {', '.join(get_args(NamedField))}. Repeatable."),
    ] = None,
    network: Annotated[list[str] | None, typer.Option(help="Where it connects from, as CIDR. Repeatable.")] = None,
    public_url: Annotated[str | None, typer.Option(help="The URL its vendor connects to, where that signs.")] = None,
    idle_seconds: Annotated[float | None, typer.Option(help="A connection silent for so long is ended.")] = None,
    max_calls: Annotated[int | None, typer.Option(help="Most live calls.")] = None,
    max_share: Annotated[float | None, typer.Option(help="Most of the speech that can be recognised.")] = None,
    credential: Annotated[CredentialKind | None, typer.Option(help="What its connections show.")] = None,
    credential_name: Annotated[str, typer.Option(help="The header's name, the user's, or the API key.")] = "",
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")] = False,
    clear: Annotated[list[str] | None, typer.Option(help="A field that is to say nothing. Repeatable.")] = None,
    data_dir: DataDir = None,
) -> None:
    told: Mapping[str, object] = {
        "dialect": dialect,
        "first_track": first_track,
        "language": language,
        "jurisdiction": jurisdiction,
        "timezone": timezone,
        "clock": clock,
        "labels": None if label is None else arguments.pairs(label, "--label"),
        "names": None if named is None else _names(named),
        "networks": None if network is None else tuple(network),
        "public_url": public_url,
        "idle_seconds": idle_seconds,
        "max_calls": max_calls,
        "max_share": max_share,
    }
    said = {field: value for field, value in told.items() if value is not None} | _cleared(clear or [])
    secret = sys.stdin.readline().rstrip("\n") if secret_stdin else None
    shown = None if credential is None else SaidCredential(kind=credential, name=credential_name, secret=secret)
    settings = arguments.settings(data_dir=data_dir)
    work = _add if context.info_name == "add" else _change
    with_store(data_dir, lambda store: work(store, settings, name, said, shown))
    out.print(f"Source {name} is {'made' if work is _add else 'changed'}")


sources.command("add", help="Make a source. `keys create --source NAME` makes its keys.")(_say)
sources.command("change", help="Change what is named of a source; calls that are live keep what they began with.")(_say)


@sources.command("list")
def list_sources(data_dir: DataDir = None) -> None:
    """Every source."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "dialect", "first track", "credential", "networks"):
        table.add_column(title)
    for source in with_store(data_dir, lambda store: store.sources()):
        networks = ", ".join(source.networks) or "any"
        table.add_row(source.name, source.dialect or "any", source.first_track, source.credential.kind, networks)
    out.print(table)


@sources.command("show")
def show_source(name: SourceName, data_dir: DataDir = None) -> None:
    """All that is known of a source, but for its secret, as JSON."""
    source = with_store(data_dir, lambda store: store.source(name))
    shown = asdict(source)
    del shown["credential"]["sealed"]
    out.print_json(data=shown)


@sources.command("remove")
def remove_source(name: SourceName, data_dir: DataDir = None) -> None:
    """Remove a source that has no key in force. Its calls keep its name."""
    with_store(data_dir, lambda store: store.remove_source(name), noted("source_removed", name))
    out.print(f"Source {name} is removed")


async def _add(
    store: Store, settings: Settings, name: str, said: Mapping[str, Any], credential: SaidCredential | None
) -> None:
    nothing = Source(name=name)
    made = await _described(store, settings, nothing, said, credential)
    await store.add_source(made)
    await store.add_audit([noted("source_added", name, differences(nothing, made))])


async def _change(
    store: Store, settings: Settings, name: str, said: Mapping[str, Any], credential: SaidCredential | None
) -> None:
    seen = await store.source(name)
    changed = await _described(store, settings, seen, said, credential)
    await store.change_source(changed, seen)
    await store.add_audit([noted("source_changed", name, differences(seen, changed))])


async def _described(
    store: Store, settings: Settings, source: Source, said: Mapping[str, Any], credential: SaidCredential | None
) -> Source:
    try:
        return await described(store, Sealer(settings.master_key), source, said, credential, settings.jurisdiction)
    except InvalidField as problem:
        fail(str(problem))


def _names(given: list[str]) -> dict[str, str]:
    names = arguments.pairs(given, "--named")
    for field in names:
        if field not in get_args(NamedField):
            fail(f"--named {field!r} is none of {', '.join(get_args(NamedField))}")
    return names


def _cleared(given: list[str]) -> dict[str, object]:
    """The fields as they are where nothing is said of them."""
    nothing = Source(name="")
    for field in given:
        if field not in (*_CLEARABLE, *_FIGURES):
            fail(f"--clear {field!r} is none of {', '.join((*_CLEARABLE, *_FIGURES))}")
    return {field: getattr(nothing, field) for field in given}
