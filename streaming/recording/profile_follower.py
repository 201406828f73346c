"""Activity profiles of a stream, from its messages as they come: live, or from a recording. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mar_edge.edge.labels import Label
from mar_edge.streaming.recognition.activity import ActivityProfile, PersonProfile, ProfileRules
from mar_edge.streaming.recognition.tally import Tally
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage, LabelMessage


class ProfileFollower:
    """Makes the profiles of one stream from its messages, in the order in which they were sent.

    A profile is due when a frame reaches the next multiple of the step on the media clock. It says what was known
    before that frame. Where several are due at once, there is one, for the last of them.

    Args:
        rules: window, step and baseline.
        baseline: from another recording; None for each person's own.
        labels: actions that each profile lists; others are listed where they occurred.
        takes: whether an event counts; by default, each does.
    """

    def __init__(
        self,
        rules: ProfileRules,
        baseline: Tally | None = None,
        labels: Sequence[Label] = (),
        takes: Callable[[EventMessage], bool] = lambda event: True,
    ) -> None:
        self._rules, self._baseline, self._labels, self._takes = rules, baseline, labels, takes
        self._activity = ActivityProfile(rules, baseline)
        self._bodies: tuple[str, ...] = ()
        self._apart_ns = 0
        self._media_end_ns = 0
        self._tick: int | None = None

    def begin_frame(self, t_capture_ns: int, t_media_ns: int) -> list[PersonProfile]:
        """Return the profiles that are due before a frame, on the media clock. The next messages are about it.

        Args:
            t_capture_ns, t_media_ns: time of the frame on both clocks.
        """
        self._apart_ns, self._media_end_ns = t_capture_ns - t_media_ns, t_media_ns
        tick = t_media_ns // self._rules.step_ns
        before, self._tick = self._tick, tick
        return [] if before is None or tick <= before else self._profiles(tick)

    def take(self, message: AnyMessage) -> None:
        """Take the next message of the stream."""
        match message:
            case HelloMessage():
                labels = event_labels(message)
                self._bodies = tuple(dict.fromkeys(label.body for label in labels))
                self._activity.baseline = None if self._baseline is None else self._baseline.only(labels)
            case LabelMessage():
                start_ns, end_ns = self._media_ns(message.t_start_ns), self._media_ns(message.t_end_ns)
                self._activity.see(message.person, start_ns, end_ns, message.visible)
            case EventMessage() if self._takes(message):
                end = message.t_end_ns
                self._activity.event(
                    message.person,
                    message.event_id,
                    message.label,
                    self._media_ns(message.t_start_ns),
                    None if end is None else self._media_ns(end),
                )

    def finish(self) -> list[PersonProfile]:
        """Return the profiles of the end of the stream: those that would be due next."""
        return [] if self._tick is None else self._profiles(self._tick + 1, self._media_end_ns)

    def _profiles(self, tick: int, stream_end_ns: int | None = None) -> list[PersonProfile]:
        return self._activity.profiles(tick * self._rules.step_ns, self._bodies, self._labels, stream_end_ns)

    def _media_ns(self, t_ns: int) -> int:
        return t_ns - self._apart_ns


def event_labels(hello: HelloMessage) -> tuple[Label, ...]:
    """Return the labels of a stream that may be events."""
    return tuple(
        label
        for index, (label, on) in enumerate(zip(hello.labels, hello.on_thresholds, strict=False))
        if index != hello.background and on is not None
    )
