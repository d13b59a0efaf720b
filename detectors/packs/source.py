"""Which rules judge: a pack's name, its version and the hash of everything in it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from detectors.contract import PackVersion
from detectors.packs.taxonomy import PACKS, PackError


@cache
def pack_version(folder: Path = PACKS, calibration: bytes = b"") -> PackVersion:
    """The pack in a folder: the one that ships has this package's name and version, any other its folder's name and no
    version; with a calibration, `+calibrated` follows, and the hash is over that, too. Blocks: reads its files. Raises
    PackError where there is no such folder."""
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
