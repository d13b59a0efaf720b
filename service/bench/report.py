"""The report that every measurement writes: the machine, the versions, the question and the figures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("callwarden", "ctranslate2", "faster-whisper", "numpy", "onnxruntime")


def write_report(path: Path, command: str, asked: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """One JSON object. Folders and names of this machine do not belong in `asked`. Raises OSError."""
    report = {
        "command": command,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {name: version(name) for name in _LIBRARIES},
        "asked": dict(asked),
        "figures": dict(figures),
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """What times depend on. It names neither the machine nor its owner."""
    return {"cores": os.cpu_count(), "cpu": _cpu(), "system": platform.system(), "python": platform.python_version()}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
