"""What is below speech, taken from one leg: offset and mains hum hide a voice from whatever looks at levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import Pcm

SPEECH_HZ: Final = 80.0
"""No voice goes lower, and both mains' frequencies lie where 40 dB are taken."""

_POLES: Final = (complex(-0.07421, 0.96930), complex(-0.46745, 1.11841), complex(-1.87676, 0.0))
_ZEROS: Final = (0.73588, 0.50800, 0.0)
"""Elliptic high-pass of order 5, by its passband's edge: 0.3 dB at most are taken above the edge, 40 from 0.35 to 0.765
of it, all of an offset. A Butterworth of that order takes 20 dB at 0.625. The last pole and zero are single ones."""

_STILL: Final = 0.005
"""So many seconds of exact zeros are digital silence: no voice, and no open line. The filter starts anew there.
Otherwise it would ring on into the silence, webrtcvad would learn its noise from that, and take key tones and music for
a voice."""

_STATES: Final = 6
_BLOCK: Final = 80
_BLOCKS: Final = 16
"""At most so many blocks of so many samples are filtered at once."""

Matrix = NDArray[np.float64]


class HighPass:
    """One leg's filter, causal; passes what lies above `edge` Hz. How the audio is cut into pushes changes nothing."""

    def __init__(self, rate: int, edge: float = SPEECH_HZ) -> None:
        self._matrices = _matrices(rate, edge)
        self._state = np.zeros(_STATES)
        self._still = round(_STILL * rate)
        self._zeros = self._still  # the latest samples that were zero

    def push(self, pcm: Pcm) -> Pcm:
        """The leg's next samples, filtered: as many as came, rounded and held to 16 bits. Digital silence is zeros
        from 5 ms on."""
        filtered = np.zeros_like(pcm)
        if self._zeros == self._still and not pcm.any():  # the silence goes on: for most of a call one party is silent
            self._state = np.zeros(_STATES)
            return filtered
        begin = 0
        for still, end in self._silences(pcm):
            filtered[begin:still] = self._filter(pcm[begin:still])
            self._state = np.zeros(_STATES)
            begin = end
        filtered[begin:] = self._filter(pcm[begin:])
        return filtered

    def _silences(self, pcm: Pcm) -> list[tuple[int, int]]:
        """The stretches [begin, end) of these samples that are digital silence: without a run's first 5 ms."""
        if pcm.size and pcm[-1] and self._zeros + pcm.size - np.count_nonzero(pcm) <= self._still:
            self._zeros = 0  # too few zeros for any: somebody speaks, or the line is open
            return []
        edges = np.concatenate([[-1 - self._zeros], np.flatnonzero(pcm), [pcm.size]])
        self._zeros = min(pcm.size - 1 - int(edges[-2]), self._still)
        silent = np.flatnonzero(np.diff(edges) > self._still)
        return [(max(0, int(edges[run]) + 1 + self._still), int(edges[run + 1])) for run in silent]

    def _filter(self, pcm: Pcm) -> Pcm:
        wave = pcm.astype(np.float64)
        filtered = np.empty_like(wave)
        whole = wave.size - wave.size % _BLOCK
        for first in range(0, whole, _BLOCKS * _BLOCK):
            piece = slice(first, min(whole, first + _BLOCKS * _BLOCK))
            filtered[piece] = self._blocks(wave[piece].reshape(-1, _BLOCK))
        if whole < wave.size:
            filtered[whole:] = self._part(wave[whole:])
        np.rint(filtered, out=filtered)
        return np.minimum(np.maximum(filtered, -32_768.0), 32_767.0).astype(np.int16)

    def _blocks(self, blocks: Matrix) -> Matrix:
        """1 to 16 blocks, shape (blocks, 80)."""
        known, matrices = _STATES * (1 + len(blocks)), self._matrices
        given = np.concatenate([self._state, (blocks @ matrices.drive).ravel()])
        states = (given @ matrices.chain[:known, :known]).reshape(-1, _STATES)
        self._state = states[-1]
        return (states[:-1] @ matrices.ringing + blocks @ matrices.response).ravel()

    def _part(self, wave: Matrix) -> Matrix:
        """Less than a block."""
        given = np.concatenate([self._state, wave, np.zeros(_BLOCK - wave.size)])
        self._state = self._matrices.states[wave.size] @ given
        return given @ self._matrices.outputs[:, : wave.size]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrices:
    """What the filter makes of its state and a block of input, for it is linear: a recursion sample by sample would
    cost a hundred times as much.

    - `outputs` (86, 80): a block's output of state and input; `ringing` (6, 80) and `response` (80, 80) are its parts.
    - `states` (81, 6, 86): the state after 0 to 80 samples. `drive` (80, 6): a block's share in the state after it.
    - `chain` (102, 102): the states before each of 16 blocks and after them, of the first state and all drives.
    """

    outputs: Matrix
    states: Matrix
    drive: Matrix
    chain: Matrix
    ringing: Matrix
    response: Matrix


@cache
def _matrices(rate: int, edge: float) -> _Matrices:
    sections, given = _sections(rate, edge), np.eye(_STATES + _BLOCK)
    state, outputs, states = given[:_STATES], list[Matrix](), [given[:_STATES]]
    for at in range(_BLOCK):
        output, state = _step(sections, state, given[_STATES + at])
        outputs.append(output)
        states.append(state)
    columns = np.stack(outputs, axis=1)
    return _Matrices(
        outputs=columns,
        states=np.stack(states),
        drive=np.ascontiguousarray(state[:, _STATES:].T),
        chain=_chain(state[:, :_STATES].T),
        ringing=np.ascontiguousarray(columns[:_STATES]),
        response=np.ascontiguousarray(columns[_STATES:]),
    )


def _chain(free: Matrix) -> Matrix:
    size = _STATES * (1 + _BLOCKS)
    chain = np.zeros((size, size))
    for begin in range(0, size, _STATES):
        power = np.eye(_STATES)
        for at in range(begin, size, _STATES):
            chain[begin : begin + _STATES, at : at + _STATES] = power
            power = power @ free
    return chain


def _step(sections: list[tuple[float, ...]], state: Matrix, sample: Matrix) -> tuple[Matrix, Matrix]:
    """One sample through all sections (transposed direct form II)."""
    after: list[Matrix] = []
    for (b0, b1, b2, a1, a2), first, second in zip(sections, state[::2], state[1::2], strict=True):
        given = b0 * sample + first
        after += [b1 * sample - a1 * given + second, b2 * sample - a2 * given]
        sample = given
    return sample, np.stack(after)


def _sections(rate: int, edge: float) -> list[tuple[float, ...]]:
    """Digital sections (b0, b1, b2, a1, a2) by the bilinear transform, gain 1 far above the edge."""
    sections: list[tuple[float, ...]] = []
    for pole_at, zero_at in zip(_POLES, _ZEROS, strict=True):
        pole, zero = (_bilinear(2 * np.pi * edge * place, rate) for place in (pole_at, complex(0.0, zero_at)))
        if pole_at.imag:
            top, bottom = np.poly([zero, zero.conjugate()]).real, np.poly([pole, pole.conjugate()]).real
        else:
            top, bottom = np.array([1.0, -zero.real, 0.0]), np.array([1.0, -pole.real, 0.0])
        signs = np.array([1.0, -1.0, 1.0])
        top = top * (bottom @ signs) / (top @ signs)
        sections.append((*map(float, top), float(bottom[1]), float(bottom[2])))
    return sections


def _bilinear(place: complex, rate: int) -> complex:
    return (2 * rate + place) / (2 * rate - place)
