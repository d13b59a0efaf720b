"""Expected terms, on speech that the base model mishears."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import soundfile
import soxr

from asr.engine import Expected, Speech, Term
from asr.engines.whisper import WhisperEngine
from asr.types import Language
from detectors.registry import load
from service.samples import sample_calls

pytestmark = [pytest.mark.model, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> WhisperEngine:
    return WhisperEngine(request.getfixturevalue("whisper_path"))


def turn(call_id: str, words: str) -> np.ndarray:
    """A turn of a sample call, as the recogniser is given it."""
    call = next(each for each in sample_calls() if each.id == call_id)
    said = next(each for each in call.turns if words in each.text)
    pcm, rate = soundfile.read(call.audio, dtype="float32")
    leg = pcm[int((said.start - 0.2) * rate) : int((said.end + 0.2) * rate), 0 if said.speaker == "agent" else 1]
    return np.asarray(soxr.resample(leg, rate, 16_000), np.float32)


def heard(engine: WhisperEngine, pcm: np.ndarray, *terms: str, language: Language = "zh", prompt: str = "") -> str:
    expected = Expected(prompt=prompt, terms=tuple(Term(text=term) for term in terms))
    return engine.transcribe([Speech(pcm=pcm, language=language, expected=expected)])[0].text


def test_a_term_that_was_said_is_restored_where_something_like_it_was_heard(engine: WhisperEngine):
    summons = turn("zh-fake-police", "传票")
    assert "团票" in heard(engine, summons)
    assert heard(engine, summons, "传票") == heard(engine, summons).replace("团票", "传票")


def test_a_term_that_was_not_said_is_not_put_in(engine: WhisperEngine):
    summons = turn("zh-fake-police", "传票")
    assert heard(engine, summons, "船票价", "开停", "提供") == heard(engine, summons)


def test_terms_change_nothing_for_the_others_of_the_batch(engine: WhisperEngine):
    summons = turn("zh-fake-police", "传票")
    expecting = Speech(pcm=summons, language="zh", expected=Expected(terms=(Term(text="传票"),)))
    restored, plain = engine.transcribe([expecting, Speech(pcm=summons, language="zh")])
    assert "传票" in restored.text
    assert "团票" in plain.text


def test_an_english_text_with_the_terms_in_it_is_preferred(engine: WhisperEngine):
    asked = turn("en-arrest-threat", "An arrest warrant?")
    prompted = partial(heard, engine, asked, language="en", prompt=load().frames["en"].prompt("US"))
    assert "arrest" not in prompted()
    assert "An arrest warrant" in prompted("arrest", "warrant")
    assert prompted("lawsuit", "deadbeat") == prompted()
