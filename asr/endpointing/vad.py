"""Voice activity detection: a cheap score for every frame, and a second opinion before an utterance costs recognition
time."""

from __future__ import annotations

import threading
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from typing import Final, cast

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from asr.audio.pcm import FLOOR_DBFS, SAMPLE_RATE, Pcm
from asr.onnx_session import OnnxSession, open_onnx_session

FRAME_SAMPLES: Final = 320
"""20 ms at 16 kHz: the middle one of the three frame lengths webrtcvad takes."""

_MODE: Final = 0
"""webrtcvad's least strict. Beside mode 1 it misses half as much speech in noise (3.8 against 9.3 % at 10 dB),
and the gates below end an utterance as early; modes 2 and 3 lose up to a third of it."""

_SMOOTHED: Final = 5
"""Frames (0.1 s) a score and a level are averaged over: hides the closure of a plosive, costs 60 ms at onset."""

_ABOVE_FLOOR_DB: Final = 2.0
"""Steady noise, hum and tones stay within about 1 dB of their own floor; speech swings by 10 and more."""

_BELOW_PEAK_DB: Final = 30.0
"""Sound this much weaker than the speech just before is the room, line echo or the other party's crosstalk."""

_PEAK_DECAY_DB: Final = 4.0 * FRAME_SAMPLES / SAMPLE_RATE
"""4 dB a second: a much quieter speaker who takes over the telephone counts again after seconds."""

_BLOCK_FRAMES: Final = 25
_FLOOR_BLOCKS: Final = 8
"""The noise floor is the least level of the last 8 blocks of 0.5 s: nobody speaks 4 s without a dip to it."""


class VoiceModelMissing(FileNotFoundError):
    """The voice activity model that ships in faster-whisper is not where it should be."""


class _LevelGate:
    """Refuses frames that are no louder than the line's noise, or far weaker than the speech just before."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_SMOOTHED)
        self._block: list[float] = []
        self._noise_floors: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._peak = FLOOR_DBFS

    def passes(self, voiced: bool, level_dbfs: float) -> bool:
        """Whether the leg's next frame is loud enough to be speech."""
        self._levels.append(level_dbfs)
        level = sum(self._levels) / len(self._levels)
        self._track_noise_floor(level)
        self._peak = max(self._peak - _PEAK_DECAY_DB, level if voiced else FLOOR_DBFS)
        return voiced and level >= self._peak - _BELOW_PEAK_DB and level >= self._noise_floor() + _ABOVE_FLOOR_DB

    def _track_noise_floor(self, level: float) -> None:
        self._block.append(level)
        if len(self._block) == _BLOCK_FRAMES:
            self._noise_floors.append(min(self._block))
            self._block.clear()

    def _noise_floor(self) -> float:
        """The noise floor, dBFS. Until a full span has passed it is unknown and taken for as low as can be."""
        return min(self._noise_floors) if len(self._noise_floors) == _FLOOR_BLOCKS else -np.inf


class FrameScorer:
    """How likely each frame of one leg is speech: what webrtcvad says of it, gated by level, averaged over 0.1 s.

    Holds the leg's state, so frames must come in order and without holes.
    """

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(_MODE)
        self._gate = _LevelGate()
        self._speaking: deque[bool] = deque([False] * _SMOOTHED, maxlen=_SMOOTHED)

    def score(self, frame: Pcm, level_dbfs: float) -> float:
        """Score in [0, 1] of the next `FRAME_SAMPLES` samples at 16 kHz, whose RMS level is given."""
        voiced = bool(self._vad.is_speech(frame.tobytes(), SAMPLE_RATE))
        self._speaking.append(self._gate.passes(voiced, level_dbfs))
        return sum(self._speaking) / _SMOOTHED


_WINDOW: Final = 512
_CONTEXT: Final = 64
_STATE: Final = (1, 1, 128)
"""Silero VAD 6 at 16 kHz: windows of 32 ms, each led by the last 4 ms of the one before."""

_SUSTAINED_WINDOWS: Final = 6
"""About 0.2 s: fewer lively windows in a long stretch are a plucked note or a key tone."""

_SHORT_SAMPLES: Final = int(1.3 * SAMPLE_RATE)
_SHORT_WINDOWS: Final = 3
_SHORT_SPEECH: Final = 0.3
"""A lone "yes", "bye" or "嗯" is 0.3 s in a cut of 1 s: over before the model has warmed to it. In cuts this short
three windows over 0.3 are enough; tones, clicks and noise that come in such short cuts stay under 0.1."""

_PLAYBACK_DBFS: Final = (-35.0, -20.0)
"""Levels the audio is brought to before it is judged, the second one only when the first refuses. Silero's
probabilities move with the level: clean speech does best quiet, noisy speech loud. Together they refuse 0.1 %
or less of clean speech from -28 to -62 dBFS and 0.5 % at 10 dB over pink noise, where its own level costs 9 to 63 %."""

_MOST_GAIN_DB: Final = 30.0
_SPEECH: Final = 0.5


class SecondOpinion:
    """Silero VAD over a whole utterance, asked before the utterance costs recognition time.

    Blocking: about 2 to 4 ms a second of audio on one core. Safe to call from several threads at once: the
    recurrent state lives in the call and onnxruntime sessions may be shared. The model is loaded by the first
    call, which raises VoiceModelMissing where it cannot be found.
    """

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._session: OnnxSession | None = None

    def is_speech(self, pcm: NDArray[np.float32]) -> bool:
        """Whether it is worth recognising: false for tones, music, noise, hum and silence. `pcm` is float32 mono at
        16 kHz, of any level or length."""
        enough = _SHORT_SPEECH if pcm.size <= _SHORT_SAMPLES else _SPEECH
        return any(self._sustained(_at_level(pcm, target)) >= enough for target in _PLAYBACK_DBFS)

    def _sustained(self, pcm: NDArray[np.float32]) -> float:
        """Probability in [0, 1] that some 0.2 s are speech: the sixth highest of the windows' own, so that a short word
        in a long tone still counts; in a short cut the third highest."""
        windows = -(-pcm.size // _WINDOW)
        if not windows:
            return 0.0
        padded = np.pad(pcm, (_CONTEXT, windows * _WINDOW - pcm.size))
        framed = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + _WINDOW)[::_WINDOW]
        state = np.zeros(_STATE, np.float32)
        feed = {"input": np.ascontiguousarray(framed), "h": state, "c": state}
        probabilities = cast("NDArray[np.float32]", self._loaded().run(None, feed)[0]).ravel()
        rank = _SHORT_WINDOWS if pcm.size <= _SHORT_SAMPLES else _SUSTAINED_WINDOWS
        return float(np.sort(probabilities)[-min(rank, windows)])

    def _loaded(self) -> OnnxSession:
        with self._loading:
            if self._session is None:
                self._session = open_onnx_session(_model_path())
            return self._session


def _at_level(pcm: NDArray[np.float32], target_dbfs: float) -> NDArray[np.float32]:
    """The audio with the level of its loudest tenth of frames brought to the target, within 30 dB."""
    whole = pcm[: pcm.size - pcm.size % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    if not whole.size:
        return pcm
    power = np.quantile(np.mean(np.square(whole, dtype=np.float64), axis=1), 0.9)
    gain_db = np.clip(target_dbfs - 10 * np.log10(power + 1e-10), -_MOST_GAIN_DB, _MOST_GAIN_DB)
    return np.clip(pcm * np.float32(10 ** (gain_db / 20)), -1, 1).astype(np.float32, copy=False)


def _model_path() -> Path:
    """Found without importing faster-whisper, which would load CTranslate2 as well."""
    spec = find_spec("faster_whisper")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0] if folders else "faster_whisper") / "assets" / "silero_vad_v6.onnx"
    if not path.is_file():
        raise VoiceModelMissing(f"{path} is missing; install faster-whisper 1.2.1 or later, which brings it")
    return path
