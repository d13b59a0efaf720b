"""A missed duty as a finding."""

from __future__ import annotations

from asr.types import Seconds
from detectors.contract import Finding, Jurisdiction
from detectors.packs.taxonomy import Category


def missed_duty(
    duty: Category, jurisdiction: Jurisdiction, detector: str, score: float, start: Seconds, end: Seconds
) -> Finding:
    """It was owed from `start` and had to be done by `end`."""
    law = duty.law[jurisdiction]
    return Finding(
        kind="duty_missing",
        category=duty.id,
        rule=f"duty.{duty.id}",
        detector=detector,
        severity=duty.severity,
        score=score,
        role="agent",
        start=start,
        end=end,
        quote="",
        title=duty.title,
        why=law.why,
        cites=law.cites,
    )
