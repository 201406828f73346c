from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from numpy.typing import NDArray
from streaming_fakes import FakeReader, ScriptedPose, nod, read_number, skeleton, wait_until

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.pose_worker import AHEAD, PoseWorker

MOTION = nod(40.0)


@contextmanager
def pose_worker_of(
    reader: FakeReader, pose: ScriptedPose, *, realtime: bool = False
) -> Iterator[tuple[Camera, PoseWorker]]:
    backoff = Backoff(first_s=0.01, most_s=0.02)
    with Camera("demo:", realtime, opener=lambda *_: reader, backoff=backoff) as camera:
        camera.start()
        with PoseWorker(camera, pose) as pose_worker:
            yield camera, pose_worker


def numbers(pose_worker: PoseWorker) -> list[int]:
    """Return the numbers of all remaining frames."""
    seen = []
    while not pose_worker.ended:
        if posed := pose_worker.read(1.0):
            seen.append(posed.frame.seq)
            assert read_number(posed.frame.image) == posed.frame.seq
    return seen


def test_pose_works_ahead_of_the_reader_but_not_far() -> None:
    pose = ScriptedPose(MOTION)
    with pose_worker_of(FakeReader(recorded=True, frames=40), pose) as (camera, pose_worker):
        first = pose_worker.read(5.0)
        assert first is not None
        wait_until(lambda: len(pose.numbers) == 1 + AHEAD)  # nothing was read since
        assert camera.dropped == 0
    assert first.frame.seq == 0
    assert pose.numbers == list(range(1 + AHEAD))


def test_every_frame_is_returned_in_order_with_its_people() -> None:
    pose = ScriptedPose(MOTION)
    with pose_worker_of(FakeReader(recorded=True, frames=40), pose) as (camera, pose_worker):
        first = pose_worker.read(5.0)
        rest = numbers(pose_worker)
    assert first is not None
    assert first.pose_s is not None
    assert [person.joints.tolist() for person in first.people] == [MOTION(0.0).round(2).tolist()]
    assert rest == list(range(1, 40)) == pose.numbers[1:]
    assert (camera.dropped, camera.end_reason) == (0, "end of file")


def test_with_a_live_source_the_newest_frame_is_next() -> None:
    reader, pose = FakeReader(recorded=False), ScriptedPose(MOTION)
    reader.release()  # the first one only opens the camera
    with pose_worker_of(reader, pose) as (camera, pose_worker):
        for looked_at in range(1, AHEAD + 1):
            reader.release()
            wait_until(lambda looked_at=looked_at: len(pose.numbers) == looked_at)
        reader.release(7)
        wait_until(lambda: camera.frames == AHEAD + 7)
        seen = [posed.frame.seq for _ in range(AHEAD + 1) if (posed := pose_worker.read(5.0))]
        assert seen == [*range(AHEAD), AHEAD + 6]
        assert camera.dropped == 6
        reader.release(1000)


class FailingPose(ScriptedPose):
    def estimate(self, image: NDArray, t_s: float) -> list[Skeleton]:
        if read_number(image) == 5:
            raise MarEdgeError("the pose model's output is not a number")
        return super().estimate(image, t_s)


def test_an_error_of_pose_is_raised_after_all_earlier_results() -> None:
    reader = FakeReader(recorded=True, frames=40)
    with pose_worker_of(reader, FailingPose(MOTION)) as (_, pose_worker):
        seen = [posed.frame.seq for _ in range(5) if (posed := pose_worker.read(5.0))]
        with pytest.raises(MarEdgeError, match="not a number"):
            pose_worker.read(5.0)
    assert seen == list(range(5))


def test_an_error_of_the_camera_is_raised() -> None:
    class Broken(FakeReader):
        def media_s(self) -> float:
            if self._index == 3:
                raise ZeroDivisionError("a bug")
            return super().media_s()

    with pose_worker_of(Broken(recorded=True), ScriptedPose(MOTION)) as (_, pose_worker):
        with pytest.raises(ZeroDivisionError):
            numbers(pose_worker)
        assert not pose_worker.ended


class PatientPose(ScriptedPose):
    """Works on a frame for as long as the test requires."""

    def __init__(self) -> None:
        super().__init__(MOTION)
        self.asked, self.may_go = threading.Event(), threading.Event()

    def estimate(self, image: NDArray, t_s: float) -> list[Skeleton]:
        self.asked.set()
        assert self.may_go.wait(30)
        return super().estimate(image, t_s)


def test_the_segment_changes_only_after_the_last_frame_of_a_lost_camera() -> None:
    reader, pose = FakeReader(recorded=False, frames=2), PatientPose()
    reader.release()  # the first one only opens the camera
    with pose_worker_of(reader, pose) as (camera, pose_worker):
        reader.release(2)  # one frame, and the end
        wait_until(lambda: camera.segment > 0)
        assert pose.asked.wait(10)
        assert pose_worker.read(0.01) is None
        assert pose_worker.segment == 0
        pose.may_go.set()
        assert pose_worker.read(5.0) is not None
        assert pose_worker.segment == 0
        wait_until(lambda: pose_worker.read(0.01) is None and pose_worker.segment > 0)
        reader.release(1000)


def test_pose_that_hangs_is_reported_and_leaving_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pose = PatientPose()
    with pose_worker_of(FakeReader(recorded=True), pose) as (_, pose_worker):
        assert pose.asked.wait(10)
        assert not pose_worker.stuck
        monkeypatch.setattr("mar_edge.streaming.capture.pose_worker.STUCK_S", 0.0)
        wait_until(lambda: pose_worker.stuck)
        threading.Timer(0.05, pose.may_go.set).start()
    assert pose.numbers == [0]  # finished before the pose stage may be closed


def test_known_people_need_no_pose() -> None:
    people = (skeleton(MOTION(0.0)), skeleton(MOTION(0.5), who=1))

    class Known(Camera):
        def read(self, timeout_s: float):  # type: ignore[no-untyped-def]
            frame = super().read(timeout_s)
            return None if frame is None else replace(frame, people=people)

    with Known("demo:", True, opener=lambda *_: FakeReader(recorded=True, frames=3)) as camera:
        camera.start()
        with PoseWorker(camera, None) as pose_worker:
            posed = pose_worker.read(5.0)
            assert posed is not None
            assert (posed.people, posed.pose_s) == (people, None)
            assert numbers(pose_worker) == [1, 2]
