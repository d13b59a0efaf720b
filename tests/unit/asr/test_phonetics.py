from __future__ import annotations

from asr.phonetics import all_syllables, near, split, syllables


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
