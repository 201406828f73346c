from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.streaming.recording.matching import event_figures, pair_by_overlap, temporal_iou


@pytest.mark.parametrize(("start", "end", "iou"), [(1, 3, 1), (1, 2, 0.5), (2, 4, 1 / 3), (3, 4, 0), (9, 9, 0)])
def test_overlap(start: float, end: float, iou: float) -> None:
    assert temporal_iou((start, end), (1, 3)) == pytest.approx(iou)
    assert temporal_iou((1, 3), (start, end)) == pytest.approx(iou)


def test_points_overlap_nothing() -> None:
    assert temporal_iou((1, 1), (1, 1)) == 0
    assert pair_by_overlap([(1, 1)], [(1, 1), (0, 2)], 0.1) == []


def test_the_largest_overlap_is_paired_first() -> None:
    assert pair_by_overlap([(0.9, 3), (0.5, 2.5)], [(0, 2), (1, 3)], 0.5) == [(0, 1), (1, 0)]
    assert pair_by_overlap([(0, 10)], [(0, 6), (0, 9)], 0.5) == [(0, 1)]
    assert pair_by_overlap([(0, 10), (20, 30)], [(0, 10), (20, 30)], 0.5, lambda i, j: i == 1) == [(1, 1)]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda span: (span[0], span[0] + span[1])))


@settings(max_examples=200, deadline=None)
@given(ones=SPANS, others=SPANS, min_tiou=st.sampled_from([0.1, 0.3, 0.5]))
def test_pairs_are_those_of_an_exhaustive_search(
    ones: list[tuple[float, float]], others: list[tuple[float, float]], min_tiou: float
) -> None:
    pairs = pair_by_overlap(ones, others, min_tiou)
    assert all(temporal_iou(ones[i], others[j]) >= min_tiou for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    left, found = set(product(range(len(ones)), range(len(others)))), []
    while best := max((temporal_iou(ones[i], others[j]) for i, j in left), default=0.0) >= min_tiou and max(
        temporal_iou(ones[i], others[j]) for i, j in left
    ):
        i, j = min(
            (pair for pair in left if temporal_iou(ones[pair[0]], others[pair[1]]) == best),
            key=lambda pair: (*(sum(ends) for ends in zip(ones[pair[0]], others[pair[1]], strict=True)), pair),
        )
        found.append((i, j))
        left = {pair for pair in left if pair[0] != i and pair[1] != j}
    assert sorted(found) == pairs
    # Exchanging the lists exchanges the pairs' spans.
    back = pair_by_overlap(others, ones, min_tiou)
    assert sorted((ones[i], others[j]) for j, i in back) == sorted((ones[i], others[j]) for i, j in pairs)


def test_figures_of_counts() -> None:
    figures = event_figures(true=4, live=5, matched=3)
    assert (figures.precision, figures.recall, figures.f1) == (0.6, 0.75, 2 / 3)
    assert event_figures(true=0, live=0, matched=0).f1 is None
