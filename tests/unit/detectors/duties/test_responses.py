"""What the agent owes in answer to the debtor's words, with scripted heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from asr.types import Role
from detectors.contract import Jurisdiction, Observation, Withdrawn
from detectors.duties.responses import ResponsesCall, ResponsesDetector, load_responses
from detectors.facts.statements import Kind
from detectors.packs.taxonomy import PACKS, PackError, load_taxonomy
from tests.scripted_heads import STATEMENTS, embedding
from tests.speech import call, findings, said

SHIPPED = load_responses(load_taxonomy())


def opened(jurisdiction: Jurisdiction = "CN") -> ResponsesCall:
    return ResponsesDetector(SHIPPED, STATEMENTS).open(call(jurisdiction))


class WatchedTalk:
    """A call that goes on, ten seconds an utterance."""

    def __init__(self, watch: ResponsesCall) -> None:
        self.watch = watch
        self.place = 0

    def hear(self, role: Role, *kinds: Kind, text: str = "我知道了", sure: float = 1.0) -> list[Observation]:
        start, self.place = 10.0 * self.place, self.place + 1
        spoken = said(role, text, start, start + 9, index=self.place)
        return self.watch.understood(spoken, embedding(*kinds) * np.float32(sure))

    def turn(self, *kinds: Kind) -> list[Observation]:
        """The agent's, and the customer's that ends it."""
        return [*self.hear("agent", *kinds), *self.hear("customer")]

    def rules(self, *kinds: Kind) -> list[str]:
        return [each.rule for each in findings(self.turn(*kinds))]


def test_options_are_owed_within_four_turns_of_hardship() -> None:
    talk = WatchedTalk(opened())
    assert talk.hear("customer", "hardship", text="我失业了。实在没钱。") == []
    assert [talk.rules() for _ in range(3)] == [[], [], []]
    [found] = findings(talk.turn())
    assert (found.kind, found.category, found.severity) == ("duty_missing", "offer_options", "low")
    assert (found.lead, found.lead_role, found.quote, found.role) == ("实在没钱。", "customer", "", "agent")
    assert (found.start, found.end) == (0.0, 79.0)


def test_options_in_time_leave_nothing_to_say() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "hardship")
    turns: list[tuple[Kind, ...]] = [(), ("listening",), ("options",), (), (), ()]
    assert [talk.rules(*kinds) for kinds in turns] == [[]] * 6


def test_what_is_done_later_is_taken_back() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "hardship")
    [found] = [each for _ in range(4) for each in findings(talk.turn())]
    [taken] = talk.hear("agent", "options")
    assert isinstance(taken, Withdrawn)
    assert (taken.rule, taken.role, taken.start, taken.end) == (found.rule, "agent", found.start, found.end)
    assert talk.hear("agent", "options") == []


def test_it_is_told_once_and_owed_anew_after_it_was_done() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "stop")
    assert [talk.rules(), talk.rules()] == [[], ["duty.honor_stop_or_callback"]]
    talk.hear("customer", "stop")
    assert [talk.rules() for _ in range(3)] == [[], [], []]
    assert len(talk.hear("agent", "respects")) == 1
    talk.hear("customer", "stop")
    assert [talk.rules(), talk.rules()] == [[], ["duty.honor_stop_or_callback"]]


def test_a_sign_of_crisis_is_answered_in_the_next_turn() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "vulnerable")
    assert talk.rules() == ["duty.vulnerability_escalation"]
    assert talk.rules("options") == []
    assert [type(each) for each in talk.hear("agent", "respects")] == [Withdrawn]


def test_a_turn_lasts_until_the_customer_says_more_than_a_word() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "vulnerable")
    assert [talk.hear("agent", text="嗯……"), talk.hear("customer", text="嗯。"), talk.hear("agent", text="您别急")] == [
        []
    ] * 3
    assert talk.hear("agent", "respects") == []
    assert talk.rules() == []


def test_what_the_agent_began_before_is_no_answer() -> None:
    watch = opened()
    watch.understood(said("customer", "我不想活了", 0, 4), embedding("vulnerable"))
    watch.understood(said("agent", "今天必须还", 2, 6), embedding())
    assert watch.understood(said("customer", "你听见没有", 7, 9, index=1), embedding()) == []
    watch.understood(said("agent", "今天必须还", 9, 11, index=1), embedding())
    assert len(watch.understood(said("customer", "你听见没有", 12, 13, index=2), embedding())) == 1


def test_a_turn_that_the_call_ends_in_is_over_as_well() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "vulnerable")
    assert talk.watch.closed(5.0) == []
    talk.hear("agent")
    assert [each.rule for each in findings(talk.watch.closed(30.0))] == ["duty.vulnerability_escalation"]


def test_who_is_asked_on_a_guess_owes_nothing_and_who_may_have_done_it_has() -> None:
    """The scripted heads' log odds are 12 * sure - 6, and their thresholds 0."""
    guessed = WatchedTalk(opened())
    guessed.hear("customer", "vulnerable", sure=0.55)
    assert guessed.rules() == []
    doubtful = WatchedTalk(opened())
    doubtful.hear("customer", "vulnerable", sure=0.6)
    doubtful.hear("agent", "respects", sure=0.45)
    assert doubtful.rules() == []
    not_done = WatchedTalk(opened())
    not_done.hear("customer", "vulnerable", sure=0.6)
    not_done.hear("agent", "respects", sure=0.4)
    assert not_done.rules() == ["duty.vulnerability_escalation"]


def test_what_the_agent_says_asks_for_nothing_and_what_the_customer_says_does_nothing() -> None:
    talk = WatchedTalk(opened())
    talk.hear("agent", "respects")
    talk.hear("customer", "stop")
    talk.hear("customer")
    assert [talk.rules(), talk.rules()] == [[], ["duty.honor_stop_or_callback"]]


def test_nobody_is_blamed_for_what_may_have_been_said_unheard() -> None:
    talk = WatchedTalk(opened())
    talk.hear("customer", "stop")
    talk.watch.unheard(10.0, 12.0)
    assert [talk.rules() for _ in range(3)] == [[], [], []]
    talk.hear("customer", "stop")
    talk.watch.heard(said("agent", "……", 95, 99, index=99))
    assert [talk.rules() for _ in range(3)] == [[], [], []]


def test_a_duty_that_the_law_does_not_know_is_not_owed() -> None:
    talk = WatchedTalk(opened("US"))
    talk.hear("customer", "hardship", "vulnerable")
    assert [talk.rules() for _ in range(5)] == [[]] * 5


def test_words_alone_and_the_passing_of_time_tell_nothing() -> None:
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
