"""Where to look for new people: the whole picture, then parts of it. Knows no networks.

The person detector sees its region at 224 px, in which a person must be about 80 px tall. So people who are small in
the picture are found in parts of it only. The parts are searched in turn, one per detection, at the same cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle, product

from mar_edge.edge.pose.holistic.regions import Region

# Sides of the parts, as divisors of the picture's longer side.
_DIVISORS = (2, 4)
# A person on the edge of one part is whole in the next. The second time around, other parts are searched: somebody who
# is missed in one part, next to others, may be found in another.
_OVERLAPS = (1 / 3, 1 / 2)


def search_regions(width: int, height: int, detector_px: int) -> Iterator[Region]:
    """Yield regions of a picture without end: the whole picture, a large part, a small part, and again.

    Args:
        width, height: of the picture, px.
        detector_px: side of the detector's input. Parts smaller than that have no more detail, and are left out.
    """
    whole = max(width, height)
    sides = [whole / divisor for divisor in _DIVISORS if whole / divisor >= detector_px]
    parts = [cycle([part for overlap in _OVERLAPS for part in _parts(width, height, side, overlap)]) for side in sides]
    while True:
        yield Region(width / 2, height / 2, whole, 0.0)
        yield from map(next, parts)


def _parts(width: int, height: int, side: float, overlap: float) -> list[Region]:
    """Return squares that cover the picture, column by column, and overlap by at least a fraction of their side."""
    middles = (_middles(length, side, overlap) for length in (width, height))
    return [Region(x, y, side, 0.0) for x, y in product(*middles)]


def _middles(length: int, side: float, overlap: float) -> list[float]:
    if side >= length:
        return [length / 2]
    steps = math.ceil((length - side) / (side * (1 - overlap)))
    return [side / 2 + (length - side) * step / steps for step in range(steps + 1)]
