"""PCM values: samples and seconds, G.711, interleaving, resampling, levels.

Everything past the gateway is int16 mono at `SAMPLE_RATE`, one array a leg; models compute in float32.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]
"""Mono samples of one leg."""

SampleEncoding = Literal["pcm_s16le", "pcm_s16be", "mulaw", "alaw"]
"""16-bit linear, in either byte order, and G.711: each sample stands by itself."""
PacketEncoding = Literal["g722", "opus"]
"""Codecs whose packets follow each other (`asr.audio.codecs`)."""
Encoding = Literal[SampleEncoding, PacketEncoding]

SAMPLE_RATE: Final = 16_000
"""Whisper's and both voice activity detectors' rate; telephone audio is brought up to it once, on arrival."""

SAMPLE_BYTES: Final = 2
FULL_SCALE: Final = 32_768.0
FLOOR_DBFS: Final = -96.0
"""Digital silence is given as this: just under one quantising step of 16 bits (-90.3 dBFS)."""


class MalformedAudio(ValueError):
    """Bytes that cannot be samples of the announced encoding, or samples that do not fill their channels."""


def seconds(samples: int, rate: int = SAMPLE_RATE) -> float:
    """How long `samples` of one channel last."""
    return samples / rate


def samples_in(duration: float, rate: int = SAMPLE_RATE) -> int:
    """Whole samples of one channel in `duration` seconds, rounded to the nearest."""
    return round(duration * rate)


def samples_in_ms(milliseconds: int) -> int:
    """Whole samples at `SAMPLE_RATE`; exact, for it has 16 of them a millisecond."""
    return milliseconds * SAMPLE_RATE // 1000


def _mulaw_levels() -> Pcm:
    """The 256 output values of ITU-T G.711 table 2, scaled from 14 to 16 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 0x07).astype(np.int32)
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_levels() -> Pcm:
    """The 256 output values of ITU-T G.711 table 1, scaled from 13 to 16 bits. Even bits travel inverted."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = ((code >> 4) & 0x07).astype(np.int32)
    mantissa = (code & 0x0F).astype(np.int32)
    step = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, step, (step + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _mulaw_codes() -> NDArray[np.uint8]:
    """The code of every int16 sample, indexed by the sample's bits read as uint16."""
    pcm = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(pcm), 32_635) + 0x84
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    sign = np.where(pcm < 0, 0x80, 0x00)
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)


def _alaw_codes() -> NDArray[np.uint8]:
    """The code of every int16 sample, indexed by the sample's bits read as uint16."""
    pcm = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(pcm < 0, ~pcm, pcm)  # G.711's first negative interval starts at -1, not at 0
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 7, 0)
    mantissa = (magnitude >> np.maximum(exponent + 3, 4)) & 0x0F
    sign = np.where(pcm < 0, 0x00, 0x80)
    return ((sign | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)


_LEVELS: Final = {"mulaw": _mulaw_levels(), "alaw": _alaw_levels()}
_CODES: Final = {"mulaw": _mulaw_codes(), "alaw": _alaw_codes()}
_BYTE_ORDERS: Final = {"pcm_s16le": "<i2", "pcm_s16be": ">i2"}


def sample_bytes(encoding: Encoding) -> int:
    """Bytes of one sample of one channel; 1 for the codecs of packets, of which any number of bytes may be whole."""
    return SAMPLE_BYTES if encoding in _BYTE_ORDERS else 1


def decode(payload: bytes, encoding: SampleEncoding) -> Pcm:
    """Samples of a payload, channels still interleaved. Raises MalformedAudio on half a sample."""
    if encoding not in _BYTE_ORDERS:
        return _LEVELS[encoding][np.frombuffer(payload, dtype=np.uint8)]
    if len(payload) % 2:
        raise MalformedAudio(f"{len(payload)} bytes are not whole 16-bit samples; send an even number of bytes")
    return np.frombuffer(payload, dtype=_BYTE_ORDERS[encoding]).astype(np.int16, copy=False)


def encode(pcm: Pcm, encoding: SampleEncoding) -> bytes:
    """The wire's bytes for samples, as `decode` reads them."""
    if encoding in _BYTE_ORDERS:
        return pcm.astype(_BYTE_ORDERS[encoding], copy=False).tobytes()
    return _CODES[encoding][pcm.view(np.uint16)].tobytes()


def deinterleave(pcm: Pcm, channels: int) -> list[Pcm]:
    """One contiguous array a channel. Raises MalformedAudio when the last sample frame is not whole."""
    if pcm.size % channels:
        raise MalformedAudio(f"{pcm.size} samples do not divide into {channels} channels; send whole sample frames")
    return [np.ascontiguousarray(pcm[channel::channels]) for channel in range(channels)]


def to_float32(pcm: Pcm) -> NDArray[np.float32]:
    """Samples in [-1, 1), as models take them."""
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)


def samples_of(pcm: bytes) -> NDArray[np.float32]:
    """Int16 samples that are kept as bytes, in [-1, 1)."""
    return to_float32(np.frombuffer(pcm, np.int16))


def to_int16(wave: NDArray[np.float32]) -> Pcm:
    """Samples of [-1, 1) as everything else takes them; what lies outside is clipped."""
    return _rounded(wave * np.float32(FULL_SCALE))


def dbfs(mean_square: float) -> float:
    """Level of a mean square of int16 samples: a full-scale square wave is 0, a sine -3, never under the floor."""
    if mean_square <= 0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 10 * math.log10(mean_square / FULL_SCALE**2))


def energy(pcm: Pcm) -> int:
    """Sum of squares, in exact integers so that it does not depend on how the audio was cut."""
    wide = pcm.astype(np.int64)
    return int(np.dot(wide, wide))


def loudest(pcm: Pcm) -> int:
    """The largest magnitude of a sample; 0 of none."""
    return max(int(pcm.max()), -int(pcm.min())) if pcm.size else 0


class Resampler:
    """Streaming change of rate for one leg, sample-exact: what goes in at t seconds comes out at t seconds.

    The filter withholds up to about 0.12 s, so output lags behind but is never shifted. After `flush` exactly
    round(input * target / source) samples have come out, halves rounded up. How the input is cut does not change
    a single sample: the arithmetic is float32, since soxr's int16 path adds dither that depends on the cuts and
    makes noise of digital silence. Quality HQ, for LQ's roll-off reaches into the telephone band.
    """

    def __init__(self, source_rate: int, target_rate: int = SAMPLE_RATE) -> None:
        self._source_rate = source_rate
        self._target_rate = target_rate
        self._taken = 0
        self._given = 0
        self._stream = (
            None if source_rate == target_rate else soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32")
        )

    def push(self, pcm: Pcm) -> Pcm:
        """What is ready after these samples; may be empty."""
        if self._stream is None:
            return pcm
        self._taken += pcm.size
        ready = _rounded(self._stream.resample_chunk(pcm.astype(np.float32)))
        self._given += ready.size
        return ready

    def flush(self) -> Pcm:
        """The withheld rest. The next push starts a new stream at 0."""
        if self._stream is None:
            return np.zeros(0, np.int16)
        rest = _rounded(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))
        due = (2 * self._taken * self._target_rate + self._source_rate) // (2 * self._source_rate) - self._given
        self._taken = self._given = 0
        self._stream.clear()
        return np.pad(rest[:due], (0, max(0, due - rest.size)), mode="edge" if rest.size else "constant")


def _rounded(wave: NDArray[np.float32]) -> Pcm:
    return np.clip(np.rint(wave), -32_768, 32_767).astype(np.int16)
