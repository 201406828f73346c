"""Frames with the people in them, found on a thread of its own: while the network looks at one frame's people, pose
looks at the next frame. Knows no windows, no messages and no recogniser.

What is computed does not depend on it: every frame that is read goes through pose and to the reader, in order.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from mar_edge.edge.data import Skeleton
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.streaming.capture.frames import Frame, FrameSource

# So many may wait for the reader, whom an inference keeps for the time of a few frames. More would only grow old.
AHEAD = 2
# Pose takes milliseconds.
STUCK_S = 2.0
_READ_TIMEOUT_S = 0.1


@dataclass(frozen=True)
class PosedFrame:
    """A frame and whom it shows. pose_s: what finding them took; None where they were known, as in a replay."""

    frame: Frame
    people: tuple[Skeleton, ...]
    pose_s: float | None = None


class PoseWorker:
    """Whom the frames of a source show, in order. A context manager, within which a thread works ahead of the reader.

    It takes a frame only when there is room for what comes of it. So a slow reader never gets what is older than
    ``AHEAD`` frames of pose, and the source holds back or drops, as is its policy.

    Args:
        source: started; read by the thread alone.
        pose: used by the thread alone; None where the source knows the people already.
    """

    def __init__(self, source: FrameSource, pose: PoseEstimator | None) -> None:
        self.segment = source.segment
        self._source, self._pose = source, pose
        self._ready: deque[PosedFrame] = deque()
        self._reached = source.segment
        self._failure: BaseException | None = None
        self._looking_since_s: float | None = None
        self._done = self._stop = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="pose", daemon=True)

    @property
    def ended(self) -> bool:
        """Nothing is left to read and nothing will come; the source's ``end_reason`` says why."""
        with self._changed:
            return self._done and not self._ready and self._failure is None

    @property
    def stuck(self) -> bool:
        """Whether pose has been at one frame for longer than it can take."""
        since_s = self._looking_since_s
        return since_s is not None and time.monotonic() - since_s > STUCK_S

    def read(self, timeout_s: float) -> PosedFrame | None:
        """The next one; None where none came in time, or none will come (``ended``).

        ``segment`` is then that of what was read, or, where nothing is left on the way, the source's own.

        Raises:
            Exception: what reading or pose raised, once all that came before was read.
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
        """Waits for the frame that pose is at: it must not be closed under it."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._has_room():
                ended = self._source.ended  # asked before reading, which raises what ended it
                frame = self._source.read(_READ_TIMEOUT_S)
                if frame is not None:
                    posed = self._look(frame)
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
        """Wait for room; False where nobody reads any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop or len(self._ready) < AHEAD)
            return not self._stop

    def _look(self, frame: Frame) -> PosedFrame:
        if frame.people is not None or self._pose is None:
            return PosedFrame(frame, frame.people or ())
        start_s = self._looking_since_s = time.monotonic()
        found = self._pose.estimate(frame.image, frame.media_s)
        self._looking_since_s = None
        return PosedFrame(frame, tuple(person.rounded() for person in found), time.monotonic() - start_s)
