"""A disk that is full until it is healed, for tests of what then happens."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZE = 8 * 1024 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """A folder with little room, until `heal`. `mounted`: it is a file system of its own, of SIZE bytes."""

    folder: Path
    mounted: bool

    def heal(self) -> None:
        if self.mounted:
            (self.folder / "filler").unlink()
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def leave(self, room: int) -> None:
        """Fill it up but for so many bytes. Needs a file system of its own."""
        free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize
        with (self.folder / "filler").open("ab") as filler:
            filler.write(bytes(max(0, free - room)))


def small_disk(folder: Path, room: int) -> Iterator[SmallDisk]:
    """With `room` bytes left: a file system of its own where that is allowed, else a limit on file sizes."""
    if mounted(folder):
        try:
            disk = SmallDisk(folder, mounted=True)
            disk.leave(room)
            yield disk
        finally:
            unmount(folder)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if hard != resource.RLIM_INFINITY:
        pytest.skip("neither a file system can be mounted nor a limit lifted again")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        yield SmallDisk(folder, mounted=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def own_disk(folder: Path) -> Iterator[SmallDisk]:
    """An empty file system of SIZE bytes; the test is left out where none may be mounted."""
    if not mounted(folder):
        pytest.skip("no file system can be mounted here")
    try:
        yield SmallDisk(folder, mounted=True)
    finally:
        unmount(folder)


def mounted(folder: Path) -> bool:
    """Mount an empty file system of SIZE bytes there, if that is allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Also where files in it are still open."""
    subprocess.run(["umount", "-l", str(folder)], check=True)
