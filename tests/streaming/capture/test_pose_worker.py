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
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.pose_worker import AHEAD, Sightings
from mar_edge.streaming.capture.reconnect import Pauses

MOTION = nod(40.0)


@contextmanager
def sightings_of(
    reader: FakeReader, pose: ScriptedPose, *, realtime: bool = False
) -> Iterator[tuple[Camera, Sightings]]:
    pauses = Pauses(first_s=0.01, most_s=0.02)
    with Camera("demo:", realtime, opener=lambda *_: reader, pauses=pauses) as camera:
        camera.start()
        with Sightings(camera, pose) as sightings:
            yield camera, sightings


def numbers(sightings: Sightings) -> list[int]:
    """Of all frames that are left."""
    seen = []
    while not sightings.ended:
        if sighting := sightings.read(1.0):
            seen.append(sighting.frame.seq)
            assert read_number(sighting.frame.image) == sighting.frame.seq
    return seen


def test_pose_works_ahead_of_the_reader_but_not_far() -> None:
    pose = ScriptedPose(MOTION)
    with sightings_of(FakeReader(recorded=True, frames=40), pose) as (camera, sightings):
        first = sightings.read(5.0)
        assert first is not None
        wait_until(lambda: len(pose.numbers) == 1 + AHEAD)  # nobody has read anything since
        assert camera.dropped == 0
    assert first.frame.seq == 0
    assert pose.numbers == list(range(1 + AHEAD))


def test_every_frame_in_order_with_its_people() -> None:
    pose = ScriptedPose(MOTION)
    with sightings_of(FakeReader(recorded=True, frames=40), pose) as (camera, sightings):
        first = sightings.read(5.0)
        rest = numbers(sightings)
    assert first is not None
    assert first.pose_s is not None
    assert [person.joints.tolist() for person in first.people] == [MOTION(0.0).round(2).tolist()]
    assert rest == list(range(1, 40)) == pose.numbers[1:]
    assert (camera.dropped, camera.end_reason) == (0, "end of file")


def test_live_the_newest_frame_wins_once_there_is_room() -> None:
    reader, pose = FakeReader(recorded=False), ScriptedPose(MOTION)
    reader.release()  # the first one only opens the camera
    with sightings_of(reader, pose) as (camera, sightings):
        for looked_at in range(1, AHEAD + 1):
            reader.release()
            wait_until(lambda looked_at=looked_at: len(pose.numbers) == looked_at)
        reader.release(7)
        wait_until(lambda: camera.frames == AHEAD + 7)
        seen = [sighting.frame.seq for _ in range(AHEAD + 1) if (sighting := sightings.read(5.0))]
        assert seen == [*range(AHEAD), AHEAD + 6]
        assert camera.dropped == 6
        reader.release(1000)


class FailingPose(ScriptedPose):
    def estimate(self, image: NDArray, t_s: float) -> list[Skeleton]:
        if read_number(image) == 5:
            raise MarEdgeError("the pose model's output is not a number")
        return super().estimate(image, t_s)


def test_what_pose_raises_comes_after_all_that_it_saw() -> None:
    reader = FakeReader(recorded=True, frames=40)
    with sightings_of(reader, FailingPose(MOTION)) as (_, sightings):
        seen = [sighting.frame.seq for _ in range(5) if (sighting := sightings.read(5.0))]
        with pytest.raises(MarEdgeError, match="not a number"):
            sightings.read(5.0)
    assert seen == list(range(5))


def test_what_the_camera_raises_comes_through() -> None:
    class Broken(FakeReader):
        def media_s(self) -> float:
            if self._index == 3:
                raise ZeroDivisionError("a bug")
            return super().media_s()

    with sightings_of(Broken(recorded=True), ScriptedPose(MOTION)) as (_, sightings):
        with pytest.raises(ZeroDivisionError):
            numbers(sightings)
        assert not sightings.ended


class PatientPose(ScriptedPose):
    """Looks at a frame for as long as the test wants."""

    def __init__(self) -> None:
        super().__init__(MOTION)
        self.asked, self.may_go = threading.Event(), threading.Event()

    def estimate(self, image: NDArray, t_s: float) -> list[Skeleton]:
        self.asked.set()
        assert self.may_go.wait(30)
        return super().estimate(image, t_s)


def test_a_lost_camera_is_told_after_the_last_frame_it_gave() -> None:
    reader, pose = FakeReader(recorded=False, frames=2), PatientPose()
    reader.release()  # the first one only opens the camera
    with sightings_of(reader, pose) as (camera, sightings):
        reader.release(2)  # one to look at, and the end
        wait_until(lambda: camera.segment > 0)
        assert pose.asked.wait(10)
        assert sightings.read(0.01) is None
        assert sightings.segment == 0
        pose.may_go.set()
        assert sightings.read(5.0) is not None
        assert sightings.segment == 0
        wait_until(lambda: sightings.read(0.01) is None and sightings.segment > 0)
        reader.release(1000)


def test_pose_that_hangs_is_told_and_leaving_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pose = PatientPose()
    with sightings_of(FakeReader(recorded=True), pose) as (_, sightings):
        assert pose.asked.wait(10)
        assert not sightings.stuck
        monkeypatch.setattr("mar_edge.streaming.capture.pose_worker.STUCK_S", 0.0)
        wait_until(lambda: sightings.stuck)
        threading.Timer(0.05, pose.may_go.set).start()
    assert pose.numbers == [0]  # whole, before the pose stage may be closed


def test_people_who_are_known_need_no_pose() -> None:
    people = (skeleton(MOTION(0.0)), skeleton(MOTION(0.5), who=1))

    class Known(Camera):
        def read(self, timeout_s: float):  # type: ignore[no-untyped-def]
            frame = super().read(timeout_s)
            return None if frame is None else replace(frame, people=people)

    with Known("demo:", True, opener=lambda *_: FakeReader(recorded=True, frames=3)) as camera:
        camera.start()
        with Sightings(camera, None) as sightings:
            sighting = sightings.read(5.0)
            assert sighting is not None
            assert (sighting.people, sighting.pose_s) == (people, None)
            assert numbers(sightings) == [1, 2]
