"""Which parts of the body a window shows, and which each label needs. Data and two pure functions.

Labels of parts outside the picture are suppressed: whether legs crossed below a desk cannot be seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import Layout

# A frame shows a region if it shows every joint of any of these sets.
SEEN_BY: dict[str, tuple[tuple[str, ...], ...]] = {
    "head": (("nose",), ("left_eye",), ("right_eye",)),
    "trunk": (("left_shoulder", "right_shoulder"),),
    "arms": (("left_wrist",), ("right_wrist",)),
    "hands": (("left_wrist",), ("right_wrist",), ("left_index_tip",), ("right_index_tip",)),
    "legs": (("left_knee",), ("right_knee",)),
}
# Least share of a window's frames that must show a region.
_LEAST_SHARE = 0.5


def visible_regions(window: Window, layout: Layout) -> tuple[str, ...]:
    """Return the regions that a window shows, in the order of ``SEEN_BY``."""
    seen: NDArray[np.bool_] = np.all(np.isfinite(window.clip), axis=-1)  # (T, V)
    place = {name: v for v, name in enumerate(layout.joints)}

    def share(sets: tuple[tuple[str, ...], ...]) -> float:
        shown = np.zeros(len(seen), np.bool_)
        for joints in sets:
            if all(name in place for name in joints):
                shown |= seen[:, [place[name] for name in joints]].all(axis=1)
        return float(shown.mean())

    return tuple(region for region, sets in SEEN_BY.items() if share(sets) >= _LEAST_SHARE)


def needs(label: Label) -> tuple[str, ...]:
    """Return the regions that ``label`` needs."""
    return body_group(label.body).needs


def detectable(labels: Sequence[Label], visible: Collection[str]) -> NDArray[np.bool_]:
    """Return (K,) which labels need no other than the ``visible`` regions."""
    return np.array([all(region in visible for region in needs(label)) for label in labels])
