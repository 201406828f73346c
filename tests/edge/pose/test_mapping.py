"""The index tables against the skeleton specification, which is written out here joint by joint."""

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.mapping import (
    CROWN_FROM_NECK,
    coco133_to_ma52,
    halpe26_to_ma52,
    halpe136_to_ma52,
    mapping_to,
    mediapipe_to_ma52,
)

JOINTS = load_layout("ma52").joints
DERIVED = ("head_top", "neck", "hip_centre")

COCO17 = {
    "nose": 0,
    "left_eye": 1,
    "right_eye": 2,
    "left_ear": 3,
    "right_ear": 4,
    "left_shoulder": 5,
    "right_shoulder": 6,
    "left_elbow": 7,
    "right_elbow": 8,
    "left_wrist": 9,
    "right_wrist": 10,
    "left_hip": 11,
    "right_hip": 12,
    "left_knee": 13,
    "right_knee": 14,
    "left_ankle": 15,
    "right_ankle": 16,
}
HAND = {"hand_root": 0, "thumb_tip": 4, "index_tip": 8, "middle_tip": 12, "ring_tip": 16, "little_tip": 20}
FACE = {
    "nose_bridge": 28,
    "nose_base": 33,
    "right_eye_outer": 36,
    "left_eye_outer": 45,
    "upper_lip": 51,
    "lower_lip": 57,
}


def whole_body(feet, face, left_hand, right_hand):
    return (
        COCO17
        | feet
        | {name: face + i for name, i in FACE.items()}
        | {f"left_{name}": left_hand + i for name, i in HAND.items()}
        | {f"right_{name}": right_hand + i for name, i in HAND.items()}
    )


HALPE_FEET = {
    "left_big_toe": 20,
    "right_big_toe": 21,
    "left_small_toe": 22,
    "right_small_toe": 23,
    "left_heel": 24,
    "right_heel": 25,
}
COCO_FEET = {
    "left_big_toe": 17,
    "left_small_toe": 18,
    "left_heel": 19,
    "right_big_toe": 20,
    "right_small_toe": 21,
    "right_heel": 22,
}
HALPE = whole_body(HALPE_FEET, 26, 94, 115) | {"head_top": 17, "neck": 18, "hip_centre": 19}
COCO = whole_body(COCO_FEET, 23, 91, 112)
BLAZE = {
    "nose": 0,
    "left_eye": 2,
    "right_eye": 5,
    "left_ear": 7,
    "right_ear": 8,
    "left_shoulder": 11,
    "right_shoulder": 12,
    "left_elbow": 13,
    "right_elbow": 14,
    "left_wrist": 15,
    "right_wrist": 16,
    "left_hip": 23,
    "right_hip": 24,
    "left_knee": 25,
    "right_knee": 26,
    "left_ankle": 27,
    "right_ankle": 28,
    "left_heel": 29,
    "right_heel": 30,
    "left_big_toe": 31,
    "left_small_toe": 31,
    "right_big_toe": 32,
    "right_small_toe": 32,
}


def numbered(count, offset=0.0):
    """Return keypoints whose x is their own index, y 1000 more, and whose scores all differ."""
    index = np.arange(count) + offset
    return np.stack([index, 1000 + index, 0.2 + 0.5 * np.arange(count) / count], axis=-1)


def at(joints, name):
    return joints[..., JOINTS.index(name), :]


@pytest.mark.parametrize(("mapping", "count", "table"), [(halpe136_to_ma52, 136, HALPE), (coco133_to_ma52, 133, COCO)])
def test_each_joint_comes_from_the_keypoint_in_the_specification(mapping, count, table):
    source = numbered(count)
    joints, scores = mapping(source)
    assert joints.shape == (44, 2)
    assert scores.shape == (44,)
    assert joints.dtype == scores.dtype == np.float32
    assert set(table) | set(DERIVED) == set(JOINTS)
    for name, keypoint in table.items():
        assert tuple(at(joints, name)) == (keypoint, 1000 + keypoint), name
        assert scores[JOINTS.index(name)] == pytest.approx(source[keypoint, 2]), name


def test_mediapipe_body_hands_and_face_each_go_to_their_joints():
    body, left, right, face = numbered(33), numbered(21, 100), numbered(21, 200), numbered(6, 300)
    joints, scores = mediapipe_to_ma52(body, left, right, face)
    expected = (
        BLAZE
        | {name: 300 + i for i, name in enumerate(FACE)}
        | {f"left_{name}": 100 + i for name, i in HAND.items()}
        | {f"right_{name}": 200 + i for name, i in HAND.items()}
    )
    assert set(expected) | set(DERIVED) == set(JOINTS)
    for name, keypoint in expected.items():
        assert tuple(at(joints, name)) == (keypoint, 1000 + keypoint), name
    assert scores[JOINTS.index("right_heel")] == pytest.approx(body[30, 2])
    assert scores[JOINTS.index("left_thumb_tip")] == pytest.approx(left[4, 2])


def test_mediapipe_without_hands_and_face_takes_the_nearest_body_points():
    joints, _ = mediapipe_to_ma52(numbered(33))
    expected = {
        "left_hand_root": 15,
        "left_thumb_tip": 21,
        "left_index_tip": 19,
        "left_middle_tip": (2 * 19 + 17) / 3,
        "left_ring_tip": (19 + 2 * 17) / 3,
        "left_little_tip": 17,
        "right_hand_root": 16,
        "right_thumb_tip": 22,
        "right_index_tip": 20,
        "right_middle_tip": (2 * 20 + 18) / 3,
        "right_ring_tip": (20 + 2 * 18) / 3,
        "right_little_tip": 18,
        "nose_bridge": (1 + 4) / 2,
        "nose_base": 0,
        "right_eye_outer": 6,
        "left_eye_outer": 3,
        "upper_lip": 9.5,
        "lower_lip": 9.5,
    }
    for name, x in expected.items():
        np.testing.assert_allclose(at(joints, name), (x, 1000 + x), rtol=1e-6, err_msg=name)


def test_one_missing_hand_does_not_change_the_other():
    left = numbered(21, 100)
    left[7, 2] = 0  # not a point that is kept
    joints, _ = mediapipe_to_ma52(numbered(33), left_hand=left, right_hand=None)
    assert at(joints, "left_thumb_tip")[0] == 104
    assert at(joints, "right_thumb_tip")[0] == 22


@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_a_hand_with_an_unseen_tip_is_not_mixed_with_the_body(missing):
    left = numbered(21, 100)
    left[8, 2] = missing
    joints, _ = mediapipe_to_ma52(numbered(33), left_hand=left)
    assert at(joints, "left_thumb_tip")[0] == 21
    assert at(joints, "left_index_tip")[0] == 19


def derivation_input(mapping):
    """Return keypoints with ears at (90, 60) and (110, 60), shoulders at y 100, hips at y 200."""
    if mapping is coco133_to_ma52:
        points, ears, shoulders, hips = np.ones((133, 3)), (3, 4), (5, 6), (11, 12)
    else:
        points, ears, shoulders, hips = np.ones((33, 3)), (7, 8), (11, 12), (23, 24)
    for (left, right), y, half in ((ears, 60, 10), (shoulders, 100, 40), (hips, 200, 30)):
        points[left] = (100 + half, y, 0.9)
        points[right] = (100 - half, y, 0.6)
    return points, shoulders, hips


@pytest.mark.parametrize("mapping", [coco133_to_ma52, mediapipe_to_ma52])
def test_midline_is_derived_with_the_lower_score_of_its_sources(mapping):
    points, _, _ = derivation_input(mapping)
    joints, scores = mapping(points)
    np.testing.assert_allclose(at(joints, "neck"), (100, 100), rtol=1e-6)
    np.testing.assert_allclose(at(joints, "hip_centre"), (100, 200), rtol=1e-6)
    np.testing.assert_allclose(at(joints, "head_top"), (100, 100 - 40 * CROWN_FROM_NECK), rtol=1e-6)
    for name in DERIVED:
        assert scores[JOINTS.index(name)] == pytest.approx(0.6), name


@pytest.mark.parametrize("mapping", [coco133_to_ma52, mediapipe_to_ma52])
def test_a_missing_keypoint_makes_only_the_joints_derived_from_it_missing(mapping):
    points, shoulders, hips = derivation_input(mapping)
    points[hips[1], 2] = 0
    joints, scores = mapping(points)
    missing = {JOINTS[v] for v in np.flatnonzero(np.isnan(joints[:, 0]))}
    assert missing == {"right_hip", "hip_centre"}
    points[shoulders[0], 0] = np.nan
    joints, scores = mapping(points)
    missing = {JOINTS[v] for v in np.flatnonzero(np.isnan(joints[:, 0]))}
    assert missing == {"right_hip", "hip_centre", "left_shoulder", "neck", "head_top"}
    assert {JOINTS[v] for v in np.flatnonzero(scores == 0)} == missing


def test_leading_dimensions_are_kept_and_frames_are_independent():
    one, other = numbered(33), numbered(33, 500)
    other[0, 2] = np.nan
    joints, scores = mediapipe_to_ma52(np.stack([one, other])[:, None])
    assert joints.shape == (2, 1, 44, 2)
    assert scores.shape == (2, 1, 44)
    np.testing.assert_array_equal(joints[0, 0], mediapipe_to_ma52(one)[0])
    np.testing.assert_array_equal(joints[1, 0], mediapipe_to_ma52(other)[0])
    assert np.isfinite(joints[0, 0]).all()
    assert np.isnan(joints[1, 0, 0]).all()


def test_the_input_is_not_changed():
    body = numbered(33).astype(np.float32)
    body[3, 2] = 0
    before = body.copy()
    mediapipe_to_ma52(body, numbered(21), numbered(21), numbered(6))
    np.testing.assert_array_equal(body, before)


@pytest.mark.parametrize(
    "call",
    [
        lambda: halpe136_to_ma52(np.zeros((133, 3))),
        lambda: coco133_to_ma52(np.zeros((133, 2))),
        lambda: mediapipe_to_ma52(np.zeros(33)),
        lambda: mediapipe_to_ma52(np.zeros((33, 3)), left_hand=np.zeros((6, 3))),
        lambda: mediapipe_to_ma52(np.zeros((33, 3)), face=np.zeros((468, 3))),
    ],
)
def test_another_shape_is_an_error_that_names_both(call):
    with pytest.raises(MarEdgeError, match=r"shape \(\.\.\., \d+, 3\).*got \("):
        call()


def test_halpe26_has_body_and_feet_and_takes_the_face_from_eyes_and_nose():
    points = np.column_stack([np.arange(26) * 10.0, np.arange(26) * 7.0, np.full(26, 0.9)])
    joints, scores = halpe26_to_ma52(points)
    for name, index in (COCO17 | HALPE_FEET | {"head_top": 17, "neck": 18, "hip_centre": 19}).items():
        np.testing.assert_allclose(joints[JOINTS.index(name)], points[index, :2])
    taken = {"nose_base": 0, "right_eye_outer": 2, "left_eye_outer": 1, "left_hand_root": 9, "right_hand_root": 10}
    for name, index in taken.items():
        np.testing.assert_allclose(joints[JOINTS.index(name)], points[index, :2])
    np.testing.assert_allclose(joints[JOINTS.index("nose_bridge")], points[1:3, :2].mean(axis=0))
    missing = {name for name, score in zip(JOINTS, scores, strict=True) if score == 0}
    assert missing == {name for name in JOINTS if name.endswith("_tip") or name.endswith("_lip")}


IMIGUE_133 = {
    "nose": 0,
    "right_shoulder": 6,
    "right_elbow": 8,
    "right_wrist": 10,
    "left_shoulder": 5,
    "left_elbow": 7,
    "left_wrist": 9,
    "right_eye": 2,
    "left_eye": 1,
    "right_ear": 4,
    "left_ear": 3,
    "right_thumb_tip": 116,
    "right_little_tip": 132,
    "left_thumb_tip": 95,
    "left_little_tip": 111,
}


def test_imigue_from_133_keypoints():
    points = np.column_stack([np.arange(133) * 3.0, np.arange(133) * 2.0, np.full(133, 0.9)])
    layout = load_layout("imigue")
    joints, scores = mapping_to(layout, 133)(points)
    assert joints.shape == (22, 2)
    assert (scores > 0).all()
    for name, index in IMIGUE_133.items():
        np.testing.assert_allclose(joints[layout.joints.index(name)], points[index, :2])
    np.testing.assert_allclose(joints[layout.joints.index("neck")], points[[5, 6], :2].mean(axis=0))


def test_mapping_to_is_the_mapping_of_that_number_of_points():
    rng = np.random.default_rng(0)
    for count, mapping in ((26, halpe26_to_ma52), (133, coco133_to_ma52), (136, halpe136_to_ma52)):
        points = rng.uniform(0.1, 1, (2, count, 3))
        for ours, direct in zip(mapping_to(load_layout("ma52"), count)(points), mapping(points), strict=True):
            np.testing.assert_array_equal(ours, direct)


@pytest.mark.parametrize(
    ("layout", "points", "reason"),
    [("ma52", 17, "lack feet, face or hands"), ("imigue", 17, "lack feet"), ("imigue", 26, "has no right_thumb_tip")],
)
def test_a_model_that_cannot_fill_a_layout_is_refused(layout, points, reason):
    with pytest.raises(MarEdgeError, match=reason):
        mapping_to(load_layout(layout), points)
