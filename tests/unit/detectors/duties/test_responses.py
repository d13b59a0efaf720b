"""What the agent owes in answer to the debtor's words, with scripted heads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from asr.types import Role
from detectors.contract import Finding, Jurisdiction, Observation, Withdrawn
from detectors.duties.responses import ResponsesCall, ResponsesDetector, load_responses
from detectors.facts.statements import Kind
from detectors.packs.taxonomy import PACKS, PackError, load_taxonomy
from tests.speech import call, findings, said
from tests.statements import STATEMENTS, embedding

SHIPPED = load_responses(load_taxonomy())


def opened(jurisdiction: Jurisdiction = "CN") -> ResponsesCall:
    return ResponsesDetector(SHIPPED, STATEMENTS).open(call(jurisdiction))


class Talk:
    """A call that goes on, ten seconds a turn."""

    def __init__(self, watch: ResponsesCall) -> None:
        self.watch = watch
        self.turn = 0

    def hear(self, role: Role, *kinds: Kind, text: str = "……嗯") -> list[Observation]:
        start, self.turn = 10.0 * self.turn, self.turn + 1
        return self.watch.understood(said(role, text, start, start + 9, index=self.turn), embedding(*kinds))

    def rules(self, role: Role, *kinds: Kind) -> list[str]:
        return [each.rule for each in findings(self.hear(role, *kinds))]


def test_options_are_owed_within_four_turns_of_hardship() -> None:
    talk = Talk(opened())
    assert talk.hear("customer", "hardship", text="我失业了。实在没钱。") == []
    assert [talk.rules("agent") for _ in range(3)] == [[], [], []]
    [found] = findings(talk.hear("agent"))
    assert (found.kind, found.category, found.severity) == ("duty_missing", "offer_options", "low")
    assert (found.lead, found.lead_role, found.quote) == ("实在没钱。", "customer", "")
    assert (found.start, found.end) == (0.0, 49.0)


def test_options_in_time_leave_nothing_to_say() -> None:
    talk = Talk(opened())
    talk.hear("customer", "hardship")
    assert [talk.rules("agent", *kinds) for kinds in ((), ("listening",), ("options",), (), (), ())] == [[]] * 6


def test_what_is_done_later_is_taken_back() -> None:
    talk = Talk(opened())
    talk.hear("customer", "hardship")
    [found] = [each for _ in range(4) for each in findings(talk.hear("agent"))]
    [taken] = talk.hear("agent", "options")
    assert isinstance(taken, Withdrawn)
    assert (taken.rule, taken.role, taken.start, taken.end) == (found.rule, "agent", found.start, found.end)
    assert talk.hear("agent", "options") == []


def test_it_is_told_once_and_owed_anew_after_it_was_done() -> None:
    talk = Talk(opened())
    talk.hear("customer", "stop")
    assert [talk.rules("agent"), talk.rules("agent")] == [[], ["duty.honor_stop_or_callback"]]
    talk.hear("customer", "stop")
    assert [talk.rules("agent") for _ in range(3)] == [[], [], []]
    assert len(talk.hear("agent", "respects")) == 1
    talk.hear("customer", "stop")
    assert [talk.rules("agent"), talk.rules("agent")] == [[], ["duty.honor_stop_or_callback"]]


def test_a_sign_of_crisis_is_answered_at_once() -> None:
    talk = Talk(opened())
    talk.hear("customer", "vulnerable")
    assert talk.rules("agent") == ["duty.vulnerability_escalation"]
    other = Talk(opened())
    other.hear("customer", "vulnerable")
    assert other.rules("agent", "empathy") == []


def test_what_the_agent_says_asks_for_nothing_and_what_the_customer_says_does_nothing() -> None:
    talk = Talk(opened())
    talk.hear("agent", "respects")
    talk.hear("customer", "stop")
    talk.hear("customer")
    assert talk.rules("agent") == []
    assert talk.rules("agent") == ["duty.honor_stop_or_callback"]


def test_nobody_is_blamed_for_what_may_have_been_said_unheard() -> None:
    talk = Talk(opened())
    talk.hear("customer", "stop")
    talk.watch.unheard(10.0, 12.0)
    assert [talk.rules("agent") for _ in range(3)] == [[], [], []]


def test_a_duty_that_the_law_does_not_know_is_not_owed() -> None:
    talk = Talk(opened("US"))
    talk.hear("customer", "hardship", "vulnerable")
    assert [talk.rules("agent") for _ in range(5)] == [[]] * 5


def test_words_alone_and_the_end_tell_nothing() -> None:
    watch = opened()
    assert watch.heard(said("customer", "别再打了")) == []
    assert (watch.elapsed(100), watch.closed(100)) == ([], [])


@pytest.mark.parametrize(
    ("field", "value"), [("turns", 0), ("asked_by", []), ("asked_by", ["recording_notice"]), ("met_by", ["promise"])]
)
def test_wrong_duties_are_refused_by_name(tmp_path: Path, field: str, value: object) -> None:
    raw = yaml.safe_load((PACKS / "responses.yaml").read_text("utf-8"))
    raw["offer_options"][field] = value
    path = tmp_path / "responses.yaml"
    path.write_text(yaml.safe_dump(raw), "utf-8")
    with pytest.raises(PackError, match=r"responses\.yaml: offer_options"):
        load_responses(load_taxonomy(), path)


def test_a_finding_is_told_as_missed_by_the_agent() -> None:
    talk = Talk(opened())
    talk.hear("customer", "stop")
    told = [each for _ in range(2) for each in talk.hear("agent")]
    assert [(type(each), each.role) for each in told if isinstance(each, Finding)] == [(Finding, "agent")]
