"""Which rules judge: a pack's name, its version and the hash of everything in it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from detectors.contract import PackVersion
from detectors.packs.taxonomy import PACKS


@cache
def bundled_pack(folder: Path = PACKS) -> PackVersion:
    """The pack that ships with this package. Blocks: reads its files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return PackVersion(name="callwarden", version=version("callwarden"), sha256=digest.hexdigest())
