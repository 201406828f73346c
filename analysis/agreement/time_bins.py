"""Time bins of two codings. A bin shows a label if an event of it covers the middle of the bin.

Bins between two changes are equal, so that they are counted and not kept: memory grows with the events only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mar_edge.analysis.agreement.pairing import CodedPair, CodedSpan

Presence = Counter[tuple[bool, bool]]
"""How many bins show something in the one and in the other coding."""


@dataclass(frozen=True)
class Stretches:
    """Bins in M stretches, within which nothing changes.

    bins: (M,) int64 number of bins in each. shown: (2, K, M) whether each of K keys is shown, by each coding.
    """

    bins: NDArray[np.int64]
    shown: NDArray[np.bool_]

    def presence(self, key: int) -> Presence:
        """Count the four cases of one key."""
        one, other = self.shown[:, key]
        return Presence(
            {
                (in_one, in_other): int(self.bins[(one == in_one) & (other == in_other)].sum())
                for in_one, in_other in product((False, True), repeat=2)
            }
        )

    def sets(self) -> Counter[tuple[bytes, bytes]]:
        """Count pairs of sets: each bin has the set of all keys that it shows as its one category."""
        packed = np.packbits(self.shown, axis=1)
        found: Counter[tuple[bytes, bytes]] = Counter()
        for stretch, number in enumerate(self.bins.tolist()):
            found[packed[0, :, stretch].tobytes(), packed[1, :, stretch].tobytes()] += number
        return found


def stretches(
    codings: Sequence[Iterable[CodedSpan]], keys: Sequence[str], key_of: dict[str, str], pair: CodedPair, width_ns: int
) -> Stretches:
    """Return the whole bins in the common time, of two codings of one person.

    Args:
        key_of: label -> its key: itself, or its body group.
    """
    N = (pair.to_ns - pair.from_ns) // width_ns
    places = {key: place for place, key in enumerate(keys)}
    covered = [
        (coding, places[key_of[span.label]], *_bins_covered(span, pair.from_ns, width_ns, N))
        for coding, spans in enumerate(codings)
        for span in spans
    ]
    edges = np.unique(np.array([0, N, *(edge for *_, first, after in covered for edge in (first, after))], np.int64))
    shown = np.zeros((2, len(keys), len(edges) - 1), np.bool_)
    for coding, place, first, after in covered:
        start, end = np.searchsorted(edges, (first, after))
        shown[coding, place, start:end] = True
    return Stretches(np.diff(edges), shown)


def _bins_covered(span: CodedSpan, from_ns: int, width_ns: int, number: int) -> tuple[int, int]:
    """Return the first of ``number`` bins whose middle the event covers, and the one after the last."""
    # The middle of bin i is at (i + 1/2) widths. Whole numbers, so that no bin depends on rounding.
    first, after = (-((width_ns - 2 * (t_ns - from_ns)) // (2 * width_ns)) for t_ns in span.span)
    return min(max(first, 0), number), min(max(after, 0), number)
