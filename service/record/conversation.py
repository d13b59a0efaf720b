"""How the parties of a call talk with each other: who speaks when, how loud, how high and how fast. Pure.

Folded from the utterances and from where audio is missing, so it holds no words. Where nobody can know whether somebody
spoke, nobody was silent.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from asr.types import ROLES, Role, Seconds, Utterance
from detectors.acoustic.talk import REMEMBERED, Stretch, breaks_in
from detectors.sentences import A_TURN, unit_count
from service.record.facts import GapMarked

STEP: Final[Seconds] = 10.0
MINUTE: Final[Seconds] = 60.0
LONG: Final[Seconds] = 1800.0
"""A longer call has a step a minute, so that an hour has no more steps than a page can show."""
DEAD_AIR: Final[Seconds] = 8.0
"""Nobody says anything for longer than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStep:
    """One party's speech in one step of the call: for how long, its mean level in dBFS and pitch in hertz, and how fast
    it is: characters, or words of English, in a minute of speech. None where nothing was said or measured."""

    talked: Seconds
    level_dbfs: float | None
    pitch_hz: float | None
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyTalk:
    """One party's part in the call. `share`: of what both have talked, in [0, 1]; None while nobody has. `monologue`:
    its longest turn, in which the other party says no more than a word or two. `interruptions`: when it broke in on
    the other."""

    role: Role
    talked: Seconds
    share: float | None
    monologue: Stretch | None
    interruptions: tuple[Seconds, ...]
    steps: tuple[SpeechStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A call of `duration` in steps of `step` seconds, of which the last one may be shorter. `talk_over` and `silence`:
    the seconds of each step in which both parties speak, and in which none does."""

    step: Seconds
    duration: Seconds
    parties: tuple[PartyTalk, ...]
    talk_over: tuple[Seconds, ...]
    silence: tuple[Seconds, ...]
    dead_air: tuple[Stretch, ...]


def conversation_of(
    roles: Sequence[Role], said: Sequence[Utterance], gaps: Sequence[GapMarked], until: Seconds
) -> Conversation:
    """The conversation of a call with these parties that is over after `until` seconds, or goes on after its last
    utterance."""
    duration = max([until, *(each.end for each in said)])
    grid = _Grid(duration)
    turns = sorted(said, key=lambda each: (each.start, each.end))
    spoken = {role: merged(_span(each) for each in turns if each.role == role) for role in ROLES}
    anybody = merged([*spoken["agent"], *spoken["customer"]])
    known = merged([*anybody, *_unheard(roles, gaps, duration)])
    talked: dict[Role, list[Seconds]] = {role: grid.seconds(spoken[role]) for role in ROLES}
    both = zip(talked["agent"], talked["customer"], grid.seconds(anybody), strict=True)
    silent = zip(grid.lengths, grid.seconds(known), strict=True)
    return Conversation(
        step=grid.step,
        duration=duration,
        parties=tuple(_party(role, turns, talked, grid) for role in roles),
        talk_over=tuple(round(max(0.0, agent + customer - either), 3) for agent, customer, either in both),
        silence=tuple(round(max(0.0, length - filled), 3) for length, filled in silent),
        dead_air=_dead_air(known, duration),
    )


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The time that any of the stretches covers, in its order."""
    covered: list[Stretch] = []
    for each in sorted(stretches, key=lambda stretch: stretch.start):
        if covered and each.start <= covered[-1].end:
            covered[-1] = Stretch(start=covered[-1].start, end=max(covered[-1].end, each.end))
        else:
            covered.append(each)
    return covered


class _Grid:
    """The steps of a call."""

    def __init__(self, duration: Seconds) -> None:
        self.step = MINUTE if duration > LONG else STEP
        count = math.ceil(duration / self.step)
        self.lengths = [min(self.step, duration - place * self.step) for place in range(count)]

    def parts(self, stretch: Stretch) -> Iterator[tuple[int, Seconds]]:
        """The steps that a stretch lies in, and for how long it lies in each."""
        last = min(len(self.lengths), math.ceil(stretch.end / self.step))
        for place in range(int(stretch.start / self.step), last):
            begin = place * self.step
            shared = min(stretch.end, begin + self.lengths[place]) - max(stretch.start, begin)
            if shared > 0:
                yield place, shared

    def seconds(self, stretches: Iterable[Stretch]) -> list[Seconds]:
        """For how long the stretches, none of which overlap, lie in each step."""
        sums = [0.0] * len(self.lengths)
        for stretch in stretches:
            for place, shared in self.parts(stretch):
                sums[place] += shared
        return sums


class _Sums:
    """What is summed up over one party's speech in one step. Figures weigh as long as they last."""

    def __init__(self) -> None:
        self._spoken = self._units = 0.0
        self._measured = self._power = 0.0
        self._voiced = self._pitch = 0.0

    def add(self, said: Utterance, units: int, shared: Seconds) -> None:
        """So many seconds of an utterance. Speech is taken to run evenly over it."""
        self._spoken += shared
        self._units += units * shared / (said.end - said.start)
        if said.acoustics is None:
            return
        self._measured += shared
        self._power += shared * 10 ** (said.acoustics.level_dbfs / 10)
        if said.acoustics.pitch_hz is not None:
            self._voiced += shared
            self._pitch += shared * said.acoustics.pitch_hz

    def step(self, talked: Seconds) -> SpeechStep:
        return SpeechStep(
            talked=round(talked, 3),
            level_dbfs=round(10 * math.log10(self._power / self._measured), 1) if self._measured else None,
            pitch_hz=round(self._pitch / self._voiced, 1) if self._voiced else None,
            rate=round(MINUTE * self._units / self._spoken, 1) if self._spoken else None,
        )


def _party(role: Role, turns: Sequence[Utterance], talked: dict[Role, list[Seconds]], grid: _Grid) -> PartyTalk:
    everybodys = sum(map(sum, talked.values()))
    own = sum(talked[role])
    sums = [_Sums() for _ in grid.lengths]
    for turn in (each for each in turns if each.role == role):
        units = unit_count(turn.text)
        for place, shared in grid.parts(_span(turn)):
            sums[place].add(turn, units, shared)
    return PartyTalk(
        role=role,
        talked=round(own, 3),
        share=round(own / everybodys, 3) if everybodys else None,
        monologue=max(_monologues(role, turns), key=lambda each: each.end - each.start, default=None),
        interruptions=_interruptions(role, turns),
        steps=tuple(each.step(seconds) for each, seconds in zip(sums, talked[role], strict=True)),
    )


def _monologues(role: Role, turns: Sequence[Utterance]) -> Iterator[Stretch]:
    """The party's turns, whole: each lasts until the other party says something, or nobody does for long."""
    held: Stretch | None = None
    for turn in turns:
        if turn.role != role:
            if unit_count(turn.text) >= A_TURN and held is not None:
                yield held
                held = None
        elif held is not None and turn.start - held.end <= DEAD_AIR:
            held = Stretch(start=held.start, end=max(held.end, turn.end))
        else:
            if held is not None:
                yield held
            held = _span(turn)
    if held is not None:
        yield held


def _interruptions(role: Role, turns: Sequence[Utterance]) -> tuple[Seconds, ...]:
    """When the party began to speak and broke in on the other one. Whom it broke in on ends before it does."""
    others = deque[Stretch](maxlen=REMEMBERED)
    found: list[Seconds] = []
    for turn in sorted(turns, key=lambda each: (each.end, each.start)):
        spoken = _span(turn)
        if turn.role != role:
            others.append(spoken)
        elif any(breaks_in(spoken, other) for other in others):
            found.append(turn.start)
    return tuple(found)


def _unheard(roles: Sequence[Role], gaps: Sequence[GapMarked], duration: Seconds) -> Iterator[Stretch]:
    """Where somebody may have spoken and nobody can know: all the time if only one party is heard."""
    if set(roles) != set(ROLES):
        yield Stretch(start=0.0, end=duration)
    for gap in gaps:
        if gap.reason not in ("silence", "unrecorded"):
            yield Stretch(start=gap.start, end=gap.end)


def _dead_air(known: Sequence[Stretch], duration: Seconds) -> tuple[Stretch, ...]:
    """The stretches between those in which somebody speaks, or may have spoken, as far as they are long."""
    edges = [0.0, *(edge for each in known for edge in (each.start, each.end)), duration]
    between = (Stretch(start=start, end=end) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return tuple(each for each in between if each.end - each.start > DEAD_AIR)


def _span(turn: Utterance) -> Stretch:
    return Stretch(start=turn.start, end=turn.end)
