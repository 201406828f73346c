"""The last seconds of a stream's pictures, while exactly one person is in view. Memory is bounded; knows no model."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.families.base import PictureNeeds, WarmUp
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.recognition.trigger import Stride


@dataclass(frozen=True)
class Look:
    """A window with its pictures. start_s, end_s: the oldest and the newest of them, on the capture clock."""

    window: Window
    start_s: float
    end_s: float


class PictureRing:
    """Keeps small pictures: at most ``rate_hz`` a second, for ``window_s``.

    With 12 a second for 2 s, as for MANet, these are 25 pictures of 151 kB: 3.8 MB. Pictures of several people, of
    another person, or after a pause, begin again. ``crowded``: several people were in the last frame.

    Args:
        needs: rate, and what is kept of a frame.
        warm_up: what a window needs, at least.
        window_s: seconds that it keeps.
    """

    def __init__(self, needs: PictureNeeds, warm_up: WarmUp, window_s: float) -> None:
        self.crowded = False
        self._needs, self._warm_up, self._window_s = needs, warm_up, window_s
        self._stride = Stride(1.0 / needs.rate_hz)
        self._person: int | None = None
        self._seen_s = 0.0
        # One more than the rate gives, for both ends of the window.
        self._kept: deque[tuple[float, NDArray[np.uint8]]] = deque(maxlen=int(needs.rate_hz * window_s) + 1)

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, frame: Frame, people: Sequence[Skeleton]) -> None:
        """Keep a frame's picture, if it is time for one and one person is in view."""
        self.crowded = len(people) > 1
        if self.crowded:
            self.clear()
        if len(people) != 1:
            return
        person, t_s = people[0].person, frame.media_s
        if person != self._person or t_s - self._seen_s > self._warm_up.max_gap_s:
            self.clear()
        self._person, self._seen_s = person, t_s
        if self._stride.due(t_s):
            self._kept.append((t_s, self._needs.kept(frame.image)))
            while self._kept[0][0] < t_s - self._window_s - 1e-3:
                self._kept.popleft()

    def look_at(self, windows: Sequence[Window]) -> Look | None:
        """Return the window of the one person in view, with its pictures; None while there are too few."""
        window = next((window for window in windows if window.person == self._person), None)
        if window is None or len(self._kept) < self._warm_up.min_frames:
            return None
        start_s, end_s = self._kept[0][0], self._kept[-1][0]
        if end_s - start_s < min(self._warm_up.min_span_s, self._window_s) - 1e-3:
            return None
        return Look(replace(window, pictures=tuple(picture for _, picture in self._kept)), start_s, end_s)

    def clear(self) -> None:
        """Forget all pictures."""
        self._kept.clear()
        self._person = None
