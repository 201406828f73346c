"""Which sink a URL names. Each is imported when it is chosen."""

from __future__ import annotations

from mar_edge.bridge.sinks.base import Sink
from mar_edge.bridge.target import Target


def sink_of(target: Target) -> Sink:
    """Return the sink of a target; it is not connected yet.

    Raises:
        MarEdgeError: its package is not installed, or its options do not fit.
    """
    match target.scheme:
        case "nats" | "tls":
            from mar_edge.bridge.sinks.jetstream import JetStreamSink

            return JetStreamSink(target)
        case "mqtt" | "mqtts":
            from mar_edge.bridge.sinks.mqtt import MqttSink

            return MqttSink(target)
        case "http" | "https":
            from mar_edge.bridge.sinks.webhook import WebhookSink

            return WebhookSink(target)
        case _:
            from mar_edge.bridge.sinks.program import ProgramSink

            return ProgramSink(target)
