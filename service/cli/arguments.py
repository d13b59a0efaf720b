"""Turns what people give on the command line into values."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from service.cli.terminal import caution, fail, fail_all
from service.environment import BadSettings, advice, misspelt, read_settings, unknown
from service.settings import Settings

DataDir = Annotated[Path | None, typer.Option(help="Folder for store, recordings and secrets.")]


def settings(**options: object) -> Settings:
    """The settings of the environment and of a command's options, None where one was not given.

    What is wrong with them is told, a line each, and the command leaves with exit code 2.
    """
    problems = misspelt(os.environ)
    try:
        read = read_settings({name: value for name, value in options.items() if value is not None})
    except BadSettings as bad:
        fail_all([*bad.problems, *problems])
    if problems:
        fail_all(problems)
    for sentence in (*unknown(os.environ), *advice(read)):
        caution(sentence)
    return read


def moment(option: str, text: str | None) -> datetime | None:
    """An ISO 8601 time with the offset it was given; one without is refused, for nobody knows which clock it is by."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option} {text!r} is not an ISO 8601 time, such as 2026-03-02T10:15:00+08:00")
    if at.utcoffset() is None:
        fail(f"{option} {text!r} has no offset from UTC: add it, as in 2026-03-02T10:15:00+08:00")
    return at


def words(option: str, given: str) -> str:
    """What was given for an option, without the byte order mark and the line end that a file's text brings along."""
    if any("\ud800" <= char <= "\udfff" for char in given):  # bytes that could not be decoded
        fail(f"{option} {given!r} is not text in this terminal's encoding; give it in UTF-8")
    return given.strip("\ufeff \t\r\n")


def pairs(given: list[str], option: str = "--metadata") -> dict[str, str]:
    """`k=v` words as a mapping."""
    told: dict[str, str] = {}
    for pair in given:
        name, equals, value = words(option, pair).partition("=")
        if not (equals and name.strip()):
            fail(f"{option} {pair!r} is not of the form k=v")
        told[name.strip()] = value.strip()
    return told
