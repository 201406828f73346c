"""Watches people in front of a camera, or in a video, frame by frame. Shows and asks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.pose_worker import PoseWorker

_READ_TIMEOUT_S = 0.1


def watch(camera: Camera, pose: PoseEstimator) -> Iterator[tuple[float, Sequence[Skeleton]]]:
    """Yield the time, s, and the people of each frame, until the source ends.

    Args:
        camera: opened; it is started here.
        pose: finds people in its frames.

    Raises:
        MarEdgeError: a frame does not continue the ones before (another size, a lost camera).
    """
    camera.start()
    with PoseWorker(camera, pose) as worker:
        segment = worker.segment
        while not worker.ended:
            posed = worker.read(_READ_TIMEOUT_S)
            if worker.segment != segment:
                raise MarEdgeError("the camera was lost or its pictures changed their size; start again")
            if posed is not None:
                yield posed.frame.media_s, posed.people
