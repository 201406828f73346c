"""Agreement, drops and errors, counted by hand."""

import msgspec
import numpy as np
import pytest

from mar_edge.calibration.command import Guard
from mar_edge.calibration.comparison import compare
from mar_edge.calibration.skeletons import check_skeletons
from mar_edge.calibration.windows import Windows
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata

METADATA = ModelMetadata(
    name="x",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=tuple(Label(i, name, "") for i, name in enumerate(("nod", "shrug", "wave"))),
)


def windows(labels):
    N = len(labels)
    return Windows({"skeleton": np.zeros((N, 64, 44, 2), np.float32)}, np.array(labels), "made up")


def probs(classes):
    return np.eye(3, dtype=np.float32)[classes] * np.float32(0.7) + np.float32(0.1)


def test_agreement_drop_and_error():
    labels = [0] * 20 + [1] * 20 + [2] * 4 + [-1] * 6
    before = np.array(labels)
    before[before < 0] = 2
    after = before.copy()
    after[:3] = 1  # three nods are lost
    after[40:44] = 0  # all four waves: too few to be evidence
    result = compare(probs(before), probs(after), windows(labels), METADATA)
    fidelity = result.fidelity
    assert fidelity.agreement == pytest.approx(43 / 50)
    assert (fidelity.worst_class, fidelity.worst_drop) == ("nod", pytest.approx(0.15))
    assert fidelity.probability_error == pytest.approx(0.7 * 7 / 50)
    assert fidelity.largest_probability_error == pytest.approx(0.7)
    assert {c.name: (c.windows, c.drop) for c in result.classes} == {
        "nod": (20, pytest.approx(0.15)),
        "shrug": (20, 0),
        "wave": (4, 1),
    }


def test_nan_agrees_with_nothing():
    before = probs([0, 1])
    after = before.copy()
    after[0] = np.nan
    fidelity = compare(before, after, windows([0, 1]), METADATA).fidelity
    assert fidelity.agreement == 0.5
    assert fidelity.largest_probability_error == 1


def test_without_labels_there_is_no_worst_class():
    fidelity = compare(probs([0, 1]), probs([0, 1]), windows([-1, -1]), METADATA).fidelity
    assert (fidelity.agreement, fidelity.worst_class, fidelity.worst_drop) == (1, None, None)


SEVERAL = msgspec.structs.replace(METADATA, activation="sigmoid", thresholds=(0.5, 0.5, 0.8))


def test_sigmoid_networks_agree_where_the_same_labels_reach_their_thresholds():
    before = np.array([[0.9, 0.7, 0.1], [0.9, 0.7, 0.1], [0.1, 0.1, 0.7], [0.51, 0.1, 0.1]], np.float32)
    after = before.copy()
    after[0] = (0.7, 0.9, 0.1)  # another label is the most probable one, and the same two are predicted
    after[1, 1] = 0.4  # one of two is lost
    after[2, 2] = 0.75  # nothing is predicted, as before
    after[3, 0] = 0.49  # too near its threshold to count
    assert compare(before, after, windows([0, 0, 2, 0]), SEVERAL).fidelity.agreement == 0.75
    labels = [1] * 20 + [3] * 5  # 3: background windows, for which the network has no output
    result = compare(np.repeat(before[1:2], 25, axis=0), np.repeat(after[1:2], 25, axis=0), windows(labels), SEVERAL)
    assert (result.fidelity.worst_class, result.fidelity.worst_drop) == ("shrug", 1.0)
    assert compare(before, np.full_like(before, np.nan), windows([0] * 4), SEVERAL).fidelity.agreement == 0


def filled(skeleton):
    N = len(skeleton)
    return Windows({"skeleton": skeleton.astype(np.float32)}, np.zeros(N, np.int64), "made up")


def test_noise_and_too_few_windows_are_refused():
    rng = np.random.default_rng(0)
    pose = rng.uniform(-1, 1, (100, 1, 44, 2))
    people = pose + np.cumsum(rng.normal(0, 0.01, (100, 64, 44, 2)), axis=1)
    check_skeletons(filled(people))
    jittery = pose + rng.normal(0, 0.02, (100, 64, 44, 2))
    check_skeletons(filled(jittery))
    with pytest.raises(MarEdgeError, match="is noise, not people"):
        check_skeletons(filled(rng.uniform(-1, 1, (100, 64, 44, 2))))
    with pytest.raises(MarEdgeError, match="is noise, not people"):
        check_skeletons(filled(rng.normal(0, 0.3, (100, 64, 44, 2))))
    with pytest.raises(MarEdgeError, match="has 10 different windows, too few"):
        check_skeletons(filled(people[:10]))
    with pytest.raises(MarEdgeError, match="has 1 different windows, too few"):
        check_skeletons(filled(np.repeat(people[:1], 100, axis=0)))
    hardly_other = people[:1] + rng.normal(0, 1e-4, (100, 1, 1, 1))
    with pytest.raises(MarEdgeError, match="hardly differ from each other; compare on more varied data"):
        check_skeletons(filled(hardly_other), "compare", 50)
    with pytest.raises(MarEdgeError, match="has 49 different windows, too few to compare on; at least 50 are needed"):
        check_skeletons(filled(people[:49]), "compare", 50)
    check_skeletons(filled(people[:50]), "compare", 50)
    with pytest.raises(MarEdgeError, match="only 0 of the 100 windows of made up have movement, too few"):
        check_skeletons(filled(np.repeat(pose, 64, axis=1)))


@pytest.mark.parametrize(("agreement", "fewest"), [(0.98, 50), (0.5, 2), (0.9, 10), (1.0, 64), (0.0, 2)])
def test_a_guard_needs_enough_windows_for_its_agreement(agreement, fewest):
    assert Guard(min_agreement=agreement).fewest == fewest
