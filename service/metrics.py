"""What the service counts about itself, for Prometheus. One instance a process; made by the composition root.

Nothing here names a call, a person or a word that was said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from asr.recognition.degradation import DEGRADATION_LEVELS, DegradationLevel
from asr.recognition.queue import RecogniserCounts
from asr.recognition.recogniser import BatchRecogniser

SECONDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 30.0, 60.0)
"""Around the promise of an alert within 3 s."""

_LOOP_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class _Recognition(Collector):
    """What the recogniser counts, as `callwarden_recognition_…_total`."""

    def __init__(self, counts: Callable[[], RecogniserCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        for name, value in asdict(self._counts()).items():
            told = f"Recognition: {name.replace('_', ' ')}, see the architecture's page."
            yield CounterMetricFamily(f"callwarden_recognition_{name}", told, value=value)


class _Levels(Collector):
    """How long each level of what is left undone has held."""

    def __init__(self, seconds: Callable[[], Mapping[DegradationLevel, float]]) -> None:
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        told = "Time at each level of what is left undone for want of time."
        family = CounterMetricFamily("callwarden_degradation_seconds", told, labels=["level"])
        for level, seconds in self._seconds().items():
            family.add_metric([level], seconds)
        yield family


class Metrics:
    """Counters, gauges and histograms, named `callwarden_…`, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._of_calls(self.registry)
        self._of_gateways(self.registry)
        self._of_recognition(self.registry)
        self._of_failures(self.registry)
        self._of_disks(self.registry)
        self._of_the_web(self.registry)
        self._of_webhooks(self.registry)

    def _of_calls(self, registry: CollectorRegistry) -> None:
        self.calls_live = Gauge("callwarden_calls_live", "Calls that are live now.", registry=registry)
        self.calls_opened = Counter("callwarden_calls_opened", "Calls taken.", registry=registry)
        self.gaps = Counter("callwarden_gaps", "Gaps marked in calls.", ["reason"], registry=registry)
        self.late_drops = Counter("callwarden_late_drops", "Packets that came too late to be used.", registry=registry)
        self.final_latency = Histogram(
            "callwarden_final_latency_seconds",
            "From the end of an utterance to its text.",
            buckets=SECONDS,
            registry=registry,
        )
        self.alerts = Counter("callwarden_alerts", "Alerts raised.", ["severity"], registry=registry)
        self.alert_latency = Histogram(
            "callwarden_alert_latency_seconds",
            "From the end of an alert's evidence to the alert.",
            buckets=SECONDS,
            registry=registry,
        )

    def _of_gateways(self, registry: CollectorRegistry) -> None:
        self.gateway_sockets = Gauge("callwarden_gateway_sockets", "Open gateway connections.", registry=registry)
        self.gateway_denied = Counter(
            "callwarden_gateway_denied", "Gateway handshakes turned down.", ["status"], registry=registry
        )
        self.calls_refused = Counter("callwarden_calls_refused", "Calls not taken.", ["code"], registry=registry)
        self.calls_rejected = Counter(
            "callwarden_calls_rejected", "Calls ended because their gateway broke the protocol.", registry=registry
        )
        self.frames = Counter("callwarden_frames", "Messages from gateways.", ["kind"], registry=registry)
        self.audio_bytes = Counter("callwarden_audio_bytes", "Bytes of binary messages.", registry=registry)
        self.irregularities = Counter(
            "callwarden_gateway_irregularities", "Odd things in gateways' messages.", ["kind"], registry=registry
        )

    def _of_recognition(self, registry: CollectorRegistry) -> None:
        self.backlog = Gauge("callwarden_backlog_seconds", "Speech waiting to be recognised.", registry=registry)
        self.capacity = Gauge(
            "callwarden_recognition_capacity",
            "Seconds of speech a second that can be recognised, at the speed of late.",
            registry=registry,
        )
        self.load = Gauge(
            "callwarden_recognition_load", "Share of the capacity that utterances need, of late.", registry=registry
        )
        self.calls_carried = Gauge(
            "callwarden_calls_carried", "Calls that can be carried now, texts in time.", registry=registry
        )
        self.level = Gauge(
            "callwarden_degradation_level",
            "What is left undone for want of time: 0 nothing, 1 partials, 2 beam, 3 second looks, 4 customers wait.",
            registry=registry,
        )

    def _of_failures(self, registry: CollectorRegistry) -> None:
        self.recognition_failures = Counter(
            "callwarden_recognition_failures", "Utterances the recogniser failed on.", registry=registry
        )
        self.detector_failures = Counter(
            "callwarden_detector_failures", "Detector runs that failed or timed out.", ["detector"], registry=registry
        )
        self.store_failures = Counter("callwarden_store_failures", "Writes the store refused.", registry=registry)
        self.recording_failures = Counter(
            "callwarden_recording_failures", "Writes to recordings that failed.", registry=registry
        )

    def _of_disks(self, registry: CollectorRegistry) -> None:
        self.disk_free = Gauge(
            "callwarden_disk_free_bytes", "Free on the disk that holds this folder.", ["folder"], registry=registry
        )
        self.disk_low = Gauge(
            "callwarden_disk_low", "1 while a disk is low, the warning before recordings stop.", registry=registry
        )
        self.recordings_paused = Gauge(
            "callwarden_recordings_paused",
            "1 while nothing is recorded, for the store's sake.",
            registry=registry,
        )

    def _of_the_web(self, registry: CollectorRegistry) -> None:
        self.live_sockets = Gauge("callwarden_live_sockets", "Open dashboards.", registry=registry)
        self.hub_drops = Counter("callwarden_hub_drops", "Messages slow dashboards missed.", registry=registry)
        self.logins = Counter("callwarden_logins", "Login attempts.", ["outcome"], registry=registry)
        self.loop_delay = Histogram(
            "callwarden_event_loop_delay_seconds",
            "How late the event loop wakes a sleeper.",
            buckets=_LOOP_SECONDS,
            registry=registry,
        )

    def _of_webhooks(self, registry: CollectorRegistry) -> None:
        self.webhook_tries = Counter(
            "callwarden_webhook_tries", "Tries to deliver to webhooks.", ["shape", "outcome"], registry=registry
        )
        self.webhooks_stopped = Gauge(
            "callwarden_webhooks_stopped", "Webhooks stopped because nothing arrives.", registry=registry
        )

    def show_recogniser(self, recogniser: BatchRecogniser) -> None:
        """Show what the recogniser counts and how it does, as it is when asked for."""
        self.registry.register(_Recognition(lambda: recogniser.counts))
        self.registry.register(_Levels(lambda: recogniser.level_seconds))
        self.backlog.set_function(lambda: recogniser.backlog_seconds)
        self.capacity.set_function(lambda: recogniser.capacity)
        self.load.set_function(lambda: recogniser.load)
        self.calls_carried.set_function(lambda: recogniser.calls)
        self.level.set_function(lambda: DEGRADATION_LEVELS.index(recogniser.level))

    def text(self) -> bytes:
        """The exposition, in `content_type`."""
        return generate_latest(self.registry)
