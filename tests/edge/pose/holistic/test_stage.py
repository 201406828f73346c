"""The holistic stage on real pixels: the demo portrait, and two real clips against MediaPipe's points."""

import cv2
import numpy as np
import pytest
from golden_frames import golden_frames

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic.networks import NETWORKS, network_path
from mar_edge.edge.pose.holistic.stage import MIN_SCORE, HolisticPose
from mar_edge.edge.pose.mapping import FACE_MESH_POINTS
from mar_edge.streaming.capture.demo import DemoVideo

LAYOUT = load_layout("ma52")
JOINTS = LAYOUT.joints
SHOULDERS = [JOINTS.index(name) for name in ("left_shoulder", "right_shoulder")]


@pytest.fixture(scope="module")
def demo():
    return DemoVideo()


@pytest.fixture(scope="module")
def portrait(demo):
    return demo.frame_at(0.0)


@pytest.fixture(scope="module")
def opened():
    with HolisticPose(LAYOUT, threads=1) as pose:
        yield pose


@pytest.fixture
def pose(opened):
    opened.forget()
    return opened


def settled(pose, image, frames=6):
    """Return the skeleton once tracking has settled on a still picture."""
    for i in range(frames):
        people = pose.estimate(image, i / 30)
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
    # Measured in the photograph, in px.
    for name, xy in {
        "nose": (266, 240),
        "left_eye": (306, 188),
        "right_eye": (227, 190),
        "nose_base": (266, 252),
        "left_eye_outer": (329, 188),
        "lower_lip": (268, 290),
    }.items():
        assert np.hypot(*(at(person, name) - xy)) < 25, name


def test_joints_outside_the_picture_are_missing(pose, portrait):
    person = settled(pose, portrait)
    for name in ("left_hip", "right_hip", "hip_centre", "left_knee", "right_ankle", "left_wrist", "right_thumb_tip"):
        v = JOINTS.index(name)
        assert np.isnan(person.joints[v]).all(), name
        assert person.scores[v] == 0, name


def test_joints_with_low_scores_have_no_place_and_keep_their_score(portrait):
    with HolisticPose(LAYOUT, min_score=0.0, threads=1) as everything:
        all_joints = settled(everything, portrait)
    with HolisticPose(LAYOUT, min_score=0.9999, threads=1) as strict:
        few = settled(strict, portrait)
    np.testing.assert_array_equal(np.isfinite(all_joints.joints[:, 0]), all_joints.scores > 0)
    np.testing.assert_array_equal(np.isfinite(few.joints[:, 0]), few.scores >= 0.9999)
    hidden = np.isnan(few.joints[:, 0]) & (few.scores > 0)
    assert hidden.any()


def test_joints_scale_with_the_image(pose, portrait):
    doubled = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    small = settled(pose, portrait)
    pose.forget()
    large = settled(pose, doubled)
    seen = np.isfinite(small.joints[:, 0])
    assert seen.sum() >= 14
    np.testing.assert_array_equal(np.isfinite(large.joints[:, 0]), seen)
    # The next crop follows from the last points, so runs differ by a few pixels; shoulders are 350 px apart.
    np.testing.assert_allclose(large.joints[seen] / 2, small.joints[seen], atol=15)


def test_the_image_is_not_changed_and_may_be_a_view(pose, portrait):
    wide = np.repeat(portrait, 2, axis=1)
    before = wide.copy()
    person = settled(pose, wide[:, ::2])
    np.testing.assert_array_equal(wide, before)
    pose.forget()
    np.testing.assert_array_equal(settled(pose, portrait).joints, person.joints)


def test_the_same_frames_give_the_same_joints(pose, demo):
    frames = [demo.frame_at(t) for t in np.arange(0, 0.4, 1 / 15)]
    runs = []
    for _ in range(2):
        pose.forget()
        runs.append(np.array([pose.estimate(frame, i / 15)[0].joints for i, frame in enumerate(frames)]))
    np.testing.assert_array_equal(runs[0], runs[1])


def test_returned_arrays_are_not_reused(pose, demo):
    first = settled(pose, demo.frame_at(0.0))
    kept = first.joints.copy()
    pose.estimate(demo.frame_at(demo.script[0].start_s + 0.3), 1.0)
    np.testing.assert_array_equal(first.joints, kept)


def test_an_empty_picture_gives_an_empty_list(pose, portrait):
    blank = np.zeros_like(portrait)
    assert pose.estimate(blank, 0.0) == []
    settled(pose, portrait)
    assert pose.estimate(blank, 0.0) == []


def test_pictures_of_other_sizes_may_follow(pose, portrait):
    settled(pose, portrait)
    person = settled(pose, cv2.resize(portrait, (256, 300)))
    assert np.hypot(*(at(person, "nose") * 2 - (266, 240))) < 25


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
        pose.estimate(image, 0.0)


def test_min_score_out_of_range_is_an_error():
    with pytest.raises(MarEdgeError, match="0 to 1"):
        HolisticPose(LAYOUT, min_score=30)


def test_another_layout_gets_its_own_joints(portrait):
    layout = load_layout("imigue")
    with HolisticPose(layout, threads=1) as pose:
        person = settled(pose, portrait)
    assert person.joints.shape == (layout.num_joints, 2)
    assert np.hypot(*(person.joints[layout.joints.index("nose")] - (266, 240))) < 25


def test_the_package_contains_every_network():
    assert all(network_path(name).is_file() for name in NETWORKS)


def two(portrait, gap=0):
    return np.hstack([portrait, np.zeros((len(portrait), gap, 3), np.uint8), portrait])


def test_two_people_keep_different_ids(portrait):
    W = portrait.shape[1]
    image = two(portrait)
    with HolisticPose(LAYOUT, focus=Focus(people=4), threads=1) as pose:
        people = [pose.estimate(image, i / 30) for i in range(12)]
    assert people[0] == []  # a person is reported from the third frame on
    assert all({one.person for one in frame} == {0, 1} for frame in people[4:])
    noses = {one.person: at(one, "nose")[0] for one in people[-1]}
    assert abs(abs(noses[0] - noses[1]) - W) < 15


def test_no_more_people_are_followed_than_asked_for(portrait):
    with HolisticPose(LAYOUT, focus=Focus(people=1), threads=1) as pose:
        assert len([pose.estimate(two(portrait), i / 30) for i in range(8)][-1]) == 1


def test_the_focus_selects_a_part_of_the_picture(portrait):
    W = portrait.shape[1]
    with HolisticPose(LAYOUT, focus=Focus(people=2, region=(0.5, 0.0, 1.0, 1.0)), threads=1) as pose:
        (person,) = [pose.estimate(two(portrait), i / 30) for i in range(8)][-1]
    assert at(person, "nose")[0] > W


def test_a_person_who_enters_later_is_found(portrait):
    alone = np.hstack([portrait, np.zeros_like(portrait)])
    with HolisticPose(LAYOUT, focus=Focus(people=2), threads=1) as pose:
        first = [pose.estimate(alone, i / 30) for i in range(6)]
        later = [pose.estimate(two(portrait), i / 30) for i in range(6, 18)]
    assert [one.person for one in first[-1]] == [0]
    assert sorted(one.person for one in later[-1]) == [0, 1]


@pytest.fixture
def room(portrait):
    """Return a 1080p picture of four people 200 px tall, and the middles of their pictures in px."""
    person = cv2.resize(portrait, (171, 200), interpolation=cv2.INTER_AREA)
    image = np.full((1080, 1920, 3), 110, np.uint8)
    corners = [(200, 150), (760, 420), (1220, 160), (1600, 700)]
    for x, y in corners:
        image[y : y + 200, x : x + 171] = person
    return image, np.add(corners, (85, 100))


def test_small_people_are_found_in_parts_of_the_picture(room):
    image, middles = room
    with HolisticPose(LAYOUT, focus=Focus(people=4), threads=1) as pose:
        people = next(found for i in range(300) if len(found := pose.estimate(image, i / 30)) == 4)
    noses = np.array([at(one, "nose") for one in people])
    apart = np.linalg.norm(noses[:, None] - middles, axis=-1)
    assert sorted(apart.argmin(axis=1)) == [0, 1, 2, 3]
    assert apart.min(axis=1).max() < 60


def test_one_small_person_is_found_within_one_search_of_all_parts(room):
    image, _ = room
    alone = np.where(np.arange(1920)[:, None] < 500, image, np.uint8(110))
    with HolisticPose(LAYOUT, threads=1) as pose:
        assert any(pose.estimate(alone, i / 30) for i in range(54))


def joints_over(pose, frames):
    return np.array([pose.estimate(frame, i / 30)[0].joints for i, frame in enumerate(frames)])  # (T, V, 2)


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
    people = [pose.estimate(frame, i / 30) for i, frame in enumerate(clip)]
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


# MediaPipe's interface assumes this time between frames.
MEDIAPIPE_STEP_S = 0.033333


@pytest.mark.parametrize("name", ["nodding", "turning_around"])
def test_keypoints_equal_mediapipes(name, shared, monkeypatch):
    """Compare 30 frames within a few px; hands and face are found in the same frames, except for two.

    The numbers were measured with OpenCV 4: the median is within 0.5 px and 95 % within 2 px. OpenCV 5 samples a crop
    more exactly, and the next crop follows from the last keypoints, so one gray level becomes a pixel.
    """
    median_px, most_px = (0.5, 2.0) if int(cv2.__version__.split(".")[0]) < 5 else (2.5, 8.0)
    seen = []
    mapped = HolisticPose._mapped
    monkeypatch.setattr(HolisticPose, "_mapped", lambda pose, people: seen.append(people[0]) or mapped(pose, people))
    frames = golden_frames(shared(f"clips/{name}.mp4"))
    parts = {part: [] for part in ("body", "left_hand", "right_hand", "face6")}
    with np.load(shared("spec/golden_pose.npz")) as golden, HolisticPose(LAYOUT) as pose:
        for frame in range(30):
            pose.estimate(next(frames), frame * MEDIAPIPE_STEP_S)
            person, body = seen[-1].person, seen[-1].body
            found = {
                "body": body.points,
                "left_hand": person.left.part.points if person.left.part.is_there else None,
                "right_hand": person.right.part.points if person.right.part.is_there else None,
                "face6": person.face.part.points[list(FACE_MESH_POINTS)] if person.face.part.is_there else None,
            }
            for part, points in found.items():
                expected = golden[f"{name}/{part}"][frame]
                there = np.isfinite(expected).all()
                distance = np.linalg.norm(points - expected, axis=1) if points is not None and there else None
                parts[part].append((points is not None, bool(there), distance))
    for part, frames in parts.items():
        assert sum(ours != theirs for ours, theirs, _ in frames) <= 2, part
        apart = [distance for *_, distance in frames if distance is not None]
        if apart:
            assert np.median(np.concatenate(apart)) < median_px, part
            assert np.percentile(np.concatenate(apart), 95) < most_px, part
