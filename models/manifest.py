"""The manifest: which models there are, what their files must hash to, and where they come from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from models.errors import UnknownModel

MODEL_FILES = (
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.json",
    "vocabulary.txt",
    "model.bin",
)
"""Every file a CTranslate2 Whisper folder can have; nothing else is ever fetched from a hub repository."""

_HUB_NAME = re.compile(r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[A-Za-z0-9][\w.-]*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelPart:
    """A file inside an installed distribution; a model file is the concatenation of its parts."""

    distribution: str
    version: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """One file of a model: `sha256` in lower-case hex, `size` in bytes."""

    name: str
    sha256: str
    size: int
    wheels: tuple[WheelPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model. No `files` means: not pinned here, so its first download pins it (trust on first use).

    `revision` is a commit, tag or branch of the hub `repository`; empty means its main branch.
    """

    name: str
    title: str
    licence: str
    repository: str
    revision: str = ""
    files: tuple[FileSpec, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files, 0 where unknown."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> str:
        """The model's folder below the store's root."""
        return self.name.replace("/", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The models known by name."""

    models: Mapping[str, ModelSpec]

    def spec(self, name: str) -> ModelSpec:
        """The model of that manifest name or hub name (`org/repo` or `org/repo@revision`); raises UnknownModel."""
        if name in self.models:
            return self.models[name]
        match = _HUB_NAME.fullmatch(name)
        if match is None:
            known = ", ".join(self.models)
            raise UnknownModel(
                f"No model is called {name!r}: give one of {known}, a CTranslate2 Whisper folder or org/repo[@revision]"
            )
        revision = match["revision"] or ""
        return ModelSpec(
            name=name, title=name, licence="see the hub", repository=match["repository"], revision=revision
        )


def parse_manifest(text: str) -> Manifest:
    """Read a manifest from TOML text."""
    tables = tomllib.loads(text)["models"]
    specs = {name: _model(name, table) for name, table in tables.items()}
    return Manifest(models=MappingProxyType(specs))


def bundled_manifest() -> Manifest:
    """The manifest that ships with this package."""
    return parse_manifest((resources.files("models") / "manifest.toml").read_text(encoding="utf-8"))


def _model(name: str, table: dict[str, Any]) -> ModelSpec:
    files = tuple(
        FileSpec(
            name=file["name"],
            sha256=file["sha256"],
            size=file["size"],
            wheels=tuple(WheelPart(**part) for part in file.get("wheels", ())),
        )
        for file in table.get("files", ())
    )
    unknown = [file.name for file in files if file.name not in MODEL_FILES]
    if unknown:
        raise ValueError(f"manifest: model {name!r} lists {unknown[0]!r}, which no CTranslate2 Whisper folder has")
    return ModelSpec(
        name=name,
        title=table["title"],
        licence=table["licence"],
        repository=table["repository"],
        revision=table.get("revision", ""),
        files=files,
    )
