from __future__ import annotations

import pytest

from asr.phonetics import akin, all_syllables, near, split, syllables


def test_a_character_has_all_its_readings_without_tones():
    assert syllables("还") >= {"hai", "huan"}
    assert syllables("7") == frozenset()


def test_only_confusable_syllables_are_near():
    assert near("zhang", "zang")
    assert near("lan", "lai")
    assert not near("ba", "da")
    assert not near("zhang", "zan")


def test_a_syllable_is_its_initial_and_its_final():
    assert split("zhuang") == ("zh", "uang")
    assert split("an") == ("", "an")
    assert all("".join(split(syllable)) == syllable for syllable in all_syllables())


@pytest.mark.parametrize(
    ("one", "other"), [("tui", "cui"), ("tuan", "chuan"), ("xi", "qi"), ("yi", "yin"), ("yi", "yu"), ("la", "lai")]
)
def test_what_a_recogniser_takes_for_one_another_is_akin(one: str, other: str):
    assert akin(one, other)
    assert akin(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("gong", "nong"), ("chou", "lu"), ("hou", "hao"), ("di", "du"), ("bao", "la")]
)
def test_what_sounds_otherwise_is_not(one: str, other: str):
    assert not akin(one, other)


def test_any_two_near_syllables_are_akin():
    every = sorted(all_syllables())
    assert all(akin(one, other) for one in every for other in every if near(one, other))
