"""faster-whisper as its users call it: what our own engine is measured beside. Not used by the service."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from asr.types import Language


class FasterWhisper:
    """Any multilingual CTranslate2 Whisper folder, through `faster_whisper.WhisperModel.transcribe`."""

    def __init__(self, model_path: Path, *, compute_type: str, cores: int) -> None:
        self._model = WhisperModel(str(model_path), device="cpu", compute_type=compute_type, cpu_threads=cores)

    def transcribe(self, pcm: NDArray[np.float32], language: Language, beam_size: int) -> str:
        """One utterance, 16 kHz in [-1, 1], with the library's own fallbacks and without word times."""
        segments, _info = self._model.transcribe(
            pcm, language=language, beam_size=beam_size, condition_on_previous_text=False, without_timestamps=True
        )
        return "".join(segment.text for segment in segments)
