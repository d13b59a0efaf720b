from __future__ import annotations

from asr.types import Role, Utterance
from detectors.contract import Finding
from detectors.runtime.runner import DetectorFailure
from service.calls.evidence import REMEMBERED, CallDetectors, SaidLately
from service.record.facts import GapMarked
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.speech import said


def found(utterance: Utterance, quote: str, *, at: int | None = None) -> Finding:
    """A finding of these words of an utterance, from character `at` on."""
    begin = utterance.text.find(quote) if at is None else at
    start, end = utterance.span_in_time(max(0, begin), begin + len(quote))
    return scenes.finding(quote=quote, start=start, end=end, utterance_id=utterance.id)


def told(finding: Finding) -> tuple[str, str, Role | None]:
    return finding.sentence, finding.lead, finding.lead_role


def heard(*utterances: Utterance) -> SaidLately:
    lately = SaidLately()
    for utterance in utterances:
        lately.add(utterance)
    return lately


def test_the_sentence_before_is_of_the_same_utterance() -> None:
    agent = said("agent", "你的钱呢？我找人打你。", start=5)
    lately = heard(said("customer", "喂，哪位？"), agent)
    assert told(lately.quoted(found(agent, "打你"))) == ("我找人打你。", "你的钱呢？", "agent")


def test_or_the_last_one_of_the_other_party() -> None:
    agent = said("agent", "我找人打你。", start=5)
    lately = heard(said("customer", "我没钱。你们别打来了！"), agent)
    assert told(lately.quoted(found(agent, "打你"))) == ("我找人打你。", "你们别打来了！", "customer")


def test_or_none_where_nothing_was_said_before() -> None:
    agent = said("agent", "我找人打你。")
    assert told(heard(agent).quoted(found(agent, "打你"))) == ("我找人打你。", "", None)


def test_what_began_later_is_not_before() -> None:
    agent = said("agent", "我找人打你。", start=5, end=9)
    before, meanwhile = (
        said("customer", "我没有钱。", start=2, end=4),
        said("customer", "什么？", start=6, end=7, index=1),
    )
    assert told(heard(before, meanwhile, agent).quoted(found(agent, "打你")))[1:] == ("我没有钱。", "customer")


def test_words_over_two_utterances_stand_in_the_joined_sentence() -> None:
    first, second = said("agent", "你的钱呢？我找人打"), said("agent", "死你信不信。好的。", start=3, index=1)
    finding = scenes.finding(quote="打死你", start=1.6, end=3.4, utterance_id=second.id)
    lately = heard(said("customer", "喂，哪位？", start=-2), first, second)
    assert told(lately.quoted(finding)) == ("我找人打死你信不信。", "你的钱呢？", "agent")


def test_english_words_over_two_utterances_have_their_space() -> None:
    first, second = said("agent", "You will be"), said("agent", "arrested today.", start=3, index=1)
    finding = scenes.finding(quote="be arrested", start=1.8, end=3.9, utterance_id=second.id)
    customer = said("customer", "I cannot pay.", start=-4, end=-1)
    assert told(heard(customer, first, second).quoted(finding)) == (
        "You will be arrested today.",
        "I cannot pay.",
        "customer",
    )


def test_of_words_that_were_said_twice_those_at_the_finding_s_time_are_meant() -> None:
    agent = said("agent", "谁要打你了？我没说过。我就是要打你。")
    later = agent.text.rindex("打你")
    lately = heard(agent)
    assert lately.quoted(found(agent, "打你")).sentence == "谁要打你了？"
    assert lately.quoted(found(agent, "打你", at=later)).sentence == "我就是要打你。"


def test_an_utterance_that_goes_on_has_what_is_known_of_it() -> None:
    customer, agent = said("customer", "我没有钱。"), said("agent", "我找人打你你信", start=5)
    assert told(heard(customer).quoted(found(agent, "打你"), agent)) == ("我找人打你你信", "我没有钱。", "customer")


def test_where_nothing_is_quoted_or_known_nothing_is_told() -> None:
    agent = said("agent", "我找人打你。")
    silent = scenes.finding(quote="", utterance_id=None)
    elsewhere = scenes.finding(quote="别的话", utterance_id=agent.id)
    unknown = scenes.finding(quote="打你", utterance_id="agent-9")
    for finding in (silent, elsewhere, unknown):
        assert heard(agent).quoted(finding) == finding


def test_only_the_last_utterances_are_remembered() -> None:
    first = said("agent", "我找人打你。")
    later = [said("customer", "什么？", start=n + 5.0, index=n) for n in range(REMEMBERED)]
    assert heard(first, *later).quoted(found(first, "打你")).sentence == ""


async def test_detectors_findings_have_it_whenever_they_come() -> None:
    agent = said("agent", "我找人打你。", start=5)
    finding, failure = found(agent, "打你"), DetectorFailure(detector="slow", message="late")
    runner = FakeDetectorRunner(finding, failure, scenes.sentiment())
    runner.foresees, runner.says_at_the_end = [finding], [finding]
    detectors = CallDetectors(runner)
    [ahead] = await detectors.foresee(agent)
    seen, *others = await detectors.heard(agent)
    assert ahead == seen
    assert isinstance(seen, Finding)
    assert seen.sentence == "我找人打你。"
    assert others == [failure, scenes.sentiment()]
    assert await detectors.closed(9.0) == [seen]
    gap = GapMarked(role="agent", start=1.0, end=2.0, reason="lost")
    assert await detectors.elapsed(9.0) == await detectors.missed(gap) == []
