"""Skeleton layouts: which joints there are, how they hang together, in which order the network sees them.

The layouts are data (``edge/layouts/*.json``); this module only reads and checks them. It knows
nothing about pose models; ``edge.pose.mapping`` fills a layout from theirs.
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

    ``bones`` holds (joint, parent) pairs: the bone vector joint - parent stands at the joint, a
    joint listed twice takes its last entry. ``network_order[i]`` is the joint at the network's
    i-th place. ``fill_parents[v]`` is the joint whose place a joint takes that was never seen
    (``root`` is its own). ``regions`` groups joints by part of the body. ``landmarks`` are joints whose
    distance from the others tells what touches what.
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
        """V."""
        return len(self.joints)

    @cached_property
    def bone_parents(self) -> NDArray[np.intp]:
        """(V,) the joint each bone vector is measured from; a joint without a bone points at itself."""
        parents = np.arange(self.num_joints)
        for joint, parent in self.bones:
            parents[joint] = parent
        return parents

    @property
    def landmark_places(self) -> tuple[int, ...]:
        """Where the network sees the landmarks."""
        return tuple(self.network_order.index(joint) for joint in self.landmarks)

    @cached_property
    def mirrored(self) -> NDArray[np.intp]:
        """(V,) for each joint its counterpart on the other side of the body (itself on the midline)."""
        swap = {"left": "right", "right": "left"}
        index = {name: i for i, name in enumerate(self.joints)}

        def other(name: str) -> str:
            side, _, rest = name.partition("_")
            return f"{swap[side]}_{rest}" if side in swap else name

        return np.array([index[other(name)] for name in self.joints])


@cache
def load_layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        MarEdgeError: there is no such layout.
    """
    if name not in LAYOUT_NAMES:
        raise MarEdgeError(f"no skeleton layout '{name}'; there are: {', '.join(LAYOUT_NAMES)}")
    text = resources.files("mar_edge.edge").joinpath("layouts", f"{name}.json").read_bytes()
    return msgspec.convert(msgspec.json.decode(text), Layout)


def layout_with(num_joints: int) -> Layout | None:
    """The layout of so many joints, if there is one."""
    return next((layout for layout in map(load_layout, LAYOUT_NAMES) if layout.num_joints == num_joints), None)
