"""What the engine makes of what the model thinks, on scripted probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from asr.engines.port import Biasing, BiasTerm, Effort, ModelMissing, RecognitionError, Speech
from asr.engines.whisper.decoding import TokenIds
from asr.engines.whisper.engine import WhisperEngine
from asr.types import Language
from tests.fakes.whisper_model import FakeWhisperModel, character_model
from tests.stretches import speech

CHARACTERS = "法院的团传票已经寄出好。 abcdefghijklmnopqrstuvwxyzIA?"
SUMMONS = (BiasTerm(text="传票", mishearings=("团票",)),)
WARRANT = (BiasTerm(text="warrant"),)


class Scripted:
    """An engine whose model hears what the test says, and that model."""

    def __init__(
        self,
        folder: Path,
        *hears: Sequence[tuple[str, float]],
        likely: Mapping[str, float] | None = None,
        sounds: Sequence[float] = (),
        beam_size: int = 5,
    ) -> None:
        self.vocabulary = TokenIds(character_model(folder, CHARACTERS))
        self.model = FakeWhisperModel(self.vocabulary, hears=hears, likely=likely, sounds=sounds)
        self.loaded: dict[str, Any] = {}
        self.engine = WhisperEngine(folder, threads=2, beam_size=beam_size, load=self._load)

    @property
    def asked(self) -> list[tuple[Language, str]]:
        """The language and the prompt of every stretch decoded, in order."""
        asked: list[tuple[Language, str]] = []
        for prefix in self.model.prefixes:
            language: Language = "zh" if prefix[-4:] == self.vocabulary.ask("zh") else "en"
            asked.append((language, self.vocabulary.text(self.vocabulary.text_tokens(prefix[:-4]))))
        return asked

    def _load(self, path: str, **how: object) -> FakeWhisperModel:
        self.loaded = how
        return self.model


def said(language: Language = "zh", terms: tuple[BiasTerm, ...] = (), effort: Effort = "normal") -> Speech:
    return Speech(pcm=speech(2.0).pcm, language=language, biasing={language: Biasing(terms=terms)}, effort=effort)


def test_terms_change_nothing_for_the_others_of_the_batch(tmp_path: Path):
    heard = [("法院的团票", -0.2)]
    scripted = Scripted(tmp_path, heard, heard, likely={"法院的团票": -5.0, "法院的传票": -4.0})
    restored, plain = scripted.engine.transcribe([said(terms=SUMMONS), said()])
    assert (restored.text, plain.text) == ("法院的传票", "法院的团票")


def test_the_figures_of_a_restored_text_are_those_of_what_was_heard(tmp_path: Path):
    scripted = Scripted(tmp_path, [("法院的团票", -0.2)], likely={"法院的团票": -5.0, "法院的传票": -4.0})
    [restored] = scripted.engine.transcribe([said(terms=SUMMONS)])
    assert restored.text == "法院的传票"
    assert restored.avg_logprob == pytest.approx(-0.2 * 5 / 6)
    assert restored.tokens == 5


def test_an_english_text_with_the_terms_in_it_is_preferred(tmp_path: Path):
    heard = [("In the last one?", -0.2), ("A warrant?", -0.25)]
    scripted = Scripted(tmp_path, heard, heard, heard)
    texts = [
        scripted.engine.transcribe([said("en", terms)])[0].text for terms in (WARRANT, (), (BiasTerm(text="lawsuit"),))
    ]
    assert texts == ["A warrant?", "In the last one?", "In the last one?"]
    assert scripted.model.beams == [(5, 5), (5, 1), (5, 5)], "other hypotheses are asked for where terms are expected"
    assert scripted.model.given == [], "English texts are chosen, not put together"


def test_a_greedy_decoder_has_one_text(tmp_path: Path):
    scripted = Scripted(tmp_path, [("In the last one?", -0.2), ("A warrant?", -0.2)])
    [heard] = scripted.engine.transcribe([said("en", WARRANT, "quick")])
    assert heard.text == "In the last one?"
    assert scripted.model.beams == [(1, 1)]


@pytest.mark.parametrize(("effort", "beam"), [("quick", 1), ("normal", 2), ("careful", 5), ("full", 5)])
def test_a_second_look_has_a_beam_of_five_at_least(tmp_path: Path, effort: Effort, beam: int):
    scripted = Scripted(tmp_path, [("好", -0.2)], beam_size=2)
    scripted.engine.transcribe([said(effort=effort)])
    assert scripted.model.beams == [(beam, 1)]


@pytest.mark.parametrize(
    ("logprob", "effort", "doubtful"), [(-0.1, "normal", False), (-3, "normal", True), (-3, "full", False)]
)
def test_an_unlikely_text_is_doubtful_but_after_the_last_effort(
    tmp_path: Path, logprob: float, effort: Effort, doubtful: bool
):
    scripted = Scripted(tmp_path, [("法院的传票", logprob)])
    assert scripted.engine.transcribe([said(effort=effort)])[0].doubtful is doubtful


def test_on_a_cpu_the_threads_are_batches_side_by_side(tmp_path: Path):
    scripted = Scripted(tmp_path)
    assert scripted.engine.workers == 2
    assert (scripted.loaded["inter_threads"], scripted.loaded["intra_threads"]) == (2, 1)


def test_a_folder_without_a_model_is_missing(tmp_path: Path):
    with pytest.raises(ModelMissing, match=r"model\.bin"):
        WhisperEngine(tmp_path)


def test_a_device_that_is_not_there_is_named(tmp_path: Path):
    def no_device(*_: object, **__: object) -> None:
        raise RuntimeError("no CUDA")

    with pytest.raises(RecognitionError, match="cuda"):
        WhisperEngine(character_model(tmp_path, "好"), device="cuda", load=no_device)


VOCABULARIES: dict[Language, Biasing] = {
    "zh": Biasing(prompt="法院传票", terms=SUMMONS),
    "en": Biasing(prompt="a warrant", terms=WARRANT),
}


def open_to_either(leaning: float = 0.0, seconds: float = 2.0) -> Speech:
    return Speech(pcm=speech(seconds).pcm, leaning=leaning, biasing=VOCABULARIES)


def test_an_unknown_language_is_heard_first_and_its_vocabulary_used(tmp_path: Path):
    scripted = Scripted(
        tmp_path, [("法院的团票", -0.2)], sounds=[0.99], likely={"法院的团票": -5.0, "法院的传票": -4.0}
    )
    [heard] = scripted.engine.transcribe([open_to_either()])
    assert (heard.language, heard.text) == ("zh", "法院的传票")
    assert [language for language, _ in scripted.asked] == ["zh"]
    assert "法院传票" in scripted.asked[0][1]
    assert heard.language_odds > 0


def test_what_fits_the_partys_language_costs_no_detection(tmp_path: Path):
    scripted = Scripted(tmp_path, [("I do", -0.2)])
    [heard] = scripted.engine.transcribe([open_to_either(-3.0)])
    assert (heard.language, heard.text) == ("en", "I do")
    assert scripted.model.detected == []
    assert heard.language_odds < 0


def test_a_translation_gives_way_to_what_was_said(tmp_path: Path):
    scripted = Scripted(tmp_path, [("I do not", -1.2)], [("法院的传票", -0.3)], sounds=[0.98])
    [heard] = scripted.engine.transcribe([open_to_either(-3.0)])
    assert (heard.language, heard.text) == ("zh", "法院的传票")
    assert [language for language, _ in scripted.asked] == ["en", "zh"]
    assert heard.language_odds > 3


def test_stretches_that_fit_badly_are_listened_to_together(tmp_path: Path):
    heard = [[("好", -2.0)], [("好", -2.0)], [("I do", -0.2)]]  # prompts of one length are decoded together
    scripted = Scripted(tmp_path, *heard, sounds=[0.99, 0.99])
    found = scripted.engine.transcribe([open_to_either(2.5), open_to_either(-2.5), open_to_either(2.5)])
    assert [each.text for each in found] == ["好", "I do", "好"]
    assert [items for items, *_ in scripted.model.detected] == [2]


def test_stretches_of_both_languages_and_known_ones_keep_their_places(tmp_path: Path):
    scripted = Scripted(
        tmp_path,
        [("已经", -0.1)],  # the one whose language is known is decoded in a batch of its own
        [("好", -0.2)],
        [("I do", -0.2)],
        sounds=[0.99, 0.01],
    )
    batch = [said(), open_to_either(), open_to_either()]
    heard = scripted.engine.transcribe(batch)
    assert [(each.language, each.text) for each in heard] == [("zh", "已经"), ("zh", "好"), ("en", "I do")]


def test_a_language_that_is_given_is_neither_heard_nor_changed(tmp_path: Path):
    scripted = Scripted(tmp_path, [("I do not", -2.5)])
    [heard] = scripted.engine.transcribe([said("zh")])
    assert (heard.language, heard.text, heard.language_odds) == ("zh", "I do not", 0.0)
    assert scripted.model.detected == []
