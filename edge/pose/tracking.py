"""Tracking of people from frame to frame: ids that stay. Knows no pictures, no networks and no layouts.

There are three rounds of matching, each the best assignment of all pairs (Jonker and Volgenant's algorithm):

1. People seen a moment ago, by keypoints (OKS) and boxes (IoU), at the position that a steady walk predicts.
2. People not seen for longer, by position and size.
3. People of the first round who moved in another way than predicted, also by position and size.

Appearance is not compared: a person who enters where another of the same size left within ``keep_s`` gets that id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lap
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pose.keypoints import BODY, area, box_of, iou, oks

KEEP_S = 2.0
# Frames in which a person must be seen, less those in which they were missed.
_CONFIRM_FRAMES = 3
# After this time unseen, keypoints are no longer compared.
_RECENT_S = 0.25
# A walk is assumed to go on for this time after the person was last seen.
_COAST_S = 1.0
_VELOCITY_MEMORY_S = 0.25
_STILL_IOU = 0.8
_LEAST_ALIKE = 0.5
# Where one person hides behind another, the visible one fits both. For this time, neither is reported.
_TELLS_APART = 0.1
_UNDECIDED_S = 0.2
_LEAST_NEAR = 0.25
_LEAST_JUMP = 0.6
_NEAR = 0.5  # of the longer side of a box: scale of the distance from the expected position
_SAME_PERSON_OKS = 0.7
_NOT_MATCHED = 1e3


@dataclass(frozen=True)
class Pose:
    """One person in one frame.

    keypoints: (K, 3) float32, x px, y px, score. box: (4,) xyxy px around them. cut_from: (4,) the box that was cut out
    for the network.
    """

    keypoints: NDArray[np.float32]
    box: NDArray[np.float32]
    cut_from: NDArray[np.float32]

    @property
    def size_px(self) -> float:
        """The longer side of the box."""
        return max(float(self.box[2] - self.box[0]), float(self.box[3] - self.box[1]), 1.0)

    @property
    def score(self) -> float:
        """The mean score of the body's keypoints."""
        return float(self.keypoints[:BODY, 2].mean())


class _Track:
    def __init__(self, pose: Pose, t_s: float) -> None:
        self.pose = pose
        self.seen_s = t_s
        self.velocity = np.zeros(2, np.float32)  # px/s
        self.frames = 1
        self.evidence = 1  # frames seen less frames missed, until confirmed
        self.person: int | None = None  # once confirmed

    def shift(self, t_s: float) -> NDArray[np.float32]:
        """Return the (2,) distance in px that it moved since it was last seen, at a steady walk."""
        return self.velocity * np.float32(min(t_s - self.seen_s, _COAST_S))

    def take(self, pose: Pose, t_s: float, min_score: float) -> None:
        past_s = t_s - self.seen_s
        both = (self.pose.keypoints[:BODY, 2] >= min_score) & (pose.keypoints[:BODY, 2] >= min_score)
        if past_s > 0 and both.any():
            moved = np.median(pose.keypoints[:BODY, :2][both] - self.pose.keypoints[:BODY, :2][both], axis=0) / past_s
            new = 1.0 if self.frames == 1 else 1.0 - np.exp(-past_s / _VELOCITY_MEMORY_S)
            self.velocity = (self.velocity + new * (moved - self.velocity)).astype(np.float32)
        self.pose, self.seen_s = pose, t_s
        self.frames += 1
        self.evidence += 1

    def miss(self) -> None:
        self.evidence -= 1

    def remembered(self, t_s: float, keep_s: float) -> bool:
        """Return whether to keep it: a confirmed person for ``keep_s``, another while it was seen more than missed."""
        if self.person is None:
            return self.evidence > 0
        return t_s - self.seen_s <= keep_s


class PeopleTracker:
    """Gives each pose its person's id: 0, 1, 2, ... in order of appearance, never given twice.

    A person is confirmed after three more frames seen than missed, because a detector may miss every third frame. They
    are gone after ``keep_s`` without being seen. A person who comes back within that time keeps the id.

    Args:
        min_score: keypoints below it do not count.
        keep_s: seconds for which a person who is not seen is remembered.
    """

    def __init__(self, min_score: float, keep_s: float = KEEP_S) -> None:
        self._min_score = min_score
        self._keep_s = keep_s
        self._tracks: list[_Track] = []
        self._next = 0
        self._now_s: float | None = None

    def expected(self, t_s: float) -> NDArray[np.float32]:
        """Return the boxes (P, 4) xyxy of people seen a moment ago, expected at ``t_s``, longest followed first.

        While a person stays about where they are, the last box is used again. A box that follows every twitch of a
        hand would move the other joints as well.
        """
        recent = [track for track in self._tracks if t_s - track.seen_s <= _RECENT_S]
        recent.sort(key=lambda track: -track.frames)
        boxes = []
        for track in recent:
            box = track.pose.box + np.tile(track.shift(t_s), 2)
            still = iou(box[None], track.pose.cut_from[None])[0, 0] >= _STILL_IOU
            boxes.append(track.pose.cut_from if still else box)
        return np.array(boxes, np.float32).reshape(-1, 4)

    @property
    def all_seen(self) -> bool:
        """Whether everybody who is followed was seen in the last frame."""
        return all(track.seen_s == self._now_s for track in self._tracks)

    def update(self, t_s: float, poses: Sequence[Pose]) -> list[int | None]:
        """Take the poses of one frame.

        Args:
            t_s: seconds of the capture clock, later than the last. A time that is not later drops all tracks.
            poses: everybody seen, each once (see ``distinct``).

        Returns:
            For each pose the id of its person; None while the person is not confirmed, or is ambiguous.
        """
        if self._now_s is not None and t_s <= self._now_s:
            self._tracks.clear()
        self._now_s = t_s
        recent = [track for track in self._tracks if t_s - track.seen_s <= _RECENT_S]
        lost = [track for track in self._tracks if t_s - track.seen_s > _RECENT_S]
        of_pose: dict[int, _Track] = {}
        alike = self._alike(recent, poses, t_s)
        self._match(recent, poses, of_pose, alike, _LEAST_ALIKE)
        undecided = self._undecided(recent, of_pose, alike, t_s)
        self._match(lost, poses, of_pose, self._near(lost, poses, t_s), _LEAST_NEAR)
        jumped = [track for track in recent if track not in of_pose.values()]
        self._match(jumped, poses, of_pose, self._near(jumped, poses, t_s), _LEAST_JUMP)
        for index in undecided:
            del of_pose[index]
        for index, track in of_pose.items():
            track.take(poses[index], t_s, self._min_score)
        for index, pose in enumerate(poses):
            if index not in of_pose and index not in undecided:
                of_pose[index] = _Track(pose, t_s)
                self._tracks.append(of_pose[index])
        for track in self._tracks:
            if track.seen_s != t_s:
                track.miss()
        self._tracks = [track for track in self._tracks if track.remembered(t_s, self._keep_s)]
        return [self._person(of_pose[index]) if index in of_pose else None for index in range(len(poses))]

    def _person(self, track: _Track) -> int | None:
        if track.person is None and track.evidence >= _CONFIRM_FRAMES:
            track.person, self._next = self._next, self._next + 1
        return track.person

    @staticmethod
    def _undecided(
        tracks: list[_Track], of_pose: dict[int, _Track], alike: NDArray[np.float32], t_s: float
    ) -> list[int]:
        """Return the poses that fit a hidden person about as well as the one they were matched to."""
        given = list(of_pose.values())
        hidden = [i for i, track in enumerate(tracks) if track.person is not None and track not in given]
        undecided = []
        for pose, track in of_pose.items():
            enough = alike[tracks.index(track), pose] - _TELLS_APART
            rivals = [tracks[i] for i in hidden if alike[i, pose] > enough]
            if rivals and t_s - max(one.seen_s for one in (track, *rivals)) <= _UNDECIDED_S:
                undecided.append(pose)
        return undecided

    @staticmethod
    def _match(
        tracks: list[_Track],
        poses: Sequence[Pose],
        of_pose: dict[int, _Track],
        similarity: NDArray[np.float32],
        least: float,
    ) -> None:
        """Add the best assignment of the poses that are still free. ``similarity``: (tracks, poses) in [0, 1]."""
        free = [index for index in range(len(poses)) if index not in of_pose]
        if not tracks or not free:
            return
        alike = similarity[:, free]
        cost = np.where(alike >= least, 1.0 - alike, _NOT_MATCHED).astype(np.float64)
        _, columns, _ = lap.lapjv(cost, extend_cost=True, cost_limit=1.0)
        for track, column in zip(tracks, columns.tolist(), strict=True):
            if column >= 0 and alike[tracks.index(track), column] >= least:
                of_pose[free[column]] = track

    def _alike(self, tracks: list[_Track], poses: Sequence[Pose], t_s: float) -> NDArray[np.float32]:
        """Return (tracks, poses) similarity of keypoints and boxes, at the position that a steady walk predicts."""
        if not tracks or not poses:
            return np.zeros((len(tracks), len(poses)), np.float32)
        shifts = np.stack([track.shift(t_s) for track in tracks])  # (A, 2)
        bodies = np.stack([track.pose.keypoints[:BODY] for track in tracks])
        bodies[..., :2] += shifts[:, None]
        boxes = np.stack([track.pose.box for track in tracks]) + np.tile(shifts, 2)
        seen = np.stack([pose.keypoints[:BODY] for pose in poses])
        overlap = iou(boxes, np.stack([pose.box for pose in poses]))
        return np.asarray((oks(bodies, seen, area(boxes), self._min_score) + overlap) / 2, np.float32)

    @staticmethod
    def _near(tracks: list[_Track], poses: Sequence[Pose], t_s: float) -> NDArray[np.float32]:
        """Return (tracks, poses) similarity of size and of position, the last one or the predicted one."""
        near = np.zeros((len(tracks), len(poses)), np.float32)
        for i, track in enumerate(tracks):
            center, side = _center(track.pose.box), track.pose.size_px
            for j, pose in enumerate(poses):
                apart = min(
                    np.linalg.norm(_center(pose.box) - place) for place in (center, center + track.shift(t_s))
                ) / max(side, pose.size_px)
                size = min(side, pose.size_px) / max(side, pose.size_px)
                near[i, j] = np.exp(-((apart / _NEAR) ** 2)) * size
        return near


def distinct(poses: Sequence[Pose], min_score: float) -> list[Pose]:
    """Return ``poses`` without duplicates of one person; the one with the best score stays."""
    if len(poses) < 2:
        return list(poses)
    bodies = np.stack([pose.keypoints[:BODY] for pose in poses])
    same = oks(bodies, bodies, area(np.stack([pose.box for pose in poses])), min_score) > _SAME_PERSON_OKS
    kept: list[int] = []
    for index in sorted(range(len(poses)), key=lambda i: -poses[i].score):
        if not same[index, kept].any():
            kept.append(index)
    return [poses[index] for index in sorted(kept)]


def pose_of(keypoints: NDArray[np.float32], cut_from: NDArray[np.float32], min_score: float) -> Pose | None:
    """Return the pose of keypoints (K, 3) cut from the box ``cut_from``; None where too few have a good score."""
    box = box_of(keypoints, min_score)
    return None if box is None else Pose(keypoints, box, cut_from)


def _center(box: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((box[:2] + box[2:]) / 2, np.float32)
