"""The recordings among the files and in the folders that were named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOUND: Final = frozenset(
    (
        *(".wav", ".wave", ".rf64", ".w64", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".snd"),
        *(".m4a", ".mp4", ".aac", ".wma", ".amr", ".gsm", ".vox", ".g722", ".webm"),
    )
)
"""Endings of recordings, also of those that cannot be read: each is taken or refused, and none passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """`name` is how a list may name it: its path under the folder that was named, with `/` between."""

    path: Path
    name: str


def found_files(paths: Iterable[Path]) -> tuple[list[FoundFile], int]:
    """Each recording once, by name, and how many other files lie in the folders. Blocks. A file that was named itself
    counts as a recording, also where there is none."""
    found: dict[Path, FoundFile] = {}
    others = 0
    for path in paths:
        if not path.is_dir():
            found.setdefault(path.absolute(), FoundFile(path=path, name=path.name))
            continue
        for file in sorted(each for each in path.rglob("*") if each.is_file()):
            if file.suffix.lower() in SOUND:
                found.setdefault(file.absolute(), FoundFile(path=file, name=file.relative_to(path).as_posix()))
            else:
                others += 1
    return list(found.values()), others
