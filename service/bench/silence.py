"""What is recognised where nobody speaks: telephone sounds on the whole path, from the gateway's audio to text."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass

from asr.audio.pcm import Pcm, encode
from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import Speech
from asr.recognition.recogniser import BatchRecogniser, RecognitionRequest
from asr.types import Language, Seconds
from service.bench.channel import PHONE_RATE
from service.calls.audio_path import AudioPath, AudioPathOutput
from service.ingest.events import AudioArrived

PIECE: Seconds = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceFigures:
    """What came of one sound. `texts` should be empty."""

    minutes: float
    cut: int
    refused: int
    filtered: int
    texts: tuple[str, ...]
    cpu_seconds_per_minute: float

    @property
    def characters(self) -> int:
        """How many characters were written where nobody spoke."""
        return sum(map(len, self.texts))


async def listen(
    sound: Pcm, recogniser: BatchRecogniser, language: Language, name: str, passed: Callable[[Seconds], None]
) -> SilenceFigures:
    """Runs one sound (int16 at 8 kHz) through endpointing, second opinion, recognition and filter, as a call's only
    leg."""
    before, cpu = recogniser.counts, _cpu()
    texts: list[str] = []
    cut = 0
    audio_path = AudioPath(["customer"], "mulaw", PHONE_RATE, max_pace=math.inf, now=0.0)
    piece = round(PIECE * PHONE_RATE)
    for first in range(0, sound.size, piece):
        taken = audio_path.take(AudioArrived(payload=encode(sound[first : first + piece], "mulaw")), first / PHONE_RATE)
        cut += await _recognise(taken, recogniser, language, name, texts)
        passed(first / PHONE_RATE)
    cut += await _recognise(audio_path.pause(sound.size / PHONE_RATE), recogniser, language, name, texts)
    grown = {count: value - getattr(before, count) for count, value in asdict(recogniser.counts).items()}
    minutes = sound.size / PHONE_RATE / 60
    return SilenceFigures(
        minutes=round(minutes, 3),
        cut=cut,
        refused=grown["refused"],
        filtered=grown["filtered"],
        texts=tuple(texts),
        cpu_seconds_per_minute=round((_cpu() - cpu) / minutes, 3),
    )


async def _recognise(
    taken: AudioPathOutput, recogniser: BatchRecogniser, language: Language, name: str, texts: list[str]
) -> int:
    cuts = [found for found in taken.found if isinstance(found, SpeechSegment)]
    for cut in cuts:
        speech = Speech(pcm=cut.pcm, language=language)
        request = RecognitionRequest(call_id=name, role="customer", utterance=cut.first, kind="final", speech=speech)
        if (recognised := await recogniser.submit(request)) is not None:
            texts.append(recognised.text)
    return len(cuts)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system
