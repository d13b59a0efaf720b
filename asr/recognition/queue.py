"""Who is recognised next, and who need not be. Plain: requests in, batches out; no task, thread or clock.

- One queue a leg, in the order the leg spoke; a batch takes from the front only, and a leg whose final is in work
  waits for it, so a leg's results keep its order however many batches are in work.
- Finals before word times, word times before partials. A leg's newer stretch replaces its waiting partial.
- Rounds over calls: every call that waits when a round begins is served once before any call's claim is renewed,
  the longest waiting first among them. A call therefore waits for at most two rounds, whatever the others send.
- Behind the others wait calls that have far more waiting than is spoken in real time, and, where agents go first,
  customers; not for good: once one has waited long, every eighth batch is theirs.
- A batch holds stretches of similar length, because the longest of them sets what each of them costs: those that share
  the first one's band, and the next shorter.
- A final of the very same speech as its leg's last partial is not recognised again. An utterance ends some silence
  after its last word; a partial taken as that silence begins holds all that the final will.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, TypeAlias

from asr.engines.port import Effort, Speech
from asr.recognition.degradation import DegradationLevel, DegradationLimits
from asr.types import Role, Seconds, Transcript

LegKey: TypeAlias = tuple[str, Role]
StretchKey: TypeAlias = tuple[LegKey, int, int, Effort]

RequestKind = Literal["final", "words", "partial"]
KINDS_BY_PRIORITY: tuple[RequestKind, ...] = ("final", "words", "partial")
"""What goes first: a supervisor waits for finals; word times are wanted by who replays the call."""

_TURNS = 7
"""So many batches in a row may go before those that have waited too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionRequest:
    """One stretch of a leg's speech. `utterance` is the utterance's number within the leg, the same for its partials
    and its final. `words` asks when each word of `speech.text` was said.

    A plain value, so that it can be sent to another process: equal requests are one request.
    """

    call_id: str
    role: Role
    utterance: int
    kind: RequestKind
    speech: Speech

    @property
    def seconds(self) -> Seconds:
        """The length of its speech."""
        return self.speech.seconds

    @property
    def leg(self) -> LegKey:
        """Whose results keep their order."""
        return self.call_id, self.role

    @property
    def stretch(self) -> StretchKey:
        """Equal for requests that ask the same of the same speech: all of an utterance's begin where it begins."""
        return self.leg, self.utterance, len(self.speech.pcm), self.speech.effort


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserLimits:
    """`batch` items are decoded together at most: past 8 a batch gains little on a CPU. Its first item waits for its
    last, so that it holds no more than `quick_batch` until four times as many wait for each idle worker.
    `batch_seconds` bounds their speech, and so does what a worker does in `batch_time`, for what comes next waits for
    it. `bands` are the upper ends, in seconds, of the lengths that count as similar: the engine's contexts less their
    tail of silence.

    `degradation` tells what is left undone while time is short. Past `overload_wait` the recogniser is overloaded, no
    call counting for more than `fair_seconds` of what waits. A final should have its text within `final_within`: the
    2 s of the promise less the silence that tells an utterance's end. Calls are taken while at most `late_share` of
    the finals are expected later.

    Customers' words that have waited `behind` seconds behind agents', and those of calls with more than `surplus`
    seconds waiting after the first behind other calls', are taken in turn with the others.

    An engine silent for `hang_seconds` and `hang_factor` times the batch's speech counts as hanging; it is replaced
    `replacements` times at most, for a hung engine keeps its memory.
    """

    batch: int = 12
    quick_batch: int = 2
    batch_seconds: Seconds = 60.0
    batch_time: Seconds = 2.0
    bands: tuple[Seconds, ...] = (2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 9.5, 11.5, 14.5, 19.5)
    degradation: DegradationLimits = field(default_factory=DegradationLimits)
    overload_wait: Seconds = 2.0
    fair_seconds: Seconds = 5.0
    final_within: Seconds = 1.25
    late_share: float = 0.03
    behind: Seconds = 22.0
    surplus: Seconds = 15.0
    hang_seconds: float = 20.0
    hang_factor: float = 1.0
    replacements: int = 2


def without_deadlines(least: DegradationLevel, most: DegradationLevel) -> RecogniserLimits:
    """Limits for files and measurements, where nobody waits for the texts: no text is late, and the level stays between
    `least` and `most`."""
    degradation = DegradationLimits(least=least, most=most)
    return RecogniserLimits(degradation=degradation, batch_time=math.inf, final_within=math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserCounts:
    """Since the start. `refused`: nobody speaks, said the second opinion. `filtered`: text dropped as hallucinated.
    `taken_over`: finals that had their text from a partial. `redecoded`: second looks at doubtful texts.
    `retried`: items tried again alone after their batch failed; `failures`: items given up. `untold`: batches that told
    nothing of the speed, for the process stood still meanwhile. `measured`: batches made to measure it."""

    batches: int = 0
    finals: int = 0
    speech_seconds: Seconds = 0.0
    taken_over: int = 0
    redecoded: int = 0
    refused: int = 0
    filtered: int = 0
    retried: int = 0
    failures: int = 0
    shed: int = 0
    hangs: int = 0
    replaced: int = 0
    opinions_failed: int = 0
    untold: int = 0
    measured: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _QueuedRequest:
    """`arrival` counts the requests, `since` is when this one came."""

    request: RecognitionRequest
    arrival: int
    since: float


class RecognitionQueue:
    """The waiting requests of all calls."""

    def __init__(self, limits: RecogniserLimits) -> None:
        self._limits = limits
        self._queues: dict[RequestKind, dict[LegKey, deque[_QueuedRequest]]] = {kind: {} for kind in KINDS_BY_PRIORITY}
        self.in_work: set[RecognitionRequest] = set()
        """Taken, and not finished."""
        self._finals_in_work: set[LegKey] = set()
        self._round: set[str] = set()
        self._arrivals = count()
        self._before = 0
        self._seconds = limits.batch_seconds

    def __len__(self) -> int:
        return sum(1 for _ in self._entries())

    @property
    def seconds(self) -> Seconds:
        """Speech that waits, but for partials: a new final goes before them."""
        return sum(entry.request.seconds for entry in self._entries() if entry.request.kind != "partial")

    def fair_seconds(self, most: Seconds) -> Seconds:
        """Speech that waits or is in work, but for partials that wait, no call counting for more than so much."""
        by_call = self._by_call()
        for request in self.in_work:
            by_call[request.call_id] += request.seconds
        return sum(min(most, waiting) for waiting in by_call.values())

    def add(self, request: RecognitionRequest, now: float = 0.0) -> list[RecognitionRequest]:
        """Put a request at the end of its leg's queue; returns the partial it makes pointless, if any."""
        replaced = self._queues["partial"].pop(request.leg, ()) if request.kind != "words" else ()
        entry = _QueuedRequest(request=request, arrival=next(self._arrivals), since=now)
        self._queues[request.kind].setdefault(request.leg, deque()).append(entry)
        return [old.request for old in replaced]

    def withdraw(self, call_id: str) -> list[RecognitionRequest]:
        """Take out everything of a call."""
        out = [entry.request for entry in self._entries() if entry.request.call_id == call_id]
        for request in out:
            self._queues[request.kind].pop(request.leg, None)
        self._round.discard(call_id)
        return out

    def shed(self) -> list[RecognitionRequest]:
        """Take out every partial."""
        out = [entry.request for queue in self._queues["partial"].values() for entry in queue]
        self._queues["partial"].clear()
        return out

    def next_batch(
        self,
        idle: int = 1,
        *,
        partials: bool = True,
        agents_first: bool = False,
        now: float = 0.0,
        speed: float = math.inf,
    ) -> list[RecognitionRequest]:
        """The request whose turn it is and those that fit beside it; empty when nothing can be done now.

        `idle` workers share what waits; `partials` tells whether there is time for those; `now` is on the clock of
        `add`; `speed` a worker's, in times real time. Each final taken keeps its leg waiting until `finished`.
        """
        self._seconds = min(self._limits.batch_seconds, self._limits.batch_time * speed)
        waits = self._by_call()
        queues = self._in_turn(self._first_ready(partials), waits, agents_first, now)
        heads = {leg: queue[0] for leg, queue in queues.items()}
        alone = all(self._surplus(queue, waits) for queue in queues.values())
        most = 1 if alone else self._most(-(-sum(map(len, queues.values())) // idle))
        waiting = {leg[0] for leg in heads}
        self._round &= waiting
        if not self._round:
            self._round = waiting
        batch: list[RecognitionRequest] = []
        taken: Counter[str] = Counter()
        while len(batch) < most and (entry := self._pick(heads, batch, taken)) is not None:
            request = entry.request
            batch.append(request)
            taken[request.call_id] += 1
            self._take(request, heads)
        self._round = self._round - taken.keys()
        self.in_work.update(batch)
        self._finals_in_work.update(request.leg for request in batch if request.kind == "final")
        return batch

    def finished(self, batch: Sequence[RecognitionRequest]) -> None:
        """These requests are settled: their legs' next ones may be taken."""
        self.in_work.difference_update(batch)
        self._finals_in_work.difference_update(request.leg for request in batch if request.kind == "final")

    def hold(self, final: RecognitionRequest) -> None:
        """A final that came to be in work without having waited: its leg waits for it, until `finished`."""
        self._finals_in_work.add(final.leg)

    def _most(self, share: int) -> int:
        """How many of its share of the waiting requests a worker takes at once."""
        return min(share, self._limits.batch, max(self._limits.quick_batch, share // 4))

    def _first_ready(self, partials: bool) -> dict[LegKey, deque[_QueuedRequest]]:
        """The queues of the highest rank that has any whose front may be taken."""
        finals = self._queues["final"]
        ready = {leg: queue for leg, queue in finals.items() if leg not in self._finals_in_work}
        return ready or self._queues["words"] or (self._queues["partial"] if partials else {})

    def _in_turn(
        self, ready: dict[LegKey, deque[_QueuedRequest]], waits: Mapping[str, Seconds], agents_first: bool, now: float
    ) -> dict[LegKey, deque[_QueuedRequest]]:
        """Those that go before the others; now and then those of the others that have waited too long."""
        behind = {
            leg: queue
            for leg, queue in ready.items()
            if (agents_first and leg[1] == "customer") or self._surplus(queue, waits)
        }
        before = {leg: queue for leg, queue in ready.items() if leg not in behind}
        if not behind or not before:
            self._before = 0
            return ready
        overdue = {leg: queue for leg, queue in behind.items() if now > queue[0].since + self._limits.behind}
        self._before = 0 if overdue and self._before >= _TURNS else self._before + 1
        return before if self._before else overdue

    def _surplus(self, queue: deque[_QueuedRequest], waits: Mapping[str, Seconds]) -> bool:
        """Far more of the call waits than is spoken in real time. It is served piece by piece, for whoever comes next
        should not wait for a batch of it."""
        request = queue[0].request
        return waits[request.call_id] - request.seconds > self._limits.surplus

    def _by_call(self) -> defaultdict[str, Seconds]:
        """Speech of each call that waits, but for partials."""
        waiting: defaultdict[str, Seconds] = defaultdict(float)
        for entry in self._entries():
            if entry.request.kind != "partial":
                waiting[entry.request.call_id] += entry.request.seconds
        return waiting

    def _pick(
        self, heads: dict[LegKey, _QueuedRequest], batch: list[RecognitionRequest], taken: Counter[str]
    ) -> _QueuedRequest | None:
        """The next for this batch: calls with least in it, those of the round first, then the longest waiting."""
        fitting = [entry for entry in heads.values() if self._fits(entry.request, batch)]
        return min(
            fitting,
            key=lambda entry: (
                taken[entry.request.call_id],
                entry.request.call_id not in self._round,
                entry.arrival,
            ),
            default=None,
        )

    def _fits(self, request: RecognitionRequest, batch: list[RecognitionRequest]) -> bool:
        if not batch:
            return True
        return (
            0 <= self._band(batch[0]) - self._band(request) <= 1
            and sum(other.seconds for other in batch) + request.seconds <= self._seconds
        )

    def _band(self, request: RecognitionRequest) -> int:
        return bisect_left(self._limits.bands, request.seconds)

    def _take(self, request: RecognitionRequest, heads: dict[LegKey, _QueuedRequest]) -> None:
        """Take the front of the leg and bring what is behind it forward."""
        del heads[request.leg]
        queue = self._queues[request.kind][request.leg]
        queue.popleft()
        if queue:
            heads[request.leg] = queue[0]
        else:
            del self._queues[request.kind][request.leg]

    def _entries(self) -> Iterator[_QueuedRequest]:
        for queues in self._queues.values():
            for queue in queues.values():
                yield from queue


class PartialReuse:
    """The last partial of each leg that is done, and the finals that wait for one that is in work."""

    def __init__(self) -> None:
        self.awaited_by: dict[RecognitionRequest, RecognitionRequest] = {}
        """A partial in work, and the final that will take over its text."""
        self._done: dict[LegKey, tuple[StretchKey, Transcript | None]] = {}

    def holds(self, final: RecognitionRequest) -> bool:
        """Whether the leg's last partial asked the same and left no doubt."""
        stretch, transcript = self._done.get(final.leg, (None, None))
        return stretch == final.stretch and not (transcript and transcript.doubtful)

    def take(self, final: RecognitionRequest) -> Transcript | None:
        """What came of that partial: None where nobody speaks."""
        return self._done.pop(final.leg)[1]

    def done(self, request: RecognitionRequest, transcript: Transcript | None) -> RecognitionRequest | None:
        """This came of a request: the final that waits for it, if one does."""
        if request.kind == "partial":
            self._done[request.leg] = request.stretch, transcript
        return self.awaited_by.pop(request, None)

    def forget(self, call_id: str) -> None:
        """Nobody will ask for this call's again."""
        for leg in [leg for leg in self._done if leg[0] == call_id]:
            del self._done[leg]
