from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contract import SEVERITIES, Bilingual, Finding, Withdrawn
from service.calls.judging import AlertLimits, AlertPolicy
from service.record.facts import Alert
from tests.scenes import AT, finding


def consider(policy: AlertPolicy, found: Finding) -> Alert | None:
    return policy.consider(found, raised_at=AT, latency=1.5)


def alerts(*found: Finding, limits: AlertLimits | None = None) -> list[Alert | None]:
    policy = AlertPolicy("call-1", limits)
    return [consider(policy, one) for one in found]


def at(start: float, **changes: object) -> Finding:
    """A finding two seconds long, in an utterance of its own."""
    return finding(start=start, end=start + 2.0, utterance_id=f"agent-at-{start}", **changes)


def test_alert_says_all_that_the_finding_says() -> None:
    found = finding()
    [alert] = alerts(found)
    assert alert is not None
    for told in fields(Finding):
        assert getattr(alert, told.name) == getattr(found, told.name)
    assert (alert.call_id, alert.raised_at, alert.latency, alert.state) == ("call-1", AT, 1.5, "open")


def withdrawal_of(found: Finding) -> Withdrawn:
    why = Bilingual(zh="客户说的", en="the customer said it")
    return Withdrawn(rule=found.rule, role=found.role, start=found.start, end=found.end, why=why)


def test_a_withdrawn_finding_keeps_its_rule_quiet_no_longer_and_is_not_raised_again() -> None:
    policy = AlertPolicy("call-1")
    first = consider(policy, at(3.0))
    assert first is not None
    assert policy.withdraw(withdrawal_of(at(3.0))) == first.id
    assert policy.withdraw(withdrawal_of(at(3.0))) is None
    assert consider(policy, at(3.0)) is None
    assert consider(policy, at(6.0)) is not None


def test_withdrawing_what_raised_no_alert_names_none() -> None:
    policy = AlertPolicy("call-1")
    assert consider(policy, at(3.0)) is not None
    assert policy.withdraw(withdrawal_of(at(4.0))) is None
    assert policy.withdraw(withdrawal_of(replace(at(3.0), rule="another"))) is None


def test_same_rule_on_the_same_words_alerts_once() -> None:
    first, again = alerts(at(3.0), at(4.0, score=0.99))
    assert first is not None
    assert again is None


def test_two_detectors_that_agree_about_an_utterance_alert_once() -> None:
    lexical = finding(rule="threat.words", detector="lexical", start=3.0, end=3.5)
    semantic = finding(rule="threat.meaning", detector="semantic", start=4.0, end=5.0)
    first, second = alerts(lexical, semantic)
    assert first is not None
    assert second is None


def test_two_rules_broken_in_one_utterance_are_two_alerts() -> None:
    assert None not in alerts(finding(category="threat_of_violence"), finding(category="insult", rule="insult.1"))


def test_findings_of_no_utterance_are_not_taken_for_the_same() -> None:
    hours = finding(category="hours", rule="hours.late", utterance_id=None, start=0.0, end=0.0)
    duty = finding(category="hours", rule="hours.early", utterance_id=None, start=0.0, end=0.0)
    assert None not in alerts(hours, duty)


def test_moment_that_is_found_twice_alerts_once() -> None:
    duty = finding(kind="duty_missing", utterance_id=None, start=30.0, end=30.0)
    [first, again] = alerts(duty, duty)
    assert first is not None
    assert again is None


def test_more_severe_finding_on_the_same_words_alerts_again() -> None:
    first, worse, again = alerts(at(3.0), at(3.0, severity="critical"), at(3.0, severity="critical"))
    assert first is not None
    assert worse is not None
    assert worse.id != first.id
    assert again is None


def test_rule_cools_down_on_the_audio_clock_from_its_last_alert() -> None:
    times = [0.0, 20.0, 44.9, 45.0, 60.0, 90.0]
    raised = [alert is not None for alert in alerts(*(at(start) for start in times))]
    assert raised == [True, False, False, True, False, True]


def test_more_severe_rules_cool_down_sooner() -> None:
    waits = [AlertLimits().cool_down[severity] for severity in SEVERITIES]
    assert all(lesser > graver for lesser, graver in pairwise(waits))
    for severity in SEVERITIES:
        wait = AlertLimits().cool_down[severity]
        first, soon, later = alerts(*(at(start, severity=severity) for start in (0.0, wait - 0.5, wait)))
        assert first is not None
        assert soon is None
        assert later is not None


def test_other_rule_and_other_party_do_not_wait() -> None:
    other_rule = at(10.0, rule="insult.1", category="insult")
    assert None not in alerts(at(3.0), other_rule, at(12.0, role="customer"))


def test_critical_finding_does_not_wait_for_a_lesser_ones_cool_down() -> None:
    assert None not in alerts(at(3.0, severity="high"), at(6.0, severity="critical"))


def test_lesser_finding_waits_after_a_critical_one() -> None:
    assert alerts(at(3.0, severity="critical"), at(6.0, severity="high"))[1] is None


def test_clearly_surer_finding_ends_the_cool_down_a_little_surer_does_not() -> None:
    first, little, clearly = alerts(at(0.0, score=0.5), at(5.0, score=0.65), at(10.0, score=0.7))
    assert first is not None
    assert little is None
    assert clearly is not None


def test_finding_that_comes_late_counts_by_its_place_in_the_audio() -> None:
    assert alerts(at(60.0), at(30.0))[1] is None
    assert alerts(at(60.0), at(3.0))[1] is not None


def test_lesser_alerts_are_capped_and_leave_room_for_critical_ones() -> None:
    many = [at(500.0 * n) for n in range(45)]
    grave = [at(500.0 * n + 100, rule="grave", category="grave", severity="critical") for n in range(45)]
    raised = [alert for alert in alerts(*many, *grave) if alert is not None]
    assert sum(alert.severity == "high" for alert in raised) == 40
    assert sum(alert.severity == "critical" for alert in raised) == 40


def test_replay_raises_the_alerts_the_live_call_did() -> None:
    heard = [at(0.0), at(50.0), at(100.0, severity="critical")]
    live = alerts(*heard)
    replayed = AlertPolicy("call-1")
    later = [replayed.consider(one, raised_at=AT.replace(year=2027), latency=0.0) for one in heard]
    assert [alert and alert.id for alert in live] == [alert and alert.id for alert in later]
    assert len({alert.id for alert in live if alert}) == 3


def test_other_call_has_other_alert_ids() -> None:
    one, other = (consider(AlertPolicy(call_id), finding()) for call_id in ("call-1", "call-2"))
    assert one is not None
    assert other is not None
    assert one.id != other.id


FINDINGS = st.builds(
    finding,
    rule=st.sampled_from(["r1", "r2"]),
    category=st.sampled_from(["c1", "c2"]),
    severity=st.sampled_from(SEVERITIES),
    score=st.floats(0.01, 1.0),
    role=st.sampled_from(["agent", "customer"]),
    start=st.integers(0, 40).map(float),
    end=st.integers(41, 300).map(float),
    utterance_id=st.none() | st.sampled_from(["agent-1", "agent-2"]),
)


@settings(max_examples=60)
@given(st.lists(FINDINGS, max_size=25))
def test_no_two_alerts_share_an_id_and_the_first_finding_always_alerts(found: list[Finding]) -> None:
    raised = alerts(*found)
    ids = [alert.id for alert in raised if alert is not None]
    assert len(ids) == len(set(ids))
    assert not found or raised[0] is not None


@settings(max_examples=60)
@given(st.lists(FINDINGS, max_size=25), FINDINGS)
def test_first_critical_finding_of_a_call_is_never_suppressed(lesser: list[Finding], last: Finding) -> None:
    before = [one for one in lesser if one.severity != "critical"]
    critical = finding(rule=last.rule, category=last.category, severity="critical", score=0.01, start=last.start)
    assert alerts(*before, critical)[-1] is not None
