"""Recordings as a source of frames: the people who were seen, without the pictures. Knows no pipeline, no sockets.

A replay passes through the same windows, motion gate, network and event rules as the recorded stream did, at the
recorded times. So the same model gives the same events. Where another model took over, a new segment begins. Answers of
a model of pictures come from the recording.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np

from mar_edge.edge.data import Answer
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.streaming.capture.frames import NS, Frame, State
from mar_edge.streaming.capture.sources import Source
from mar_edge.streaming.operations.stop_signals import REASONS
from mar_edge.streaming.recording.reader import Recorded, of_one_run, read_messages, recording_files
from mar_edge.streaming.recording.skeletons import check_joints, layout_of, skeleton_of
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.messages import NO_PERSON, EndMessage, HelloMessage, SkeletonMessage

_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


def answer_of(message: AnswerMessage) -> Answer:
    """Return the answer in a message, as the stream that sent it used it."""
    return Answer(
        person=message.person,
        scores=message.scores,
        start_s=message.t_media_start_ns / NS,
        end_s=message.t_media_end_ns / NS,
        infer_s=message.infer_ms / 1e3,
    )


class Replay:
    """Frames from recordings of one stream (see ``FrameSource``). Used from one thread.

    Args:
        paths: files in the order in which they were written, or one folder of them.
        realtime: wait for each frame's time.

    Raises:
        MarEdgeError: there is no recording, it is damaged, or it has no ``hello`` before its first skeleton.
    """

    state: State = "live"
    connections = 1
    stalls = corrupt = clock_jumps = dropped = 0
    last_error: str | None = None

    def __init__(self, paths: Sequence[Path], realtime: bool = False) -> None:
        self._files = recording_files(paths)
        self.every_frame = not realtime
        names = self._files[0].name + (f" and {len(self._files) - 1} more" if len(self._files) > 1 else "")
        self.source = Source("file", names, f"replay of {names}")
        self.hello, self.layout = self._first_hello()
        self.fps, self.size, self.t_zero_ns = self.hello.fps, self.hello.size, self.hello.t_zero_ns
        self.segment = self.frames = 0
        self.end_reason: str | None = None
        self._stopped_by_signal = True
        self._frames = self._read_frames()
        self._next: Frame | None = None
        self._mono_zero_ns: int | None = None
        self._media_zero_s = 0.0
        self._sign_ns: int | None = None
        self._pause = threading.Event()  # never set; a wait on it ends with the program

    @property
    def ended(self) -> bool:
        """See ``FrameSource``."""
        return self.end_reason is not None

    @property
    def ran_out(self) -> bool:
        """Whether the recorded stream ran to its own end."""
        return self.ended and not self._stopped_by_signal

    def start(self) -> None:
        """See ``FrameSource``."""
        self._mono_zero_ns = time.monotonic_ns()

    def elapsed_s(self) -> float:
        """See ``FrameSource``."""
        return 0.0 if self._mono_zero_ns is None else (time.monotonic_ns() - self._mono_zero_ns) / NS

    def frame_age_s(self) -> float | None:
        """See ``FrameSource``."""
        return None if self._sign_ns is None else (time.monotonic_ns() - self._sign_ns) / NS

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; None where it is not yet due, or there is none (``ended``).

        Raises:
            MarEdgeError: a line is not a message, or another recording begins. The error names the line.
        """
        if self._next is None:
            self._next = next(self._frames, None)
            if self._next is None:
                self.end_reason = "end of recording"
                return None
            if self.frames == 0:
                self._media_zero_s = self._next.media_s
        if not self.every_frame:
            early_s = self._next.media_s - self._media_zero_s - self.elapsed_s()
            self._pause.wait(min(max(early_s, 0.0), timeout_s))
            if early_s > timeout_s:
                return None
        frame, self._next = self._next, None
        self.frames += 1
        self.segment = frame.segment
        self._sign_ns = time.monotonic_ns()
        return replace(frame, t_mono_ns=self._sign_ns)

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._frames.close()

    def _first_hello(self) -> tuple[HelloMessage, Layout]:
        for recorded in self._messages():
            if isinstance(recorded.message, HelloMessage):
                return recorded.message, layout_of(recorded, recorded.message, None)
            if isinstance(recorded.message, SkeletonMessage):
                break
        raise MarEdgeError(
            f"{self._files[0]} has no 'hello' before its first skeleton; record with 'mar-edge serve --record FOLDER' "
            "or 'mar-edge record'"
        )

    def _read_frames(self) -> Generator[Frame, None, None]:
        """Yield frames in order. The skeletons of one frame are next to each other."""
        for _, together in groupby(self._skeletons(), key=lambda each: (each[0].segment, each[0].frame)):
            (first, answers), *others = together
            skeletons = [first, *(skeleton for skeleton, _ in others)]
            media_ns = first.t_capture_ns - self.t_zero_ns if first.t_media_ns is None else first.t_media_ns
            people = tuple(skeleton_of(skeleton) for skeleton in skeletons if skeleton.person != NO_PERSON)
            yield Frame(
                seq=first.frame,
                t_capture_ns=first.t_capture_ns,
                t_mono_ns=0,
                media_s=media_ns / NS,
                image=_NO_IMAGE,
                segment=first.segment,
                people=people,
                answers=answers,
            )

    def _skeletons(self) -> Iterator[tuple[SkeletonMessage, tuple[Answer, ...]]]:
        """Yield skeletons in order, each with the answers before it."""
        answers: list[Answer] = []
        last: tuple[int, int] | None = None
        model, models = self.hello.model_sha256, 0
        for recorded in self._messages():
            message = recorded.message
            if isinstance(message, HelloMessage):
                layout_of(recorded, message, self.layout)
                self.size = message.size
                models += message.model_sha256 != model
                model = message.model_sha256
            elif isinstance(message, AnswerMessage):
                answers.append(answer_of(message))
            elif isinstance(message, EndMessage):
                self._stopped_by_signal = message.reason in REASONS
            elif isinstance(message, SkeletonMessage):
                if message.person != NO_PERSON:
                    check_joints(recorded, message, self.layout)
                place = message.segment, message.frame
                if last is not None and place < last:
                    raise recorded.error(f"frame {message.frame} comes after a later one; files out of order?")
                last = place
                yield msgspec.structs.replace(message, segment=message.segment + models), tuple(answers)
                answers.clear()

    def _messages(self) -> Iterator[Recorded]:
        return of_one_run(read_messages(self._files))
