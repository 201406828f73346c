"""Messages of a stream as its publisher stamps them, for tests of the page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
from wire_messages import MESSAGES

from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    Quantiles,
    ScoredLabel,
    SkeletonMessage,
    StatusMessage,
)
from mar_edge.streaming.wire.profile_message import Activity, Comparison, ProfileMessage

ZERO_NS = 1_760_000_000_123_456_789
LABELS = (*ma52_labels()[:11], background_label())
EVERY_ACTION = ma52_labels()
NODDING, BOWING, GESTURES, TOUCHING_LEGS = (EVERY_ACTION[id] for id in (9, 5, 23, 49))
LAYOUT = load_layout("ma52")


class Stream:
    """Makes messages at times of the capture clock, numbered in order."""

    def __init__(self, name: str = "cam", run: str = "a" * 32) -> None:
        self._name, self._run = name, run
        self._seq = itertools.count()

    def _stamped(self, message: AnyMessage, at_s: float) -> Any:
        seq = next(self._seq)
        at_ns = ZERO_NS + round(at_s * 1e9)
        return msgspec.structs.replace(
            message,
            stream=self._name,
            run=self._run,
            seq=seq,
            kind_seq=seq,
            t_capture_ns=at_ns,
            t_publish_ns=at_ns,
            frame=round(at_s * 30),
        )

    def hello(self, labels: tuple[Label, ...] = LABELS, background: int | None = 11) -> HelloMessage:
        wanted = [index != background for index in range(len(labels))]
        message = HelloMessage(
            source="a test",
            size=(640, 480),
            fps=30.0,
            t_zero_ns=ZERO_NS,
            model="tiny",
            precision="fp32",
            layout="ma52",
            joints=LAYOUT.joints,
            labels=labels,
            background=background,
            window_s=2.0,
            stride_s=0.2,
            on_thresholds=tuple(0.5 if each else None for each in wanted),
            off_thresholds=tuple(0.3 if each else None for each in wanted),
            pose="scripted",
            runtime="onnxruntime",
            versions={},
        )
        return self._stamped(message, 0.0)

    def skeleton(self, at_s: float, person: int = 0) -> SkeletonMessage:
        if person == NO_PERSON:
            return self._stamped(SkeletonMessage(person=person, joints=(), scores=()), at_s)
        joints = tuple((100.0 + 5 * v + 40 * at_s, 60.0 + 8 * v) for v in range(LAYOUT.num_joints))
        return self._stamped(SkeletonMessage(person=person, joints=joints, scores=(0.9,) * len(joints)), at_s)

    def label(
        self, at_s: float, person: int = 0, score: float = 0.7, labels: Sequence[Label] = (NODDING,)
    ) -> LabelMessage:
        """Return a label message in which all labels have the same score; scores need not sum to 1."""
        message = LabelMessage(
            person=person,
            top=tuple(ScoredLabel(label.id, label.name, label.body, score) for label in labels),
            gated=False,
            t_start_ns=ZERO_NS + round((at_s - 2.0) * 1e9),
            t_end_ns=ZERO_NS + round(at_s * 1e9),
            latency=Latency(1.0, 1.0, 1.0, 3.0),
        )
        return self._stamped(message, at_s)

    def event(
        self,
        at_s: float,
        event_id: int,
        start_s: float,
        end_s: float | None = None,
        label: Label = NODDING,
    ) -> EventMessage:
        message = EventMessage(
            event_id=event_id,
            person=0,
            label=label,
            phase="begin" if end_s is None else "end",
            t_start_ns=ZERO_NS + round(start_s * 1e9),
            t_end_ns=None if end_s is None else ZERO_NS + round(end_s * 1e9),
            score=0.75,
        )
        return self._stamped(message, at_s)

    def profile(
        self, at_s: float, counts: dict[str, int], *, person: int = 0, hidden: str | None = None, baseline: bool = True
    ) -> ProfileMessage:
        """Return the profile of the minute up to ``at_s``: events of each body group, against two a minute before."""

        def activity(name: str, count: int) -> Activity:
            in_view_s = 0.0 if name == hidden else 60.0
            return Activity(
                name=name,
                body=name,
                count=count,
                duration_s=1.5 * count,
                in_view_s=in_view_s,
                rate_per_min=float(count) if in_view_s else None,
                baseline=Comparison(
                    count=10,
                    duration_s=15.0,
                    in_view_s=300.0,
                    rate_per_min=2.0,
                    ratio=count / 2.0,
                    ratio_low=0.4,
                    ratio_high=9.0,
                    difference_per_min=count - 2.0,
                )
                if baseline
                else None,
            )

        message = ProfileMessage(
            person=person,
            t_start_ns=ZERO_NS + round((at_s - 60.0) * 1e9),
            t_end_ns=ZERO_NS + round(at_s * 1e9),
            total=activity("", sum(counts.values())),
            bodies=tuple(activity(name, count) for name, count in counts.items()),
            actions=(),
            baseline_s=300.0,
            baseline_complete=baseline,
        )
        return self._stamped(message, at_s)

    def status(self, at_s: float, camera: str = "live", *, fps_out: float = 29.5, dropped: int = 3) -> StatusMessage:
        status = next(message for message in MESSAGES if isinstance(message, StatusMessage))
        message = msgspec.structs.replace(
            status,
            camera=camera,
            fps_out=fps_out,
            frames=round(at_s * 30),
            dropped=dropped,
            latency_ms={"total": Quantiles(30.0, 41.0, 50.0)},
            runtime="onnxruntime",
            events=1,
            uptime_s=at_s,
        )
        return self._stamped(message, at_s)

    def end(self, at_s: float, reason: str = "end of file") -> EndMessage:
        message = EndMessage(last_seq=0, reason=reason, sent={}, frames=1, dropped=0, inferences=1, gated=0, events=1)
        return self._stamped(message, at_s)
