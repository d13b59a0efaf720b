"""Makes a finding out of what the taxonomy knows: title, severity, law and cites."""

from __future__ import annotations

from asr.types import Seconds
from detectors.contract import Bilingual, Finding, FindingKind, Jurisdiction
from detectors.packs.taxonomy import Category


def finding_of(
    category: Category,
    jurisdiction: Jurisdiction,
    *,
    rule: str,
    detector: str,
    score: float,
    start: Seconds,
    end: Seconds,
    kind: FindingKind = "violation",
    quote: str = "",
    before: Bilingual | None = None,
    utterance_id: str | None = None,
    decided_by_transcript: bool = True,
) -> Finding:
    """The finding of what the agent did, or left undone. `before` is put before the law's own reason. Raises KeyError
    if the category has no law in the jurisdiction."""
    law = category.law[jurisdiction]
    return Finding(
        kind=kind,
        category=category.id,
        rule=rule,
        detector=detector,
        severity=category.severity,
        score=score,
        role="agent",
        start=start,
        end=end,
        quote=quote,
        title=category.title,
        why=law.why if before is None else Bilingual(zh=before.zh + law.why.zh, en=before.en + law.why.en),
        cites=law.cites,
        utterance_id=utterance_id,
        decided_by_transcript=decided_by_transcript,
    )
