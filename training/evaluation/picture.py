"""The confusion matrix as a picture, drawn with matplotlib. Knows nothing of models and files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

_DPI = 110
_INCHES_A_CLASS = 0.235
_MARGIN_INCHES = 3.4
# Smaller shares are not written; their color still shows.
_SHARE_WRITTEN = 0.02


def draw_confusion(confusion: NDArray[np.int64], names: Sequence[str], bodies: Sequence[str]) -> bytes:
    """Draw a PNG of counts (K, K), rows true, as shares of each row. Classes are sorted by body group.

    Args:
        names: K names. bodies: the group of each; groups come in the order of their first class.
    """
    groups = list(dict.fromkeys(bodies))
    order = sorted(range(len(names)), key=lambda k: groups.index(bodies[k]))
    shares = (confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1))[np.ix_(order, order)]
    K = len(names)
    side = _MARGIN_INCHES + _INCHES_A_CLASS * K
    figure = Figure(figsize=(side, side), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    # The square root makes small shares visible; most mistakes are small shares.
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    for i, j in np.argwhere(shares >= _SHARE_WRITTEN):
        color = "white" if shares[i, j] > 0.4 else "black"
        axes.text(j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", fontsize=6, color=color)
    ticks = [names[k] for k in order]
    axes.set_xticks(range(K), ticks, rotation=90, fontsize=8, parse_math=False)
    axes.set_yticks(range(K), ticks, fontsize=8, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    _mark_groups(axes, [bodies[k] for k in order])
    axes.set_title("Share of the clips of each true class (row) predicted as each class (column), in %", pad=30)
    png = io.BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight")
    return png.getvalue()


def _mark_groups(axes: Axes, bodies: Sequence[str]) -> None:
    """Draw lines between body groups, and their names along the top."""
    K = len(bodies)
    edges = [0, *(k for k in range(1, K) if bodies[k] != bodies[k - 1]), K]
    for edge in edges[1:-1]:
        axes.axhline(edge - 0.5, color="gray", linewidth=0.8)
        axes.axvline(edge - 0.5, color="gray", linewidth=0.8)
    above = axes.secondary_xaxis("top")
    above.set_xticks([(a + b - 1) / 2 for a, b in pairwise(edges)], [bodies[a] for a in edges[:-1]], fontsize=8)
    above.tick_params(length=0, rotation=20)
