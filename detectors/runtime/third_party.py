"""Detectors of other packages: each entry point of the group `callwarden.detectors` names one.

Installing a package is what switches its detectors on. They run like the service's own: in a thread, timed out, left
out after some failures; and what they say is checked (`answers.py`).
"""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, cast

from detectors.contract import Detector, DetectorError

GROUP: Final = "callwarden.detectors"
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def third_party_detectors() -> list[Detector]:
    """One of each entry point, which names what makes a detector when it is called without arguments, in the order of
    their names. Raises DetectorError naming the entry point and what is wrong with it."""
    return [_made(point) for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))]


def _made(point: EntryPoint) -> Detector:
    where = f"detector {point.name} ({point.value})"
    try:
        made: Any = point.load()()
    except Exception as problem:  # foreign code: whatever it raises, whoever installed it must be told which it was
        raise DetectorError(f"{where} cannot be made: {type(problem).__name__}: {problem}") from problem
    name = getattr(made, "id", None)
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise DetectorError(f"{where} needs an `id` of lower-case letters, digits and _, not {name!r}")
    if not callable(getattr(made, "open", None)):
        raise DetectorError(f"{where} has no method `open`")
    return cast("Detector", made)
