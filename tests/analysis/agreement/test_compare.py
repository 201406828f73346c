"""Agreement of two codings, against hand-computed figures and against scikit-learn."""

from __future__ import annotations

import random
import tracemalloc
import warnings
from itertools import product

import numpy as np
import pytest
from codings import Coded, coding
from sklearn.metrics import cohen_kappa_score, f1_score

from mar_edge.analysis.agreement.compare import NOTHING, Agreement, AgreementRow, compare
from mar_edge.analysis.agreement.pairing import CodedPair, pair_timelines

LABELS = {"nodding": "head", "shaking head": "head", "waving": "upper limb", "smiling": "face"}


def agreement(ones: list[Coded], others: list[Coded], end_s: float = 10, bin_s: float = 1.0) -> Agreement:
    pairs, _ = pair_timelines([coding(*ones, end_s=end_s)], [coding(*others, end_s=end_s)], from_s=0, to_s=end_s)
    return compare(pairs, bin_s)


def row_of(found: Agreement, name: str, level: str = "action") -> AgreementRow:
    return next(row for row in found.rows if (row.level, row.name) == (level, name))


def test_an_example_by_hand() -> None:
    """Ten bins of 1 s; a bin shows what covers its middle.

    Nodding: A in bins 1, 2, 3 and 6, B in 2, 3 and 8. Both in 2 bins, A alone in 2, B alone in 1, neither in 5. So
    p_o = 0.7, p_e = (4 * 3 + 6 * 7) / 100 = 0.54, kappa = 0.16 / 0.46 = 8 / 23.
    """
    found = agreement(
        [("nodding", 1.0, 4.0), ("nodding", 6.2, 7.0), ("waving", 1.0, 3.0)],
        [("nodding", 2.0, 4.2), ("nodding", 8.0, 9.0), ("shaking head", 6.2, 7.0)],
    )
    nodding = row_of(found, "nodding")
    assert nodding.kappa.value == pytest.approx(8 / 23, abs=1e-15)
    assert nodding.kappa.bins == 10
    # The long ones share 2 of 3.2 s, tIoU 0.625: 1 of 2 and 2 events, F1 = 2 * 1 / 4.
    assert [figures.f1 for figures in nodding.events] == [0.5, 0.5]
    assert (nodding.onset.number, nodding.onset.mean_s, nodding.onset.sd_s) == (1, 1.0, None)
    assert nodding.offset.mean_s == pytest.approx(0.2)
    # Head: nodding at 6.2 s and shaking head at 6.2 s are one event of the group, so 2 of 2 and 3.
    head = row_of(found, "head", "body group")
    assert [figures.f1 for figures in head.events] == [0.8, 0.8]
    assert (head.onset.mean_s, head.onset.median_s, head.onset.sd_s) == (0.5, 0.5, pytest.approx(0.5**0.5))
    # Sets: 1 {n, w}|{}, 2 {n, w}|{n}, 3 {n}|{n}, 6 {n}|{s}, 8 {}|{n}, five bins {}|{}. They agree in 6 of 10 bins.
    # A has {n, w} 2, {n} 2, {} 6; B has {n} 3, {s} 1, {} 6. p_e = (2 * 3 + 6 * 6) / 100 = 0.42.
    everything = found.rows[0]
    assert everything.kappa.value == pytest.approx((0.6 - 0.42) / 0.58, abs=1e-15)
    assert [figures.f1 for figures in everything.events] == [2 / 6, 2 / 6]
    assert found.confusion == {
        ("nodding", "nodding"): 1,
        ("nodding", "shaking head"): 1,
        ("waving", NOTHING): 1,
        (NOTHING, "nodding"): 1,
    }
    assert found.counts == {
        ("P01", "nodding"): (2, 2),
        ("P01", "shaking head"): (0, 1),
        ("P01", "waving"): (1, 0),
    }


def test_what_only_one_has_and_what_nobody_has() -> None:
    found = agreement([("waving", 1, 2)], [])
    waving = row_of(found, "waving")
    assert (waving.kappa.value, waving.events[0].f1, waving.onset.mean_s) == (0.0, 0.0, None)
    nothing = agreement([], [])
    assert [(row.level, row.kappa.value, row.kappa.bins) for row in nothing.rows] == [("all", None, 10)]
    assert nothing.rows[0].events[0].f1 is None
    assert nothing.rows[0].kappa.why_undefined
    points = agreement([("smiling", 2, 2)], [("smiling", 2, 2)])
    assert (points.points, row_of(points, "smiling").events[0].matched) == (2, 0)


def test_edges_that_the_common_time_cuts_are_not_compared() -> None:
    ones, others = coding(("waving", 0, 5), end_s=10), coding(("waving", 1, 5.5), end_s=10)
    found = compare(pair_timelines([ones], [others], from_s=0.5, to_s=10)[0], 1.0)
    waving = row_of(found, "waving")
    assert waving.events[1].matched == 1
    assert (waving.onset.number, waving.offset.number, waving.offset.mean_s) == (0, 1, 0.5)


def test_people_do_not_match_each_other() -> None:
    ones = [("waving", 1, 2, 0), ("waving", 3, 4, 1)]
    found = agreement(ones, [("waving", 1, 2, 1), ("waving", 3, 4, 0)])
    assert (row_of(found, "waving").events[0].matched, row_of(found, "waving").kappa.bins) == (0, 20)
    assert row_of(agreement(ones, ones), "waving").kappa.value == 1.0  # type: ignore[arg-type]


def test_exchanging_the_codings_changes_only_signs(drawn: list[CodedPair]) -> None:
    there = compare(drawn, 0.25)
    exchanged = [CodedPair(pair.name, pair.from_ns, pair.to_ns, pair.others, pair.ones, pair.people) for pair in drawn]
    back = compare(exchanged, 0.25)
    for row, other in zip(there.rows, back.rows, strict=True):
        assert row.kappa == other.kappa
        assert [figures.f1 for figures in row.events] == [figures.f1 for figures in other.events]
        if row.onset.mean_s is not None:
            assert other.onset.mean_s == pytest.approx(-row.onset.mean_s)
    assert {(b, a): number for (a, b), number in back.confusion.items()} == there.confusion


def draw(rng: random.Random, number: int, end_s: float) -> list[Coded]:
    events: list[Coded] = []
    for _ in range(number):
        start_s = round(rng.uniform(0, end_s), 3)
        events.append((rng.choice(list(LABELS)), start_s, round(start_s + rng.uniform(0.05, 3), 3), rng.randrange(2)))
    return events


@pytest.fixture(params=range(5))
def drawn(request: pytest.FixtureRequest) -> list[CodedPair]:
    """Return three recordings, of which the second coding is a disturbed copy of the first."""
    rng = random.Random(request.param)
    pairs = []
    for name in ("P01", "P02", "P03"):
        ones = draw(rng, 30, 60)
        others = [
            (label if rng.random() < 0.8 else "waving", start_s + rng.uniform(0, 0.4), end_s + rng.uniform(0, 0.4), who)
            for label, start_s, end_s, who in ones  # type: ignore[misc]
            if rng.random() < 0.8
        ]
        sides = (coding(*each, name=name, end_s=70) for each in (ones, [*others, *draw(rng, 5, 60)]))
        pairs += pair_timelines([next(sides)], [next(sides)])[0]
    return pairs


@pytest.mark.parametrize("bin_s", [0.1, 0.25, 1.0])
def test_kappa_as_scikit_learn_computes_it(drawn: list[CodedPair], bin_s: float) -> None:
    found = compare(drawn, bin_s)
    coded: tuple[list[frozenset[str]], list[frozenset[str]]] = ([], [])
    for pair, person in ((each, person) for each in drawn for person in each.people):
        width_ns = round(bin_s * 1e9)
        for number in range((pair.to_ns - pair.from_ns) // width_ns):
            middle_ns = pair.from_ns + number * width_ns + width_ns / 2
            for side, spans in zip(coded, (pair.ones, pair.others), strict=True):
                side.append(
                    frozenset(s.label for s in spans if s.person == person and s.start_ns <= middle_ns < s.end_ns)
                )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sets = [["+".join(sorted(each)) for each in side] for side in coded]
        assert found.rows[0].kappa.value == pytest.approx(cohen_kappa_score(*sets), abs=1e-9)
        for label, body in LABELS.items():
            own = [[label in each for each in side] for side in coded]
            assert row_of(found, label).kappa.value == pytest.approx(cohen_kappa_score(*own), abs=1e-9)
            group = [[any(LABELS[one] == body for one in each) for each in side] for side in coded]
            assert row_of(found, body, "body group").kappa.value == pytest.approx(cohen_kappa_score(*group), abs=1e-9)


def test_f1_as_an_independent_matching_and_scikit_learn_compute_it(drawn: list[CodedPair]) -> None:
    found = compare(drawn, 1.0)
    for label, (place, least) in product(LABELS, enumerate((0.3, 0.5))):
        happened, reported = [], []  # an element for each event: matched, of A alone, of B alone
        for pair, person in ((each, person) for each in drawn for person in each.people):
            ones, others = (
                np.array([s.span for s in spans if (s.label, s.person) == (label, person)], float).reshape(-1, 2)
                for spans in (pair.ones, pair.others)
            )
            together = np.minimum(ones[:, None, 1], others[None, :, 1]) - np.maximum(
                ones[:, None, 0], others[None, :, 0]
            )
            apart = np.maximum(ones[:, None, 1], others[None, :, 1]) - np.minimum(ones[:, None, 0], others[None, :, 0])
            tiou = np.maximum(together, 0) / apart
            matched = 0
            while tiou.size and tiou.max() >= least:
                i, j = np.unravel_index(tiou.argmax(), tiou.shape)
                tiou[i, :] = tiou[:, j] = -1
                matched += 1
            happened += [1] * matched + [1] * (len(ones) - matched) + [0] * (len(others) - matched)
            reported += [1] * matched + [0] * (len(ones) - matched) + [1] * (len(others) - matched)
        assert row_of(found, label).events[place].f1 == pytest.approx(f1_score(happened, reported), abs=1e-9)


def test_every_event_is_in_one_pair_and_in_one_cell(drawn: list[CodedPair]) -> None:
    found = compare(drawn, 1.0)
    ones = [id(pair.one) for pair in found.pairs if pair.one is not None]
    others = [id(pair.other) for pair in found.pairs if pair.other is not None]
    assert sorted(ones) == sorted(id(span) for pair in drawn for span in pair.ones)
    assert sorted(others) == sorted(id(span) for pair in drawn for span in pair.others)
    assert found.confusion.total() == len(found.pairs)
    for label in LABELS:
        assert found.confusion[label, label] == row_of(found, label).events[0].matched


def test_memory_grows_with_the_events_and_not_with_the_bins() -> None:
    tracemalloc.start()
    try:
        found = agreement([("waving", 1, 2)], [("waving", 1.5, 2)], end_s=1e8, bin_s=0.001)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    kappa = row_of(found, "waving").kappa
    assert (kappa.bins, kappa.value) == (10**11, pytest.approx(2 / 3))  # 500 bins of both, 500 of A alone
