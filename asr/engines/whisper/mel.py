"""Whisper's log-mel spectrogram, of a whole batch at once."""

from __future__ import annotations

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE = 16000
_WINDOW = 400
_HOP = 160


class LogMel:
    """Float32 mono at 16 kHz in, what Whisper's encoder reads out: shape (batch, mels, 100 frames a second)."""

    def __init__(self, mels: int) -> None:
        filters = FeatureExtractor.get_mel_filters(SAMPLE_RATE, _WINDOW, n_mels=mels)
        self._filters: NDArray[np.float32] = filters.astype(np.float32)
        self._window: NDArray[np.float32] = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)

    def __call__(self, batch: list[NDArray[np.float32]], context: float) -> NDArray[np.float32]:
        """The spectrogram of each item with zeros after it up to `context` seconds; what is longer is cut.

        The zeros go behind the audio, not behind the spectrogram: that is what Whisper was trained on.
        """
        samples = round(context * SAMPLE_RATE)
        return np.stack([self._one(pcm[:samples], samples) for pcm in batch])

    def _one(self, pcm: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
        padded = np.zeros(samples + _WINDOW, dtype=np.float32)
        half = _WINDOW // 2
        padded[half : half + len(pcm)] = pcm
        padded[:half] = pcm[half:0:-1] if len(pcm) > half else 0.0  # centred frames: mirrored at the start
        frames = sliding_window_view(padded, _WINDOW)[:samples:_HOP]
        # Frames past the audio are all zeros: one column stands for them all.
        heard = min(len(frames), (len(pcm) + half) // _HOP + 2)
        spectrum = np.fft.rfft(frames[:heard] * self._window, axis=-1)
        power = spectrum.real**2 + spectrum.imag**2
        mel = np.full((self._filters.shape[0], len(frames)), 1e-10, dtype=np.float32)
        # Not `@`: after each product BLAS keeps a thread of its own spinning, a fifth of a core of a busy service.
        mel[:, :heard] = np.maximum(np.einsum("mf,tf->mt", self._filters, power.astype(np.float32)), 1e-10)
        log: NDArray[np.float32] = np.log10(mel)
        return ((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0).astype(np.float32, copy=False)
