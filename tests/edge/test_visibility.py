"""The regions that a window shows, and the labels that can be seen in it."""

import numpy as np
import pytest

from mar_edge.edge.body_groups import body_groups
from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.visibility import detectable, visible_regions

LAYOUT = load_layout("ma52")
LABELS = (*ma52_labels(), background_label())


def window(hidden=(), share=1.0):
    clip = np.zeros((20, LAYOUT.num_joints, 2), np.float32)
    clip[: round(20 * share), [LAYOUT.joints.index(name) for name in hidden]] = np.nan
    return Window(clip, np.arange(20) / 10)


KNEES, WRISTS = ("left_knee", "right_knee"), ("left_wrist", "right_wrist")
FINGERS = ("left_index_tip", "right_index_tip")


@pytest.mark.parametrize(
    ("hidden", "gone"),
    [
        ((), set()),
        (KNEES, {"legs"}),
        (KNEES[:1], set()),
        (WRISTS, {"arms"}),
        (WRISTS + FINGERS, {"arms", "hands"}),
        (("left_shoulder",), {"trunk"}),
        (("nose", "left_eye"), set()),
        (("nose", "left_eye", "right_eye"), {"head"}),
    ],
)
def test_what_is_hidden_is_not_visible(hidden, gone):
    everything = {"head", "trunk", "arms", "hands", "legs"}
    assert set(visible_regions(window(hidden), LAYOUT)) == everything - gone


def test_half_of_the_frames_are_enough():
    assert "legs" in visible_regions(window(KNEES, 0.5), LAYOUT)
    assert "legs" not in visible_regions(window(KNEES, 0.55), LAYOUT)


def test_each_body_group_of_ma52_needs_a_region_and_others_need_none():
    assert {label.body for label in ma52_labels()} == body_groups().keys()
    names = {
        label.name
        for label, possible in zip(LABELS, detectable(LABELS, ("head", "trunk", "arms", "hands")), strict=True)
        if possible
    }
    assert {"nodding", "shrugging", "touching nose", "waving", "no action"} <= names
    assert not names & {"shaking legs", "touching legs"}
    fingers = {
        label.name for label, possible in zip(LABELS, detectable(LABELS, ("head", "hands")), strict=True) if possible
    }
    assert "touching nose" in fingers  # a hand at a face whose wrist is below the picture
    assert "waving" not in fingers
    assert [label.name for label, possible in zip(LABELS, detectable(LABELS, ()), strict=True) if possible] == [
        "no action"
    ]
    assert detectable((Label(0, "class 0", ""),), ()).all()


def test_a_layout_without_legs_shows_none():
    layout = load_layout("imigue")
    whole = Window(np.zeros((5, layout.num_joints, 2), np.float32), np.arange(5) / 10)
    assert visible_regions(whole, layout) == ("head", "trunk", "arms", "hands")
