"""The model itself, only on what is far from any threshold: whatever the processor, its instructions and its threads.

A gain in log probability differs by up to 2 nats between instruction sets; what is asserted here is at least 3 nats
away from where it would come out otherwise, and the tests say so. What lies nearer is decided on scripted
probabilities (`test_given_text.py`, `test_whisper_engine.py`).
"""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import pytest

from asr.audio.pcm import to_int16
from asr.engines.port import BiasTerm, Speech
from asr.engines.whisper.decoding import TokenIds
from asr.engines.whisper.encoder_frames import LogMel
from asr.engines.whisper.engine import WhisperEngine
from asr.engines.whisper.forced_decoding import ForcedDecoder
from asr.phonetics import SoundAlike, sound_alikes
from service.settings import Settings
from tests.recorded import turn

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]

SAID = "你的案件已经立案了,法院的传票已经寄出,下周三开庭。"
MARGIN = 3.0


class Summons:
    """What the model makes of texts given for one turn of a sample call, which is `SAID`."""

    def __init__(self, folder: Path) -> None:
        pcm = turn("zh-fake-police", "传票")
        self._seconds = len(pcm) / 16_000
        vocabulary = TokenIds(folder)
        model = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=Settings().threads or 1)
        mel = np.ascontiguousarray(LogMel(model.n_mels)([pcm], 30.0))
        self._encoded = np.array(model.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True))[0]
        self._given = ForcedDecoder(model, vocabulary)

    def surplus(self, text: str, alike: SoundAlike) -> float:
        """By how many nats the term is likelier than it need be."""
        return self._given.gain(text, alike, self._encoded, self._seconds) - alike.least

    def restored(self, text: str, *terms: BiasTerm) -> str:
        return self._given.restored(text, terms, self._encoded, self._seconds)


@pytest.fixture(scope="module")
def summons(whisper_path: Path) -> Summons:
    return Summons(whisper_path)


@pytest.mark.parametrize(
    ("heard", "term"),
    [
        ("暗件", BiasTerm(text="案件")),
        ("法愿", BiasTerm(text="法院")),
        ("船漂", BiasTerm(text="传票")),
        ("凯婷", BiasTerm(text="开庭")),
        ("团票", BiasTerm(text="传票", mishearings=("团票",))),
    ],
)
def test_a_term_that_was_said_is_restored_where_something_like_it_was_heard(
    summons: Summons, heard: str, term: BiasTerm
):
    text = SAID.replace(term.text, heard)
    [alike] = sound_alikes(text, [term])
    assert summons.surplus(text, alike) > MARGIN
    assert summons.restored(text, term) == SAID


@pytest.mark.parametrize(
    ("heard", "term"),
    [
        ("团票", BiasTerm(text="团瓢")),
        ("团票", BiasTerm(text="湍票")),
        ("案件", BiasTerm(text="信件", mishearings=("案件",))),
    ],
)
def test_a_term_that_was_not_said_is_not_put_in(summons: Summons, heard: str, term: BiasTerm):
    text = SAID if heard in SAID else SAID.replace("传票", heard)
    [alike] = sound_alikes(text, [term])
    assert summons.surplus(text, alike) < -MARGIN
    assert summons.restored(text, term) == text


@pytest.fixture(scope="module")
def engine(whisper_path: Path) -> WhisperEngine:
    return WhisperEngine(whisper_path, threads=Settings().threads)


def test_clear_speech_is_heard(engine: WhisperEngine):
    """Of twenty hypotheses the likeliest without these words is 6 nats less likely than the first."""
    speech = Speech(pcm=to_int16(turn("en-exposure-no-notice", "last four digits")).tobytes(), language="en")
    assert "digits of your phone number" in engine.transcribe([speech])[0].text.lower()


def test_language_is_told(engine: WhisperEngine):
    """Each is 7 nats likelier than the other."""
    spoken = {"zh": turn("zh-fake-police", "传票"), "en": turn("en-exposure-no-notice", "last four digits")}
    told = engine.transcribe([Speech(pcm=to_int16(pcm).tobytes()) for pcm in spoken.values()])
    assert [each.language for each in told] == [*spoken]
