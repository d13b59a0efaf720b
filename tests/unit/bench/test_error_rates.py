"""Edits between what was said and what was recognised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bench.error_rates import Edits, edits, edits_over, units

short = st.lists(st.sampled_from("abc"), max_size=7)


def naive(said: list[str], recognised: list[str]) -> int:
    if not said or not recognised:
        return len(said) + len(recognised)
    return min(
        naive(said[1:], recognised[1:]) + (said[0] != recognised[0]),
        naive(said[1:], recognised) + 1,
        naive(said, recognised[1:]) + 1,
    )


@given(short, short)
def test_they_are_the_fewest(said: list[str], recognised: list[str]) -> None:
    found = edits(said, recognised)
    assert found.substituted + found.deleted + found.inserted == naive(said, recognised)
    assert found.said == len(said)
    assert len(said) - found.deleted + found.inserted == len(recognised)


def test_a_rate_is_over_all_that_was_said() -> None:
    assert edits_over([("还钱", "换钱"), ("好的好的好的", "好的好的好的")], "zh").rate == pytest.approx(1 / 8)
    assert edits_over([], "zh").rate is None


def test_marks_case_and_digits_are_no_errors() -> None:
    assert edits_over([("您好，欠款3000元。", "您好欠款三千元")], "zh").rate == 0
    assert edits_over([("Pay me NOW!", "pay me now")], "en") == Edits(said=3)
    assert list(units("Pay me", "en")) == ["pay", "me"]
