"""The pose worker: finds people in frames on its own thread. Pose works on the next frame while the network runs.

Results do not depend on it: every frame that is read goes through pose and to the reader, in order. Knows no windows
and no recognizer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from mar_edge.edge.data import Skeleton
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.streaming.capture.frames import NS, Frame, FrameSource
from mar_edge.streaming.timing import Timer

# Frames that may wait for the reader, which an inference delays by a few frames. More would only become old.
AHEAD = 2
# Pose takes milliseconds; at this it hangs.
STUCK_S = 2.0
_READ_TIMEOUT_S = 0.1


@dataclass(frozen=True)
class PosedFrame:
    """A frame with its skeletons.

    Attributes:
        frame: The frame.
        people: Skeletons of the people in it.
        pose_s: Seconds that pose estimation took; None if the people were known, as in a replay.
    """

    frame: Frame
    people: tuple[Skeleton, ...]
    pose_s: float | None = None

    def record(self, timer: Timer) -> None:
        """Record how long pose took, and how long the frame has waited besides."""
        if self.pose_s is not None:
            timer.record("pose", self.pose_s)
        timer.record("wait", (time.monotonic_ns() - self.frame.t_mono_ns) / NS - (self.pose_s or 0.0))


class PoseWorker:
    """Frames of a source with their skeletons, in order. A context manager, within which a thread works ahead.

    It reads a frame only if its result has a place in the queue. So a slow reader never gets results older than
    ``AHEAD`` frames, and the source waits or drops frames according to its policy.

    Args:
        source: A started source; only the thread reads it.
        pose: Pose estimator, used only by the thread; None if the source knows the people already.
    """

    def __init__(self, source: FrameSource, pose: PoseEstimator | None) -> None:
        self.segment = source.segment
        self._source, self._pose = source, pose
        self._ready: deque[PosedFrame] = deque()
        self._reached = source.segment
        self._failure: BaseException | None = None
        self._busy_since_s: float | None = None
        self._done = self._stop = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="pose", daemon=True)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read and nothing will come. Then ``end_reason`` of the source gives the reason."""
        with self._changed:
            return self._done and not self._ready and self._failure is None

    @property
    def stuck(self) -> bool:
        """Whether pose has worked on one frame for longer than ``STUCK_S``."""
        since_s = self._busy_since_s
        return since_s is not None and time.monotonic() - since_s > STUCK_S

    def read(self, timeout_s: float) -> PosedFrame | None:
        """Return the next frame with its skeletons; None if none came in time, or none will come (``ended``).

        Afterwards ``segment`` is that of the result. If no result is left, it is the current one of the source.

        Raises:
            Exception: the error of source or pose, after all results before it were read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._done, timeout_s)
            if self._ready:
                posed = self._ready.popleft()
                self.segment = posed.frame.segment
                self._changed.notify_all()
                return posed
            if self._failure is not None:
                raise self._failure
            self.segment = self._reached
            return None

    def __enter__(self) -> PoseWorker:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Wait until pose has finished its frame: it must not be closed before."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._has_room():
                ended = self._source.ended  # before reading, which raises the error that ended it
                frame = self._source.read(_READ_TIMEOUT_S)
                if frame is not None:
                    posed = self._estimate(frame)
                    with self._changed:
                        self._ready.append(posed)
                        self._reached = frame.segment
                        self._changed.notify_all()
                elif ended:
                    return
                else:
                    self._reached = self._source.segment
        except BaseException as error:  # noqa: BLE001 - raised in ``read``
            self._failure = error
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait for room in the queue; return False if the reader has stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop or len(self._ready) < AHEAD)
            return not self._stop

    def _estimate(self, frame: Frame) -> PosedFrame:
        if frame.people is not None or self._pose is None:
            return PosedFrame(frame, frame.people or ())
        start_s = self._busy_since_s = time.monotonic()
        found = self._pose.estimate(frame.image, frame.media_s)
        self._busy_since_s = None
        return PosedFrame(frame, tuple(person.rounded() for person in found), time.monotonic() - start_s)
