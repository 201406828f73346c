"""Regions and filters against numbers measured on MediaPipe's own graph."""

import math

import numpy as np
import pytest

from mar_edge.edge.pose.holistic import parts
from mar_edge.edge.pose.holistic.body import Body, Steady
from mar_edge.edge.pose.holistic.regions import Likeness, Region, cut, wrap

CLIPS = ("nodding", "turning_around")
FRAMES = 30


@pytest.fixture(scope="module")
def golden(data):
    with np.load(data / "golden_pose.npz") as file:
        return dict(file)


def bodies(golden, clip):
    return [
        Body(points, visibility, 1.0, *aux)
        for points, visibility, aux in zip(
            golden[f"{clip}/body"], golden[f"{clip}/body_visibility"], golden[f"{clip}/aux"], strict=True
        )
    ]


def assert_same(regions, expected):
    """Compare within 0.01 px and 1e-5 rad, in at least 25 frames in which MediaPipe has a region."""
    there = np.isfinite(expected).all(axis=1)
    assert there.sum() >= 25
    found = np.array([(r.cx, r.cy, r.side, r.angle) for r in regions])[there]
    np.testing.assert_allclose(found[:, :3], expected[there, :3], atol=0.01)
    assert max(abs(wrap(a - b)) for a, b in zip(found[:, 3], expected[there, 3], strict=True)) < 1e-5


@pytest.mark.parametrize("clip", CLIPS)
def test_regions_that_follow_from_the_body(golden, clip):
    people = bodies(golden, clip)
    assert_same([body.region for body in people[:-1]], golden[f"{clip}/roi_body"][1:])
    assert_same([parts.face_region_of_body(body) for body in people], golden[f"{clip}/roi_face_body"])
    for name, side in (("left", parts.LEFT), ("right", parts.RIGHT)):
        assert_same([parts.hand_region_of_body(body, side) for body in people], golden[f"{clip}/roi_{name}_body"])


def test_the_region_of_a_hand_follows_from_the_last_frame(golden):
    points = golden["nodding/right_hand"]
    expected = golden["nodding/roi_right_previous"][1:]
    found = [parts.hand_region_of_hand(hand) for hand in points[:-1]]
    assert_same(found, expected)


@pytest.mark.parametrize(
    ("clip", "side"), [("nodding", "right"), ("turning_around", "left"), ("turning_around", "right")]
)
def test_a_hand_is_followed_exactly_where_mediapipe_follows_it(golden, clip, side):
    used, recrop, previous = (golden[f"{clip}/roi_{side}{kind}"] for kind in ("", "_recrop", "_previous"))
    hands = golden[f"{clip}/{side}_hand"]
    chosen = {"previous": 0, "recrop": 0}
    for frame in range(1, FRAMES):
        if not (np.isfinite(previous[frame]).all() and np.isfinite(used[frame]).all()):
            continue
        before = parts.Part(hands[frame - 1], 1.0)
        region = parts._followed(parts.hand_region_of_hand(before.points), before, Region(*recrop[frame].tolist()))
        is_previous = np.abs(used[frame] - previous[frame]).max() < 1e-4
        chosen["previous" if is_previous else "recrop"] += 1
        expected = previous[frame] if is_previous else recrop[frame]
        np.testing.assert_allclose((region.cx, region.cy, region.side), expected[:3], atol=0.01)
    assert sum(chosen.values()) >= 20


@pytest.mark.parametrize("clip", CLIPS)
def test_filters_equal_mediapipes(golden, clip):
    steady = Steady()
    for frame in range(FRAMES):
        raw = Body(
            golden[f"{clip}/body_unfiltered"][frame],
            golden[f"{clip}/body_visibility"][frame],
            1.0,
            *golden[f"{clip}/aux_unfiltered"][frame],
        )
        body = steady.take(raw, frame * 0.033333)
        np.testing.assert_allclose(body.points, golden[f"{clip}/body"][frame], atol=0.01)
        np.testing.assert_allclose((body.middle, body.toward), golden[f"{clip}/aux"][frame], atol=0.01)


def body_at(x, visibility=1.0):
    points = np.full((33, 2), x, np.float32)
    return Body(points, np.full(33, visibility, np.float32), 1.0, points[0], points[0] + 100)


def test_without_smoothing_points_are_the_networks_and_regions_are_smooth():
    steady = Steady(smooth=False)
    steady.take(body_at(0.0), 0.0)
    body = steady.take(body_at(10.0), 1 / 30)
    np.testing.assert_array_equal(body.points, np.full((33, 2), 10))
    assert 0 < body.middle[0] < 10


def test_a_lost_person_starts_over_except_for_the_visibilities():
    steady = Steady()
    steady.take(body_at(0.0, visibility=1.0), 0.0)
    steady.lose()
    body = steady.take(body_at(50.0, visibility=0.0), 1 / 30)
    np.testing.assert_array_equal(body.points, np.full((33, 2), 50))
    np.testing.assert_allclose(body.visibility, 0.9, atol=1e-6)


def test_a_filter_depends_on_time_and_not_on_the_number_of_frames():
    slow, quick = Steady(), Steady()
    for steady, step_s in ((slow, 0.2), (quick, 0.01)):
        steady.take(body_at(0.0), 0.0)
        steady.last = steady.take(body_at(1.0), step_s)
    assert slow.last.points[0, 0] > quick.last.points[0, 0]


def test_points_are_mapped_to_a_crop_and_back():
    region = Region(100.0, 50.0, 40.0, math.radians(90))
    # Its own x axis points down in the picture, its y axis to the left.
    np.testing.assert_allclose(region.to_picture(np.array([[10.0, 10.0]], np.float32), 20), [[100, 50]], atol=1e-4)
    np.testing.assert_allclose(region.to_picture(np.array([[20.0, 10.0]], np.float32), 20), [[100, 70]], atol=1e-4)
    np.testing.assert_allclose(region.to_picture(np.array([[10.0, 20.0]], np.float32), 20), [[80, 50]], atol=1e-4)
    np.testing.assert_allclose(region.own_axes(np.array([[100.0, 70.0]])), [[20, 0]], atol=1e-4)


def test_outside_the_picture_a_crop_repeats_the_edge_or_is_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    region = Region(0.0, 0.0, 20.0, 0.0)
    assert cut(image, region, 20).min() == 200
    assert cut(image, region, 20, repeat_edge=False)[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "region",
    [
        Region(0, 0, 10, math.radians(11)),
        Region(2.1, 0, 10, 0),
        Region(0, 0, 15.1, 0),
        Region(0, 0, 4.9, 0),
    ],
)
def test_a_region_that_is_rotated_moved_or_scaled_too_far_is_not_alike(region):
    likeness = Likeness(angle_deg=10, offset=0.2, sides=(0.5, 1.5))
    assert likeness.allows(Region(1.9, -1.9, 14.9, math.radians(-9)), Region(0, 0, 10, 0))
    assert not likeness.allows(region, Region(0, 0, 10, 0))


def test_angles_near_half_a_turn_are_near_each_other():
    likeness = Likeness(angle_deg=10, offset=0.2, sides=(0.5, 1.5))
    assert likeness.allows(Region(0, 0, 10, math.radians(179)), Region(0, 0, 10, math.radians(-179)))


@pytest.mark.parametrize("region", [Region(math.nan, 0, 10, 0), Region(0, 0, math.inf, 0), Region(0, 0, 0.5, 0)])
def test_a_point_and_nan_are_no_regions(region):
    assert not region.is_usable
