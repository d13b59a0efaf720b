"""Every registered detector, and a fake, over anything a recogniser or an integrator might hand it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.types import ROLES, Utterance
from detectors.contract import (
    CONDUCT,
    SAID,
    SEVERITIES,
    CallContext,
    Embedding,
    Finding,
    Jurisdiction,
    Observation,
    Sentiment,
    Statement,
    Withdrawn,
)
from detectors.packs.source import pack_version
from detectors.packs.taxonomy import load_taxonomy
from detectors.runtime.registry import Registry, load
from detectors.runtime.runner import ask_about
from tests.fakes.detector import FakeDetector, FakeWithdrawing

WHOLE, PATTERNS = load(), load(encoder=None)
TAXONOMY = load_taxonomy()
REGISTRIES = {detector.id: registry for registry in (PATTERNS, WHOLE) for detector in registry.detectors}
"""Where each detector is found: with the encoder, if it is there then."""
REGISTRIES["fake"] = Registry([FakeDetector(FakeWithdrawing)], (), {}, pack_version())
DETECTORS = list(REGISTRIES)

WORDS = st.sampled_from(
    [
        "你",
        "不还",
        "就等着坐牢",
        "老赖",
        "他妈的",
        "通讯录",
        "我们不会",
        "，",
        "。",
        " ",
        "欠款",
        "验证码",
        "報警",
        "老蓝",
        "you're",
        " a deadbeat",
        " jail",
        "damn ",
        "won't ",
        "pay",
        "?",
        "gift cards ",
        "１２",
        "😀",
        "\u200b",
        "\x00",
        "𠮷",
    ]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=14).map("".join), st.text(max_size=60))


@st.composite
def conversations(draw: st.DrawFn) -> list[Utterance]:
    """A handful of utterances of either party, in time, some back to back."""
    said: list[Utterance] = []
    at = 0.0
    for index in range(draw(st.integers(1, 5))):
        at += draw(st.sampled_from([0.0, 0.4, 5.0, 40.0]))
        role = draw(st.sampled_from(ROLES))
        length = draw(st.sampled_from([0.0, 0.3, 2.0, 15.0]))
        said.append(
            Utterance(
                id=f"{role}-{index}",
                call_id="c",
                role=role,
                index=index,
                start=at,
                end=at + length,
                text=draw(TEXTS),
                language=draw(st.sampled_from(["zh", "en"])),
                confidence=0.8,
            )
        )
        at += length
    return said


@cache
def meaning_of(text: str) -> Embedding:
    """By the encoder that ships."""
    assert WHOLE.encoder is not None
    return WHOLE.encoder.encode([text])[0]


def judge(name: str, jurisdiction: Jurisdiction, said: list[Utterance]) -> list[Observation]:
    """What one detector makes of a conversation."""
    started = datetime(2026, 3, 10, 13, 59, tzinfo=UTC)
    call = CallContext(call_id="c", language="zh", jurisdiction=jurisdiction, started_at=started)
    registry = REGISTRIES[name]
    detector = dict(registry.open(call))[name]
    seen: list[Observation] = []
    for utterance in said:
        seen += ask_about(detector, utterance, meaning_of(utterance.text) if registry.encoder else None)
        seen += detector.elapsed(utterance.end)
    return seen + detector.closed(said[-1].end)


def check_finding(finding: Finding, said: list[Utterance]) -> None:
    """A finding a person can judge."""
    known = TAXONOMY.duties if finding.kind == "duty_missing" else TAXONOMY.categories
    assert finding.category in known
    assert finding.severity in SEVERITIES
    assert 0 < finding.score <= 1
    assert finding.role == "agent"
    assert 0 <= finding.start <= finding.end <= said[-1].end
    assert all([finding.title.zh, finding.title.en, finding.why.zh, finding.why.en, finding.cites])
    if finding.utterance_id is not None:
        check_evidence(finding, said)


def takes_back(withdrawn: Withdrawn, told: Observation) -> bool:
    place = (withdrawn.rule, withdrawn.role, withdrawn.start, withdrawn.end)
    return isinstance(told, Finding) and (told.rule, told.role, told.start, told.end) == place


def check_statement(statement: Statement, said: list[Utterance]) -> None:
    """What its speaker may say, in the very utterance that it names."""
    [utterance] = [each for each in said if each.id == statement.utterance_id]
    assert statement.kind in (CONDUCT if statement.role == "agent" else SAID)
    assert (statement.role, statement.quote) == (utterance.role, utterance.text)
    assert (statement.start, statement.end) == (utterance.start, utterance.end)
    assert 0 < statement.score <= 1
    assert (statement.amount is None) == (statement.currency is None)


def check_evidence(finding: Finding, said: list[Utterance]) -> None:
    """The quote was said by the agent where the span says: in one utterance, or over two that follow each other."""
    agent = [utterance for utterance in said if utterance.role == "agent"]
    at = next(place for place, utterance in enumerate(agent) if utterance.id == finding.utterance_id)
    assert finding.quote
    assert finding.end <= agent[at].end
    if finding.start >= agent[at].start and finding.quote in agent[at].text:
        return
    before = agent[at - 1]
    assert finding.start >= before.start
    assert any(finding.quote in before.text + seam + agent[at].text for seam in ("", " "))


@pytest.mark.parametrize("jurisdiction", ["CN", "US"])
@pytest.mark.parametrize("name", DETECTORS)
@settings(max_examples=60)
@given(said=conversations())
def test_any_talk_is_judged_without_raising_well_formed_and_alike_each_time(
    name: str, jurisdiction: Jurisdiction, said: list[Utterance]
) -> None:
    seen = judge(name, jurisdiction, said)
    for observation in seen:
        if isinstance(observation, Sentiment):
            assert -1 <= observation.score <= 1
            assert -1 <= observation.trend <= 1
        elif isinstance(observation, Statement):
            check_statement(observation, said)
        elif isinstance(observation, Withdrawn):
            assert any(takes_back(observation, other) for other in seen)
        else:
            assert isinstance(observation, Finding)
            check_finding(observation, said)
    assert judge(name, jurisdiction, said) == seen


@pytest.mark.parametrize("jurisdiction", ["CN", "US"])
@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in {"hours", "duties"}])
@pytest.mark.parametrize("text", ["你他妈的，我弄死你", "不还钱就等着坐牢", "I will kill you", "You owe us"])
def test_a_customer_never_violates_anything(name: str, jurisdiction: Jurisdiction, text: str) -> None:
    said = Utterance(
        id="customer-0",
        call_id="c",
        role="customer",
        index=0,
        start=0.0,
        end=3.0,
        text=text,
        language="zh",
        confidence=1.0,
    )
    assert [seen for seen in judge(name, jurisdiction, [said]) if not isinstance(seen, Sentiment | Statement)] == []


def test_the_encoder_ships() -> None:
    assert WHOLE.encoder is not None
    assert "semantic" in DETECTORS
    assert "lexical" in DETECTORS
