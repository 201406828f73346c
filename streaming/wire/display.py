"""Messages as lines of text: colored on a terminal, plain elsewhere. Knows no sockets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.text import Text

from mar_edge.streaming.wire.answer_message import AnswerMessage, PictureStatus
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    MarkerMessage,
    SkeletonMessage,
    StatusMessage,
)
from mar_edge.streaming.wire.profile_message import Activity, ProfileMessage
from mar_edge.streaming.wire.subscription import Gap, Malformed, Notice, Restart, Silence

_SHOWN_LABELS = 3
_STYLE = {
    "hello": "cyan",
    "label": "default",
    "event": "bold green",
    "skeleton": "dim",
    "answer": "dim",
    "profile": "magenta",
    "marker": "bold magenta",
    "status": "dim",
    "end": "cyan",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise it for the caller; rich would end the process."""
        raise BrokenPipeError


class Display:
    """Prints messages of some kinds, one line each. A repeated ``hello`` is left out.

    Args:
        file: Output file.
        kinds: Kinds of messages that are printed.
        status_every_s: Seconds between two ``status`` lines; 0 prints all.
    """

    def __init__(self, file: TextIO, kinds: Collection[str], status_every_s: float = 0.0) -> None:
        self._console = _Console(file=file, highlight=False, markup=False, soft_wrap=True)
        self._kinds = frozenset(kinds)
        self._greeted: str | None = None
        self._status_every_ns = int(status_every_s * 1e9)
        self._status_due_ns = 0

    def show(self, message: AnyMessage) -> None:
        """Print one message, if its kind is among those shown."""
        if message.kind not in self._kinds:
            return
        if isinstance(message, HelloMessage):
            if message.run == self._greeted:
                return
            self._greeted = message.run
        if isinstance(message, StatusMessage):
            # A wall clock that was set back must not stop the lines.
            if 0 < self._status_due_ns - message.t_publish_ns <= self._status_every_ns:
                return
            self._status_due_ns = message.t_publish_ns + self._status_every_ns
        self._console.print(Text(message_line(message), style=_STYLE[message.kind]))


def notice_line(notice: Notice) -> str:
    """Return one line of text for a fault that a subscriber noticed."""
    match notice:
        case Gap():
            what = f"{notice.kind} messages" if notice.kind else "messages"
            return f"{notice.stream}: {notice.count} {what} lost, from number {notice.first_missing} on"
        case Restart():
            return f"{notice.stream}: the sender restarted"
        case Silence(stream=None):
            return "nothing received yet; check the address, the keys, and that 'mar-edge serve' is running there"
        case Silence():
            return f"{notice.stream}: silent, not even a status; the sender hangs or cannot be reached"
        case Malformed():
            return f"a message could not be read: {notice.why}"


def message_line(message: AnyMessage) -> str:
    """Return one line of text for a message, beginning with its capture time."""
    clock = datetime.fromtimestamp(message.t_capture_ns / 1e9).strftime("%H:%M:%S.%f")[:-4]
    return f"{clock}  {message.kind:<8} {_details(message)}"


def _rate_text(name: str, activity: Activity) -> str:
    """Return a rate in words: "head 4.0 (baseline 2.5)"."""
    rate = "not in view" if activity.rate_per_min is None else f"{activity.rate_per_min:.1f}"
    base = activity.baseline
    if base is None or base.rate_per_min is None:
        return f"{name} {rate}"
    return f"{name} {rate} (baseline {base.rate_per_min:.1f})"


def _pictures_text(state: PictureStatus | None) -> str:
    """Return what is wrong with the model of pictures, in words; nothing if all is well."""
    if state is None:
        return ""
    problems = [
        f"{state.failed} inferences from pictures failed ({state.error})" if state.failed else "",
        f"{state.late} came too late" if state.late else "",
    ]
    return "".join(f", {each}" for each in problems if each)


def _details(message: AnyMessage) -> str:  # noqa: PLR0911 - one return for each kind
    match message:
        case HelloMessage():
            return (
                f"{message.stream}: {message.model}, {len(message.labels)} labels, window {message.window_s:g} s "
                f"every {message.stride_s:g} s, {message.pose} + {message.runtime}, from {message.source}"
            )
        case LabelMessage(gated=True):
            return f"person {message.person}  still"
        case LabelMessage():
            top = "  ".join(f"{label.name} {label.score:.2f}" for label in message.top[:_SHOWN_LABELS])
            by_model = "".join(
                f"; {one.family}: {one.top[0].name} {one.top[0].score:.2f}" for one in message.models if one.top
            )
            return f"person {message.person}  {top or 'no answer yet'}  ({message.latency.total_ms:.0f} ms{by_model})"
        case EventMessage():
            lasted = ""
            if message.t_end_ns is not None:
                lasted = f", lasted {(message.t_end_ns - message.t_start_ns) / 1e9:.1f} s"
            label = f"{message.label.name} [{message.label.body}]"
            return f"person {message.person}  {message.phase.upper():<6} {label}  {message.score:.2f}{lasted}"
        case SkeletonMessage() if message.person == NO_PERSON:
            return "no person detected"
        case SkeletonMessage():
            seen = sum(joint is not None for joint in message.joints)
            return f"person {message.person}  {seen} of {len(message.joints)} joints seen"
        case AnswerMessage():
            best = sorted(message.scores.items(), key=lambda item: -item[1])[:_SHOWN_LABELS]
            top = "  ".join(f"{name} {score:.2f}" for name, score in best)
            return f"person {message.person}  pictures: {top}  ({message.infer_ms:.0f} ms)"
        case ProfileMessage():
            window_s = (message.t_end_ns - message.t_start_ns) / 1e9
            shown = [_rate_text("all", message.total)]
            shown += [_rate_text(body.name, body) for body in message.bodies if body.count]
            return f"person {message.person}  in a window of {window_s:g} s, per minute: {', '.join(shown)}"
        case MarkerMessage():
            return f"{message.text!r} from {message.source}"
        case StatusMessage():
            total = message.latency_ms.get("total")
            latency = f", latency p50 {total.p50:.0f} p95 {total.p95:.0f} ms" if total else ""
            wrong = f" ({message.camera_error})" if message.camera != "live" and message.camera_error else ""
            record = f", not recording: {message.record_error}" if message.record_error else ""
            page = ", the page has failed" if message.page_failures else ""
            lsl = f", {message.lsl_lost} lost over LSL" if message.lsl_lost else ""
            pictures = _pictures_text(message.pictures)
            behind = " but too slow for it" if message.behind else ""
            return (
                f"camera {message.camera}{wrong}{behind}, {message.fps_in:.1f} fps in, {message.fps_out:.1f} out, "
                f"{message.dropped} dropped{latency}, {message.subscribers} subscribers, "
                f"{message.people} people{record}{page}{lsl}{pictures}"
            )
        case EndMessage():
            return (
                f"{message.stream}: {message.reason}; {message.frames} frames, {message.dropped} dropped, "
                f"{message.inferences} inferences, {message.gated} still, {message.events} events"
            )
