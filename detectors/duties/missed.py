"""A missed duty as a finding."""

from __future__ import annotations

from asr.types import Seconds
from detectors.contract import Finding, Jurisdiction
from detectors.packs.findings import finding_of
from detectors.packs.taxonomy import Category


def missed_duty(
    duty: Category, jurisdiction: Jurisdiction, detector: str, score: float, start: Seconds, end: Seconds
) -> Finding:
    """The finding of a duty that was owed from `start` and had to be done by `end`."""
    return finding_of(
        duty,
        jurisdiction,
        kind="duty_missing",
        rule=f"duty.{duty.id}",
        detector=detector,
        score=score,
        start=start,
        end=end,
    )
