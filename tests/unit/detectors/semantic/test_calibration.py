"""What people's decisions change in the judgement."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from detectors.semantic.calibration import HIGHEST, LEAST, Calibration, Decided, calibrate, load_calibration
from detectors.semantic.judgement import load_judgement

JUDGEMENT = load_judgement()
RULE, SHIPPED = max(JUDGEMENT.trust.items(), key=lambda each: each[1])
CATEGORY = "pressure_harassment"


def by_rule(right: int, wrong: int) -> list[Decided]:
    return [Decided(category="threat_violence", rule=RULE, score=0.9, right=at < right) for at in range(right + wrong)]


def by_meaning(score: float, right: int, wrong: int) -> list[Decided]:
    return [Decided(category=CATEGORY, rule=None, score=score, right=at < right) for at in range(right + wrong)]


def test_a_rule_that_was_wrong_is_trusted_less_and_the_more_the_more_often() -> None:
    once, often = (calibrate(JUDGEMENT, by_rule(0, wrong), 0.9).trust[RULE] for wrong in (1, 30))
    assert SHIPPED > once > often > 0.0
    assert calibrate(JUDGEMENT, by_rule(0, 30), 0.9).of(JUDGEMENT).trust_of(RULE) == often


def test_a_rule_that_was_right_keeps_what_it_has() -> None:
    assert not calibrate(JUDGEMENT, by_rule(100, 0), 0.9)


def test_a_category_asks_for_the_score_from_which_people_agreed() -> None:
    decided = by_meaning(0.93, 5, 20) + by_meaning(0.97, 40, 1)
    threshold = calibrate(JUDGEMENT, decided, 0.9).thresholds[CATEGORY]
    assert 0.93 < threshold <= 0.97


def test_a_category_that_is_never_right_is_not_silenced() -> None:
    assert calibrate(JUDGEMENT, by_meaning(0.99, 0, 500), 0.9).thresholds == {CATEGORY: HIGHEST}


def test_few_decisions_move_no_threshold() -> None:
    assert not calibrate(JUDGEMENT, by_meaning(0.93, 0, LEAST - 1), 0.9)


@given(
    st.lists(
        st.builds(
            Decided,
            category=st.sampled_from([*JUDGEMENT.thresholds, "unknown"]),
            rule=st.sampled_from([None, RULE, "unknown"]),
            score=st.floats(0.01, 1.0),
            right=st.booleans(),
        ),
        max_size=80,
    ),
    st.floats(0.5, 0.99),
)
def test_decisions_never_make_anything_louder(decided: list[Decided], precision: float) -> None:
    after = calibrate(JUDGEMENT, decided, precision).of(JUDGEMENT)
    assert all(after.trust_of(rule) <= JUDGEMENT.trust_of(rule) for rule in (RULE, "unknown"))
    assert all(before <= after.thresholds[name] for name, before in JUDGEMENT.thresholds.items())
    assert after.thresholds.keys() == JUDGEMENT.thresholds.keys()


def test_a_calibration_that_is_older_than_the_judgement_makes_nothing_louder() -> None:
    older = Calibration(trust={RULE: 1.0}, thresholds={CATEGORY: 0.5, "unknown": 0.9})
    assert older.of(JUDGEMENT) == JUDGEMENT


def test_what_is_written_is_read_and_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    calibration = Calibration(trust={RULE: 0.4}, thresholds={CATEGORY: 0.8})
    (tmp_path / "c.json").write_bytes(calibration.to_json())
    assert load_calibration(tmp_path / "c.json") == calibration
    assert load_calibration(tmp_path / "none.json") is None
