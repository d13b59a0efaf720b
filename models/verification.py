"""Is a file what the manifest says? Read once, then remembered by size, modification time and inode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelAbsent, ModelCorrupt
from models.files import write_json
from models.manifest import FileSpec

STAMP = ".verified.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """What `verify` found for one file; `problem` is empty when it matches."""

    model: str
    file: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def sha256_of(path: Path) -> str:
    """The file's sha256 in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, spec: FileSpec, model: str) -> None:
    """Read the whole file and raise ModelAbsent or ModelCorrupt, naming it and the mend."""
    mend = f"get it with: callwarden models pull {model}"
    if not path.is_file():
        raise ModelAbsent(f"Model {model!r}: {path} is missing; {mend}")
    size = path.stat().st_size
    if size != spec.size:
        raise ModelCorrupt(f"Model {model!r}: {path} has {size} bytes instead of {spec.size}; {mend}")
    digest = sha256_of(path)
    if digest != spec.sha256:
        raise ModelCorrupt(f"Model {model!r}: {path} has sha256 {digest} instead of {spec.sha256}; {mend}")


class Stamps:
    """The verifications of one model folder that still hold, kept in a small file beside the model's own.

    It saves start-up the reading of hundreds of megabytes. It is no defence against someone who can
    write the folder and forge the stamp too: `callwarden models verify` always reads the files.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STAMP
        self._folder = folder
        self._known = self._read()

    def hold(self, spec: FileSpec) -> bool:
        """True when the file was verified against this sha256 and has not changed since."""
        path = self._folder / spec.name
        return path.is_file() and self._known.get(spec.name) == self._mark(path, spec.sha256)

    def remember(self, specs: tuple[FileSpec, ...]) -> None:
        """Record these files, just verified. A folder that cannot be written (a read-only image) is left alone."""
        self._known = {spec.name: self._mark(self._folder / spec.name, spec.sha256) for spec in specs}
        try:
            write_json(self._path, self._known)
        except OSError:
            return

    @staticmethod
    def _mark(path: Path, sha256: str) -> list[str | int]:
        stat = path.stat()
        return [sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino]

    def _read(self) -> Mapping[str, object]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
