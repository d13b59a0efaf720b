"""Many two-party calls at once, in real time, through the real gateway: how late text and alerts come, what is lost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from asr.recognition.degradation import DEGRADATION_LEVELS
from asr.types import Language, Seconds
from service.bench.call_layout import BenchCall
from service.bench.error_rates import Edits
from service.bench.latencies import CallLatencies, within
from service.bench.service_process import RunningService, Sample
from service.bench.statistics import histogram_spread, medians, slope, spread
from service.bench.steal import HealthReading, Steal, TextCame, steps, take_cores
from service.client import CallStart, StreamFailed, stream_call

BETWEEN: Seconds = 0.7
"""The time from one call's start to the next one's, so that calls do not speak in step."""
SAMPLE_EVERY: Seconds = 2.0
WARM_UP = 0.25
"""The share of a run whose memory does not count for the slope."""
_LOOP_DELAY = "callwarden_event_loop_delay_seconds"
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """The calls to play, at `pace` times real time."""

    calls: Sequence[BenchCall]
    language: Language
    pace: float = 1.0
    steal: Steal | None = None

    @property
    def seconds(self) -> Seconds:
        """The length of each call."""
        return self.calls[0].audio.seconds

    @property
    def ramp(self) -> Seconds:
        """How long, in real time, until all calls are up."""
        return BETWEEN * len(self.calls)

    @property
    def together(self) -> tuple[Seconds, Seconds]:
        """The time in which all calls are up, on the audio's clock. What ends in it counts for the latencies."""
        return self.ramp * self.pace, self.seconds - 2.0


@dataclass(slots=True, kw_only=True, eq=False)
class LiveRun:
    """A run as it goes on, for whoever shows its progress."""

    latencies: list[CallLatencies] = field(default_factory=list)
    refusals: list[Seconds | None] = field(default_factory=list)
    """Each refusal's retry hint."""
    begun: float = 0.0
    refused_at: list[Seconds] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    up: int = 0
    samples: list[tuple[float, Sample]] = field(default_factory=list)

    @property
    def finals(self) -> list[Seconds]:
        """How late each text has come so far."""
        return [late.seconds for latency in self.latencies for late in latency.finals]


async def play(plan: LivePlan, service: RunningService, run: LiveRun, shown: Callable[[], None]) -> dict[str, Any]:
    """Play all calls and return the figures. A refused call is tried again after the hint, as long as there is time for
    its texts. Raises ServiceUnusable."""
    begun = run.begun = time.monotonic()
    before = await service.sample()
    own = os.times()
    beside = [asyncio.create_task(_watch(service, run, shown))]
    if plan.steal is not None:
        beside.append(asyncio.create_task(take_cores(plan.steal)))
    try:
        async with asyncio.TaskGroup() as group:
            for index, call in enumerate(plan.calls):
                group.create_task(_play_call(plan, index, call, service, run, begun))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    took, used = time.monotonic() - begun, os.times()
    after = await service.sample()
    return _figures(plan, run, before, after, took) | {
        "client_cores": round((used.user + used.system - own.user - own.system) / took, 3)
    }


async def _play_call(
    plan: LivePlan, index: int, call: BenchCall, service: RunningService, run: LiveRun, begun: float
) -> None:
    await asyncio.sleep(index * BETWEEN)
    until = begun + plan.ramp + plan.seconds / plan.pace / 2
    while time.monotonic() < until:
        latency = CallLatencies(call=call)
        try:
            run.up += 1
            run.latencies.append(latency)
            await stream_call(
                call.audio,
                CallStart(call_id=f"bench-{index}-{len(run.refusals)}", language=plan.language),
                url=service.gateway,
                key=service.key,
                seen=latency.seen,
                sent=lambda _seconds, latency=latency: latency.packet_sent(time.monotonic()),
                pace=plan.pace,
            )
            return
        except StreamFailed as failure:
            if failure.retry_after is None:
                run.broken.append(str(failure))
                return
            run.latencies.remove(latency)
            run.refusals.append(failure.retry_after)
            run.refused_at.append(time.monotonic() - begun)
        finally:
            run.up -= 1
        await asyncio.sleep(run.refusals[-1] or 0.0)


async def _watch(service: RunningService, run: LiveRun, shown: Callable[[], None]) -> None:
    begun = time.monotonic()
    while True:
        run.samples.append((time.monotonic() - begun, await service.sample()))
        shown()
        await asyncio.sleep(SAMPLE_EVERY)


def _figures(plan: LivePlan, run: LiveRun, before: Sample, after: Sample, took: Seconds) -> dict[str, Any]:
    window = plan.together
    grown = {name: value - before.values.get(name, 0.0) for name, value in after.values.items()}
    loop = {
        bound: count - before.histograms[_LOOP_DELAY].get(bound, 0.0)
        for bound, count in after.histograms[_LOOP_DELAY].items()
    }
    lost = [placed for latency in run.latencies for placed in latency.lost()]
    return {
        "calls": {"asked": len(plan.calls), "carried": len(run.latencies), "refusals": len(run.refusals)},
        "broken": run.broken,
        "retry_hints": sorted({hint for hint in run.refusals if hint is not None}),
        "speech_density": round(_mean([call.density for call in plan.calls]), 3),
        "final_s": asdict(spread([s for each in run.latencies for s in within(each.finals, *window)])),
        "alert_s": asdict(spread([s for each in run.latencies for s in within(each.alerts, *window)])),
        "alert_after_evidence_s": asdict(
            spread([s for each in run.latencies for s in within(each.alerts_after_evidence, *window)])
        ),
        "all_finals": len(run.finals),
        "lost": len(lost),
        "lost_seconds": [round(placed.end - placed.start, 2) for placed in lost],
        "doubled": sum(each.doubled for each in run.latencies),
        "out_of_order": sum(each.out_of_order for each in run.latencies),
        "gaps": _by_reason(run),
        "error_rate": _error_rate(run, plan.language),
        "event_loop_delay_s": asdict(histogram_spread(loop)),
        "service_cores": round(grown["process_cpu_seconds_total"] / took, 3),
        "recognition": _recognition(grown),
        "capacity_times_real_time": asdict(spread(_gauge(run, "callwarden_recognition_capacity"))),
        "load": asdict(spread(_gauge(run, "callwarden_recognition_load"))),
        "backlog_most_s": round(max(_gauge(run, "callwarden_backlog_seconds"), default=0.0), 2),
        "levels": _levels(run),
        "memory_mib": _memory(plan, run, before),
    } | ({} if plan.steal is None else {"steal": _stolen(plan, plan.steal, run)})


def _levels(run: LiveRun) -> dict[str, int]:
    """In how many of the readings each level of degradation held."""
    levels = [round(level) for level in _gauge(run, "callwarden_degradation_level")]
    return {name: levels.count(number) for number, name in enumerate(DEGRADATION_LEVELS) if number in levels}


def _stolen(plan: LivePlan, steal: Steal, run: LiveRun) -> dict[str, Any]:
    texts = [
        TextCame(at=latency.sent[0] - run.begun + late.end / plan.pace, role=said.role, late=late.seconds)
        for latency in run.latencies
        for said, late in zip(latency.utterances, latency.finals, strict=True)
    ]
    readings = [
        HealthReading(
            at=at,
            level=round(sample.values["callwarden_degradation_level"]),
            calls=round(sample.values["callwarden_calls_live"]),
            capacity=sample.values["callwarden_recognition_capacity"],
            backlog=sample.values["callwarden_backlog_seconds"],
        )
        for at, sample in run.samples
    ]
    return steps(steal, plan.ramp, texts, readings, run.refused_at)


def _gauge(run: LiveRun, name: str) -> list[float]:
    return [sample.values[name] for _, sample in run.samples]


def _by_reason(run: LiveRun) -> dict[str, int]:
    reasons = [gap.reason for latency in run.latencies for gap in latency.gaps]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _error_rate(run: LiveRun, language: Language) -> float | None:
    total = sum((latency.edits(language) for latency in run.latencies if latency.call.placed), Edits())
    return None if total.rate is None else round(total.rate, 4)


def _recognition(grown: dict[str, float]) -> dict[str, float]:
    prefix, suffix = "callwarden_recognition_", "_total"
    return {
        name[len(prefix) : -len(suffix)]: round(value, 2)
        for name, value in sorted(grown.items())
        if name.startswith(prefix) and name.endswith(suffix)
    }


def _memory(plan: LivePlan, run: LiveRun, before: Sample) -> dict[str, float | list[float] | None]:
    """Resident memory; its slope is over hours of audio of all calls, after the warm-up. `tenths`: the median of each
    tenth of the run, for a line through a staircase tells little."""
    name = "process_resident_memory_bytes"
    points = [(at, sample.values[name] / _MIB) for at, sample in run.samples]
    most = max((mib for _, mib in points), default=0.0)
    idle = before.values[name] / _MIB
    last = points[-1][0] if points else 0.0
    hours = plan.pace * len(plan.calls) / 3600
    rise = slope([(at * hours, mib) for at, mib in points if at >= WARM_UP * last])
    return {
        "idle": round(idle, 1),
        "most": round(most, 1),
        "per_call": round((most - idle) / max(1, len(run.latencies)), 2),
        "tenths": medians([mib for _, mib in points], 10),
        "slope_per_hour_of_audio": None if rise is None else round(rise[0], 3),
        "slope_standard_error": None if rise is None else round(rise[1], 3),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
