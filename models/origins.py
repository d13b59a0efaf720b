"""The origins of a model's files: distributions installed beside this one, or the hub."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]  # its own library's name differs by version
    LocalEntryNotFoundError,
)
from huggingface_hub.utils import tqdm as hub_progress_bar

from models.errors import ModelUnobtainable
from models.files import concatenate
from models.manifest import MODEL_FILES, FileSpec, ModelSpec

OnBytes = Callable[[int], None]
"""Told how many more bytes have arrived."""

_HUB_FAULTS = (HfHubHTTPError, LocalEntryNotFoundError, HTTPError, OSError, ValueError)
"""HTTPError is that of the library the hub's client is built on: httpx in its 1.x, httpx2 in its 2.x."""


def wheel_parts(spec: FileSpec) -> tuple[Path, ...]:
    """The installed files that make up this one, in order; empty when not all of them are installed."""
    paths: list[Path] = []
    for part in spec.wheels:
        try:
            distribution = metadata.distribution(part.distribution)
        except metadata.PackageNotFoundError:
            return ()
        path = Path(str(distribution.locate_file(part.path)))
        if distribution.version != part.version or not path.is_file():
            return ()
        paths.append(path)
    return tuple(paths)


def assemble(parts: tuple[Path, ...], target: Path, on_bytes: OnBytes) -> None:
    """Put the parts together in `target`."""
    for count in concatenate(parts, target):
        on_bytes(count)


class Hub:
    """A Hugging Face hub; the address is HF_ENDPOINT's, read when the hub is made."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint or os.environ.get("HF_ENDPOINT") or "https://huggingface.co"

    def resolve(self, spec: ModelSpec) -> tuple[str, tuple[tuple[str, int, str], ...]]:
        """The commit that `spec.revision` names now, and (name, size, sha256 or '') of each model file there.

        The hub states a sha256 only for files it keeps in large-file storage.
        """
        try:
            info = HfApi(endpoint=self._endpoint).model_info(
                spec.repository, revision=spec.revision or None, files_metadata=True
            )
        except _HUB_FAULTS as fault:
            raise self._unobtainable(spec, "its list of files", fault) from fault
        files = tuple(
            (sibling.rfilename, sibling.size or 0, sibling.lfs.sha256 if sibling.lfs else "")
            for sibling in info.siblings or ()
            if sibling.rfilename in MODEL_FILES
        )
        if info.sha is None or "model.bin" not in {name for name, _, _ in files}:
            raise ModelUnobtainable(
                f"Model {spec.name!r}: {spec.repository} at {self._endpoint} holds no CTranslate2 model (model.bin)."
            )
        return info.sha, files

    def fetch(self, spec: ModelSpec, revision: str, file: str, folder: Path, on_bytes: OnBytes) -> Path:
        """Download one file into `folder`; what an earlier, broken attempt left there is resumed."""
        try:
            path = hf_hub_download(
                spec.repository,
                file,
                revision=revision,
                local_dir=folder,
                endpoint=self._endpoint,
                tqdm_class=_progress_bar(on_bytes),
            )
        except _HUB_FAULTS as fault:
            raise self._unobtainable(spec, file, fault) from fault
        return Path(path)

    def _unobtainable(self, spec: ModelSpec, what: str, fault: Exception) -> ModelUnobtainable:
        reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        return ModelUnobtainable(
            f"Model {spec.name!r}: {what} could not be fetched from {spec.repository} at {self._endpoint} ({reason}). "
            f"Check the connection or HF_ENDPOINT and run: callwarden models pull {spec.name}"
        )


def _progress_bar(on_bytes: OnBytes) -> type[hub_progress_bar]:
    class Reporting(hub_progress_bar):
        monitor_interval = 0  # or a thread of its own would stay behind

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = True  # our caller draws; this only counts
            super().__init__(*args, **kwargs)
            on_bytes(int(kwargs.get("initial") or 0))

        def update(self, n: float | None = 1) -> bool | None:
            on_bytes(int(n or 0))
            return super().update(n)

    return Reporting
