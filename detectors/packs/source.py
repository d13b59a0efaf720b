"""The version of a rule pack: its name, its version and the hash of everything in it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from detectors.contract import PackVersion
from detectors.packs.taxonomy import PACKS, PackError


@cache
def pack_version(folder: Path = PACKS, calibration: bytes = b"") -> PackVersion:
    """The version of the pack in a folder. Blocks: it reads the files. Raises PackError if there is no such folder.

    The shipped pack has this package's name and version, any other pack its folder's name and no version. With a
    calibration, `+calibrated` follows, and the hash covers it too.
    """
    if not folder.is_dir():
        raise PackError(f"{folder}: there is no such folder")
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    name, number = ("callwarden", version("callwarden")) if folder == PACKS else (folder.resolve().name, "")
    if calibration:
        digest.update(calibration)
        number = f"{number}+calibrated"
    return PackVersion(name=name, version=number, sha256=digest.hexdigest())
