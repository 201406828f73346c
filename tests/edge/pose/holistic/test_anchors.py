"""Detections from anchors: merging, order, thresholds."""

import numpy as np

from mar_edge.edge.pose.holistic.anchors import anchor_centers, detections

ANCHORS = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.1]], np.float32)


def row(dx=0.0, width=20.0):
    """Return one anchor's output in px of a picture of 100: a box, and one point 10 px right of the anchor."""
    return [dx, 0.0, width, width, dx + 10.0, 0.0]


def logit(p):
    return float(np.log(p / (1 - p)))


def test_anchors_lie_in_the_middle_of_cells_row_by_row():
    centers = anchor_centers(((2, 1), (1, 2)))
    np.testing.assert_allclose(
        centers, [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75], [0.5, 0.5], [0.5, 0.5]]
    )


def test_overlapping_detections_are_merged_by_score():
    rows = np.array([row(0), row(4), row(0)], np.float32)
    logits = np.array([logit(0.6), logit(0.9), logit(0.7)], np.float32)
    first, second = detections(rows, logits, ANCHORS, 100)
    assert abs(first.score - 0.9) < 1e-5
    x = 0.5 + (0.6 * 0.0 + 0.9 * 0.04) / 1.5
    np.testing.assert_allclose(first.box, [x - 0.1, 0.4, x + 0.1, 0.6], atol=1e-5)
    np.testing.assert_allclose(first.points, [[x + 0.1, 0.5]], atol=1e-5)
    assert abs(second.score - 0.7) < 1e-5
    np.testing.assert_allclose(second.points, [[0.2, 0.1]], atol=1e-5)


def test_scores_below_a_half_are_no_detections():
    rows = np.array([row(), row(), row()], np.float32)
    assert detections(rows, np.full(3, logit(0.499), np.float32), ANCHORS, 100) == []
    assert len(detections(rows, np.full(3, logit(0.501), np.float32), ANCHORS, 100)) == 2


def test_a_box_without_area_does_not_loop_forever():
    rows = np.array([row(width=0.0)] * 3, np.float32)
    assert len(detections(rows, np.full(3, 4.0, np.float32), ANCHORS, 100)) == 3
