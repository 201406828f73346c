"""Made-up recordings: messages of a few streams, runs and people."""

from __future__ import annotations

from pathlib import Path

from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import (
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    MarkerMessage,
    SkeletonMessage,
)

NS = 1_000_000_000
ZERO_NS = 1_795_288_668_909_371_342
"""Capture time of media time 0; no whole number of milliseconds."""
RUN = "0123456789abcdef" * 2
LABELS = (*ma52_labels()[:11], background_label(), Label(60, "humming", ""))
NOD, SHAKE, SHRUG, HUM = LABELS[9], LABELS[10], LABELS[2], LABELS[12]


class Stream:
    """Messages of one run of one stream, numbered; times in seconds from media time 0."""

    def __init__(self, stream: str = "cam", run: str = RUN, zero_ns: int = ZERO_NS) -> None:
        self.messages: list[AnyMessage] = []
        self._head = {"stream": stream, "run": run}
        self._zero_ns = zero_ns
        self._events = 0

    def hello(self) -> Stream:
        return self._add(
            HelloMessage(
                **self._next(0.0),
                source="clip.mp4",
                size=(640, 480),
                fps=30.0,
                t_zero_ns=self._zero_ns,
                model="tiny model",
                precision="fp32",
                layout="ma52",
                joints=("nose",),
                labels=LABELS,
                background=11,
                window_s=2.0,
                stride_s=0.2,
                on_thresholds=(0.5,) * len(LABELS),
                off_thresholds=(0.3,) * len(LABELS),
                pose="scripted",
                runtime="none",
                versions={},
            )
        )

    def skeletons(self, start_s: float, end_s: float, person: int = 0, fps: float = 30.0) -> Stream:
        """Add skeletons of a person whose 44 joints move a little."""
        for frame in range(round(start_s * fps), round(end_s * fps)):
            joints = tuple((100.0 + 3 * joint + frame % 7, 50.0 + 5 * joint) for joint in range(44))
            self._add(
                SkeletonMessage(**self._next(frame / fps), person=person, joints=joints, scores=(0.9,) * len(joints))
            )
        return self

    def labels(self, t_s: float, person: int = 0) -> Stream:
        latency = Latency(1.0, 1.0, 1.0, 3.0)
        ends = {"t_start_ns": self._ns(t_s - 2), "t_end_ns": self._ns(t_s)}
        return self._add(LabelMessage(**self._next(t_s), person=person, top=(), gated=True, latency=latency, **ends))

    def event(
        self, label: Label, start_s: float, end_s: float, person: int = 0, *, score: float = 0.8, ends: bool = True
    ) -> Stream:
        """Add an event that begins with half its score, has all of it in an update, and ends."""
        self._events += 1
        about = {"event_id": self._events, "person": person, "label": label, "t_start_ns": self._ns(start_s)}
        self._add(EventMessage(**self._next(start_s + 0.5), **about, phase="begin", t_end_ns=None, score=score / 2))
        self._add(EventMessage(**self._next(start_s + 1.0), **about, phase="update", t_end_ns=None, score=score))
        if ends:
            end = {"phase": "end", "t_end_ns": self._ns(end_s), "score": score}
            self._add(EventMessage(**self._next(end_s + 0.5), **about, **end))
        return self

    def marker(self, text: str, t_s: float, source: str = "stimuli") -> Stream:
        """Add a marker that was set a tenth of a second before its frame."""
        about = {"text": text, "source": source, "t_marker_ns": self._ns(t_s)}
        return self._add(MarkerMessage(**self._next(t_s + 0.1), **about))

    def end(self, t_s: float, frames: int, dropped: int) -> Stream:
        counts = {"inferences": 0, "gated": 0, "events": self._events, "last_seq": len(self.messages)}
        about = {"reason": "end of file", "sent": {}, "frames": frames, "dropped": dropped}
        return self._add(EndMessage(**self._next(t_s), **about, **counts))

    def write(self, path: Path, start: int = 0, end: int | None = None) -> Path:
        """Write some of the messages, a line each."""
        path.write_bytes(b"".join(encode(message) + b"\n" for message in self.messages[start:end]))
        return path

    def _ns(self, t_s: float) -> int:
        return self._zero_ns + round(t_s * NS)

    def _next(self, t_s: float) -> dict:
        seq = len(self.messages)
        return {**self._head, "seq": seq, "kind_seq": seq, "t_capture_ns": self._ns(t_s), "frame": abs(round(t_s * 30))}

    def _add(self, message: AnyMessage) -> Stream:
        self.messages.append(message)
        return self


def two_people() -> Stream:
    """Return 8 s of two people, with five events. The last is not over; one has a label without a body group."""
    return (
        Stream()
        .hello()
        .skeletons(0.0, 4.0)
        .event(NOD, 1.0, 2.5001, score=0.9)
        .event(SHRUG, 1.2345678, 2.0, person=1, score=0.4)
        .labels(3.0)
        .skeletons(4.0, 8.0, person=1)
        .event(SHAKE, 2.5001, 4.0)
        .event(HUM, 5.0, 5.0)
        .event(NOD, 6.0, 0.0, person=1, ends=False)
    )
