"""Who is recognised next. Plain: jobs in, batches out; no task, thread or clock.

- One queue a leg, in the order the leg spoke; a batch takes from the front only, and a leg whose final is in work
  waits for it, so a leg's results keep its order however many batches are in work.
- Finals before word times, word times before partials. A leg's newer stretch replaces its waiting partial.
- Rounds over calls: every call that waits when a round begins is served once before any call's claim is renewed,
  the oldest deadline first among them. A call therefore waits for at most two rounds, whatever the others send.
- A batch holds stretches of similar length, because the longest of them sets what each of them costs: those that share
  the first one's band, and the next shorter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, TypeAlias

from asr.engine import Effort, Speech
from asr.types import Role, Seconds, Transcript

Leg: TypeAlias = tuple[str, Role]
Stretch: TypeAlias = tuple[Leg, int, int, Effort]

Rank = Literal["final", "words", "partial"]
RANKS: tuple[Rank, ...] = ("final", "words", "partial")
"""What goes first: a supervisor waits for finals; word times are wanted by who replays the call."""

_RATE = 16_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One stretch of a leg's speech. `seq` is the utterance's number within the leg, the same for its partials and its
    final; `deadline` orders jobs, smallest first.

    With `speech.text` it asks for that text's word times, whatever `final` says. Compared by identity: the same audio
    submitted twice is two jobs.
    """

    call_id: str
    role: Role
    seq: int
    speech: Speech
    final: bool
    deadline: float

    @property
    def seconds(self) -> Seconds:
        return len(self.speech.pcm) / _RATE

    @property
    def leg(self) -> Leg:
        return self.call_id, self.role

    @property
    def stretch(self) -> Stretch:
        """The same for jobs that ask the same of the very same speech: all of an utterance's begin where it begins."""
        return self.leg, self.seq, len(self.speech.pcm), self.speech.effort

    @property
    def rank(self) -> Rank:
        return "words" if self.speech.text is not None else "final" if self.final else "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What was said: `text` as it is stored and shown, and the transcript it comes from."""

    text: str
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLimits:
    """`batch` items are decoded together at most: past 8 a batch gains little on a CPU. Its first item waits for its
    last, so that it holds no more than `quick_batch` until four times as many wait for each idle worker.
    `batch_seconds` bounds their speech. `bands` are the upper ends, in seconds, of the lengths that count as similar:
    the engine's contexts less their tail of silence.

    While new speech would wait longer than `hurry_wait` seconds, or finals need more than `hurry_load` of the speed,
    the engine is asked to be quick; past `partial_wait` or `partial_load` partials are shed; past `overload_wait` the
    scheduler counts as overloaded. Calls are taken while their speech needs at most `utilisation` of the speed: what
    comes at random waits longer and longer towards its full use.

    An engine silent for `hang_seconds` and `hang_factor` times the batch's speech counts as hanging; it is replaced
    `replacements` times at most, for a hung engine keeps its memory.
    """

    batch: int = 12
    quick_batch: int = 2
    batch_seconds: Seconds = 60.0
    bands: tuple[Seconds, ...] = (2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 9.5, 11.5, 14.5, 19.5)
    hurry_wait: Seconds = 0.5
    hurry_load: float = 0.35
    partial_wait: Seconds = 0.8
    partial_load: float = 0.5
    overload_wait: Seconds = 2.0
    utilisation: float = 0.8
    hang_seconds: float = 20.0
    hang_factor: float = 1.0
    replacements: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerCounts:
    """Since the start. `refused`: nobody speaks, said the second opinion. `guarded`: text dropped as hallucinated.
    `taken_over`: finals that had their text from a partial. `redecoded`: second looks at doubtful texts.
    `retried`: items tried again alone after their batch failed; `failures`: items given up."""

    batches: int = 0
    finals: int = 0
    speech_seconds: Seconds = 0.0
    taken_over: int = 0
    redecoded: int = 0
    refused: int = 0
    guarded: int = 0
    retried: int = 0
    failures: int = 0
    shed: int = 0
    hangs: int = 0
    replaced: int = 0
    opinions_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Entry:
    job: Job
    arrival: int


class Agenda:
    """The waiting jobs of all calls."""

    def __init__(self, limits: SchedulerLimits) -> None:
        self._limits = limits
        self._queues: dict[Rank, dict[Leg, deque[_Entry]]] = {rank: {} for rank in RANKS}
        self._in_work: dict[Leg, Job] = {}
        self._round: set[str] = set()
        self._arrivals = count()

    def __len__(self) -> int:
        return sum(1 for _ in self._entries())

    @property
    def seconds(self) -> Seconds:
        """Speech that waits, but for partials: a new final goes before them."""
        return sum(entry.job.seconds for entry in self._entries() if entry.job.rank != "partial")

    def add(self, job: Job) -> list[Job]:
        """Put a job at the end of its leg's queue; returns the partial it makes pointless, if any."""
        replaced = self._queues["partial"].pop(job.leg, ()) if job.rank != "words" else ()
        entry = _Entry(job=job, arrival=next(self._arrivals))
        self._queues[job.rank].setdefault(job.leg, deque()).append(entry)
        return [old.job for old in replaced]

    def withdraw(self, call_id: str) -> list[Job]:
        """Take out everything of a call."""
        out = [entry.job for entry in self._entries() if entry.job.call_id == call_id]
        for job in out:
            self._queues[job.rank].pop(job.leg, None)
        self._round.discard(call_id)
        return out

    def shed(self) -> list[Job]:
        """Take out every partial."""
        out = [entry.job for queue in self._queues["partial"].values() for entry in queue]
        self._queues["partial"].clear()
        return out

    def next_batch(self, idle: int = 1, *, partials: bool = True) -> list[Job]:
        """The job whose turn it is and those that fit beside it; empty when nothing can be done now.

        `idle` workers share what waits; `partials` tells whether there is time for those. Each final taken keeps its
        leg waiting until `finished`.
        """
        queues = self._first_ready(partials)
        heads = {leg: queue[0] for leg, queue in queues.items()}
        most = self._most(-(-sum(map(len, queues.values())) // idle))
        waiting = {leg[0] for leg in heads}
        self._round &= waiting
        if not self._round:
            self._round = waiting
        batch: list[Job] = []
        taken: Counter[str] = Counter()
        while len(batch) < most and (entry := self._pick(heads, batch, taken)) is not None:
            job = entry.job
            batch.append(job)
            taken[job.call_id] += 1
            self._take(job, heads)
        self._round = self._round - taken.keys()
        self._in_work |= {job.leg: job for job in batch if job.rank == "final"}
        return batch

    def finished(self, batch: Sequence[Job]) -> None:
        """These jobs are settled: their legs' next ones may be taken."""
        for job in batch:
            if job.rank == "final":
                self._in_work.pop(job.leg, None)

    def hold(self, final: Job) -> None:
        """A final that came to be in work without having waited: its leg waits for it, until `finished`."""
        self._in_work[final.leg] = final

    def _most(self, share: int) -> int:
        """How many of its share of the waiting jobs a worker takes at once."""
        return min(share, self._limits.batch, max(self._limits.quick_batch, share // 4))

    def _first_ready(self, partials: bool) -> dict[Leg, deque[_Entry]]:
        """The queues of the highest rank that has any whose front may be taken."""
        finals = self._queues["final"]
        ready = {leg: queue for leg, queue in finals.items() if leg not in self._in_work}
        return ready or self._queues["words"] or (self._queues["partial"] if partials else {})

    def _pick(self, heads: dict[Leg, _Entry], batch: list[Job], taken: Counter[str]) -> _Entry | None:
        """The next for this batch: calls with least in it, those of the round first, then the oldest deadline."""
        fitting = [entry for entry in heads.values() if self._fits(entry.job, batch)]
        return min(
            fitting,
            key=lambda entry: (
                taken[entry.job.call_id],
                entry.job.call_id not in self._round,
                entry.job.deadline,
                entry.arrival,
            ),
            default=None,
        )

    def _fits(self, job: Job, batch: list[Job]) -> bool:
        if not batch:
            return True
        return (
            0 <= self._band(batch[0]) - self._band(job) <= 1
            and sum(other.seconds for other in batch) + job.seconds <= self._limits.batch_seconds
        )

    def _band(self, job: Job) -> int:
        return bisect_left(self._limits.bands, job.seconds)

    def _take(self, job: Job, heads: dict[Leg, _Entry]) -> None:
        """Take the front of the leg and bring what is behind it forward."""
        del heads[job.leg]
        queue = self._queues[job.rank][job.leg]
        queue.popleft()
        if queue:
            heads[job.leg] = queue[0]
        else:
            del self._queues[job.rank][job.leg]

    def _entries(self) -> Iterator[_Entry]:
        for queues in self._queues.values():
            for queue in queues.values():
                yield from queue
