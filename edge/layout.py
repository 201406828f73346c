"""Skeleton layouts: the joints, the bones between them, and the order in which a network takes them.

The layouts are data (``edge/layouts/*.json``); this module reads and checks them. It knows nothing about pose models;
``edge.pose.mapping`` fills a layout from their keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import LayoutName
from mar_edge.edge.errors import MarEdgeError

LAYOUT_NAMES = get_args(LayoutName)


@dataclass(frozen=True)
class Layout:
    """A skeleton of V joints.

    bones: (joint, parent) pairs. A joint's bone vector is joint - parent; of two entries for a joint the last counts.
    network_order: ``network_order[i]`` is the joint at the network's i-th place.
    fill_parents: ``fill_parents[v]`` is the joint whose place joint v takes if it is never seen; ``root`` is its own.
    regions: joints by part of the body. landmarks: joints from which the ``contact`` encoding measures distances.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    network_order: tuple[int, ...]
    fill_parents: tuple[int, ...]
    root: int
    regions: dict[str, tuple[int, ...]]
    landmarks: tuple[int, ...]

    def __post_init__(self) -> None:
        V = len(self.joints)
        if sorted(self.network_order) != list(range(V)) or len(self.fill_parents) != V:
            raise ValueError(f"layout {self.name}: network_order or fill_parents do not cover {V} joints")

    @property
    def num_joints(self) -> int:
        """The number of joints, V."""
        return len(self.joints)

    @cached_property
    def bone_parents(self) -> NDArray[np.intp]:
        """(V,) the joint that each bone vector starts at; of a joint without a bone, the joint itself."""
        parents = np.arange(self.num_joints)
        for joint, parent in self.bones:
            parents[joint] = parent
        return parents

    @property
    def landmark_places(self) -> tuple[int, ...]:
        """The landmarks in network order."""
        return tuple(self.network_order.index(joint) for joint in self.landmarks)

    @cached_property
    def region_means(self) -> NDArray[np.float32]:
        """(V, R) weights that turn values of joints into means of the regions that have joints, in order."""
        means = np.zeros((self.num_joints, len(self.regions)), np.float32)
        for r, joints in enumerate(self.regions.values()):
            means[list(joints), r] = 1 / max(len(joints), 1)
        return means[:, means.any(axis=0)]

    @cached_property
    def mirrored(self) -> NDArray[np.intp]:
        """(V,) for each joint the one on the other side of the body; on the midline, the joint itself."""
        swap = {"left": "right", "right": "left"}
        index = {name: i for i, name in enumerate(self.joints)}

        def other(name: str) -> str:
            side, _, rest = name.partition("_")
            return f"{swap[side]}_{rest}" if side in swap else name

        return np.array([index[other(name)] for name in self.joints])


@cache
def load_layout(name: str) -> Layout:
    """Load the layout of that name.

    Raises:
        MarEdgeError: there is no such layout.
    """
    if name not in LAYOUT_NAMES:
        raise MarEdgeError(f"no skeleton layout '{name}'; there are: {', '.join(LAYOUT_NAMES)}")
    text = resources.files("mar_edge.edge").joinpath("layouts", f"{name}.json").read_bytes()
    return msgspec.convert(msgspec.json.decode(text), Layout)


def layout_with(num_joints: int) -> Layout | None:
    """Return the layout with that number of joints, if there is one."""
    return next((layout for layout in map(load_layout, LAYOUT_NAMES) if layout.num_joints == num_joints), None)
