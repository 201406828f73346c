"""Pairs of events in two lists, by their overlap in time, and the figures that follow. Pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate

import msgspec


class EventFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``matched`` of ``live`` reported and of ``true`` true events; a share of zero events is None."""

    true: int
    live: int
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None


def event_figures(true: int, live: int, matched: int) -> EventFigures:
    """Compute precision, recall and F1 from three counts."""
    return EventFigures(
        true=true,
        live=live,
        matched=matched,
        precision=matched / live if live else None,
        recall=matched / true if true else None,
        f1=2 * matched / (true + live) if true + live else None,
    )


def temporal_iou(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Compute the intersection over union of two intervals (start, end), in [0, 1]; 0 for two points."""
    together = min(one[1], other[1]) - max(one[0], other[0])
    apart = max(one[1], other[1]) - min(one[0], other[0])
    return max(together, 0.0) / apart if apart > 0 else 0.0


def pair_by_overlap(
    ones: Sequence[tuple[float, float]],
    others: Sequence[tuple[float, float]],
    min_tiou: float,
    fits: Callable[[int, int], bool] = lambda i, j: True,
) -> list[tuple[int, int]]:
    """Pair intervals (start, end) of two lists, each at most once, the largest overlap first.

    The lists may be exchanged: of equal overlaps, the earlier pair wins.

    Args:
        min_tiou: smallest intersection over union of a pair, more than 0.
        fits: whether interval i of the one list and j of the other may be a pair.

    Returns:
        Indices (i, j), by i.
    """
    order = sorted(range(len(others)), key=lambda j: others[j])
    starts = [others[j][0] for j in order]
    last_ends = list(accumulate((others[j][1] for j in order), max))
    overlaps = []
    for i, one in enumerate(ones):
        place = bisect_left(starts, one[1]) - 1
        while place >= 0 and last_ends[place] > one[0]:  # no earlier interval reaches this one otherwise
            j = order[place]
            place -= 1
            tiou = temporal_iou(one, others[j])
            if tiou >= min_tiou and fits(i, j):
                earliness = one[0] + others[j][0], one[1] + others[j][1]
                overlaps.append((-tiou, earliness, i, j))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in sorted(overlaps):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return sorted(pairs.items())
