"""What a leg's bytes decode to: samples that stand by themselves, or packets of G.722 and Opus, which follow on.

Packets are decoded by FFmpeg, through PyAV, without any container.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np

from asr.audio.pcm import (
    SAMPLE_RATE,
    Encoding,
    PacketEncoding,
    Pcm,
    SampleEncoding,
    decode,
    deinterleave,
    sample_bytes,
)

if TYPE_CHECKING:
    from av import AudioCodecContext

_LINEAR_RATES: Final = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_G711_RATES: Final = (8000, 16_000)

RATES: Final[Mapping[Encoding, tuple[int, ...]]] = MappingProxyType(
    {
        "pcm_s16le": _LINEAR_RATES,
        "pcm_s16be": _LINEAR_RATES,
        "mulaw": _G711_RATES,
        "alaw": _G711_RATES,
        "g722": (8000, 16_000),
        "opus": (8000, 12_000, 16_000, 24_000, 48_000),
    }
)
"""The rates that a gateway may announce with each."""


def leg_rate(encoding: Encoding, announced: int) -> int:
    """Samples a second of a leg that is announced so, as calls count and keep it.

    What is announced with the codecs of packets says nothing of their sound: G.722 goes by 8000 since a mistake in
    RFC 1890 (RFC 3551, 4.5.2), Opus by 48,000 whatever it carries (RFC 7587, 4.1). Both are kept at 16,000.
    """
    return SAMPLE_RATE if encoding in ("g722", "opus") else announced


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedAudio:
    """One array for each leg, int16. `damaged` says that the payload was no packet; silence of the length that it
    announced stands for it."""

    legs: list[Pcm]
    damaged: bool = False


class Decoder(Protocol):
    """Decodes a leg's payloads. `rate` is that of the decoded samples, per second."""

    @property
    def rate(self) -> int:
        """Samples per second of the decoded audio."""
        ...

    def decode(self, payload: bytes, channels: int) -> DecodedAudio:
        """The samples of a payload, for `channels` interleaved legs. A broken payload raises nothing."""
        ...

    def reset(self) -> None:
        """The next payload follows none."""
        ...


def decoder(encoding: Encoding, rate: int) -> Decoder:
    """A new decoder for a leg of this encoding. `rate` counts only for encodings whose samples stand by themselves."""
    if encoding in ("g722", "opus"):
        return PacketDecoder(encoding)
    return SampleDecoder(encoding, rate)


def payload_seconds(payload: bytes, encoding: Encoding, rate: int, channels: int = 1) -> float:
    """How long a payload lasts, without decoding it."""
    if encoding == "g722" or encoding == "opus":
        return _CODECS[encoding].samples(payload) / _CODECS[encoding].rate if payload else 0.0
    return len(payload) / (sample_bytes(encoding) * channels * rate)


class SampleDecoder:
    """Samples that stand by themselves, of one leg or of several that are interleaved. Bytes past the last whole sample
    frame are left out."""

    def __init__(self, encoding: SampleEncoding, rate: int) -> None:
        self.rate = rate
        self._encoding: SampleEncoding = encoding

    def decode(self, payload: bytes, channels: int) -> DecodedAudio:
        frame = channels * sample_bytes(self._encoding)
        whole = payload[: len(payload) // frame * frame]
        return DecodedAudio(legs=deinterleave(decode(whole, self._encoding), channels))

    def reset(self) -> None:
        """Does nothing: no sample depends on another."""


class PacketDecoder:
    """One leg's packets: one in each payload, none in an empty one. A lost packet costs no more than a moment's sound,
    because both codecs recover by themselves."""

    def __init__(self, encoding: PacketEncoding) -> None:
        self._codec = _CODECS[encoding]
        self._context: AudioCodecContext | None = None

    @property
    def rate(self) -> int:
        return self._codec.rate

    def decode(self, payload: bytes, channels: int) -> DecodedAudio:
        assert channels == 1, "a packet is of one leg"
        if not payload:
            return DecodedAudio(legs=[np.zeros(0, np.int16)])
        pcm = self._decoded(payload)
        if pcm is None:
            return DecodedAudio(legs=[np.zeros(self._codec.samples(payload), np.int16)], damaged=True)
        return DecodedAudio(legs=[pcm])

    def reset(self) -> None:
        self._context = None

    def _decoded(self, packet: bytes) -> Pcm | None:
        from av import Packet  # 0.1 s that only those who hear such a leg pay
        from av.error import FFmpegError

        self._context = self._context or _opened(self._codec)
        try:
            frames = self._context.decode(Packet(packet))
        except FFmpegError:
            return None
        sound = [frame.to_ndarray().reshape(-1).astype(np.int16, copy=False) for frame in frames]
        return np.concatenate(sound) if sound else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codec:
    """`name` is FFmpeg's decoder, which gives one channel of int16 at `rate`; `samples` is what a packet tells of its
    length."""

    name: Literal["g722", "libopus"]
    rate: int
    samples: Callable[[bytes], int]


def _opened(codec: _Codec) -> AudioCodecContext:
    from av import CodecContext

    context = CodecContext.create(codec.name, "r")
    context.sample_rate = codec.rate
    context.layout = "mono"
    return context


_OPUS_RATE: Final = 48_000
_OPUS_FRAMES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples of a frame, by the configuration number (RFC 6716, table 2)."""
_LONGEST_OPUS: Final = 5760
"""120 ms (RFC 6716, 3.2.5)."""


def _g722_samples(packet: bytes) -> int:
    return 2 * len(packet)


def _opus_samples(packet: bytes) -> int:
    """The samples of an Opus packet, by its first bytes (RFC 6716, 3.1). 0 for a length that no packet has."""
    count = packet[1] & 0x3F if len(packet) > 1 else 0
    samples = (1, 2, 2, count)[packet[0] & 0x03] * _OPUS_FRAMES[packet[0] >> 3]
    return samples if samples <= _LONGEST_OPUS else 0


_CODECS: Final[Mapping[PacketEncoding, _Codec]] = MappingProxyType(
    {
        "g722": _Codec(name="g722", rate=16_000, samples=_g722_samples),
        "opus": _Codec(name="libopus", rate=_OPUS_RATE, samples=_opus_samples),
    }
)
