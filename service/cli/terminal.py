"""How commands speak to a person: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong, and exit."""
    err.print(f"[red]error:[/red] {escape(message)}")
    raise typer.Exit(code)


def leave(code: int = 0) -> NoReturn:
    """End the process at once, whether its work is done or given up. A thread that still recognises would return to an
    interpreter that shuts down, and the engine's native code would abort the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def warn(message: str) -> None:
    """Say what the result lacks."""
    err.print(f"[yellow]note:[/yellow] {escape(message)}")


def fail_all(messages: Sequence[str]) -> NoReturn:
    """Say everything that is wrong with the input, and exit."""
    for message in messages:
        err.print(f"[red]error:[/red] {escape(message)}")
    raise typer.Exit(2)


def caution(message: str) -> None:
    """Say what was most likely not meant, and go on."""
    err.print(f"[yellow]warning:[/yellow] {escape(message)}")
