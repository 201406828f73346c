"""Candidate intervals from scores over time."""

import numpy as np
import pytest

from mar_edge.training.evaluation.candidates import ScoredWindows, propose, soften

WINDOW_S = 2.0


def windows(scores, start_s=2.0, person=0):
    """Return windows of two seconds every 0.2 s, with ``scores`` of label 1 of 2."""
    end_s = start_s + 0.2 * np.arange(len(scores))
    both = np.stack([np.zeros(len(scores)), scores], axis=-1).astype(np.float32)
    return ScoredWindows(end_s - WINDOW_S, end_s, np.full(len(scores), person), both)


def best(found):
    k = int(found.score.argmax())
    return float(found.start_s[k]), float(found.end_s[k]), float(found.score[k])


def test_a_stretch_of_high_scores_is_an_interval():
    scores = np.zeros(40)
    scores[10:25] = 0.85
    found = propose(windows(scores), WINDOW_S, video=3)
    assert set(found.video.tolist()) == {3}
    assert set(found.label.tolist()) == {1}
    # High scores from 4.0 s to 6.8 s: the onset is 0.7 s earlier, the offset 1.1 s earlier.
    assert best(found) == pytest.approx((3.3, 5.7, 0.85))


def test_each_threshold_proposes_its_own_stretch():
    scores = np.zeros(40)
    scores[5:30] = 0.35
    scores[14:20] = 0.95
    found = propose(windows(scores), WINDOW_S, 0)
    lengths = np.round(found.end_s - found.start_s, 3)
    assert lengths.max() == pytest.approx(24 * 0.2 - 0.4)
    # High for 1 s, half a window: from 1.35 s earlier to 0.55 s earlier.
    assert lengths.min() == pytest.approx(5 * 0.2 + 1.35 - 0.55)
    assert best(found)[2] == pytest.approx(0.95)


def test_an_interval_may_end_with_the_recording():
    scores = np.full(10, 0.9)
    start_s, end_s, _ = best(propose(windows(scores), WINDOW_S, 0))
    assert (start_s, end_s) == pytest.approx((0.0, 3.8))


def test_a_high_score_in_a_single_window_gives_that_window():
    scores = np.zeros(10)
    scores[5] = 0.9
    start_s, end_s, _ = best(propose(windows(scores), WINDOW_S, 0))
    assert (start_s, end_s) == pytest.approx((1.0, 3.0))


def test_the_delays_grow_with_the_duration_of_the_high_score():
    scores = np.zeros(40)
    scores[10:16] = 0.85
    # High from 4.0 s to 5.0 s, half a window: the means of 2.0 and 0.7 s, and of 0 and 1.1 s.
    assert best(propose(windows(scores), WINDOW_S, 0))[:2] == pytest.approx((4.0 - 1.35, 5.0 - 0.55))


def test_people_and_gaps_are_kept_apart():
    early, late, other = windows(np.full(5, 0.9)), windows(np.full(5, 0.9), 9.0), windows(np.full(5, 0.9), person=7)
    parts = (early, late, other)
    together = ScoredWindows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("start_s", "end_s", "person", "scores"))
    )
    found = propose(together, WINDOW_S, 0)
    assert (found.end_s - found.start_s).max() < 3
    assert propose(early.__class__(*(column[:0] for column in vars(early).values())), WINDOW_S, 0).score.size == 0


def test_soft_nms_lowers_scores_by_overlap():
    start_s, end_s = np.array([0.0, 0.0, 5.0]), np.array([2.0, 1.0, 7.0])
    softened = soften(start_s, end_s, np.array([0.9, 0.8, 0.5]), sigma=0.5)
    assert softened == pytest.approx([0.9, 0.8 * np.exp(-(0.5**2) / 0.5), 0.5])
