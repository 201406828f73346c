"""Watches a person in front of a camera, or in a video: skeletons over time, until a moment. Shows and asks nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.pose_worker import PoseWorker

_READ_TIMEOUT_S = 0.1


class Watched:
    """Everybody seen so far. now_s: time of the newest frame. seen: whether it shows anybody.

    Args:
        camera: opened; it is started here.
        pose: finds people in its frames.

    Raises:
        MarEdgeError: a frame does not continue the ones before (another size, a lost camera).
    """

    def __init__(self, camera: Camera, pose: PoseEstimator) -> None:
        self._camera, self._pose = camera, pose
        self._people: dict[int, list[tuple[float, Skeleton]]] = {}
        self.now_s = 0.0
        self.seen = False

    def frames(self) -> Iterator[float]:
        """Yield the time, s, of each frame after its people were added, until the source ends."""
        self._camera.start()
        with PoseWorker(self._camera, self._pose) as worker:
            segment = worker.segment
            while not worker.ended:
                posed = worker.read(_READ_TIMEOUT_S)
                if worker.segment != segment:
                    raise MarEdgeError("the camera was lost or its pictures changed their size; start again")
                if posed is None:
                    continue
                self.now_s, self.seen = posed.frame.media_s, bool(posed.people)
                for person in posed.people:
                    self._people.setdefault(person.person, []).append((self.now_s, person))
                yield self.now_s

    def tracks(self) -> tuple[Window, ...]:
        """Return everything seen of each person."""
        return tuple(
            Window(np.stack([each.joints for _, each in seen]), np.array([t_s for t_s, _ in seen]), person)
            for person, seen in self._people.items()
        )
