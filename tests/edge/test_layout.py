"""The layouts as data, against the specification written out here a second time."""

import re

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import LAYOUT_NAMES, Layout, load_layout

MA52_BONES = """(7,9) (9,32) (32,33) (32,34) (32,35) (32,36) (32,37) | (8,10) (10,38) (38,39) (38,40) (38,41) (38,42)
(38,43) |
(13,15) (15,24) (24,20) (24,22) | (14,16) (16,25) (25,21) (25,23) | (31,30) (30,27) (27,0) (0,26) (26,1)
(1,29) (29,3) (26,2) (2,28) (28,4) | (17,18) (18,5) (18,6) (18,19) (19,11) (19,12) |
(5,7) (6,8) (11,13) (12,14) (0,18) (0,17)"""
MA52_ORDER = """7 9 32 33 34 35 36 37 | 8 10 38 39 40 41 42 43 | 13 15 24 22 20 | 14 16 25 23 21 |
31 30 27 0 26 1 29 3 2 28 4 | 17 18 5 6 19 11 12"""
IMIGUE_BONES = """(1,0) (1,2) (2,3) (3,4) (1,5) (5,6) (6,7) (0,8) (8,10) (0,9) (9,11) (4,12) (4,13) (4,14) (4,15) (4,16)
(7,17) (7,18) (7,19) (7,20) (7,21)"""
IMIGUE_ORDER = "4 12 13 14 15 16 | 7 17 18 19 20 21 | 0 8 9 10 11 | 1 2 5 3 6"
SPECIFIED = {"ma52": (44, MA52_BONES, MA52_ORDER), "imigue": (22, IMIGUE_BONES, IMIGUE_ORDER)}


@pytest.fixture(params=LAYOUT_NAMES)
def layout(request):
    return load_layout(request.param)


def numbers(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def test_joints_bones_and_order_are_the_specifications(layout):
    V, bones, order = SPECIFIED[layout.name]
    flat = numbers(bones)
    assert layout.num_joints == len(layout.joints) == len(set(layout.joints)) == V
    assert list(layout.bones) == list(zip(flat[::2], flat[1::2], strict=True))
    assert list(layout.network_order) == numbers(order)
    assert sorted(layout.network_order) == list(range(V))


def test_a_joint_listed_twice_takes_its_last_parent_and_one_never_listed_its_own():
    parents = load_layout("ma52").bone_parents
    assert (parents[0], parents[26], parents[18], parents[19], parents[32]) == (17, 2, 19, 12, 37)
    assert (parents[33], parents[4], parents[3]) == (33, 4, 3)
    assert load_layout("imigue").bone_parents[:2].tolist() == [9, 5]


def test_the_landmarks_are_the_nose_and_the_wrists_wherever_the_network_sees_them(layout):
    names = ["nose", "left_wrist", "right_wrist"]
    assert [layout.joints[joint] for joint in layout.landmarks] == names
    assert [layout.joints[layout.network_order[place]] for place in layout.landmark_places] == names


def test_mirroring_twice_changes_nothing_and_the_midline_stays(layout):
    mirrored = layout.mirrored
    np.testing.assert_array_equal(mirrored[mirrored], np.arange(layout.num_joints))
    for joint, other in enumerate(mirrored):
        name, other_name = layout.joints[joint], layout.joints[other]
        sided = name.startswith(("left_", "right_"))
        assert (joint != other) == sided
        assert not sided or {name.split("_", 1)[0], other_name.split("_", 1)[0]} == {"left", "right"}
        assert name.split("_", 1)[-1] == other_name.split("_", 1)[-1]


def test_mirroring_keeps_the_skeleton_together(layout):
    """Compare each joint's fill parent with that of the mirrored joint."""
    fill = np.array(layout.fill_parents)
    for joint in range(layout.num_joints):
        assert fill[layout.mirrored[joint]] == layout.mirrored[fill[joint]], layout.joints[joint]


def test_fill_parents_lead_to_the_root(layout):
    for start in range(layout.num_joints):
        joint = start
        for _ in range(layout.num_joints):
            if joint == layout.root:
                break
            joint = layout.fill_parents[joint]
        assert joint == layout.root, layout.joints[start]


def test_each_joint_is_in_one_region_of_the_body(layout):
    assert set(layout.regions) == {"head", "trunk", "arms", "legs"}
    assert sorted(v for region in layout.regions.values() for v in region) == list(range(layout.num_joints))


def test_another_name_is_an_error_that_lists_what_there_is():
    with pytest.raises(MarEdgeError, match="no skeleton layout 'coco'; there are: ma52, imigue"):
        load_layout("coco")


@pytest.mark.parametrize("change", [{"network_order": (0, 0, 2)}, {"network_order": (0, 1)}, {"fill_parents": (0, 0)}])
def test_a_layout_that_does_not_cover_its_joints_is_an_error(change):
    whole = {
        "name": "x",
        "joints": ("a", "b", "c"),
        "bones": (),
        "network_order": (2, 1, 0),
        "fill_parents": (0, 0, 0),
        "root": 0,
        "regions": {},
        "landmarks": (),
    }
    Layout(**whole)
    with pytest.raises(ValueError, match=r"layout x: .* do not cover 3 joints"):
        Layout(**(whole | change))
