"""What every engine promises, tried on the scripted one and on Whisper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asr.audio.pcm import to_int16
from asr.engines.port import Engine, Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.types import Language
from tests.fakes.engine import FakeEngine
from tests.recorded import turn
from tests.stretches import RATE, speech

pytestmark = pytest.mark.timeout(240)  # a model runs beside whatever else the machine does


@pytest.fixture(params=["scripted", pytest.param("whisper", marks=pytest.mark.model)], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    built: Engine = (
        FakeEngine()
        if request.param == "scripted"
        else WhisperEngine(request.getfixturevalue("whisper_path"), beam_size=1)
    )
    yield built
    built.close()


def test_it_says_its_name(engine: Engine):
    assert engine.name.strip()


def test_an_empty_batch_has_no_transcripts(engine: Engine):
    assert engine.transcribe([]) == []


def test_every_item_has_its_transcript_in_order_whatever_its_length(engine: Engine):
    lengths = (3.0, 0.1, 16.0, 1.0)
    batch = [speech(seconds, language="en" if seconds > 2 else "zh") for seconds in lengths]
    transcripts = engine.transcribe(batch)
    assert [transcript.language for transcript in transcripts] == ["en", "zh", "en", "zh"]


def test_the_batch_a_stretch_is_in_does_not_change_its_text(engine: Engine):
    spoken = (turn("en-compliant-plan", "What is this about?"), turn("en-exposure-no-notice", "last four digits"))
    batch = [Speech(pcm=to_int16(pcm).tobytes(), language="en") for pcm in spoken]
    together = [transcript.text for transcript in engine.transcribe(batch)]
    alone = [engine.transcribe([each])[0].text for each in batch]
    assert together == alone


def test_figures_lie_in_their_ranges(engine: Engine):
    transcripts = engine.transcribe([speech(1.0), speech(2.0, prompt="逾期、欠款"), _silence(1.0)])
    assert len(transcripts) == 3
    for transcript in transcripts:
        assert transcript.avg_logprob <= 0
        assert 0 <= transcript.no_speech_prob <= 1
        assert transcript.compression_ratio >= 0
        assert transcript.tokens >= 0


def test_items_with_and_without_a_prompt_go_together(engine: Engine):
    batch = [speech(1.0, prompt="逾期"), speech(1.0), speech(1.0, prompt="逾期、欠款、还款" * 100)]
    assert len(engine.transcribe(batch)) == 3


def test_without_a_language_one_is_found(engine: Engine):
    assert engine.transcribe([speech(1.0, language=None)])[0].language in ("zh", "en")


def test_a_given_text_gets_its_words_in_order_and_within_the_stretch(engine: Engine):
    text = "再不还款，就起诉你。"
    given = Speech(pcm=speech(2.0, level=0.3).pcm, language="zh", text=text)
    recognised, aligned = engine.transcribe([speech(2.0), given])
    assert recognised.words == ()
    assert aligned.text == text
    assert "".join(word.text for word in aligned.words) == text
    edges = [edge for word in aligned.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= 2.0 for edge in edges)
    assert all(0 <= word.probability <= 1 for word in aligned.words)


def test_texts_in_two_languages_are_aligned_in_one_batch(engine: Engine):
    texts: dict[Language, str] = {"zh": "好的。", "en": "I will pay on Friday."}
    batch = [Speech(pcm=speech(2.0).pcm, language=code, text=text) for code, text in texts.items()]
    assert [each.text for each in engine.transcribe(batch)] == [*texts.values()]


def test_nothing_is_doubtful_after_the_last_effort(engine: Engine):
    full = Speech(pcm=speech(1.0).pcm, language="zh", effort="full")
    assert not engine.transcribe([full])[0].doubtful


def _silence(seconds: float) -> Speech:
    return Speech(pcm=bytes(2 * round(seconds * RATE)), language="zh")
