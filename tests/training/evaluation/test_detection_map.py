"""Detection mAP compared with results of the starter kit's functions, and by hand."""

from pathlib import Path

import numpy as np
import pytest

from mar_edge.training.evaluation.detection import TIOUS, Intervals, average_precisions, mean_ap

GOLDEN = Path(__file__).parents[2] / "data" / "golden_map.npz"


def test_it_is_the_published_metric():
    with np.load(GOLDEN) as golden:
        aps = average_precisions(Intervals.of(golden["pred"]), Intervals.of(golden["gt"]), 5)
        np.testing.assert_allclose(TIOUS, golden["thresholds"])
        np.testing.assert_allclose(aps, golden["ap"], rtol=0, atol=1e-12)
        assert mean_ap(aps) == pytest.approx(float(golden["mean"]), abs=1e-12)


def ap(found, true, tiou=0.5):
    """Compute the AP of one label, in rows (video, start, end, score) and (video, start, end)."""
    found = np.array([(video, 0, *rest) for video, *rest in found], float).reshape(-1, 5)
    true = np.array([(video, 0, *rest) for video, *rest in true], float).reshape(-1, 4)
    return float(average_precisions(Intervals.of(found), Intervals.of(true), 1, (tiou,))[0, 0])


def test_precision_and_recall_by_hand():
    true = [(0, 0, 2), (0, 5, 7)]
    assert ap([(0, 0, 2, 0.9), (0, 5, 7, 0.8)], true) == 1.0
    assert ap([(0, 0, 2, 0.9)], true) == 0.5
    assert ap([(0, 0, 2, 0.8), (0, 9, 10, 0.9)], true) == 0.25  # the highest score is wrong
    assert ap([(1, 0, 2, 0.9)], true) == 0.0  # another recording
    assert ap([], true) == 0.0


def test_one_instance_is_found_once():
    assert ap([(0, 0, 2, 0.9), (0, 0, 2, 0.8), (0, 5, 7, 0.7)], [(0, 0, 2), (0, 5, 7)]) == pytest.approx(0.5 + 1 / 3)


def test_the_next_best_instance_is_taken_where_the_best_is_taken():
    true = [(0, 0, 10), (0, 1, 11)]
    assert ap([(0, 0, 10, 0.9), (0, 0, 10, 0.8)], true) == 1.0


def test_labels_that_do_not_occur_are_left_out():
    true = Intervals.of(np.array([(0, 1, 0, 2)], float))
    found = Intervals.of(np.array([(0, 1, 0, 2, 0.5), (0, 2, 0, 2, 0.9)], float))
    aps = average_precisions(found, true, 3, (0.5,))
    np.testing.assert_array_equal(aps, [[np.nan, 1.0, np.nan]])
    assert mean_ap(aps) == 1.0
    nothing = Intervals.of(np.zeros((0, 4)))
    assert mean_ap(average_precisions(nothing, nothing, 3)) is None


def test_predictions_of_a_video_by_hand():
    """Score two actions at once, and one after them: a perfect, an empty, a single-label and a shifted prediction."""
    true = np.array([(0, 0, 0, 4), (0, 1, 2, 6), (0, 2, 8, 10)], float)

    def published(found):
        return mean_ap(average_precisions(Intervals.of(np.array(found, float).reshape(-1, 5)), Intervals.of(true), 3))

    assert published([(*row, 0.9) for row in true]) == 1.0
    assert published([]) == 0.0
    # One label at a time finds the first and the last of three.
    assert published([(0, 0, 0, 4, 0.9), (0, 2, 8, 10, 0.9)]) == pytest.approx(2 / 3)
    # A second late: overlaps of 3/5, 3/5 and 1/3, which pass 5 (0.6 by the starter kit's 1e-4 not), 5 and 3 of the
    # nine thresholds.
    assert published([(0, k, start + 1, end + 1, 0.9) for _, k, start, end in true]) == pytest.approx(13 / 27)
