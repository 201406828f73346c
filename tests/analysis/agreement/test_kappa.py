from __future__ import annotations

import warnings
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from mar_edge.analysis.agreement.kappa import cohen_kappa


def test_an_example_by_hand() -> None:
    """Take 50 bins: both coded yes in 20 and no in 15; A alone in 5, B alone in 10.

    p_o = 35/50 = 0.7. A said yes in 25, B in 30, so p_e = (25 * 30 + 25 * 20) / 2500 = 0.5. Kappa is 0.2 / 0.5 = 0.4.
    """
    found = cohen_kappa({(True, True): 20, (False, False): 15, (True, False): 5, (False, True): 10})
    assert (found.value, found.agreed, found.bins, found.why_undefined) == (0.4, 0.7, 50, "")


def test_extremes_and_what_is_undefined() -> None:
    assert cohen_kappa({("a", "a"): 3, ("b", "b"): 2}).value == 1.0
    assert cohen_kappa({("a", "b"): 1, ("b", "a"): 1}).value == -1.0
    assert cohen_kappa({("a", "b"): 5}).value == 0.0  # never the same, and never more than one category each
    same = cohen_kappa({(False, False): 7})
    assert (same.value, same.agreed) == (None, 1.0)
    assert same.why_undefined == "both coded the same throughout, so chance alone agrees"
    assert cohen_kappa({}).why_undefined == "no time bins"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1))
def test_as_scikit_learn_computes_it(coded: list[tuple[str, str]]) -> None:
    found = cohen_kappa(Counter(coded))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero where kappa is undefined
        expected = cohen_kappa_score(*zip(*coded, strict=True))
    if found.value is None:
        assert len({category for pair in coded for category in pair}) == 1
    else:
        assert found.value == pytest.approx(expected, abs=1e-9)
