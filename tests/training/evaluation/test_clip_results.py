"""Results on clips, from known predictions."""

import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, METADATA, FakeClips, fake_model, logits_for, quiet

from mar_edge.edge.labels import default_labels
from mar_edge.training.evaluation.clip_predictions import predict_clips
from mar_edge.training.evaluation.clip_results import body_groups, score_clips

NODDING, SHAKING_HEAD, WAVING, SHRUGGING = 9, 10, 19, 2
# Nods: two correct, one predicted as a shake, one as no action. A correct wave. Idle: once correct, once a shrug.
TRUE = [NODDING] * 4 + [WAVING] + [BACKGROUND] * 2
SAID = [NODDING, NODDING, SHAKING_HEAD, BACKGROUND, WAVING, BACKGROUND, SHRUGGING]


def results(true=TRUE, predicted=SAID):
    return score_clips(predict_clips(fake_model(logits_for(predicted)), FakeClips(np.array(true)), quiet), "fake")


def test_figures_as_deployed():
    figures = results().deployed
    assert figures.clips == 7
    assert figures.top1 == figures.f1_micro == pytest.approx(4 / 7)
    # Nodding 2*2/(2+4), waving 1, idle 2/(2+2); a shake and a shrug were predicted, but never true.
    assert figures.f1_macro == pytest.approx((4 / 6 + 1 + 1 / 2 + 0 + 0) / 5)
    # Head: 3 of 4, upper limb: 1, none: 1 of 2 and predicted of a nod, body: predicted of none.
    assert figures.body_f1_micro == pytest.approx(5 / 7)
    assert figures.body_f1_macro == pytest.approx((6 / 7 + 1 + 2 / 4 + 0) / 4)
    four = (figures.f1_macro, figures.f1_micro, figures.body_f1_macro, figures.body_f1_micro)
    assert figures.f1_mean == pytest.approx(np.mean(four))


def test_figures_of_actions_only():
    figures = results().actions
    assert figures.clips == 5
    # The nod predicted as no action is now predicted as the nearest action, which is wrong, too.
    assert figures.top1 == pytest.approx(3 / 5)
    assert figures.f1_macro == pytest.approx((4 / 6 + 1 + 0 + 0) / 4)


def test_the_second_guess_counts_if_no_action_is_excluded():
    logits = np.full((1, 53), -9.0, np.float32)
    logits[0, [BACKGROUND, NODDING]] = 2, 1
    found = score_clips(predict_clips(fake_model(logits), FakeClips(np.array([NODDING])), quiet), "fake")
    assert (found.deployed.top1, found.deployed.top5, found.actions.top1) == (0, 1, 1)


def test_without_clips_of_actions_there_are_no_figures_of_actions():
    assert results([BACKGROUND], [BACKGROUND]).actions is None


def test_classes():
    rows = {row.name: row for row in results().classes}
    nodding = rows["nodding"]
    assert (nodding.precision, nodding.recall, nodding.f1) == (1, 0.5, pytest.approx(2 / 3))
    assert (nodding.support, nodding.predicted, nodding.body) == (4, 2, "head")
    assert (rows["shrugging"].precision, rows["shrugging"].recall, rows["shrugging"].f1) == (0, None, 0)
    assert (rows["head up"].precision, rows["head up"].recall, rows["head up"].f1) == (None, None, None)


def test_bodies_are_in_the_order_of_their_classes():
    names = [row.name for row in results().bodies]
    assert names == ["body", "head", "upper limb", "lower limb", "body-hand", "head-hand", "leg-hand", "none"]
    assert [row.support for row in results().bodies] == [0, 4, 1, 0, 0, 0, 0, 2]


def test_mistakes_come_with_the_most_frequent_first():
    found = results([NODDING] * 3 + [WAVING] * 3, [SHAKING_HEAD, NODDING, NODDING, SHRUGGING, SHRUGGING, WAVING])
    found_mistakes = [(mistake.true, mistake.predicted, mistake.count, mistake.support) for mistake in found.mistakes]
    assert found_mistakes == [("waving", "shrugging", 2, 3), ("nodding", "shaking head", 1, 3)]
    assert results([NODDING], [NODDING]).mistakes == ()


def test_reliability():
    trust = results().reliability
    assert trust.accuracy == pytest.approx(4 / 7)
    # A class with neighbors on both sides gets 0.46 of the probability (five clips), the last one 0.63 (two).
    assert trust.confidence == pytest.approx((5 * 0.462 + 2 * 0.632) / 7, abs=0.01)
    assert trust.calibration_error == pytest.approx((4 * (0.75 - 0.46) + 0.48 + 2 * (0.63 - 0.5)) / 7, abs=0.01)


def test_a_model_with_several_labels():
    """Actions only go by the highest score. As deployed, scores below the thresholds mean "no action"."""
    scores = {NODDING: (0.9, 0.4, 0.1), SHAKING_HEAD: (0.8, 0.1, 0.2), WAVING: (0.1, 0.3, 0.3)}
    logits = np.full((3, 52), -9.0, np.float32)
    for label, values in scores.items():
        logits[:, label] = np.log(np.array(values) / (1 - np.array(values)))
    recognizer = fake_model(logits, labels=METADATA.labels[:52], background=None, activation="sigmoid")
    predictions = predict_clips(recognizer, FakeClips(np.array([NODDING, NODDING, BACKGROUND])), quiet)
    found = score_clips(predictions, "fake")
    assert (found.deployed.top1, found.deployed.top5) == (pytest.approx(2 / 3), 1)
    assert (found.actions.top1, found.actions.clips) == (1, 2)
    rows = {row.name: row for row in found.classes}
    assert (rows["no action"].support, rows["no action"].predicted, rows["nodding"].predicted) == (1, 2, 1)
    assert found.mean_ap == 1
    assert found.reliability.accuracy == pytest.approx(2 / 3)
    assert found.reliability.confidence == pytest.approx((0.9 + 0.4 + 0.3) / 3)


def test_mean_average_precision_takes_several_labels_a_clip():
    targets = np.zeros((2, 53), np.float32)
    targets[0, [NODDING, WAVING]], targets[1, WAVING] = 1.0, 0.3
    dataset = FakeClips(np.array([NODDING, BACKGROUND]), targets=targets)
    # The wave scores higher for the second clip, but only the first shows half of it.
    logits = np.zeros((2, 53), np.float32)
    logits[0, NODDING], logits[1, WAVING] = 3, 1
    assert score_clips(predict_clips(fake_model(logits), dataset, quiet), "fake").mean_ap == pytest.approx(
        (1 + 0.5) / 2
    )


def test_unlabeled_clips_are_not_counted():
    found = results([-1, NODDING], [WAVING, NODDING])
    assert (found.deployed.clips, found.unlabeled, found.deployed.top1) == (1, 1, 1)


def test_labels_without_body_groups_have_no_figures_of_them():
    labels = default_labels("imigue", 32)
    assert body_groups(labels) == ((), (0,) * 32)
    dataset = FakeClips(np.array([3, 4]), labels=labels, background=None)
    recognizer = fake_model(logits_for([3, 3], 32), labels=labels, background=None)
    found = score_clips(predict_clips(recognizer, dataset, quiet), "fake")
    assert (found.deployed.body_f1_macro, found.deployed.f1_mean, found.bodies) == (None, None, ())
    assert found.actions == found.deployed
