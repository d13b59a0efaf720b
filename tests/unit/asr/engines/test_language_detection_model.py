"""The model's own sense of language, where it is far from any threshold: whole sentences, clearly spoken, asked for as
if their party had spoken the other language all along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.audio.pcm import to_int16
from asr.engines.port import Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.types import Language
from tests.recorded import turn

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]

MANDARIN, ENGLISH = 2.5, -2.5


@pytest.fixture(scope="module")
def engine(whisper_path: Path) -> Iterator[WhisperEngine]:
    built = WhisperEngine(whisper_path, beam_size=1)
    yield built
    built.close()


@pytest.mark.parametrize(
    ("call", "words", "leaning", "language", "heard"),
    [
        ("zh-fake-police", "传票", ENGLISH, "zh", "法院"),
        ("zh-exposure-threat", "通讯录", ENGLISH, "zh", "通"),
        ("en-compliant-plan", "What is this about?", MANDARIN, "en", "about"),
        ("en-exposure-no-notice", "last four digits", MANDARIN, "en", "digits"),
    ],
)
def test_what_is_said_in_the_other_language_is_written_as_it_was_said(
    engine: WhisperEngine, call: str, words: str, leaning: float, language: Language, heard: str
) -> None:
    [found] = engine.transcribe([Speech(pcm=to_int16(turn(call, words)).tobytes(), leaning=leaning)])
    assert found.language == language
    assert heard in found.text
