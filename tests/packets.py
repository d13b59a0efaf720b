"""Packets of G.722 and Opus, as a gateway would send them."""

from __future__ import annotations

from asr.audio.pcm import PacketEncoding, Pcm

RATES: dict[PacketEncoding, int] = {"g722": 16_000, "opus": 48_000}
"""Of the samples that are encoded."""
_ENCODERS: dict[PacketEncoding, str] = {"g722": "g722", "opus": "libopus"}


def packets_of(pcm: Pcm, encoding: PacketEncoding) -> list[bytes]:
    """One of 20 ms each; what does not fill the last is left out."""
    from av import AudioCodecContext, AudioFrame, CodecContext

    context = CodecContext.create(_ENCODERS[encoding], "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = RATES[encoding], "mono", "s16"
    context.bit_rate = 64_000
    made: list[bytes] = []
    for at in range(0, pcm.size - pcm.size % (RATES[encoding] // 50), RATES[encoding] // 50):
        frame = AudioFrame.from_ndarray(pcm[None, at : at + RATES[encoding] // 50], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATES[encoding], at
        made += [bytes(packet) for packet in context.encode(frame)]
    return made
