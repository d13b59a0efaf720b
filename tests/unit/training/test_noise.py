from __future__ import annotations

import random

from training.encoder.noise import Noise, near_sound, skeleton

TEXTS = ["您先别急，我帮您查一下预期的账单", "逾期的账单下个月再还", "please pay the bill", "play the ball"]


def noise(seed: int = 1) -> Noise:
    return Noise(TEXTS, random.Random(seed))


def test_sounds_that_the_telephone_confuses_are_one() -> None:
    for one, other in (("zhang", "zan"), ("shi", "si"), ("ling", "nin"), ("neng", "len"), ("hui", "fui")):
        assert near_sound(one) == near_sound(other)
    assert near_sound("ma") != near_sound("ba")


def test_words_with_the_same_consonants_are_alike() -> None:
    assert skeleton("bill") == skeleton("ball") == skeleton("bell")
    assert skeleton("pay") != skeleton("bill")


def test_punctuation_goes_and_words_stay() -> None:
    assert noise().plain("您先别急，好吗？") == "您先别急好吗"
    assert noise().plain("Please, pay.") == "Please  pay"
    assert noise().plain("。。。") == "。。。"


def test_characters_are_mistaken_for_some_that_sound_alike() -> None:
    misrecognised = {noise(seed).misrecognised("逾期", 1.0) for seed in range(60)}
    assert "预期" in misrecognised
    assert all(len(text) <= 2 for text in misrecognised)


def test_nothing_changes_where_nothing_is_misheard_and_no_text_is_lost_whole() -> None:
    for text in (*TEXTS, "", "😀"):
        assert noise().misrecognised(text, 0.0) == text
    assert all(noise(seed).misrecognised("账", 1.0) for seed in range(40))
