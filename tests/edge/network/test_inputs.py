"""Each stream's input, on a skeleton whose coordinates encode the joint's number."""

import numpy as np
import pytest
import torch

from mar_edge.edge.layout import load_layout
from mar_edge.edge.network.inputs import stream_input


@pytest.fixture(params=["ma52", "imigue"])
def layout(request):
    return load_layout(request.param)


@pytest.fixture
def numbered(layout):
    """Return x as the joint's number squared and y as its cube; in frame 5 of window 1 a thousand more."""
    joint = torch.arange(layout.num_joints, dtype=torch.float32)
    skeleton = torch.stack([joint**2, joint**3], dim=-1).expand(2, 64, -1, 2).clone()
    skeleton[1, 5] += 1000
    return skeleton


def test_joints_in_network_order(layout, numbered):
    x = stream_input(numbered, layout, "joint")
    assert x.shape == (2, 2, 64, layout.num_joints, 1)
    order = np.array(layout.network_order, np.float32)
    np.testing.assert_array_equal(x[0, 0, 9, :, 0], order**2)
    np.testing.assert_array_equal(x[0, 1, 9, :, 0], order**3)
    np.testing.assert_array_equal(x[1, 0, 5, :, 0], order**2 + 1000)


def test_bones_in_network_order(layout, numbered):
    x = stream_input(numbered, layout, "bone")
    parents = dict(layout.bones)
    expected = [joint**2 - parents.get(joint, joint) ** 2 for joint in layout.network_order]
    np.testing.assert_array_equal(x[0, 0, 9, :, 0], np.float32(expected))
    np.testing.assert_array_equal(x[1], x[0])  # bones do not depend on the person's place


def test_the_skeleton_is_not_changed(layout, numbered):
    before = numbered.clone()
    stream_input(numbered, layout, "bone")
    assert torch.equal(numbered, before)
