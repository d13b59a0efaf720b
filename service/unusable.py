"""The error for what the service cannot start or work with, in one sentence for the operator."""

from __future__ import annotations

import errno
from pathlib import Path


class Unusable(Exception):
    """A file, folder or address cannot be used: one sentence, with what to do about it."""


def told(error: OSError, path: Path) -> str:
    """The error as one sentence about the file."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk is full: {path} cannot be written; free some space"
        case errno.EROFS:
            return f"the disk is read-only: {path} cannot be written"
        case errno.EACCES | errno.EPERM:
            return f"{path} is not open to this user: {error.strerror}"
        case errno.ENOTDIR | errno.EEXIST:
            return f"{path} is not a folder, or lies in a file"
        case _:
            return f"{path} cannot be used: {error.strerror or error}"
