"""Scenes with known truth: ids of people who cross, hide behind each other, leave and come back."""

import numpy as np
import pytest

from mar_edge.edge.pose.keypoints import BODY, box_of, iou, oks
from mar_edge.edge.pose.tracking import PeopleTracker, Pose, distinct, pose_of

FPS = 30
MIN_SCORE = 0.3
# COCO's 17 keypoints of a standing person, in fractions of the height, from the middle of the hips.
_FACE = [(0, -0.42), (0.015, -0.435), (-0.015, -0.435), (0.035, -0.43), (-0.035, -0.43)]
_ARMS = [(0.1, -0.3), (-0.1, -0.3), (0.13, -0.16), (-0.13, -0.16), (0.13, -0.03), (-0.13, -0.03)]
_LEGS = [(0.06, 0), (-0.06, 0), (0.065, 0.24), (-0.065, 0.24), (0.07, 0.46), (-0.07, 0.46)]
STANDING = np.array([*_FACE, *_ARMS, *_LEGS], np.float32)


class Walker:
    """A person whose middle moves along ``path`` (seconds -> x), with arms and legs that swing."""

    def __init__(self, path, height, y, depth, seed):
        self.path, self.height, self.y, self.depth = path, height, y, depth
        self._rng = np.random.default_rng(seed)
        self._phase = self._rng.uniform(0, 6)

    def truth(self, t):
        gait = 0.05 * np.sin(6 * t + self._phase)
        swing = np.zeros((BODY, 2), np.float32)
        swing[[7, 9, 14, 16], 0] = gait, 2 * gait, gait, 2 * gait
        swing[[8, 10, 13, 15], 0] = -gait, -2 * gait, -gait, -2 * gait
        return (STANDING + swing) * self.height + (self.path(t), self.y)

    def seen(self, t):
        """Return (17, 3) like a pose model: with noise of 0.5 % of the height, and some joints missing."""
        points = self.truth(t) + self._rng.normal(0, 0.005 * self.height, (BODY, 2))
        scores = np.where(self._rng.random(BODY) < 0.03, 0.1, 0.8)
        return np.column_stack([points, scores]).astype(np.float32)


def visible(walkers, t):
    """Return the visible people: a person is hidden while most of their body is covered."""
    there = []
    for walker in walkers:
        covered = any(
            other.depth < walker.depth
            and other.path(t) is not None
            and abs(other.path(t) - walker.path(t)) < 0.12 * other.height
            for other in walkers
            if other is not walker and walker.path(t) is not None
        )
        if walker.path(t) is not None and not covered:
            there.append(walker)
    return there


def follow(walkers, seconds, *, fps=FPS, misses=0.05, seed=0):
    """Return for each frame the ids of the people reported, {walker: id}."""
    rng = np.random.default_rng(seed)
    tracker = PeopleTracker(MIN_SCORE)
    frames = []
    for index in range(round(seconds * fps)):
        t = index / fps
        seen = [walker for walker in visible(walkers, t) if rng.random() >= misses]
        rng.shuffle(seen)
        poses = [pose_of(walker.seen(t), np.zeros(4, np.float32), MIN_SCORE) for walker in seen]
        kept = distinct(poses, MIN_SCORE)
        people = tracker.update(t, kept)
        owner = {id(pose): walker for walker, pose in zip(seen, poses, strict=True)}
        frames.append({owner[id(pose)]: p for pose, p in zip(kept, people, strict=True) if p is not None})
    return frames


def switches(frames):
    """Return how often an id changed."""
    last, count = {}, 0
    for frame in frames:
        for walker, person in frame.items():
            count += last.setdefault(walker, person) != person
            last[walker] = person
    return count


def crossing(seed):
    """Return two people of about one size who walk past each other, one in front of the other."""
    rng = np.random.default_rng(seed)
    speeds = rng.uniform(150, 450, 2)  # px/s; they are 400 px tall
    heights = rng.uniform(380, 420, 2)

    def path(start, speed):
        return lambda t: start + speed * t

    meet_s = 2.5
    return [
        Walker(path(640 - speeds[0] * meet_s, speeds[0]), heights[0], 400, depth=1, seed=seed),
        Walker(path(640 + speeds[1] * meet_s, -speeds[1]), heights[1], 400 + rng.uniform(-15, 15), 2, seed=seed + 100),
    ]


@pytest.mark.parametrize("fps", [30, 12])
@pytest.mark.parametrize("seed", range(10))
def test_two_people_who_cross_keep_their_ids(seed, fps):
    walkers = crossing(seed)
    frames = follow(walkers, 5.0, fps=fps, seed=seed)
    assert switches(frames) == 0
    assert {person for frame in frames for person in frame.values()} == {0, 1}
    for walker in walkers:
        assert sum(walker in frame for frame in frames) > 0.7 * len(frames)


@pytest.mark.parametrize("seed", range(10))
def test_a_long_occlusion_changes_at_most_one_id(seed):
    """Let a person walk behind a standing one, stay there for a second, and come out on the other side."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(150, 300)

    def behind(t):
        return 640 + speed * (min(t, 2.0) - 2.0 + max(t - 3.0, 0.0))

    walkers = [
        Walker(lambda t: 640 + 5 * np.sin(t), 420, 400, depth=1, seed=seed),
        Walker(behind, 400, 390, depth=2, seed=seed + 50),
    ]
    frames = follow(walkers, 5.0, seed=seed)
    assert sum(walkers[1] not in frame for frame in frames[60:90]) == 30  # hidden all the time
    assert switches(frames) <= 1
    assert switches([{walkers[0]: frame[walkers[0]]} for frame in frames if walkers[0] in frame]) == 0


@pytest.mark.parametrize(("away_s", "same"), [(0.3, True), (0.9, True), (3.0, False)])
def test_a_person_who_comes_back_soon_keeps_the_id(away_s, same):
    def leaving(t):
        if t < 2.0:
            return 1000 + 140 * t  # out at 1280
        return 1280 - 140 * (t - 2.0 - away_s) if t >= 2.0 + away_s else None

    walkers = [
        Walker(lambda t: 300 + 10 * np.sin(t), 420, 400, depth=1, seed=1),
        Walker(leaving, 400, 400, depth=1, seed=2),
    ]
    frames = follow(walkers, 4.0 + away_s, seed=3)
    assert switches(frames) == (0 if same else 1)
    assert switches([{walkers[0]: frame[walkers[0]]} for frame in frames if walkers[0] in frame]) == 0


@pytest.mark.parametrize("fps", [30, 8])
def test_a_person_who_jumps_aside_keeps_the_id(fps):
    walkers = [
        Walker(lambda t: 640 if t < 1.5 else 760, 400, 400, depth=1, seed=1),  # 0.3 of the height, from frame to frame
        Walker(lambda t: 1000.0, 400, 400, depth=1, seed=2),
    ]
    frames = follow(walkers, 3.0, fps=fps)
    assert switches(frames) == 0


def test_eight_people_in_a_row_keep_their_ids():
    walkers = [Walker(lambda t, x=100 + 150 * i: x + 4 * np.sin(t), 300, 400, depth=1, seed=i) for i in range(8)]
    frames = follow(walkers, 4.0, seed=5)
    assert switches(frames) == 0
    assert {person for frame in frames for person in frame.values()} == set(range(8))


def test_a_new_person_is_reported_from_the_third_frame_on():
    walker = Walker(lambda t: 300.0, 400, 400, depth=1, seed=0)
    frames = follow([walker], 0.3, misses=0.0)
    assert [walker in frame for frame in frames] == [False, False] + [True] * 7


def test_a_person_seen_once_is_not_reported():
    tracker = PeopleTracker(MIN_SCORE)
    ghost = pose_of(Walker(lambda t: 300.0, 400, 400, 1, 0).seen(0), np.zeros(4, np.float32), MIN_SCORE)
    assert tracker.update(0.0, [ghost]) == [None]
    assert tracker.update(0.03, []) == []
    assert tracker.update(0.06, [ghost]) == [None]
    assert tracker.update(0.09, [ghost]) == [None]
    assert tracker.update(0.12, [ghost]) == [0]


@pytest.mark.parametrize("fps", [5, 10, 30])
@pytest.mark.parametrize("missed", [0, 1, 2])
def test_a_person_seen_in_two_of_three_frames_gets_one_id(fps, missed):
    tracker = PeopleTracker(MIN_SCORE)
    walker = Walker(lambda t: 300.0 + 20 * t, 400, 400, 1, 0)
    ids = []
    for frame in range(30):
        seen = [pose_of(walker.seen(frame / fps), np.zeros(4, np.float32), MIN_SCORE)] if frame % 3 != missed else []
        ids += tracker.update(frame / fps, seen)
    assert set(ids[:5]) <= {None, 0}
    assert set(ids[5:]) == {0}


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_a_person_seen_in_every_second_frame_is_not_reported(fps):
    tracker = PeopleTracker(MIN_SCORE)
    ghost = pose_of(Walker(lambda t: 300.0, 400, 400, 1, 0).seen(0), np.zeros(4, np.float32), MIN_SCORE)
    assert all(tracker.update(frame / fps, [ghost] * (frame % 2)) in ([], [None]) for frame in range(30))


def test_time_that_runs_backwards_drops_all_tracks():
    tracker = PeopleTracker(MIN_SCORE)
    walker = Walker(lambda t: 300.0, 400, 400, 1, 0)
    pose = pose_of(walker.seen(0), np.zeros(4, np.float32), MIN_SCORE)
    assert [tracker.update(t, [pose]) for t in (1.0, 1.1, 1.2)] == [[None], [None], [0]]
    assert [tracker.update(t, [pose]) for t in (0.0, 0.1, 0.2)] == [[None], [None], [1]]


def test_expected_boxes_follow_a_walk_and_stay_at_rest():
    tracker = PeopleTracker(MIN_SCORE)
    stands = Walker(lambda t: 200.0, 400, 400, 1, 0)
    walks = Walker(lambda t: 600 + 300 * t, 400, 400, 1, 1)
    box = np.array([120, 200, 280, 612], np.float32)
    for frame in range(10):
        poses = [pose_of(walker.seen(frame / FPS), box, MIN_SCORE) for walker in (stands, walks)]
        tracker.update(frame / FPS, poses)
    boxes = tracker.expected(12 / FPS)
    assert any(np.array_equal(one, box) for one in boxes)
    moved = max(boxes, key=lambda one: one[0])
    assert (moved[0] + moved[2]) / 2 == pytest.approx(600 + 300 * 12 / FPS, abs=25)


def test_of_duplicates_the_one_with_the_best_score_stays():
    points = Walker(lambda t: 300.0, 400, 400, 1, 0).seen(0)
    points[:, 2] = 0.9
    other = points + np.array([2, 1, -0.2], np.float32)
    neighbour = points + np.array([250, 0, 0], np.float32)
    poses = [pose_of(one, np.zeros(4, np.float32), MIN_SCORE) for one in (other, points, neighbour)]
    kept = distinct(poses, MIN_SCORE)
    assert [any(one is pose for one in kept) for pose in poses] == [False, True, True]


def test_oks_is_one_for_equal_poses_and_zero_for_distant_ones():
    points = Walker(lambda t: 300.0, 400, 400, 1, 0).seen(0)
    points[:, 2] = 0.9
    far = points + np.array([500, 0, 0], np.float32)
    pair = np.stack([points, far])
    np.testing.assert_allclose(oks(pair, pair, np.array([4e4, 4e4]), MIN_SCORE), np.eye(2), atol=1e-3)
    unseen = pair.copy()
    unseen[..., 2] = 0
    assert not oks(pair, unseen, np.array([4e4, 4e4]), MIN_SCORE).any()


def test_boxes():
    a = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    b = np.array([[5, 0, 15, 10]], np.float32)
    np.testing.assert_allclose(iou(a, b), [[1 / 3], [0]])
    points = np.zeros((BODY, 3), np.float32)
    assert box_of(points, MIN_SCORE) is None
    points[:3] = (0, 0, 1), (100, 0, 1), (50, 50, 1)
    np.testing.assert_allclose(box_of(points, MIN_SCORE), [-8, -8, 108, 58])
    assert isinstance(pose_of(points, np.zeros(4, np.float32), MIN_SCORE), Pose)
