"""Which language is taken, on scripted odds and texts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from asr.engines.whisper.language_detection import choose, fits, log_odds, written_in
from asr.types import Language, Transcript
from tests.stretches import transcript

MANDARIN, TRANSLATED = "我叫你兄弟打断你的腿", "I'll teach you how to run away"
ENGLISH, TRANSLITERATED = "This call is being recorded", "这个电话正在录音"


class Stretch:
    """One stretch: what the detector says of it, and what it is in either language (text, mean log probability)."""

    def __init__(self, odds: float, zh: tuple[str, float], en: tuple[str, float], **figures: object) -> None:
        self.odds = odds
        self.texts: dict[Language, Transcript] = {
            "zh": transcript(zh[0], language="zh", avg_logprob=zh[1], **figures),
            "en": transcript(en[0], language="en", avg_logprob=en[1], **figures),
        }


def chosen(
    leaning: float, *stretches: Stretch, seconds: float = 2.5
) -> tuple[list[Transcript], list[int], list[tuple[int, Language]]]:
    """What is chosen; which stretches the detector was asked about; which were decoded, in which language."""
    listened: list[int] = []
    decoded: list[tuple[int, Language]] = []

    def listen(places: Sequence[int]) -> list[float]:
        listened.extend(places)
        return [stretches[place].odds for place in places]

    def recognise(wanted: Sequence[tuple[int, Language]]) -> list[Transcript]:
        decoded.extend(wanted)
        return [stretches[place].texts[language] for place, language in wanted]

    return choose([leaning] * len(stretches), [seconds] * len(stretches), listen, recognise), listened, decoded


def test_a_text_that_fits_the_expected_language_is_neither_detected_nor_decoded_again() -> None:
    [found], listened, decoded = chosen(-2.5, Stretch(6.0, (MANDARIN, -0.1), (ENGLISH, -0.2)))
    assert found.text == ENGLISH
    assert (listened, decoded) == ([], [(0, "en")])
    assert found.language_odds < 0


@pytest.mark.parametrize("leaning", [-2.5, 0.0, 2.5])
def test_what_was_said_is_shown_whatever_was_expected_never_its_translation(leaning: float) -> None:
    [mandarin], _, _ = chosen(leaning, Stretch(4.5, (MANDARIN, -0.4), (TRANSLATED, -1.3)))
    [english], _, _ = chosen(leaning, Stretch(-4.5, (TRANSLITERATED, -1.3), (ENGLISH, -0.4)))
    assert (mandarin.text, english.text) == (MANDARIN, ENGLISH)
    assert mandarin.language_odds > 1
    assert english.language_odds < -1


def test_a_stretch_of_no_known_language_is_detected_first_and_decoded_once_where_it_fits() -> None:
    [found], listened, decoded = chosen(0.0, Stretch(2.0, (MANDARIN, -0.3), (TRANSLATED, -1.0)))
    assert found.text == MANDARIN
    assert (listened, decoded) == ([0], [(0, "zh")])


def test_a_short_word_follows_what_its_party_speaks() -> None:
    """The detector guesses in half a second, and either text fits as badly."""
    [found], _, _ = chosen(2.5, Stretch(-1.5, ("嗯", -1.6), ("Mm", -1.5)))
    assert found.language == "zh"


def test_a_short_word_contradicts_where_the_evidence_is_strong() -> None:
    [found], _, _ = chosen(2.5, Stretch(-3.0, ("也是", -2.2), ("Yes", -0.6)))
    assert found.text == "Yes"


def test_a_loop_is_no_fit_however_likely_it_is() -> None:
    loop = "I'm going to use a tree. I'm going to use a tree. I'm going to use a tree."
    [found], _, _ = chosen(-2.5, Stretch(4.0, (MANDARIN, -0.3), (loop, -0.2)))
    assert found.text == MANDARIN


def test_a_text_in_the_other_languages_script_is_tried_in_that_language() -> None:
    [found], _, decoded = chosen(2.5, Stretch(-4.0, (ENGLISH, -0.3), (ENGLISH, -0.2)))
    assert (found.language, decoded) == ("en", [(0, "zh"), (0, "en")])


def test_a_text_has_the_language_that_it_is_written_in() -> None:
    [found], _, _ = chosen(2.5, Stretch(-2.0, (ENGLISH, -0.3), ("This Carl is being", -1.9)))
    assert (found.language, found.text) == ("en", ENGLISH)


BOTH = ENGLISH + "。" + MANDARIN


@pytest.mark.parametrize("leaning", [-2.5, 0.0, 2.5])
def test_one_who_switches_in_the_midst_is_written_in_the_language_that_says_more(leaning: float) -> None:
    """English alone is likely, and leaves out the threat."""
    [found], _, _ = chosen(leaning, Stretch(0.5, (BOTH, -0.35), (ENGLISH, -0.1)), seconds=8.0)
    assert found.text == BOTH


def test_what_says_more_is_no_better_where_it_is_made_up() -> None:
    [unlikely], _, _ = chosen(-2.5, Stretch(0.5, (MANDARIN * 2, -1.2), (ENGLISH, -0.3)), seconds=8.0)
    [looped], _, _ = chosen(-2.5, Stretch(0.5, (MANDARIN * 6, -0.2), (ENGLISH, -0.3)), seconds=8.0)
    assert (unlikely.text, looped.text) == (ENGLISH, ENGLISH)


def test_a_slow_speaker_of_one_language_is_not_decoded_twice() -> None:
    [found], listened, decoded = chosen(-2.5, Stretch(-5.0, (TRANSLITERATED, -1.2), (ENGLISH, -0.3)), seconds=8.0)
    assert found.text == ENGLISH
    assert (listened, decoded) == ([0], [(0, "en")])


def test_stretches_are_asked_about_together_and_keep_their_places() -> None:
    stretches = [
        Stretch(-5.0, (MANDARIN, -0.3), (TRANSLATED, -1.4)),
        Stretch(-5.0, (TRANSLITERATED, -1.4), (ENGLISH, -0.3)),
        Stretch(5.0, ("喂你好", -0.9), ("Way", -2.0)),
    ]
    found, listened, decoded = chosen(2.5, *stretches)
    assert [each.text for each in found] == [MANDARIN, ENGLISH, "喂你好"]
    assert listened == [1, 2]
    assert decoded == [(0, "zh"), (1, "zh"), (2, "zh"), (1, "en")]


def test_nothing_is_asked_where_there_is_nothing() -> None:
    assert chosen(0.0) == ([], [], [])


def test_the_detectors_odds_are_between_our_two_languages_alone() -> None:
    guess = [("<|ja|>", 0.6), ("<|zh|>", 0.3), ("<|en|>", 0.1)]
    assert log_odds(guess, 5.0) == pytest.approx(1.0986, abs=1e-3)
    assert log_odds([("<|yue|>", 0.2), ("<|zh|>", 0.1), ("<|en|>", 0.1)], 5.0) == pytest.approx(1.0986, abs=1e-3)
    assert log_odds([("<|en|>", 1.0)], 5.0) < -5


def test_little_speech_sounds_english_to_the_detector() -> None:
    guess = [("<|zh|>", 0.5), ("<|en|>", 0.5)]
    assert log_odds(guess, 0.6) > log_odds(guess, 2.0) > log_odds(guess, 3.0) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("language", "text", "is_it"),
    [
        ("zh", MANDARIN, True),
        ("zh", "你这个APP的贷款", True),
        ("zh", ENGLISH, False),
        ("en", ENGLISH, True),
        ("en", "Mr 王 is not in", True),
        ("en", MANDARIN, False),
        ("zh", "4471", True),
        ("en", "4471", True),
        ("zh", "", True),
    ],
)
def test_the_script_a_text_is_written_in(language: Language, text: str, is_it: bool) -> None:
    assert written_in(language, text) is is_it


def test_a_likely_text_fits_and_an_unlikely_one_does_not() -> None:
    assert fits(transcript(MANDARIN, avg_logprob=-0.1))
    assert not fits(transcript(MANDARIN, avg_logprob=-1.5))
    assert not fits(transcript(MANDARIN, avg_logprob=-0.1, compression_ratio=3.5))
