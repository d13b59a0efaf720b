"""A floor in simulated time: the real recogniser and the real admission, on a machine, with callers, that are made up.

The event loop's clock jumps from one thing that happens to the next, so that minutes of a floor take a second, and the
same seed gives the same floor. What a batch costs is told in seconds of speech that a hurrying worker would recognise
meanwhile, after what Whisper base costs on a CPU.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from asr.audio.pcm import SAMPLE_BYTES, SAMPLE_RATE, samples_in
from asr.engines.port import Effort, Speech
from asr.recognition.degradation import DegradationLevel
from asr.recognition.queue import RequestKind
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits, RecognitionRequest
from asr.types import ROLES, Role, Seconds, Transcript
from service.calls.admission import Admission, Asker, LiveCall, Refusal

T = TypeVar("T")

_LATE_LOOKS: dict[Effort, Seconds] = {"careful": 11.0, "full": 29.0}
"""A second look costs as much as so much speech in a hurry, however short its stretch: its context is that long."""
_BEAM = 1.4
_IN_BATCH = 0.8
"""What each stretch after the first of a batch costs of its own."""
_FINAL_AFTER: Seconds = 0.45
"""From the end of an utterance, which is 0.1 s after its last sound, until its silence is long enough to tell."""
_PAUSE_AFTER: Seconds = 0.16
_PARTIAL_EVERY: Seconds = 1.5
_OFFERED_EVERY: Seconds = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """From `begin`, for `seconds`: other programs take `share` of every worker's core, or (1.0) the process stands
    still."""

    begin: float
    seconds: float
    share: float = 1.0

    @property
    def end(self) -> float:
        return self.begin + self.seconds

    @property
    def stands_still(self) -> bool:
        return self.share >= 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """How calls are spoken: utterances of `mean` seconds on average, half of them within a factor of `spread`, and the
    silence after each; as in the sample calls, unless told otherwise. One in seven is doubtful."""

    mean: Seconds = 3.7
    spread: float = 1.45
    pause: Seconds = 0.65
    doubtful: float = 0.14


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSource:
    """A gateway key and its calls: so many are offered, from `begin` on, each for `seconds`, at `pace` times real
    time."""

    key: str
    calls: int
    begin: float = 0.0
    seconds: Seconds = math.inf
    pace: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`speed`: times real time of all workers together, in a hurry."""

    speed: float
    workers: int = 2
    sources: Sequence[CallSource] = (CallSource(key="A", calls=100),)
    talk: Talk = Talk()
    spells: Sequence[Spell] = ()
    seconds: Seconds = 120.0
    limits: RecogniserLimits = field(default_factory=RecogniserLimits)
    most: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """One utterance's text: when the utterance ended, and how long after."""

    key: str
    role: Role
    end: float
    late: Seconds


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it. `levels`: each second's."""

    finals: list[Final] = field(default_factory=list[Final])
    said: int = 0
    live: dict[str, int] = field(default_factory=dict[str, int])
    taken: Counter[str] = field(default_factory=Counter[str])
    refusals: list[tuple[float, str, str]] = field(default_factory=list[tuple[float, str, str]])
    refused_at_none: int = 0
    levels: list[tuple[float, DegradationLevel]] = field(default_factory=list[tuple[float, DegradationLevel]])
    calls: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    capacity: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def late(self, share: float, begin: float = 0.0, end: float = math.inf, **which: str) -> Seconds:
        """The lateness that so much of what ended in that time does not exceed; 0 where nothing did."""
        lates = sorted(
            final.late
            for final in self.finals
            if begin <= final.end < end and all(getattr(final, name) == wanted for name, wanted in which.items())
        )
        return lates[math.ceil(share * len(lates)) - 1] if lates else 0.0


class _Jump(selectors.SelectSelector):
    """Does not wait: the time it was to wait has passed."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        super().__init__()
        self._passes = passes

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self._passes(timeout)
        return super().select(0)


class Clock:
    """Simulated time. While the process stands still it goes on and no work is done."""

    def __init__(self, spells: Sequence[Spell]) -> None:
        self._stops = sorted((spell for spell in spells if spell.stands_still), key=lambda spell: spell.begin)
        self._slow = [spell for spell in spells if not spell.stands_still]
        self._now = 0.0
        self._stood = 0.0

    def now(self) -> float:
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += seconds
        while self._stops and self._now >= self._stops[0].begin:
            self._stood += self._stops[0].seconds
            self._now += self._stops.pop(0).seconds

    @property
    def ran(self) -> float:
        """How long the process has run."""
        return self._now - self._stood

    @property
    def starved(self) -> Seconds:
        """How long a thread that was always ready would have waited for its core."""
        return sum(spell.share * max(0.0, min(self._now, spell.end) - spell.begin) for spell in self._slow)

    async def work(self, seconds: float) -> None:
        """Return when a worker has had so much of its core's time."""
        while seconds > 1e-6:
            share, until = self._share()
            before = self.ran
            await asyncio.sleep(min(seconds / share, until - self._now))
            seconds -= (self.ran - before) * share

    def _share(self) -> tuple[float, float]:
        """What is left of a core now, and until when."""
        left = math.prod(1.0 - spell.share for spell in self._slow if spell.begin <= self._now < spell.end)
        edges = [edge for spell in self._slow for edge in (spell.begin, spell.end) if edge > self._now + 1e-9]
        return left, min(edges, default=self._now + 1e6)


class Machine:
    """An engine whose answers say nothing, and the thread it runs in, at a worker's speed."""

    name = "simulated"

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.workers = plan.workers
        self._speed = plan.speed / plan.workers
        self._doubtful = plan.talk.doubtful
        self._clock = clock
        self._random = np.random.default_rng(plan.seed)
        self._owed: Seconds = 0.0

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        """Owes the time that this takes."""
        costs = [self._cost(speech) for speech in batch]
        self._owed = (costs[0] + _IN_BATCH * sum(costs[1:])) / self._speed
        return [self._transcript(speech) for speech in batch]

    def close(self) -> None:
        return

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Takes as long as the work would."""
        self._owed = 0.002
        result = work()
        await self._clock.work(self._owed)
        return result

    @staticmethod
    def _cost(speech: Speech) -> Seconds:
        if speech.effort in _LATE_LOOKS:
            return _LATE_LOOKS[speech.effort]
        length = speech.seconds
        hurried = 0.6 * length + 0.4 * max(3.0, length + 0.5)
        return hurried if speech.effort == "quick" else _BEAM * hurried

    def _transcript(self, speech: Speech) -> Transcript:
        doubtful = speech.effort not in _LATE_LOOKS and bool(self._random.random() < self._doubtful)
        return Transcript(
            text="好的",
            language="zh",
            avg_logprob=-0.3,
            no_speech_prob=0.0,
            compression_ratio=0.9,
            tokens=2,
            doubtful=doubtful,
        )


def _silence(length: Seconds) -> bytes:
    return bytes(SAMPLE_BYTES * samples_in(length, SAMPLE_RATE))


def simulate(plan: Plan) -> Outcome:
    """Play the plan."""
    clock = Clock(plan.spells)
    loop = asyncio.SelectorEventLoop(_Jump(clock.passes))
    loop.time = clock.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(_Floor(plan, clock).run())
    finally:
        loop.close()


class _Floor:
    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._random = np.random.default_rng(plan.seed)
        self._outcome = Outcome()
        self._live: dict[str, tuple[str, float]] = {}
        self._awaited: Counter[str] = Counter()
        self._over = False
        self._names = iter(range(10**9))

    async def run(self) -> Outcome:
        machine = Machine(self._plan, self._clock)
        self._recogniser = BatchRecogniser(
            machine,
            second_opinion=lambda _: True,
            limits=self._plan.limits,
            clock=self._clock.now,
            sample=Speech(pcm=_silence(4.0), language="zh"),
            in_thread=machine.in_thread,
            waited_for_cores=lambda: self._clock.starved,
        )
        self._admission = Admission(self._recogniser, self._plan.most)
        async with self._recogniser:
            await self._recogniser.measure()
            tasks = [asyncio.create_task(self._watch())]
            for source in self._plan.sources:
                tasks += [asyncio.create_task(self._offer(source, number)) for number in range(source.calls)]
            await asyncio.sleep(self._plan.seconds)
            self._over = True
            await asyncio.gather(*tasks)
        return self._outcome

    async def _watch(self) -> None:
        while not self._over:
            now = self._clock.now()
            self._outcome.levels.append((now, self._recogniser.level))
            self._outcome.calls.append((now, len(self._live)))
            self._outcome.capacity.append((now, self._recogniser.capacity))
            await asyncio.sleep(1.0)

    async def _offer(self, source: CallSource, number: int) -> None:
        """One agent of a source: a call after the other, each offered again after the hint when it is refused."""
        await asyncio.sleep(source.begin + number * _OFFERED_EVERY)
        while not self._over:
            refusal = self._ask(source.key)
            if refusal is None:
                await self._call(source)
            else:
                await asyncio.sleep(refusal.retry_after + float(self._random.uniform(0.0, 1.0)))

    def _ask(self, key: str) -> Refusal | None:
        now = self._clock.now()
        live = [LiveCall(call_id=call, source=whose, age=now - since) for call, (whose, since) in self._live.items()]
        refusal = self._admission.ask(Asker(source=key), live, now)
        if refusal is not None:
            self._outcome.refusals.append((now, key, refusal.code))
            self._outcome.refused_at_none += not live
        return refusal

    async def _call(self, source: CallSource) -> None:
        call_id, begun = f"call-{next(self._names)}", self._clock.now()
        self._live[call_id] = source.key, begun
        self._outcome.taken[source.key] += 1
        try:
            await self._talk(source, call_id, begun + source.seconds)
            await self._last_words(call_id)
        finally:
            self._recogniser.withdraw(call_id)
            del self._live[call_id]

    async def _last_words(self, call_id: str) -> None:
        """The call is live until all of it has its text."""
        while self._awaited[call_id]:  # noqa: ASYNC110 (simulated time does not poll)
            await asyncio.sleep(0.5)

    async def _talk(self, source: CallSource, call_id: str, until: float) -> None:
        """One party after the other; a third of the utterances are the same party's next. A call that is sent faster
        than it is spoken sends each utterance in so much less time."""
        said = dict.fromkeys(ROLES, 0)
        role: Role = "agent"
        await asyncio.sleep(float(self._random.uniform(0.0, 3.0)))
        while (start := self._clock.now()) < until and not self._over:
            length, pause = next(self._lengths()), float(self._random.exponential(self._plan.talk.pause))
            await self._speak(source, call_id, role, said[role], length)
            said[role] += 1
            role = role if self._random.random() < 0.33 else ROLES[1 - ROLES.index(role)]
            due = start + (length + pause) / source.pace
            await asyncio.sleep(max(0.0, due - self._clock.now()))

    def _lengths(self) -> Iterator[Seconds]:
        talk = self._plan.talk
        sigma = math.log(talk.spread) / 0.6745
        while True:
            drawn = talk.mean * math.exp(sigma * self._random.standard_normal() - sigma * sigma / 2)
            yield float(min(14.0, max(0.5, drawn)))

    async def _speak(self, source: CallSource, call_id: str, role: Role, seq: int, length: Seconds) -> None:
        """An utterance with its partials; the last one holds all of it. The final follows by itself."""
        begun = self._clock.now()
        if source.pace == 1.0:
            at = _PARTIAL_EVERY
            while at < length:
                await asyncio.sleep(max(0.0, begun + at - self._clock.now()))
                self._submit("partial", call_id, role, seq, at, "quick")
                at += _PARTIAL_EVERY
        await asyncio.sleep(max(0.0, begun + length / source.pace - self._clock.now()))
        end = self._clock.now()
        loop = asyncio.get_running_loop()
        self._outcome.said += 1
        self._awaited[call_id] += 1

        def pause() -> None:
            self._submit("partial", call_id, role, seq, length, "normal")

        def over() -> None:
            asked = self._submit("final", call_id, role, seq, length, "normal")
            asked.add_done_callback(lambda done: self._answered(done, source, call_id, role, end))

        if source.pace == 1.0:
            loop.call_at(end + _PAUSE_AFTER, pause)
        loop.call_at(end + _FINAL_AFTER / source.pace, over)

    def _submit(
        self, kind: RequestKind, call_id: str, role: Role, seq: int, length: Seconds, effort: Effort
    ) -> asyncio.Future[object]:
        speech = Speech(pcm=_silence(length), language="zh", effort=effort)
        request = RecognitionRequest(call_id=call_id, role=role, utterance=seq, kind=kind, speech=speech)
        return self._recogniser.submit(request)  # type: ignore[return-value]

    def _answered(self, done: asyncio.Future[object], source: CallSource, call_id: str, role: Role, end: float) -> None:
        self._awaited[call_id] -= 1
        if not done.cancelled() and done.exception() is None:
            late = self._clock.now() - end
            self._outcome.finals.append(Final(key=source.key, role=role, end=end, late=late))
