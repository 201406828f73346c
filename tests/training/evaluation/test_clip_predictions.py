import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, METADATA, FakeClips, fake_model, logits_for, quiet

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label
from mar_edge.training.evaluation.clip_predictions import UNLABELED, match_labels, predict_clips, spread

NODDING, WAVING = 9, 19


def clips(*labels, **changes):
    return FakeClips(np.array(labels), **changes)


def test_every_clip_is_predicted_once_in_batches_with_progress():
    recognizer = fake_model(logits_for(list(range(10))))
    seen = []
    predictions = predict_clips(recognizer, clips(*range(10)), lambda *step: seen.append(step), batch=4)
    assert recognizer.runtime.batches == [4, 4, 2]
    assert seen == [("clips", 4, 10), ("clips", 8, 10), ("clips", 10, 10)]
    np.testing.assert_array_equal(predictions.logits.argmax(axis=1), np.arange(10))
    np.testing.assert_array_equal(predictions.labels, np.arange(10))
    assert predictions.names[3] == "clip003"
    np.testing.assert_allclose(predictions.probs.sum(axis=1), 1, rtol=1e-5)


def test_a_number_of_clips_is_evenly_spread():
    predictions = predict_clips(fake_model(logits_for([0] * 10)), clips(*range(10)), quiet, clips=5)
    assert predictions.names == ("clip000", "clip002", "clip004", "clip006", "clip008")
    np.testing.assert_array_equal(predictions.labels, [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(spread(3, 5), [0, 1, 2])
    np.testing.assert_array_equal(spread(7, 3), [0, 2, 4])


def test_labels_match_by_name_in_any_order_and_number():
    theirs = (LABELS[WAVING], Label(7, "nodding", "anything"), Label(0, "idle", "none"))
    dataset = clips(0, 1, 2, labels=theirs, background=2)
    predictions = predict_clips(fake_model(logits_for([0, 0, 0])), dataset, quiet)
    np.testing.assert_array_equal(predictions.labels, [WAVING, NODDING, BACKGROUND])


def test_a_model_without_a_background_does_not_know_the_background_of_the_data():
    metadata = METADATA.__class__(name="", layout="ma52", streams=("joint",), encoding="raw", labels=LABELS[:52])
    assert match_labels(metadata, LABELS, BACKGROUND)[BACKGROUND] == UNLABELED


KNOWN = (*LABELS[:2], background_label())


def test_unknown_labels_are_refused_before_anything_is_inferred():
    recognizer = fake_model(logits_for([0] * 6, 3), labels=KNOWN, background=2)
    with pytest.raises(MarEdgeError) as error:
        predict_clips(recognizer, clips(0, 5, 6, 7, 8, 9), quiet)
    message = str(error.value)
    assert "fake clips has clips of 5 labels that the model does not know" in message
    assert "'bowing head', 'head up', 'tilting head' and 2 more" in message
    assert "--known-only" in message
    assert recognizer.runtime.batches == []


def test_labels_that_the_data_lacks_are_named():
    dataset = clips(0, labels=(Label(0, "Nodding", ""),), background=None)
    with pytest.raises(MarEdgeError, match=r"1 label .* not know: 'Nodding' \(it knows .* did you mean 'nodding'"):
        predict_clips(fake_model(logits_for([0])), dataset, quiet)


def test_labels_without_clips_need_not_be_known():
    predictions = predict_clips(fake_model(logits_for([0] * 2, 3), labels=KNOWN, background=2), clips(0, 1), quiet)
    assert (len(predictions.names), predictions.left_out) == (2, 0)


def test_known_only_leaves_out_the_others():
    recognizer = fake_model(logits_for([0] * 4, 3), labels=KNOWN, background=2)
    predictions = predict_clips(recognizer, clips(1, 30, BACKGROUND, 40), quiet, known_only=True)
    np.testing.assert_array_equal(predictions.labels, [1, 2])
    assert predictions.names == ("clip000", "clip002")
    assert predictions.left_out == 2


def test_nothing_known_is_an_error():
    recognizer = fake_model(logits_for([0], 3), labels=KNOWN, background=2)
    with pytest.raises(MarEdgeError, match="knows none of the labels"):
        predict_clips(recognizer, clips(30), quiet, known_only=True)


def test_unlabeled_clips_are_predicted():
    predictions = predict_clips(fake_model(logits_for([0] * 3)), clips(UNLABELED, UNLABELED, 4), quiet)
    np.testing.assert_array_equal(predictions.labels, [UNLABELED, UNLABELED, 4])


def test_outputs_that_are_not_finite_are_an_error():
    logits = logits_for([0, 0])
    logits[1, 3] = np.nan
    with pytest.raises(MarEdgeError, match="not all finite"):
        predict_clips(fake_model(logits), clips(0, 0), quiet)


def test_an_empty_data_set_is_an_error():
    with pytest.raises(MarEdgeError, match="has no clip"):
        predict_clips(fake_model(logits_for([0])), FakeClips(np.zeros(0, np.int64)), quiet)


SEVERAL = {"labels": LABELS[:52], "background": None, "activation": "sigmoid"}


def scored(*rows):
    """Return logits (N, 52) for scores of each row; other labels score nearly 0."""
    logits = np.full((len(rows), 52), -9.0, np.float32)
    for i, row in enumerate(rows):
        for label, score in row.items():
            logits[i, label] = np.log(score / (1 - score))
    return logits


def test_scores_below_their_thresholds_are_predicted_as_no_action():
    recognizer = fake_model(scored({NODDING: 0.6, WAVING: 0.4}, {NODDING: 0.45}, {}), **SEVERAL)
    predictions = predict_clips(recognizer, clips(NODDING, NODDING, BACKGROUND), quiet)
    assert (predictions.background, predictions.classes) == (BACKGROUND, LABELS)
    np.testing.assert_array_equal(predictions.labels, [NODDING, NODDING, BACKGROUND])
    ranked = np.argsort(-predictions.deployed, axis=1, kind="stable")
    np.testing.assert_array_equal(ranked[:, :2], [[NODDING, BACKGROUND], [BACKGROUND, NODDING], [BACKGROUND, 0]])


def test_thresholds_of_a_model_rank_the_predictions():
    thresholds = tuple(0.9 if label == NODDING else 0.3 for label in range(52))
    recognizer = fake_model(scored({NODDING: 0.8, WAVING: 0.4}), **SEVERAL, thresholds=thresholds)
    predictions = predict_clips(recognizer, clips(NODDING), quiet)
    assert np.argsort(-predictions.deployed[0])[:3].tolist() == [WAVING, BACKGROUND, NODDING]


def test_targets_are_in_the_order_of_the_model():
    theirs = (LABELS[WAVING], Label(7, "nodding", "anything"), Label(90, "yawning", ""), Label(0, "idle", "none"))
    dataset = clips(0, labels=theirs, background=3, targets=np.array([[1.0, 0.4, 0.7, 0.0]], np.float32))
    predictions = predict_clips(fake_model(scored({}), **SEVERAL), dataset, quiet)
    assert predictions.targets.shape == (1, 53)
    assert {k: float(predictions.targets[0, k]) for k in np.flatnonzero(predictions.targets[0])} == {
        WAVING: 1.0,
        NODDING: pytest.approx(0.4),
    }
