"""Trust on first use: what a model that the manifest does not pin looked like when it was first fetched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.errors import ModelCorrupt
from models.files import write_json
from models.manifest import FileSpec, ModelSpec

PINS = "pins.json"


def pinned(root: Path, spec: ModelSpec) -> ModelSpec:
    """`spec` with the commit and files recorded at its first download, or as it is when there was none."""
    entry = _read(root).get(spec.name)
    if spec.files or entry is None:
        return spec
    try:
        files = tuple(FileSpec(name=file["name"], sha256=file["sha256"], size=file["size"]) for file in entry["files"])
        return replace(spec, revision=entry["revision"], files=files)
    except (KeyError, TypeError) as fault:
        raise ModelCorrupt(
            f"{root / PINS} does not hold a usable entry for {spec.name!r}: remove the entry and pull again"
        ) from fault


def pinned_names(root: Path) -> list[str]:
    """Every model that was ever fetched on trust, by the name it was asked for."""
    return sorted(_read(root))


def pin(root: Path, spec: ModelSpec) -> None:
    """Record the model's commit and files, so that every later download and start is held to them."""
    entry = {
        "repository": spec.repository,
        "revision": spec.revision,
        "files": [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in spec.files],
    }
    write_json(root / PINS, {**_read(root), spec.name: entry})


def _read(root: Path) -> dict[str, Any]:
    path = root / PINS
    if not path.exists():
        return {}
    try:
        pins = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise ModelCorrupt(f"{path} is not JSON: mend or remove it, then pull the models again") from fault
    return pins
