"""MediaPipe itself on real pixels: the demo portrait, and two real clips where they are at hand."""

import importlib
import os
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge.demo import DemoVideo
from edge.errors import MarEdgeError, MissingExtra
from edge.layout import load_layout

pytest.importorskip("mediapipe", reason="needs the mediapipe extra")

from edge.pose.mediapipe import MIN_SCORE, MediaPipePose, _without_noise

JOINTS = load_layout("ma52").joints
HEAD = [JOINTS.index(name) for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "nose_bridge")]
SHOULDERS = [JOINTS.index(name) for name in ("left_shoulder", "right_shoulder")]


@pytest.fixture(scope="module")
def demo():
    return DemoVideo()


@pytest.fixture(scope="module")
def portrait(demo):
    return demo.frame_at(0.0)


@pytest.fixture
def pose():
    with MediaPipePose() as pose:
        yield pose


def settled(pose, image, frames=6):
    """The skeleton once tracking has settled on a still picture."""
    for _ in range(frames):
        people = pose.estimate(image)
    assert len(people) == 1
    return people[0]


def at(skeleton, name):
    return skeleton.joints[JOINTS.index(name)]


def test_a_portrait_gives_a_plausible_head_and_shoulders(pose, portrait):
    person = settled(pose, portrait)
    assert person.joints.shape == (44, 2)
    assert person.scores.shape == (44,)
    assert person.joints.dtype == person.scores.dtype == np.float32
    assert ((person.scores >= 0) & (person.scores <= 1)).all()
    # She faces the camera: her own left is on the right of the image.
    for part in ("eye", "ear", "shoulder", "eye_outer"):
        assert at(person, f"left_{part}")[0] > at(person, f"right_{part}")[0] + 50, part
    assert at(person, "head_top")[1] < at(person, "left_eye")[1] < at(person, "nose")[1] < at(person, "upper_lip")[1]
    assert at(person, "lower_lip")[1] < at(person, "neck")[1]
    # Read off the photograph, in its pixels.
    for name, xy in {
        "nose": (266, 240),
        "left_eye": (306, 188),
        "right_eye": (227, 190),
        "nose_base": (266, 252),
        "left_eye_outer": (329, 188),
        "lower_lip": (268, 290),
    }.items():
        assert np.hypot(*(at(person, name) - xy)) < 20, name


def test_what_is_outside_the_picture_is_missing(pose, portrait):
    person = settled(pose, portrait)
    for name in ("left_hip", "right_hip", "hip_centre", "left_knee", "right_ankle", "left_wrist", "right_thumb_tip"):
        v = JOINTS.index(name)
        assert np.isnan(person.joints[v]).all(), name
        assert person.scores[v] == 0, name


def test_joints_are_missing_exactly_where_they_score_too_low_and_keep_their_score(portrait):
    with MediaPipePose(min_score=0.0) as everything, MediaPipePose(min_score=0.9999) as strict:
        all_joints, few = settled(everything, portrait), settled(strict, portrait)
    np.testing.assert_array_equal(np.isfinite(all_joints.joints[:, 0]), all_joints.scores > 0)
    np.testing.assert_array_equal(np.isfinite(few.joints[:, 0]), few.scores >= 0.9999)
    hidden = np.isnan(few.joints[:, 0]) & (few.scores > 0)
    assert hidden.any()
    np.testing.assert_array_equal(few.scores[hidden], all_joints.scores[hidden])


def test_joints_scale_with_the_image(portrait):
    doubled = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    with MediaPipePose() as one, MediaPipePose() as other:
        small, large = settled(one, portrait), settled(other, doubled)
    seen = np.isfinite(small.joints[:, 0])
    assert seen.sum() >= 14
    np.testing.assert_array_equal(np.isfinite(large.joints[:, 0]), seen)
    # Body points differ by a few pixels between any two runs; her shoulders are 350 apart.
    np.testing.assert_allclose(large.joints[seen] / 2, small.joints[seen], atol=8)


def test_the_graph_is_given_rgb_of_any_memory_layout_and_the_image_is_left_alone():
    class Graph:
        def process(self, rgb):
            self.rgb = rgb
            return SimpleNamespace(pose_landmarks=None)

    pose = MediaPipePose()
    pose._graph = Graph()
    image = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)[:, ::2]  # not contiguous
    before = image.copy()
    assert pose.estimate(image) == []
    np.testing.assert_array_equal(pose._graph.rgb, before[..., ::-1])
    assert pose._graph.rgb.flags.c_contiguous
    np.testing.assert_array_equal(image, before)


def test_each_part_the_graph_found_goes_to_its_own_joints():
    def landmarks(count, x, visibility=0.0):
        points = [SimpleNamespace(x=x, y=i / 1000, visibility=visibility) for i in range(count)]
        return SimpleNamespace(landmark=points)

    found = SimpleNamespace(
        pose_landmarks=landmarks(33, 0.1, 0.8),
        left_hand_landmarks=landmarks(21, 0.2),
        right_hand_landmarks=landmarks(21, 0.3),
        face_landmarks=landmarks(468, 0.4),
    )
    pose = MediaPipePose()
    pose._graph = SimpleNamespace(process=lambda rgb: found)
    (person,) = pose.estimate(np.zeros((1000, 200, 3), np.uint8))
    np.testing.assert_allclose(at(person, "right_elbow"), (20, 14), rtol=1e-5)
    np.testing.assert_allclose(at(person, "left_index_tip"), (40, 8), rtol=1e-5)
    np.testing.assert_allclose(at(person, "right_little_tip"), (60, 20), rtol=1e-5)
    np.testing.assert_allclose(at(person, "left_eye_outer"), (80, 263), rtol=1e-5)
    assert person.scores[JOINTS.index("right_elbow")] == pytest.approx(0.8)
    assert person.scores[JOINTS.index("left_index_tip")] == 1


def test_the_arrays_are_the_callers_to_keep(pose, demo):
    first = settled(pose, demo.frame_at(0.0))
    kept = first.joints.copy()
    pose.estimate(demo.frame_at(demo.script[0].start_s + 0.3))
    np.testing.assert_array_equal(first.joints, kept)


def test_nobody_gives_nothing_before_and_after_somebody(pose, portrait):
    blank = np.zeros_like(portrait)
    assert pose.estimate(blank) == []
    settled(pose, portrait)
    assert pose.estimate(blank) == []


def test_pictures_of_other_sizes_may_follow(pose, portrait):
    settled(pose, portrait)
    person = settled(pose, cv2.resize(portrait, (256, 300)))
    assert np.hypot(*(at(person, "nose") * 2 - (266, 240))) < 20


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
        [[1, 2, 3]],
    ],
)
def test_another_kind_of_image_is_an_error(pose, image):
    with pytest.raises(MarEdgeError, match=r"\(H, W, 3\) and uint8; got"):
        pose.estimate(image)


def test_min_score_out_of_range_is_an_error():
    with pytest.raises(MarEdgeError, match="0 to 1"):
        MediaPipePose(min_score=30)


def test_it_is_used_in_a_with_statement(portrait):
    closed = MediaPipePose()
    with pytest.raises(RuntimeError, match="with statement"):
        closed.estimate(portrait)


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    module = importlib.reload(sys.modules["edge.pose.mediapipe"])  # importing the file alone needs no mediapipe
    with pytest.raises(MissingExtra, match=r"pip install 'mar-edge\[mediapipe\]'"), module.MediaPipePose():
        pass


def test_the_terminal_stays_clean_but_errors_reach_it(portrait, capfd):
    with MediaPipePose() as pose:
        os.write(2, b"before\n")
        settled(pose, portrait)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_what_is_not_known_noise_is_passed_on_even_when_opening_fails(capfd):
    def opening():
        with _without_noise():
            os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nE0000 a real error\n")
            raise MarEdgeError("no graph")

    with pytest.raises(MarEdgeError, match="no graph"):
        opening()
    assert capfd.readouterr().err == "E0000 a real error\n"


def joints_over(pose, frames):
    return np.array([pose.estimate(frame)[0].joints for frame in frames])  # (T, V, 2)


def head_and_shoulders(demo, pose, label):
    segment = next(s for s in demo.script if s.label == label)
    times = np.arange(segment.start_s - 0.3, segment.end_s, 1 / demo.fps)
    return joints_over(pose, (demo.frame_at(t) for t in times))[4:]


def span(values):
    return float(np.ptp(values))


def test_the_demo_nods(demo, pose):
    track = head_and_shoulders(demo, pose, "nodding")
    nose_base = track[:, JOINTS.index("nose_base")] - track[:, SHOULDERS].mean(axis=1)
    assert span(nose_base[:, 1]) > 25
    assert span(nose_base[:, 0]) < 0.4 * span(nose_base[:, 1])
    high = nose_base[:, 1] < nose_base[:, 1].mean()
    assert np.count_nonzero(np.diff(high.astype(int)) == 1) >= 3  # up again at least three times


def test_the_demo_shakes_its_head(demo, pose):
    track = head_and_shoulders(demo, pose, "shaking head")
    nose = track[:, JOINTS.index("nose_base")] - track[:, [3, 4]].mean(axis=1)
    assert span(nose[:, 0]) > 20
    assert span(nose[:, 1]) < 0.6 * span(nose[:, 0])
    assert nose[:, 0].max() - np.median(nose[:4, 0]) > 8  # to both sides
    assert np.median(nose[:4, 0]) - nose[:, 0].min() > 8


def test_the_demo_tilts_its_head(demo, pose):
    track = head_and_shoulders(demo, pose, "tilting head")
    eyes = track[:, JOINTS.index("left_eye_outer")] - track[:, JOINTS.index("right_eye_outer")]
    roll = np.rad2deg(np.arctan2(eyes[:, 1], eyes[:, 0]))
    assert 10 < roll.max() - roll[:4].mean() < 20


def test_the_demo_shrugs(demo, pose):
    track = head_and_shoulders(demo, pose, "shrugging")
    rise = track[:4, SHOULDERS, 1].mean(axis=0) - track[:, SHOULDERS, 1].min(axis=0)
    assert (rise > 12).all()
    assert span(track[:, JOINTS.index("nose_base"), 1]) < 6


@pytest.fixture(params=["nodding", "turning_around"])
def clip(request, shared):
    capture = cv2.VideoCapture(str(shared(f"clips/{request.param}.mp4")))
    frames = []
    while len(frames) < 40 and (image := capture.read()[1]) is not None:
        frames.append(image)
    capture.release()
    assert len(frames) == 40
    return frames


def test_a_real_person_is_followed_whole(clip, pose):
    people = [pose.estimate(frame) for frame in clip]
    assert all(len(one) == 1 for one in people)
    joints = np.array([one[0].joints for one in people])
    H, W, _ = clip[0].shape
    seen = np.isfinite(joints[..., 0])
    assert seen[:, :26].mean() > 0.95  # sat in full view
    assert (joints[seen] >= 0).all()
    assert (joints[seen] < (W, H)).all()
    neck, hips, knee = (joints[:, JOINTS.index(name), 1] for name in ("neck", "hip_centre", "left_knee"))
    assert (neck < hips).all()
    assert (hips < knee).all()
    assert (joints[:, JOINTS.index("nose"), 1] < neck).all()
    scores = np.array([one[0].scores for one in people])
    assert (scores[seen] >= MIN_SCORE).all()
