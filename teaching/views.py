"""Windows of an example: several views of one movement, in place of many recordings. numpy only; runs no network.

The network sees a window scaled to fill its input, so a person elsewhere in the picture, or of another size, is the
same view. What differs in use is when the window ends, and which side moves. Faster and slower views gave nothing on
synthetic people (docs/teach.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.families.base import WarmUp
from mar_edge.edge.layout import Layout

STRIDE_S = 0.2
"""Time between two windows, as in service."""
_WHOLE = 0.8
"""Part of a movement, or of the window where that is shorter, that a view shows."""
_SHIFTS = 6


def views_of(track: Window, span_s: tuple[float, float], *, window_s: float, warm_up: WarmUp) -> list[Window]:
    """Return windows that show a movement of one person in ``span_s``, from and to; empty if none does.

    Args:
        track: everything that is known of the person around the movement.
    """
    start_s, end_s = span_s
    lasts_s = min(end_s - start_s, window_s)
    first, last = start_s + _WHOLE * lasts_s, end_s + window_s - _WHOLE * lasts_s
    shown = [cut(track, end, window_s, warm_up) for end in np.linspace(first, last, _SHIFTS + 2)[1:-1]]
    return [window for window in shown if window is not None]


def rest_windows(
    track: Window, busy: NDArray[np.float64], window_s: float, warm_up: WarmUp
) -> Iterator[tuple[float, Window]]:
    """Yield the end, s, and the window of each stride of a track that touches none of the ``busy`` times (N, 2) s."""
    for end in np.arange(track.times_s[0] + window_s, track.times_s[-1], STRIDE_S):
        if len(busy) and (np.minimum(end, busy[:, 1]) > np.maximum(end - window_s, busy[:, 0])).any():
            continue
        window = cut(track, float(end), window_s, warm_up)
        if window is not None:
            yield float(end), window


def cut(track: Window, end_s: float, window_s: float, warm_up: WarmUp) -> Window | None:
    """Return the window of a track that ends at ``end_s``; None where the person was not seen for long enough."""
    first, after = np.searchsorted(track.times_s, [end_s - window_s - 1e-6, end_s + 1e-6])
    window = Window(track.clip[first:after], track.times_s[first:after], track.person)
    if len(window.times_s) < warm_up.min_frames or window.span_s < min(warm_up.min_span_s, window_s) - 1e-3:
        return None
    return window if np.diff(window.times_s).max() <= warm_up.max_gap_s else None


def mirrored(window: Window, layout: Layout) -> Window:
    """Return the window as a mirror shows it: the other side of the body moves."""
    clip = window.clip[:, layout.mirrored] * np.array([-1, 1], np.float32)
    return replace(window, clip=clip)
