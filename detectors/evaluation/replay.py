"""Judging one whole call from its texts, as it would be judged while it is on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import inf

from asr.types import Seconds, Utterance
from detectors.contract import CallContext, Embedding, Finding, GapAware, Observation, Withdrawn
from detectors.runtime.registry import Registry
from detectors.runtime.runner import ask_about


def judge_call(
    registry: Registry,
    call: CallContext,
    utterances: Sequence[Utterance],
    until: Seconds,
    unheard: Sequence[tuple[Seconds, Seconds]] = (),
    *,
    completed: bool = True,
) -> list[Finding]:
    """The findings that stand when the call ends after `until` seconds. `utterances`: by their end; `unheard`:
    stretches of the agent's audio without text, by their end. `completed`: it did not break off, so that what was not
    done until its end was never done."""
    detectors = [detector for _, detector in registry.open(call)]
    seen: list[Observation] = []
    gaps = list(unheard)
    # Time has passed as far as nobody who is still to be heard has begun to speak.
    begun = list(accumulate(reversed([said.start for said in utterances[1:]]), min))[::-1]
    for said, embedding, settled in zip(utterances, embeddings(registry, utterances), [*begun, inf], strict=False):
        while gaps and gaps[0][1] <= said.end:
            _pass_over(detectors, gaps.pop(0))
        for detector in detectors:
            seen += ask_about(detector, said, embedding)
            seen += detector.elapsed(min(said.end, settled, gaps[0][0] if gaps else inf))
    for gap in gaps:
        _pass_over(detectors, gap)
    for detector in detectors:
        seen += detector.closed(until) if completed else detector.elapsed(until)
    return _standing(seen)


def embeddings(registry: Registry, said: Sequence[Utterance]) -> Sequence[Embedding | None]:
    """The meaning of each utterance; None for each if there is no encoder."""
    if registry.encoder is None or not said:
        return [None] * len(said)
    return [*registry.encoder.encode([each.text for each in said])]


def _pass_over(detectors: Sequence[object], gap: tuple[Seconds, Seconds]) -> None:
    for detector in detectors:
        if isinstance(detector, GapAware):
            detector.unheard(*gap)


def _standing(seen: Sequence[Observation]) -> list[Finding]:
    """The findings that were not taken back later."""
    standing: list[Finding] = []
    for each in seen:
        if isinstance(each, Finding):
            standing.append(each)
        elif isinstance(each, Withdrawn):
            taken = (each.rule, each.role, each.start, each.end)
            standing = [one for one in standing if (one.rule, one.role, one.start, one.end) != taken]
    return standing
