"""Which term is put into a text, on scripted log probabilities: no model, so the same on every processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.engines.port import BiasTerm
from asr.engines.whisper.decoding import TokenIds
from asr.engines.whisper.forced_decoding import ForcedDecoder
from tests.fakes.whisper_model import FakeWhisperModel, character_model

HEARD = "法院的团票已经寄出"
BACKGROUND = -10.0
"""Log probability of the text as it stands."""

SAME_SOUND, AKIN, KNOWN = 0.0, 1.5, -8.0
"""The least gains, in nats, of `asr.phonetics.sound_alikes`."""


def restored(
    folder: Path, terms: list[BiasTerm], gains: dict[str, float], text: str = HEARD
) -> tuple[str, FakeWhisperModel]:
    """The text with the terms in it, where `gains` says by how many nats each other text is likelier."""
    every = "".join([text, *gains, *(term.text for term in terms), "。"])
    vocabulary = TokenIds(character_model(folder, every))
    likely = {text: BACKGROUND} | {other: BACKGROUND + gain for other, gain in gains.items()}
    model = FakeWhisperModel(vocabulary, likely=likely)
    encoded = np.zeros((150, 2), np.float32)
    return ForcedDecoder(model, vocabulary).restored(text, terms, encoded, 3.0), model


@pytest.mark.parametrize(
    ("term", "least"),
    [
        (BiasTerm(text="团飘"), SAME_SOUND),  # 票 and 飘 are one sound
        (BiasTerm(text="断票"), AKIN),  # 团 and 断 are taken for one another
        (BiasTerm(text="传票", mishearings=("团票",)), KNOWN),
    ],
    ids=["same sound", "akin", "known"],
)
def test_a_term_is_put_in_from_its_least_gain_on(tmp_path: Path, term: BiasTerm, least: float):
    with_term = HEARD.replace("团票", term.text)
    assert restored(tmp_path, [term], {with_term: least + 0.01})[0] == with_term
    assert restored(tmp_path, [term], {with_term: least - 0.01})[0] == HEARD


def test_a_term_that_sounds_otherwise_is_not_even_asked_about(tmp_path: Path):
    text, model = restored(tmp_path, [BiasTerm(text="起诉")], {HEARD.replace("团票", "起诉"): 50.0})
    assert text == HEARD
    assert model.given == []


def test_a_word_is_let_be_unless_it_is_known_to_be_misheard(tmp_path: Path):
    meant = HEARD.replace("寄出", "继初")
    assert restored(tmp_path, [BiasTerm(text="继初")], {meant: 50.0})[0] == HEARD
    assert restored(tmp_path, [BiasTerm(text="继初", mishearings=("寄出",))], {meant: 0.0})[0] == meant


def test_of_terms_for_one_place_the_one_with_the_greatest_gain_is_put_in(tmp_path: Path):
    terms = [BiasTerm(text="团飘"), BiasTerm(text="传票", mishearings=("团票",))]
    gains = {HEARD.replace("团票", "团飘"): 2.0, HEARD.replace("团票", "传票"): 3.0}
    assert restored(tmp_path, terms, gains)[0] == HEARD.replace("团票", "传票")
    gains = {HEARD.replace("团票", "团飘"): 12.0, HEARD.replace("团票", "传票"): 0.5}
    assert restored(tmp_path, terms, gains)[0] == HEARD.replace("团票", "团飘"), "12 over 0 is more than 0.5 over -8"


def test_terms_for_different_places_are_put_in_together(tmp_path: Path):
    terms = [BiasTerm(text="传票", mishearings=("团票",)), BiasTerm(text="法愿", mishearings=("法院",))]
    gains = {HEARD.replace("团票", "传票"): 1.0, HEARD.replace("法院", "法愿"): 1.0}
    assert restored(tmp_path, terms, gains)[0] == "法愿的传票已经寄出"


def test_no_more_than_six_sound_alikes_of_a_text_are_asked_about(tmp_path: Path):
    terms = [BiasTerm(text=f"传{ending}", mishearings=("团票",)) for ending in "甲乙丙丁戊己庚辛"]
    _, model = restored(tmp_path, terms, {})
    assert len(model.given) == 6


def test_a_text_in_traditional_script_is_compared_in_simplified(tmp_path: Path):
    meant = "法院的传票已经寄出"
    text, _ = restored(
        tmp_path, [BiasTerm(text="传票", mishearings=("团票",))], {meant: 1.0, HEARD: 0.0}, "法院的團票已經寄出"
    )
    assert text == meant
