"""Prometheus metrics of the streams, from the messages that are sent."""

from __future__ import annotations

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mar_edge.streaming.operations.health import Health
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, LabelMessage, StatusMessage

# Seconds: from a small network on a GPU to a full body on a slow core.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
_STATES = ("connecting", "live", "stalled", "lost", "ended")
_COUNTS = {
    "frames": ("frames", "Frames processed."),
    "dropped": ("frames_dropped", "Frames not processed because a newer one was available."),
    "corrupt": ("frames_corrupt", "Frames that could not be decoded."),
    "connections": ("camera_connections", "Times that the camera was opened."),
    "stalls": ("camera_stalls", "Times that the camera gave no frame for too long."),
    "clock_jumps": ("clock_jumps", "Jumps of the wall clock."),
    "inferences": ("inferences", "Inferences that ran."),
    "gated": ("windows_gated", "Windows in which nothing moved, so that no inference ran."),
    "invalid": ("inferences_invalid", "Inferences with a result that is not a number."),
    "resets": ("window_resets", "Windows emptied because of a gap in the source."),
    "recorded": ("recorded_lines", "Lines written to recordings."),
    "record_lost": ("recorded_lines_lost", "Lines that could not be written to recordings."),
    "page_failures": ("page_failures", "Times that the server of the live page failed."),
    "lsl_lost": ("lsl_lost", "Samples not sent over LSL, and markers refused or cut."),
    "model_changes": ("model_changes", "Times that labels were taught or removed while the stream ran."),
}
_PICTURE_COUNTS = {
    "asked": ("picture_inferences", "Inferences from pictures that were begun."),
    "failed": ("picture_inferences_failed", "Inferences from pictures that failed."),
    "slow": ("picture_answers_slow", "Answers about pictures that took longer than the pause between two."),
    "late": ("picture_answers_late", "Answers about pictures that came too late to count."),
    "crowded": ("picture_crowds", "Times that several people were in view when an inference from pictures was due."),
}
_GAUGES = {
    "subscribers": ("subscribers", "Subscribers connected now."),
    "people": ("people", "People currently detected."),
    "fps_in": ("frames_in_per_second", "Frames received per second."),
    "fps_out": ("frames_out_per_second", "Frames processed per second."),
    "frame_age_s": ("frame_age_seconds", "Age of the newest frame."),
    "uptime_s": ("uptime_seconds", "Time since the stream started."),
}


class Metrics(Collector):
    """Metrics of all streams, updated by each message. Any thread may call its methods."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._registry = CollectorRegistry()
        self._latency = Histogram(
            "mar_edge_latency_seconds",
            "Latency of a label message: each stage, and from frame available to label sent (total).",
            ["stream", "stage"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._events = Counter(
            "mar_edge_events", "Events that started.", ["stream", "label", "body"], registry=self._registry
        )
        self._messages = Counter("mar_edge_messages", "Messages sent.", ["stream", "kind"], registry=self._registry)
        self._registry.register(self)

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent."""
        self._messages.labels(message.stream, message.kind).inc()
        if isinstance(message, EventMessage) and message.phase == "begin":
            self._events.labels(message.stream, message.label.name, message.label.body).inc()
        elif isinstance(message, LabelMessage):
            latency = message.latency
            stages = {
                "pose": latency.pose_ms,
                "wait": latency.wait_ms,
                "window": latency.window_ms,
                "total": latency.total_ms,
            }
            if not message.gated:
                stages["infer"] = latency.infer_ms
            for stage, milliseconds in stages.items():
                self._latency.labels(message.stream, stage).observe(milliseconds / 1000.0)

    def exposition(self) -> tuple[int, str, bytes]:
        """Return an HTTP response for Prometheus: status, content type, body."""
        return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield metrics from the newest status of each stream. The registry calls this at each scrape."""
        statuses = self._health.statuses()
        for field, (name, text) in _COUNTS.items():
            counter = CounterMetricFamily(f"mar_edge_{name}", text, labels=["stream"])
            for status in statuses:
                counter.add_metric([status.stream], getattr(status, field))
            yield counter
        with_pictures = [(status.stream, status.pictures) for status in statuses if status.pictures is not None]
        for field, (name, text) in _PICTURE_COUNTS.items():
            counter = CounterMetricFamily(f"mar_edge_{name}", text, labels=["stream"])
            for stream, pictures in with_pictures:
                counter.add_metric([stream], getattr(pictures, field))
            yield counter
        for field, (name, text) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"mar_edge_{name}", text, labels=["stream"])
            for status in statuses:
                if (value := getattr(status, field)) is not None:
                    gauge.add_metric([status.stream], value)
            yield gauge
        yield self._camera_states(statuses)
        memory = resident_bytes()
        if memory is not None:
            yield GaugeMetricFamily("mar_edge_resident_memory_bytes", "Memory of the process.", value=memory)

    @staticmethod
    def _camera_states(statuses: list[StatusMessage]) -> Metric:
        states = GaugeMetricFamily(
            "mar_edge_camera_state",
            "1 for the current state of the camera, 0 for others.",
            labels=["stream", "state"],
        )
        for status in statuses:
            for state in _STATES:
                states.add_metric([status.stream, state], float(status.camera == state))
        return states


def resident_bytes() -> int | None:
    """Return the resident memory of this process; None if the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
