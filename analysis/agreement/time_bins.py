"""Time bins of two codings. A bin shows a label if an event of it covers the middle of the bin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mar_edge.analysis.agreement.pairing import CodedPair, CodedSpan
from mar_edge.edge.errors import MarEdgeError

MOST_BINS = 20_000_000

Presence = Counter[tuple[bool, bool]]
"""How many bins show something in the one and in the other coding."""


def count_bins(pair: CodedPair, width_ns: int) -> int:
    """Return the number of whole bins in the common time.

    Raises:
        MarEdgeError: there are more than ``MOST_BINS``.
    """
    number = (pair.to_ns - pair.from_ns) // width_ns
    if number > MOST_BINS:
        raise MarEdgeError(f"{pair.name} has {number} time bins; --bin takes wider ones, for at most {MOST_BINS}")
    return number


def shown(
    spans: Iterable[CodedSpan], keys: Sequence[str], key_of: dict[str, str], pair: CodedPair, width_ns: int
) -> NDArray[np.bool_]:
    """Return (K, N) whether each of K keys is shown in each of N bins.

    Args:
        key_of: label -> its key: itself, or its body group.
    """
    places = {key: place for place, key in enumerate(keys)}
    bins = np.zeros((len(keys), count_bins(pair, width_ns)), np.bool_)
    for span in spans:
        # The middle of bin i is at (i + 1/2) widths. Whole numbers, so that no bin depends on rounding.
        first, after = (-((width_ns - 2 * (t_ns - pair.from_ns)) // (2 * width_ns)) for t_ns in span.span)
        bins[places[key_of[span.label]], max(first, 0) : max(after, 0)] = True
    return bins


def joint_presence(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Presence:
    """Count the four cases of two rows (N,) of bins."""
    return Presence(
        {
            (in_one, in_other): int(np.count_nonzero((one == in_one) & (other == in_other)))
            for in_one, in_other in product((False, True), repeat=2)
        }
    )


def joint_sets(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Counter[tuple[bytes, bytes]]:
    """Count pairs of label sets: each bin (K, N) has the set of all labels that it shows as its one category."""
    if not len(one):
        return Counter({(b"", b""): one.shape[1]})
    packed = np.packbits(one, axis=0), np.packbits(other, axis=0)
    columns, counts = np.unique(np.concatenate(packed), axis=1, return_counts=True)
    bytes_each = len(packed[0])
    return Counter(
        {
            (column[:bytes_each].tobytes(), column[bytes_each:].tobytes()): int(number)
            for column, number in zip(columns.T, counts, strict=True)
        }
    )
